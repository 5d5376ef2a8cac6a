"""What a client of HTTP may send: requests of PowerDNS in each of its forms, broken in their octets, in pieces."""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.server.httpconnection import HttpConnection
from pipebackend.server.sharedstate import SharedState
from remoteshim.httpforms import Forms
from tests.fuzz.mutations import mutated
from tests.fuzz.test_fuzz import REMOTE_LINES, REMOTE_WORDS, looked_for_long
from tests.fuzz.test_fuzz_files import no_traceback
from tests.making import make_watcher
from tests.properties import test_remote
from tests.unit.remoteshim.test_rest import ADD_KEY, NEW_RRSET, OLD_RRSET, RECORD

SECRET = "a-secret-of-HTTP-clients"
FORMS = Forms("/dns", SECRET)
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n")
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n")


def request(verb: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{verb} /dns/{SECRET}{path} HTTP/1.1", "Host: x", "Connection: Keep-Alive", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (REMOTE_LINES[1][:9], REMOTE_LINES[1][9:], b""))
REQUESTS = (
    request("GET", "/lookup/lax%2ecities%2eexample%2e/ANY", b"", "X-RemoteBackend-real-remote: 192.0.2.0/24"),
    request("GET", "/list/7/cities%2eexample%2e/x"),
    request("GET", "/getDomainMetadata/cities%2eexample%2e/NSEC3PARAM") * 2,
    request("GET", "/searchRecords?maxResults=10&pattern=l%2a"),
    request("POST", "/startTransaction/7/cities%2eexample%2e/1", b"trxid=1"),
    request("PATCH", "/replaceRRSet/7/a%2ecities%2eexample%2e/A", OLD_RRSET.encode()),
    request("PATCH", "/replaceRRSet/7/a%2ecities%2eexample%2e/A", NEW_RRSET.encode()),
    request("PATCH", "/feedRecord/1", RECORD.encode()),
    request("PUT", "/addDomainKey/cities%2eexample%2e", ADD_KEY.encode()),
    request("PATCH", "/setDomainMetadata/cities%2eexample%2e/X%2dA", b"value[]=a%20b&value[]=c"),
    *(request("POST", "", line) for line in REMOTE_LINES[:3]),
    request("POST", "/lookup", b'parameters={"qname":"lax.cities.example.","qtype":"ANY"}'),
    request("POST", "", b"", "Transfer-Encoding: chunked") + CHUNKS,
    request("POST", "", b"", "Expect: 100-continue", "Content-Length: 2") + b"{}",
    request("GET", "/getAllDomains", b"", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
)
WORDS = (
    *(b"\r\n", b"\r\n\r\n", b"%2e", b"%", b"&", b"=", b"[", b"]", b"/", b"?", b"GET ", b"POST ", b"CONNECT ", b"\r\n "),
    *(b"rrset[0][ttl]=", b"rrset[9]", b"ttl]=&", b"1&", b"Content-Length: 5\r\n", b"HTTP/2.0", b"HTTP/0.9", b"Host:"),
    *(b"http://x/dns", b"Transfer-Encoding: chunked\r\n", b"Origin: x\r\n", b"Authorization: Bearer x\r\n"),
    *(b"Connection: close\r\n", b"Expect: x\r\n", b"parameters=", b"ffffffffffffffff\r\n", *REMOTE_WORDS),
)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with tempfile.TemporaryDirectory() as name:
        yield Backend(make_watcher(Path(name)))


@looked_for_long
@given(mutated(REQUESTS, WORDS), st.integers(1, 700))
@example(request("PATCH", "/replaceRRSet/7/a%2e/A", b"1&rrset[0][qname]=a&rrset[1][qname]=b"), 700)
@example(request("PATCH", "/replaceRRSet/7/a%2e/A", b"1&rrset[0][ttl]=&rrset[1][ttl]=1"), 700)
def test_http_requests(backend: Backend, octets: bytes, piece: int) -> None:
    """Each complete request has an answer or a refusal, nothing else comes, and none has the secret."""
    client, ours = socket.socketpair()
    with client, ours, no_traceback():
        for end in (client, ours):
            end.setblocking(False)
        connection = HttpConnection(ours, SharedState(), test_remote.session(backend), lambda: None, FORMS.line, {})
        came, begun = b"", 0
        while begun < len(octets) and not connection.is_over:
            begun += client.send(octets[begun : begun + piece])
            assert connection.read()
            came += received(client)
        connection.expire(float("inf"))
        came += received(client)
    assert SECRET.encode() not in came
    while came:
        status = STATUS.match(came)
        assert status, came
        if status[1] == b"100":
            came = came.partition(b"\r\n\r\n")[2]
            continue
        head, _, rest = came.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        assert length, head
        body, came = rest[: int(length[1])], rest[int(length[1]) :]
        assert len(body) == int(length[1])
        if status[1] == b"200":
            test_remote.check_answer(body, "")
        else:
            assert body.rstrip(b"\n").decode("ascii").isprintable()
            assert not came, "nothing follows a refusal"


def received(client: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            some = client.recv(65536)
        except BlockingIOError:
            return found
        if not some:
            return found
        found += some
