"""A client that speaks HTTP, over a pair of sockets: what it is answered, when it ends, what it costs meanwhile."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base import logs
from pipebackend.server import httpwire
from pipebackend.server.httpconnection import LONGEST_REQUEST, MOST_LINES, PATIENCE, HttpConnection
from pipebackend.server.httpwire import Reader, Refusal, Request
from pipebackend.server.sharedstate import SharedState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.server.httpconnection import Translate

LARGE = 8_000_000  # octets, more than a pair of sockets holds
QUESTION = b'{"method": "lookup", "parameters": {"qname": "%b"}}'
ASKED = [
    b"GET /a HTTP/1.1\r\n\r\n",
    b"GET /b HTTP/1.1\r\nX: y\r\n\r\n",
    b"POST /c HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz",
    b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"GET /write HTTP/1.1\r\n\r\n",
    b"\r\n",
    b"GET /d HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /none HTTP/1.1\r\n\r\n",
    b"POST /c HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nxyz",
]


class Echo:
    """A session that answers with the target of the request, between marks; ``large`` with more than a socket takes."""

    def answer(self, line: bytes) -> bytes:
        return b"x" * LARGE if line.startswith(b"/large") else b"<" + line + b">"

    def overlong(self) -> bytes:
        raise AssertionError("HTTP has bounds of its own")

    def settle(self) -> None:
        raise AssertionError("a worker does that")


class Talk:
    """Both ends of a connection."""

    def __init__(self, translate: Translate, lines: dict[bytes, bytes]) -> None:
        self.client, served = socket.socketpair()
        served.setblocking(False)
        self.client.settimeout(10)
        self.memory, self.let_go = SharedState(), 0
        self.memory.note_start()
        self.connection = HttpConnection(served, self.memory, Echo(), self._let_go, translate, lines)

    def _let_go(self) -> None:
        self.let_go += 1

    def say(self, octets: bytes) -> None:
        self.client.sendall(octets)
        assert self.connection.read()

    def heard(self) -> bytes:
        return self.client.recv(1 << 16)


def translated(request: Request) -> bytes:
    if request.target == b"/none":
        raise Refusal(405, "not that")
    return request.target


def translated_question(request: Request) -> bytes:
    if request.target == b"/none":
        raise Refusal(405, "not that")
    return request.target if request.target == b"/write" else QUESTION % (request.target + request.body)


@pytest.fixture
def talk() -> Iterator[Talk]:
    made = Talk(translated, {})
    yield made
    made.connection.close()
    made.client.close()


def body(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def test_requests_are_answered_in_turn_however_they_come(talk: Talk) -> None:
    talk.say(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c")
    first, second, third = talk.heard().split(b"HTTP/1.1 200 OK\r\n")
    assert (first, body(second), body(third)) == (b"", b"</a>", b"</b>")
    assert talk.connection.held
    talk.say(b" HTTP/1.1\r\n\r\n")
    assert body(talk.heard()) == b"</c>"
    assert (talk.connection.held, talk.connection.is_over, talk.memory.is_waiting) == (0, False, False)


def test_a_request_that_does_not_end_is_408_after_its_time(talk: Talk) -> None:
    talk.say(b"GET /a HTTP/1.1\r\nX: a")
    now = time.monotonic()
    assert not talk.connection.expire(now + PATIENCE - 1)
    talk.say(b"a")  # a little more gives no more time
    assert talk.connection.expire(now + PATIENCE + 1)
    assert talk.heard().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert talk.connection.is_over


@pytest.mark.parametrize("before", [b"", b"GET /a HTTP/1.1\r\n\r\n"], ids=["new", "answered"])
def test_a_client_that_is_idle_does_not_expire(talk: Talk, before: bytes) -> None:
    if before:
        talk.say(before)
    assert not talk.connection.expire(time.monotonic() + 1e6)


def test_one_that_has_gone_expires_quietly(talk: Talk) -> None:
    talk.say(b"GET /a")
    talk.client.close()
    assert talk.connection.expire(time.monotonic() + PATIENCE + 1)
    assert not talk.connection.read()


def test_a_refusal_ends_the_connection_and_what_comes_after_it_is_not_answered(talk: Talk) -> None:
    talk.say(b"GET /none HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n")
    answer = talk.heard()
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"</a>" not in answer
    assert talk.connection.is_over


@pytest.mark.parametrize("how", [b"GET /a HTTP/1.1\r\nConnection: close", b"GET /a HTTP/1.0"])
def test_a_client_that_wants_no_more_is_let_go(talk: Talk, how: bytes) -> None:
    talk.say(how + b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in talk.heard()
    assert talk.connection.is_over


def test_a_client_that_waits_for_100_is_told_to_go_on(talk: Talk) -> None:
    talk.say(b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    assert talk.heard() == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.say(b"x")
    assert body(talk.heard()) == b"</a>"


def test_an_answer_that_the_client_has_no_room_for_waits_and_the_next_after_it(talk: Talk) -> None:
    talk.say(b"GET /large HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\n")
    assert talk.connection.wants_to_write
    assert talk.connection.held > LARGE // 2
    assert not talk.connection.expire(time.monotonic() + 1e6), "it is the client that is waited for"
    got = bytearray()
    while not got.endswith(b"</a>"):
        got += talk.heard()
        talk.connection.write()
    assert got.count(b"x") == LARGE
    assert talk.connection.held == 0


def test_an_answer_that_powerdns_does_not_take_is_named_in_the_log(
    talk: Talk, capfd: pytest.CaptureFixture[str]
) -> None:
    """PowerDNS 4.7 to 5.1 take 2 MiB over HTTP, and say "unknown error" of what is longer."""
    talk.say(b"GET /larger HTTP/1.1\r\n\r\n")
    said = capfd.readouterr().err
    assert f"a request of 7 octets: the answer has {LARGE} octets, and PowerDNS takes at most 2097152 over HTTP" in said


def test_the_end_lets_go_of_what_the_session_holds(talk: Talk) -> None:
    talk.connection.close()
    assert (talk.let_go, talk.heard()) == (1, b"")


def test_an_answer_that_powerdns_does_not_take_is_named_for_what_was_asked_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the first of such answers was."""
    said: list[str] = []
    monkeypatch.setattr(logs, "error_of_question", said.append)
    monkeypatch.setattr(httpwire, "MAX_ANSWER", 1)
    all_answers(ASKED[:1] * 3, {})
    assert len(said) == 3


class Nothing(dict[bytes, bytes]):
    """What keeps nothing."""

    def __setitem__(self, key: bytes, value: bytes) -> None:
        pass


def all_answers(pieces: Sequence[bytes], lines: dict[bytes, bytes]) -> bytes:
    talk = Talk(translated_question, lines)
    found = b""
    for piece in pieces:
        if talk.connection.is_over:
            break
        talk.say(piece)
        talk.client.setblocking(False)
        try:
            found += talk.heard()
        except BlockingIOError:  # half a request has no answer
            pass
        talk.client.setblocking(True)
    talk.connection.close()
    talk.client.close()
    return found


@given(st.lists(st.lists(st.sampled_from(ASKED), min_size=1, max_size=3).map(b"".join), max_size=8), st.data())
def test_what_was_asked_before_is_answered_as_if_it_were_new(asked: list[bytes], data: st.DataObject) -> None:
    """However the requests are cut into pieces, and whatever other clients have asked before."""
    pieces = []
    for octets in asked:
        cut = data.draw(st.one_of(st.just(len(octets)), st.integers(1, len(octets))))
        pieces += [piece for piece in (octets[:cut], octets[cut:]) if piece]
    lines: dict[bytes, bytes] = {}
    expected = all_answers(pieces, Nothing())
    assert all_answers(pieces, lines) == expected
    assert all_answers(pieces, lines) == expected
    assert b"write" not in b"".join(lines), "a write is read anew"


def test_a_question_of_another_client_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: dict[bytes, bytes] = {}
    first = all_answers(ASKED[:1], lines)
    monkeypatch.setattr(Reader, "feed", None)
    assert all_answers(ASKED[:1] * 2, lines) == 2 * first


def test_the_lines_that_are_kept_are_bounded() -> None:
    lines: dict[bytes, bytes] = {}
    for number in range(3 * MOST_LINES // 2):
        all_answers([b"GET /%d HTTP/1.1\r\n\r\n" % number], lines)
    assert len(lines) == MOST_LINES // 2
    all_answers([b"GET /%b HTTP/1.1\r\n\r\n" % (b"x" * LONGEST_REQUEST)], lines)
    assert len(lines) == MOST_LINES // 2
