"""Requests out of octets, whatever these are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.server import httpwire
from pipebackend.server.framing import MAX_REQUEST
from pipebackend.server.httpwire import MAX_HEAD, Reader, Refusal, Request

GET = b"GET /dns/lookup/a/ANY HTTP/1.1\r\nHost: x\r\nX-RemoteBackend-remote: 192.0.2.1\r\n\r\n"
POST = b"POST /dns HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /dns HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


def read(*parts: bytes) -> list[Request | Refusal]:
    reader = Reader()
    for part in parts:
        reader.feed(part)
    return list(reader.requests)


def status(*parts: bytes) -> int:
    [found] = read(*parts)
    assert isinstance(found, Refusal), found
    return found.status


def test_a_request() -> None:
    [found] = read(GET)
    assert isinstance(found, Request)
    assert (found.verb, found.target, found.body, found.stays) == (b"GET", b"/dns/lookup/a/ANY", b"", True)
    assert found.headers == {b"host": b"x", b"x-remotebackend-remote": b"192.0.2.1"}


@pytest.mark.parametrize("octets", [GET, POST, CHUNKED], ids=["GET", "length", "chunks"])
def test_octets_one_by_one(octets: bytes) -> None:
    assert read(*(bytes([octet]) for octet in octets)) == read(octets)


def test_chunks_are_a_body_as_any() -> None:
    [found] = read(CHUNKED)
    assert isinstance(found, Request)
    assert found.body == b"abc"


def test_pipelined_requests() -> None:
    assert len(read(GET + POST + b"\r\n" + CHUNKED + GET[:-3])) == 3


@pytest.mark.parametrize(
    ("request_", "stays"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", True),
    ],
)
def test_whether_the_connection_stays(request_: bytes, stays: bool) -> None:
    [found] = read(request_)
    assert isinstance(found, Request)
    assert found.stays == stays


def test_headers_of_one_name_are_a_list() -> None:
    """RFC 9110 section 5.3."""
    [found] = read(b"GET / HTTP/1.1\r\nConnection: a\r\nconnection: b\r\n\r\n")
    assert isinstance(found, Request)
    assert found.headers == {b"connection": b"a, b"}


def test_another_protocol_is_not_taken_up() -> None:
    """RFC 9110 section 7.8: a server may ignore the wish. What follows is read all the same."""
    wish = b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"
    assert [type(found) for found in read(wish + GET)] == [Request, Request]


def test_a_client_that_waits_to_go_on() -> None:
    reader = Reader()
    reader.feed(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    assert reader.wants_to_go_on and reader.is_amid
    reader.feed(b"x")
    assert not reader.wants_to_go_on and not reader.is_amid
    assert len(reader.requests) == 1


SMUGGLED = {
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "chunks not last": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a signed length": b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
    "an empty length": b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
    "an endless length": b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "a space before the colon": b"POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc",
    "a folded header": b"POST / HTTP/1.1\r\nX: a\r\n Content-Length: 3\r\n\r\nabc",
    "bare line feeds": b"POST / HTTP/1.1\nContent-Length: 3\n\nabc",
    "a bare carriage return": b"GET / HTTP/1.1\r\nX: a\rContent-Length: 3\r\n\r\n",
    "a chunk longer than said": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a signed chunk": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\n\r\n",
    "an octet above 127 in the path": b"GET /\xff HTTP/1.1\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/3.7\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown verb": b"FROB / HTTP/1.1\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(100),
    "a line of the pipe": b'{"method": "lookup"}\n',
}


@pytest.mark.parametrize("octets", SMUGGLED.values(), ids=SMUGGLED)
def test_what_may_be_read_in_two_ways_is_refused(octets: bytes) -> None:
    assert status(octets) == 400
    assert status(*(bytes([octet]) for octet in octets)) == 400


def test_nothing_after_a_refusal_is_read() -> None:
    assert status(SMUGGLED["two lengths"], GET) == 400


def test_a_body_has_a_bound() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
    assert status(head % (MAX_REQUEST + 1)) == 413
    assert status(head % 10**12) == 413
    [found] = read(head % MAX_REQUEST, b"x" * MAX_REQUEST)
    assert isinstance(found, Request)
    chunk = b"%x\r\n%s\r\n" % (MAX_REQUEST // 2, b"x" * (MAX_REQUEST // 2))
    assert status(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk, b"1\r\nx\r\n") == 413


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"GET /", b"x" * 1000),
        (b"GET / HTTP/1.1\r\nX", b"x" * 1000),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100),
        (b"GET / HTTP/1.1\r\nX: ", b"y" * 1000),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y" * 1000),
    ],
)
def test_a_head_without_end(start: bytes, more: bytes) -> None:
    reader = Reader()
    reader.feed(start)
    for _ in range(4 * MAX_HEAD // len(more)):
        assert reader.held < 2 * MAX_HEAD
        reader.feed(more)
    [found] = reader.requests
    assert isinstance(found, Refusal)
    assert found.status == 431
    assert reader.held == 0


def test_an_expectation_of_something_else() -> None:
    assert status(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n") == 417


def test_responses() -> None:
    assert (
        httpwire.response(b"{}\n")
        == b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n"
    )
    assert b"\r\nConnection: close\r\n" in httpwire.response(b"{}\n", stays=False)
    refused = httpwire.refusal(Refusal(405, "no\u20ac", "GET, POST"))
    head, _, body = refused.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nAllow: GET, POST\r\n")
    assert body == b"no\\u20ac\n"
    assert head.endswith(b"Content-Length: %d" % len(body))


def test_a_head_that_came_before_is_not_parsed() -> None:
    httpwire._heads.clear()
    first, second = read(POST, POST.replace(b"abc", b"def"))
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.body, second.body) == (b"abc", b"def")
    assert first._replace(body=b"") == second._replace(body=b"")
    assert len(httpwire._heads) == 1


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(GET, id="without length"),
        pytest.param(CHUNKED, id="chunks"),
        pytest.param(POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), id="the last one"),
        pytest.param(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), id="asks to go on"),
        pytest.param(POST.replace(b"\r\n\r\n", b"\r\nX: %b\r\n\r\n" % (b"x" * 1024)), id="long"),
        pytest.param(POST.replace(b"Length: 3", b"Length: 4"), id="half"),
        pytest.param(POST.replace(b"Length: 3\r\n\r\n", b"Length: 7\n\n\r\n\r\n"), id="ends of lines that are not"),
    ],
)
def test_a_head_that_may_be_read_otherwise_is_not_kept(octets: bytes) -> None:
    httpwire._heads.clear()
    read(octets)
    assert not httpwire._heads


def test_heads_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpwire, "_MOST_HEADS", 3)
    httpwire._heads.clear()
    for number in range(10):
        read(POST.replace(b"/dns", b"/%d" % number))
    assert 0 < len(httpwire._heads) <= 3


PIECES = st.sampled_from(
    (
        *(POST, POST.replace(b"abc", b"xyz"), GET, CHUNKED, POST[:20], POST[20:], b"\r\n", b"\r\n\r\n", b"\n", b"abc"),
        *(
            b"POST / HTTP/1.1\nContent-Length: 4\n\n\r\n\r\n",
            b"POST /dns HTTP/1.1\r\nContent-Length: 7\r\n\r\n",
            b"POST /",
        ),
    )
)


@given(st.lists(PIECES | st.binary(max_size=8), max_size=8), st.lists(PIECES, max_size=4))
def test_what_came_before_changes_nothing(parts: list[bytes], before: list[bytes]) -> None:
    """Heads that were kept, of this connection or of others, decide no more than the parser would."""
    httpwire._heads.clear()
    read(*before)
    found = read(*parts)
    httpwire._heads.clear()
    octets = b"".join(parts)
    assert list(map(as_words, found)) == list(map(as_words, read(*(bytes([octet]) for octet in octets))))


def as_words(found: Request | Refusal) -> object:
    return found.status if isinstance(found, Refusal) else found


@pytest.mark.parametrize(("octets", "status"), [(MAX_HEAD, 200), (MAX_HEAD + 1, 431)])
@pytest.mark.parametrize("piece", [700, 3072, 4 * MAX_HEAD])
def test_a_head_has_so_many_octets_and_no_more(octets: int, status: int, piece: int) -> None:
    """Up to 6 KiB more were taken, for only what had not come to its end was looked at."""
    target, name = b"/dns", b"X-Long"
    value = b"x" * (octets - len(target + name + b": \r\n"))
    request = b"GET %b HTTP/1.1\r\n%b: %b\r\n\r\n" % (target, name, value)
    reader = Reader()
    for start in range(0, len(request), piece):
        reader.feed(request[start : start + piece])
    [found] = reader.requests
    assert (found.status if isinstance(found, Refusal) else 200) == status
