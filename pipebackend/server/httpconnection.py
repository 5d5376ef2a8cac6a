"""One client that speaks HTTP: its requests become lines of the session's protocol, the answers responses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipebackend.base import logs
from pipebackend.server import httpwire
from pipebackend.server.connection import Connection
from pipebackend.server.httpwire import Reader, Refusal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pipebackend.backend.sessions import Session
    from pipebackend.server.httpwire import Request
    from pipebackend.server.sharedstate import SharedState

    Translate = Callable[[Request], bytes]

__all__ = ["LONGEST_REQUEST", "MOST_LINES", "HttpConnection"]

PATIENCE = 30.0  # seconds for the rest of a request that has begun
_QUESTIONS = (b'{"method": "lookup"', b'{"method": "get')  # come again and again, and have no private keys
LONGEST_REQUEST, MOST_LINES = 1024, 4096  # octets, and requests whose lines are kept


class HttpConnection(Connection):
    """See ``Connection``. What is refused is answered with its status, and ends the connection."""

    __slots__ = ("_begun", "_ends", "_lines", "_reader", "_translate")

    def __init__(
        self,
        client: socket.socket,
        memory: SharedState,
        session: Session,
        let_go: Callable[[], None],
        translate: Translate,
        lines: dict[bytes, bytes],
    ) -> None:
        """``translate`` makes a line of a request, or raises Refusal; ``lines`` are those that it made of questions."""
        super().__init__(client, memory, session, let_go)
        self._translate = translate
        self._lines = lines
        self._reader = Reader()
        self._ends = False
        self._begun = 0.0

    @property
    def held(self) -> int:
        """See ``Connection``."""
        return self._reader.held + len(self._unsent)

    @property
    def is_over(self) -> bool:
        """See ``Connection``."""
        return self._ends and not self._unsent

    @property
    def _has_more(self) -> bool:
        return self._reader.is_amid or bool(self._reader.requests) or self._ends

    def read(self) -> bool:
        """See ``Connection``."""
        count = self.socket.recv_into(self.memory.chunk)
        if not count:
            return False
        octets = self.memory.chunk[:count].tobytes()
        if self._reader.is_amid:
            self._reader.feed(octets)
            self._answer()
        else:
            self._begin(octets)
        return True

    def _begin(self, octets: bytes) -> None:
        """Answer what comes after the end of a request: the same octets make the same line, at another client too."""
        line = self._lines.get(octets)
        if line is None:
            self._begun = time.monotonic()
            self._reader.feed(octets)
            self._answer(octets)
            return
        self._send_last(self._answered(line))

    def expire(self, moment: float) -> bool:
        """Whether the connection ends since a request does not come to its end; ``moment`` is monotonic."""
        if not self._reader.is_amid or self._unsent or moment - self._begun <= PATIENCE:
            return False
        self._reader.refuse(Refusal(408, f"the request took longer than {PATIENCE:.0f} s"))
        try:
            self._answer()
        except OSError:  # it has gone
            pass
        return True

    def _answer(self, octets: bytes = b"") -> None:
        """Answer what was read; ``octets`` if a request began with them."""
        is_whole = len(self._reader.requests) == 1 and not self._reader.is_amid
        while not self._unsent and not self._ends:
            if not self._reader.requests:
                self._wait()
                return
            request = self._reader.requests.popleft()
            self._unsent = memoryview(self._response(request, octets if is_whole else b""))
            self._send()

    def _wait(self) -> None:
        """For more of the client."""
        if self._reader.wants_to_go_on:
            self._reader.wants_to_go_on = False
            self.socket.send(httpwire.CONTINUE)
        self._clear_if_done()  # what came may have been an empty line, which may stand before a request

    def _response(self, request: Request | Refusal, octets: bytes) -> bytes:
        try:
            if isinstance(request, Refusal):
                raise request
            line = self._translate(request)
        except Refusal as exc:
            self._ends = True
            logs.error_of_question(f"HTTP: {exc.status}: {exc}")
            return httpwire.refusal(exc)
        self._ends = not request.stays
        if request.stays and 0 < len(octets) <= LONGEST_REQUEST and line.startswith(_QUESTIONS):
            self._keep(octets, line)
        return self._answered(line, request.stays)

    def _answered(self, line: bytes, stays: bool = True) -> bytes:
        answer = self._session.answer(line)
        if len(answer) > httpwire.MAX_ANSWER:
            _tell_too_long(line, answer)
        return httpwire.response(answer, stays)

    def _keep(self, octets: bytes, line: bytes) -> None:
        if len(self._lines) >= MOST_LINES:
            self._lines.clear()
        self._lines[octets] = line


def _tell_too_long(line: bytes, answer: bytes) -> None:
    """PowerDNS says "unknown error" of it."""
    from pipebackend.dnsdata import shown

    logs.error_of_question(
        f"HTTP: {shown.request(line)}: the answer has {len(answer)} octets, and PowerDNS takes at most "
        f"{httpwire.MAX_ANSWER} over HTTP; serve this zone over a pipe or a unix socket"
    )
