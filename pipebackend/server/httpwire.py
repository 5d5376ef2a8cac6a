"""HTTP/1.1 as octets: requests out of what a client sent, and answers as a client gets them; no input or output.

The parser is httptools, which is llhttp of Node.js: h11, in Python alone, takes 70 to 113 µs for a request of PowerDNS
where httptools takes 2 to 3. It refuses what proxies and servers may read differently, such as two lengths, or a length
beside chunks (RFC 9112 section 6.3). What it does not bound is bounded here.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from pipebackend.server.framing import MAX_REQUEST
from pipebackend.server.handover import CHUNK

__all__ = ["CONTINUE", "Reader", "Refusal", "Request", "refusal", "response"]

_MOST_HEADS = 1000  # PowerDNS's of post and post_json differ in the length of the body alone
_LONGEST_HEAD = 1024
MAX_ANSWER = 2 << 20  # octets of a body that PowerDNS takes, of 4.7 to 5.1
MAX_HEAD = 16_384  # octets of a request's target and headers; those of PowerDNS have less than 1,500
_TOO_MUCH = f"target, headers and frames of chunks have at most {MAX_HEAD} octets"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NOT_ALIKE = frozenset((b"transfer-encoding", b"expect", b"upgrade"))
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
}
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class Refusal(Exception):
    """A request that is not answered: a status and why.

    It must not be 404: PowerDNS takes that for an answer, and any other from 400 on for a failure.
    """

    def __init__(self, status: int, reason: str, allowed: str = "") -> None:
        """``allowed`` are the verbs in place of one that is not (RFC 9110 section 10.2.1)."""
        super().__init__(reason)
        self.status = status
        self.allowed = allowed


class Request(NamedTuple):
    """One request. Names of headers are in lower case; ``stays`` says whether the connection does."""

    verb: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    stays: bool


class Head(NamedTuple):
    """What was read of a target and headers, and how long the body is that follows."""

    verb: bytes
    target: bytes
    headers: dict[bytes, bytes]
    length: int


_heads: dict[bytes, Head] = {}  # those that came before a body of a known length, in any connection


class Reader:
    """What one client sends. ``requests`` has what is complete; after a Refusal in it nothing more is read."""

    def __init__(self) -> None:
        self.requests: deque[Request | Refusal] = deque()
        self.is_amid = False  # a part of a request has come
        self.wants_to_go_on = False  # the client waits for CONTINUE
        self._parser = HttpRequestParser(self)
        self._start()

    @property
    def held(self) -> int:
        """How many octets wait here."""
        if not self.requests:
            return self._taken
        return self._taken + sum(len(one.body) for one in self.requests if isinstance(one, Request))

    def feed(self, octets: bytes) -> None:
        """Take what the client sent."""
        if self.requests and isinstance(self.requests[-1], Refusal):
            return
        if not self.is_amid and octets.startswith(b"POST /"):
            before, end, body = octets.partition(b"\r\n\r\n")
            head = _heads.get(before)
            if head is not None and end and head.length == len(body):  # the same octets say the same
                self.requests.append(Request(head.verb, head.target, head.headers, body, True))
                return
            self._before = before if end else b""
        rest = octets
        while rest:
            rest = self._parsed(rest)
        if self.is_amid:
            self._taken += len(octets)
            if self._taken - len(self._body) > MAX_HEAD + CHUNK:  # as names of headers without end
                self.refuse(Refusal(431, _TOO_MUCH))

    def _parsed(self, octets: bytes) -> bytes:
        """What is left for another parser: a client that would like another protocol is answered in this one."""
        try:
            self._parser.feed_data(octets)
        except HttpParserUpgrade as exc:  # RFC 9110 section 7.8
            self._parser = HttpRequestParser(self)
            return octets[exc.args[0] :]
        except HttpParserError as exc:
            known = exc.__context__
            self.refuse(known if isinstance(known, Refusal) else Refusal(400, f"not HTTP/1.1: {exc}"))
        return b""

    def on_message_begin(self) -> None:
        """See ``httptools.HttpRequestParser``, as those below."""
        self.is_amid = True

    def on_url(self, part: bytes) -> None:
        """A part of the target."""
        self._target += part
        self._count(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value) + 4)
        name = name.lower()
        if name in self._headers:
            value = self._headers[name] + b", " + value  # RFC 9110 section 5.3
        self._headers[name] = value

    def _count(self, octets: int) -> None:
        self._head += octets
        if self._head > MAX_HEAD:
            raise Refusal(431, _TOO_MUCH)

    def on_headers_complete(self) -> None:
        """All of them have come."""
        if self._parser.get_http_version() not in ("1.0", "1.1"):
            raise Refusal(400, "not HTTP/1.1 or HTTP/1.0")
        length = self._headers.get(b"content-length", b"0")
        if len(length) > len(str(MAX_REQUEST)) or int(length) > MAX_REQUEST:
            raise Refusal(413, f"a body has at most {MAX_REQUEST} octets")
        expected = self._headers.get(b"expect")
        if expected is not None and expected.lower() != b"100-continue":
            raise Refusal(417, "nothing but 100-continue can be expected")
        self.wants_to_go_on = expected is not None

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self.wants_to_go_on = False
        self._body += part
        if len(self._body) > MAX_REQUEST:
            raise Refusal(413, f"a body has at most {MAX_REQUEST} octets")

    def on_message_complete(self) -> None:
        """The request is here."""
        self.is_amid = self.wants_to_go_on = False
        verb, stays = self._parser.get_method(), self._parser.should_keep_alive()
        self.requests.append(Request(verb, self._target, self._headers, bytes(self._body), stays))
        if self._before and stays:
            self._remember(verb)
        self._start()

    def _remember(self, verb: bytes) -> None:
        """The head, if it alone says how long the body is and ends where its last line does."""
        head = self._before
        is_plain = b"content-length" in self._headers and self._headers.keys().isdisjoint(_NOT_ALIKE)
        if is_plain and len(head) <= _LONGEST_HEAD and head.count(b"\n") == head.count(b"\r\n"):
            if len(_heads) >= _MOST_HEADS:
                _heads.clear()
            _heads[head] = Head(verb, self._target, self._headers, len(self._body))

    def _start(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._taken = self._head = 0
        self._before = b""  # the head of a request that came from its begin on, at the end of another

    def refuse(self, refusal: Refusal) -> None:
        """Answer this, and nothing after it."""
        self.is_amid = self.wants_to_go_on = False
        self._start()
        self.requests.append(refusal)


def response(answer: bytes, stays: bool = True) -> bytes:
    """A finished answer in JSON; without ``stays`` the connection ends with it."""
    whole = _OK % (len(answer), answer)
    return whole if stays else whole.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def refusal(refused: Refusal) -> bytes:
    """The answer to what is refused; the connection ends with it."""
    body = f"{refused}\n".encode("ascii", "backslashreplace")
    allow = f"Allow: {refused.allowed}\r\n" if refused.allowed else ""
    head = (
        f"HTTP/1.1 {refused.status} {_REASONS[refused.status]}\r\nConnection: close\r\n{allow}"
        f"Content-Type: text/plain; charset=us-ascii\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
