"""A client that speaks HTTP, over a pair of sockets: what it is answered, when it ends, what it costs meanwhile."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from pipebackend.server.httpconnection import PATIENCE, HttpConnection
from pipebackend.server.httpwire import Refusal, Request
from pipebackend.server.sharedstate import SharedState

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 8_000_000  # octets, more than a pair of sockets holds


class Echo:
    """A session that answers with the target of the request, between marks; ``large`` with more than a socket takes."""

    def answer(self, line: bytes) -> bytes:
        return b"x" * LARGE if line == b"/large" else b"<" + line + b">"

    def overlong(self) -> bytes:
        raise AssertionError("HTTP has bounds of its own")

    def settle(self) -> None:
        raise AssertionError("a worker does that")


class Talk:
    """Both ends of a connection."""

    def __init__(self) -> None:
        self.client, served = socket.socketpair()
        served.setblocking(False)
        self.client.settimeout(10)
        self.memory, self.let_go = SharedState(), 0
        self.memory.note_start()
        self.connection = HttpConnection(served, self.memory, Echo(), self._let_go, translated)

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


@pytest.fixture
def talk() -> Iterator[Talk]:
    made = Talk()
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


def test_the_end_lets_go_of_what_the_session_holds(talk: Talk) -> None:
    talk.connection.close()
    assert (talk.let_go, talk.heard()) == (1, b"")
