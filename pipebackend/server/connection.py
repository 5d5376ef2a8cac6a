"""One client of a worker: whole lines in, whole answers out, no more read than was answered."""

from __future__ import annotations

from socket import SHUT_RDWR
from typing import TYPE_CHECKING

from pipebackend.server.framing import Requests
from pipebackend.server.sharedstate import SharedState

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pipebackend.backend.sessions import Session

__all__ = ["Connection"]

_AT_ONCE = 4096  # an answer of up to so many octets goes into a socket whole, save when nobody reads


class Connection:
    """A client that does not read, or sends half a line, is left alone and costs what ``held`` says."""

    __slots__ = ("_let_go", "_requests", "_session", "_unsent", "memory", "socket")

    def __init__(
        self, client: socket.socket, memory: SharedState, session: Session, let_go: Callable[[], None] = lambda: None
    ) -> None:
        """``let_go`` is called at the end: what the session holds would otherwise stay until it is collected."""
        self.socket = client
        self.memory = memory
        self._session = session
        self._let_go = let_go
        self._requests = Requests(session)
        self._unsent = memoryview(b"")
        if memory.resume:  # another worker had this client before
            session.answer(memory.resume)

    @property
    def held(self) -> int:
        """How many octets are kept for this client."""
        return self._requests.held + len(self._unsent)

    @property
    def wants_to_write(self) -> bool:
        """Whether an answer waits for the client to read."""
        return bool(self._unsent)

    @property
    def is_over(self) -> bool:
        """Whether the connection is to be closed."""
        return False

    @property
    def is_movable(self) -> bool:
        """Whether another worker could carry on."""
        return not self.memory.is_waiting

    def read(self) -> bool:
        """Take what the client sent and answer it; False when the client has gone. Raises OSError."""
        count = self.socket.recv_into(self.memory.chunk)
        if not count:
            return False
        octets = self.memory.chunk[:count].tobytes()
        if not self._requests and octets.find(b"\n") == count - 1:  # what PowerDNS does all day
            self._send_last(self._session.answer(octets[:-1]))
        else:
            self._requests.add(octets)
            self._answer()
        return True

    def write(self) -> None:
        """Go on with an answer that the client had no room for. Raises OSError."""
        self._send()
        self._answer()

    def rest(self) -> None:
        """Let go of what the session holds, if it can be had again: it need not be, between two requests."""
        if self.is_movable:
            self._let_go()

    def close(self) -> None:
        """End the connection for all processes that have it."""
        try:
            self.socket.shutdown(SHUT_RDWR)
        except OSError:  # the client has gone
            pass
        self.socket.close()
        self._let_go()

    @property
    def _has_more(self) -> bool:
        """Whether something was read that has no answer yet."""
        return bool(self._requests)

    def _answer(self) -> None:
        while not self._unsent:
            answer = self._requests.answer_next()
            if answer is None:
                self._clear_if_done()  # what came may have been the end of an overlong line
                return
            self._unsent = memoryview(answer)
            self._send()

    def _send_last(self, answer: bytes) -> None:
        """Send the answer to the only request that was read."""
        if len(answer) > _AT_ONCE or not self.memory.is_resumable:
            self._unsent = memoryview(answer)
            self._send()
            return
        self.memory.end_answer()
        try:
            sent = self.socket.send(answer)
        except BlockingIOError:
            sent = 0
        if sent < len(answer):
            self._unsent = memoryview(answer)[sent:]
            self.memory.begin_answer()

    def _send(self) -> None:
        """Send what the socket takes; the flag falls right before the last octets go."""
        is_last = not self._has_more and self.memory.is_resumable
        try:
            if is_last and len(self._unsent) > _AT_ONCE:
                self._unsent = self._unsent[self.socket.send(self._unsent[:-1]) :]
                if len(self._unsent) > 1:
                    return
            if is_last:
                self.memory.end_answer()
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        if self._unsent:
            self.memory.begin_answer()

    def _clear_if_done(self) -> None:
        if not self._has_more and self.memory.is_resumable:
            self.memory.end_answer()
