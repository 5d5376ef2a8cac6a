"""A log shows what was asked and never what a key is made of, whatever the request looks like."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.dnsdata import shown

SECRET = "c2VjcmV0LW9mLWEta2V5"
KEY = f"Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: {SECRET}\n"
ADD_KEY = json.dumps({"method": "addDomainKey", "parameters": {"name": "e.test.", "key": {"content": KEY}}})
SET_TSIG = json.dumps({"method": "setTSIGKey", "parameters": {"name": "k.", "content": SECRET}})


def test_a_question_is_shown() -> None:
    assert shown.request(b"Q\twww.e.test\tIN\tA\t-1\t::1") == repr(b"Q\twww.e.test\tIN\tA\t-1\t::1")
    asked = b'{"method": "lookup", "parameters": {"qname": "www.e.test.", "qtype": "A"}}'
    assert shown.request(asked) == "lookup www.e.test. A"


def test_who_sets_a_key_is_shown_and_not_the_key() -> None:
    assert shown.request(ADD_KEY.encode()) == "addDomainKey e.test."
    assert shown.request(SET_TSIG.encode()) == "setTSIGKey k."


@pytest.mark.parametrize(
    "line",
    [
        ADD_KEY[:-2],  # cut short
        ADD_KEY[1:],
        ADD_KEY.replace("addDomainKey", r"\u0061ddDomainKe\u0079"),
        ADD_KEY.replace('"method": "addDomainKey"', '"method": "lookup", "method": "addDomainKey"'),
        SET_TSIG.replace('"method"', f'"method": "{SECRET}", "nothing"'),
        f"[{SET_TSIG}]",
        f"CMD\ttsig import k hmac-sha256 {SECRET}",
        f"cmd\ttsig import k hmac-sha256 {SECRET}",
        f" Q\t{SECRET}",
        f"Q\t{ADD_KEY}",
        SECRET,
    ],
)
def test_no_form_of_a_request_shows_a_secret(line: str) -> None:
    said = shown.request(line.encode())
    assert SECRET[:8] not in said
    assert said.isprintable()


@given(st.binary())
def test_any_octets_are_one_printable_line(line: bytes) -> None:
    assert shown.request(line).isprintable()
