"""Octets in, requests out: one on each line, and a line that is too long is answered once, without being kept."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.backend.sessions import Session

__all__ = ["MAX_REQUEST", "Requests"]

MAX_REQUEST = 1 << 20  # octets of one request; the longest that PowerDNS sends is a metadata value or a key


class Requests:
    """What one client has sent and has not been answered; false when that is nothing.

    octets kept   overlong   state
    none          no         empty: between two requests
    some          no         whole requests, the beginning of one, or both
    none          yes        inside a line whose answer was given already: its octets are dropped
    """

    __slots__ = ("_at", "_is_overlong", "_octets", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._octets = b""
        self._at = 0  # where the next request begins
        self._is_overlong = False

    def __bool__(self) -> bool:
        return self._is_overlong or bool(self._octets)

    @property
    def held(self) -> int:
        """How many octets wait for an answer or for their end."""
        return len(self._octets) - self._at

    @property
    def last(self) -> bytes:
        """At the end of input: the line without its end."""
        return self._octets[self._at :]

    def add(self, octets: bytes) -> None:
        """Take what was read."""
        self._octets = self._octets[self._at :] + octets
        self._at = 0

    def answer_next(self) -> bytes | None:
        """The answer to the next request; None if its end has not come yet."""
        request = self._line()
        if request is not None and self._is_overlong:  # the end of the line that was answered
            self._is_overlong = False
            request = self._line()
        if request is None:
            return self._answer_unfinished()
        return self._session.answer(request) if len(request) <= MAX_REQUEST else self._session.overlong()

    def _line(self) -> bytes | None:
        start, end = self._at, self._octets.find(b"\n", self._at)
        if end < 0:
            return None
        line = self._octets[start:end]
        self._at = end + 1
        if self._at == len(self._octets):
            self._octets, self._at = b"", 0
        return line

    def _answer_unfinished(self) -> bytes | None:
        """The answer to a line that is too long already, once."""
        was_overlong = self._is_overlong
        self._is_overlong = was_overlong or len(self._octets) - self._at > MAX_REQUEST
        if not self._is_overlong:
            return None
        self._octets, self._at = b"", 0
        return None if was_overlong else self._session.overlong()
