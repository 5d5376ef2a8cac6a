"""Three forms of one question; where the service is, and its secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipebackend.base.errors import ConfigFault
from pipebackend.server.httpwire import Refusal, Request
from remoteshim import plainlookup
from remoteshim.httpforms import Forms, read_secret

SECRET = "0123456789abcdef"
LINE = (
    b'{"method": "lookup", "parameters": {"local": "192.0.2.2", "qname": "a.e.org.", "qtype": "ANY", '
    b'"real-remote": "192.0.2.1/32", "remote": "192.0.2.1", "zone-id": -1}}'
)
HEADERS = {
    b"x-remotebackend-local": b"192.0.2.2",
    b"x-remotebackend-remote": b"192.0.2.1",
    b"x-remotebackend-real-remote": b"192.0.2.1/32",
    b"x-remotebackend-zone-id": b"-1",
}
KEPT_ALIVE = {b"connection": b"Keep-Alive"}
START = b'{"method": "startTransaction", "parameters": {"domain": "e.org.", "domain_id": -1, "trxid": 1}}'


def line(
    verb: str, target: str, body: bytes = b"", headers: dict[bytes, bytes] | None = None, forms: Forms | None = None
) -> bytes:
    return (forms or Forms("/dns")).line(Request(verb.encode(), target.encode(), headers or {}, body, True))


def refused(*words: Any, **more: Any) -> int:
    with pytest.raises(Refusal) as found:
        line(*words, **more)
    return found.value.status


def test_three_forms_of_one_question() -> None:
    form = b"parameters=" + json.dumps(json.loads(LINE)["parameters"]).replace(" ", "%20").encode()
    assert line("POST", "/dns", LINE) == LINE
    assert line("GET", "/dns/lookup/a%2ee%2eorg%2e/ANY", headers=HEADERS) == LINE
    assert line("POST", "/dns/lookup.json", form) == LINE
    assert plainlookup.read(LINE) is not None


def test_a_persons_json_is_one_line() -> None:
    assert line("POST", "/dns/", LINE.replace(b", ", b",\r\n")) == LINE.replace(b", ", b",  ")


def test_a_target_with_the_host_in_it() -> None:
    assert line("POST", "http://ns1.example:8053/dns", LINE) == LINE


@pytest.mark.parametrize("target", ["/", "/dn", "/dnsx", "/dnsx/lookup/a/ANY", "/other/lookup/a/ANY", "dns", "*", ""])
def test_another_path(target: str) -> None:
    assert refused("POST", target, LINE) == 400


@pytest.mark.parametrize(
    ("verb", "target", "allowed"),
    [
        ("GET", "/dns", "POST"),
        ("HEAD", "/dns/lookup/a/ANY", "GET, POST"),
        ("GET", "/dns/removeDomainKey/1/a%2e", "DELETE, POST"),
        ("GET", "/dns/startTransaction/1/a%2e/1", "POST"),
        ("OPTIONS", "/dns", "POST"),
    ],
)
def test_another_verb(verb: str, target: str, allowed: str) -> None:
    with pytest.raises(Refusal) as found:
        line(verb, target)
    assert (found.value.status, found.value.allowed) == (405, allowed)


def test_a_transaction_needs_a_connection_of_its_own() -> None:
    assert line("POST", "/dns", START, KEPT_ALIVE) == START
    assert refused("POST", "/dns", START) == 409
    assert refused("POST", "/dns", START, {b"connection": b"close"}) == 409
    assert refused("POST", "/dns/startTransaction/1/a%2e/1") == 409
    assert refused("POST", "/dns/startTransaction", b"parameters={}") == 409
    assert b'"domain": "a."' in line("POST", "/dns/startTransaction/1/a%2e/1", b"", KEPT_ALIVE).replace(b":", b": ")


def test_browsers_are_not_served() -> None:
    """A page reads what is on its own host without Origin, and its name may turn into 127.0.0.1."""
    assert refused("POST", "/dns", LINE, {b"origin": b"http://evil.example"}) == 403
    assert refused("GET", "/dns/getDomainKeys/e%2etest%2e", b"", {b"accept-language": b""}) == 403


def test_a_secret_in_the_path_or_the_header() -> None:
    forms = Forms("/dns", SECRET)
    bearer = {b"authorization": b"Bearer " + SECRET.encode()}
    assert line("POST", f"/dns/{SECRET}", LINE, forms=forms) == LINE
    assert line("GET", f"/dns/{SECRET}/lookup/a%2ee%2eorg%2e/ANY", headers=HEADERS, forms=forms) == LINE
    assert line("POST", "/dns", LINE, bearer, forms) == LINE
    assert line("GET", "/dns/lookup/a%2ee%2eorg%2e/ANY", headers=HEADERS | bearer, forms=forms) == LINE
    for target in ("/dns", f"/dns/{SECRET}x", f"/dns/{SECRET[:-1]}", f"/dns{SECRET}", f"/dns/x/{SECRET}"):
        assert refused("POST", target, LINE, forms=forms) == 403
    for header in (b"Bearer ", b"Bearer x" + SECRET.encode(), b"Basic " + SECRET.encode(), b"\xff"):
        assert refused("POST", "/dns", LINE, {b"authorization": header}, forms=forms) == 403


def test_a_secret_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o640)
    assert read_secret(str(file)) == SECRET


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (SECRET, 0o644, "every user can read it"),
        ("short", 0o600, "16 or more letters"),
        ("0123456789 abcdef", 0o600, "16 or more letters"),
        ("0123456789/abcdef", 0o600, "16 or more letters"),
        ("\u00e4" * 20, 0o600, "16 or more letters"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_secret_that_cannot_be_used(tmp_path: Path, content: str | None, mode: int, complaint: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(ConfigFault, match=complaint):
        read_secret(str(file))
