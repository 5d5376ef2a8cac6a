"""Calls in words, and no secret in any form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.cli import backendcmd
from pipebackend.diagnosis import transcript
from pipebackend.dnsdata import shown
from remoteshim import methods

PRIVATE = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: 8ZbPn9wHsW1tjZ2p0l1L6vNqQk=\n"
SECRET = "c2VjcmV0IG9mIHRoZSBrZXk="


def remote(method: str, **parameters: object) -> bytes:
    return json.dumps({"method": method, "parameters": parameters}).encode()


def result(value: object, **more: object) -> bytes:
    return json.dumps({"result": value} | more, separators=(",", ":")).encode() + b"\n"


TXT = {"qname": "a.x", "qtype": "TXT", "content": '"a"'}


@pytest.mark.parametrize(
    ("request_", "answer", "said"),
    [
        (remote("initialize", config="/x"), result(True), "initialize -> yes"),
        (
            remote("lookup", qname="a.x.", qtype="ANY", **{"zone-id": 7}),
            result([TXT, TXT, {"qname": "a.x", "qtype": "LOC", "content": ""}]),
            "lookup a.x. ANY (zone-id 7) -> 3 records: TXT x2 LOC",
        ),
        (remote("lookup", qname="a.x.", qtype="SOA"), result([]), "lookup a.x. SOA -> nothing"),
        (
            remote("lookup", qname="a.x.", qtype="ANY"),
            result([TXT | {"qtype": ""}]),
            "lookup a.x. ANY -> 1 records: ENT",
        ),
        (
            remote("getDomainMetadata", name="x.", kind="NSEC3PARAM"),
            result(["1 0 0 -"]),
            "getDomainMetadata x. NSEC3PARAM -> 1 items",
        ),
        (
            remote("getBeforeAndAfterNamesAbsolute", qname="a.", id=7),
            result({"unhashed": "", "before": "", "after": "b"}),
            "getBeforeAndAfterNamesAbsolute a. (id 7) -> unhashed, before, after",
        ),
        (
            remote("lookup", qname="a.x.", qtype="ANY"),
            result([{"qname": "a.x.", "qtype": "A", "content": "zone x: Z.lookup('a') failed", "ttl": 0}]),
            "lookup a.x. ANY -> failed: zone x: Z.lookup('a') failed",
        ),
        (
            remote("lookup", qname="a.x.", qtype="ANY"),
            result([{"qname": "a.x", "qtype": "A", "content": "192.0.2.1", "ttl": 0}]),
            "lookup a.x. ANY -> 1 records: A",
        ),
        (remote("addDomainKey", name="x."), result(1), "addDomainKey x. -> 1"),
        (remote("addDomainKey", name="x."), result(0), "addDomainKey x. -> 0"),
        (remote("directBackendCmd", query="help"), result("a\nb\n"), "directBackendCmd help -> a text"),
        (remote("feedRecord", rr={"qname": "a.x.", "qtype": "A"}), result(True), "feedRecord a.x. A -> yes"),
        (remote("getDomainInfo", name="y."), result(False), "getDomainInfo y. -> no"),
        (remote("list", zonename="y."), result(False, log=["no zone y"]), "list y. -> no: no zone y"),
        (remote("getDomainKeys", name="y."), result(None, log=["disk full"]), "getDomainKeys y. -> failed: disk full"),
        (b'{"method": 1', b"x\n", "something unreadable of 12 octets -> 2 octets"),
        (b"HELO\t4", b"OK\tpipebackend 1\n", "HELO 4 -> OK pipebackend 1"),
        (
            b"Q\ta.x\tIN\tANY\t-1\t127.0.0.1",
            b"DATA\t0\t1\ta.x\tIN\tTXT\t60\t7\ta\nEND\n",
            "Q a.x ANY (id -1) -> 1 records: TXT",
        ),
        (b"Q\ta.x\tIN\tSOA\t-1\t127.0.0.1", b"LOG\twhy\nFAIL\nEND\n", "Q a.x SOA (id -1) -> failed: why"),
        (b"CMD\tversion", b"pipebackend 1\nEND\n", "CMD version -> 1 lines"),
        (b"AXFR\t7\tx", b"END\n", "AXFR 7 x -> nothing"),
        (b"hello\x1b[2J", b"FAIL\n", "something unknown of 9 octets -> failed"),
    ],
)
def test_a_call_in_one_line(request_, answer, said):
    assert transcript.summary(request_, answer) == said


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_octets_are_one_line_of_printable_text(request, answer):
    said = transcript.summary(request, answer)
    assert said.isascii() and said.isprintable()


@given(st.sampled_from(["lookup", "getTSIGKeys", "x"]), st.dictionaries(st.text(max_size=9), st.text(max_size=9)))
def test_any_parameters_are_one_line_of_printable_text(method, parameters):
    said = transcript.summary(remote(method, **{"qname": "\x1b\n", **parameters}), result(parameters))
    assert said.isascii() and said.isprintable()


KEY = {"flags": 257, "active": True, "content": PRIVATE}
TSIG = {"name": "k.", "algorithm": "hmac-sha256.", "content": SECRET}
WITH_SECRETS = {
    "addDomainKey": (remote("addDomainKey", name="x.", key=KEY), result(1)),
    "getDomainKeys": (remote("getDomainKeys", name="x."), result([KEY, KEY])),
    "setTSIGKey": (remote("setTSIGKey", **TSIG), result(True)),
    "getTSIGKey": (remote("getTSIGKey", name="k."), result(TSIG)),
    "getTSIGKeys": (remote("getTSIGKeys"), result([TSIG, TSIG])),
    "misspelt method": (remote("setTsigkey", **TSIG), result(False)),
    "cut off": (remote("setTSIGKey", **TSIG)[:-5], result(False)),
    "cut off key": (remote("addDomainKey", name="x.", key=KEY)[:-9], result(False)),
    "unreadable answer": (remote("getTSIGKeys"), result([TSIG])[:-4]),
    "key in a place of its own": (remote("lookup", qname=PRIVATE, qtype="A"), result(False, log=[PRIVATE])),
    "key to the wrong front end": (b"Q\t" + PRIVATE.replace("\n", " ").encode(), b"FAIL\n"),
    "content twice": (remote("setTSIGKey", **TSIG).replace(b'"name"', b'"content": "x", "content"'), result(True)),
    "key for a misspelt parameter": (remote("setTSIGKey", name="k.", contend=SECRET), result(False)),
    "key as the algorithm": (remote("setTSIGKey", name="k.", algorithm=SECRET), result(False)),
    "key as the name of a method": (remote(SECRET), result(False)),
    "key in a command that there is not": (b"CMD\ttsig set a hmac-sha256 " + SECRET.encode(), b"FAIL\n"),
    "the same over REMOTE": (remote("directBackendCmd", query=f"tsig set a x {SECRET}"), result(False)),
    "a word that there is not": (b"CNMD\ttsig set a hmac-sha256 " + SECRET.encode(), b"FAIL\n"),
    "key in a command": (b"CMD\timport " + PRIVATE.replace("\n", " ").encode(), b"END\n"),
}


@pytest.mark.parametrize("case", WITH_SECRETS)
def test_no_secret_is_left(case):
    request, answer = transcript.blanked(*WITH_SECRETS[case])
    shown = request + answer + transcript.summary(*WITH_SECRETS[case]).encode()
    assert b"8ZbPn9" not in shown
    assert SECRET.encode() not in shown
    assert transcript.BLANK.encode() in request + answer


@pytest.mark.parametrize("method", ["addDomainKey", "getDomainKeys", "setTSIGKey", "getTSIGKeys"])
def test_all_but_the_secret_stays(method):
    request, answer = transcript.blanked(*WITH_SECRETS[method])
    assert json.loads(request)["method"] == method
    assert answer.endswith(b"}\n") and answer.count(b"\n") == 1
    kept = request + answer
    assert b"257" in kept or b"hmac-sha256." in kept


@pytest.mark.parametrize(
    "request_",
    [
        remote("feedRecord", rr={"content": "192.0.2.1"}),
        remote("lookup", qname="a.x.", qtype="ANY"),
        b"Q\ta\tIN\tA\t-1\t::1",
    ],
)
def test_what_has_no_secret_stays_as_it_is(request_):
    answer = b'{ "result": [ {"content":"192.0.2.1"} ]}\n'
    assert transcript.blanked(request_, answer) == (request_, answer)


def test_a_method_that_nobody_knows_shows_no_content():
    said = transcript.summary(remote("directBackendCmds", query="key import c2VjcmV0", name="e.test."), b"")
    assert said.startswith("directBackendCmds e.test. -> ")
    assert "c2VjcmV0" not in said


def test_nothing_is_shown_of_what_is_no_json():
    """It may hold a key, written with escapes that only JSON could read."""
    request = b'{"method": "\\u0061ddDomainKe\\u0079", "parameters": {"content": "c2VjcmV0"},}'
    assert transcript.blanked(request, b"{}") == (transcript.BLANK.encode(), b"{}")


def test_what_only_reads_is_known():
    for method in ("lookup", "list", "getDomainKeys", "getAllDomains", "initialize", "searchRecords"):
        assert transcript.reads_only(remote(method))
    for method in ("setTSIGKey", "addDomainKey", "startTransaction", "feedRecord", "directBackendCmd", "setFresh", "?"):
        assert not transcript.reads_only(remote(method))
    assert transcript.reads_only(b"HELO\t4") and transcript.reads_only(b"Q\ta\tIN\tA\t-1\t::1")
    assert not transcript.reads_only(b"CMD\tcreate x.example")


def test_each_method_is_open_or_of_keys():
    strange = {method for method in methods.KNOWN if method not in transcript._OPEN and "Key" not in method}
    assert not strange
    assert transcript._OPEN <= methods.KNOWN
    assert not {method for method in transcript._OPEN if "Key" in method}


def test_the_commands_are_those_of_backend_cmd():
    assert {name.split(" ")[0] for name in backendcmd.COMMANDS} == transcript._COMMANDS


@pytest.mark.parametrize("method", sorted(transcript._OPEN))
def test_every_method_is_named_in_a_trace_and_in_a_log(method):
    """``feedEnts3`` was something unknown: a digit is no letter."""
    asked = json.dumps({"method": method, "parameters": {"domain": "example.org."}}).encode()
    assert transcript.summary(asked, b'{"result": true}').startswith(f"{method} ")
    assert shown.request(asked).startswith(method)
