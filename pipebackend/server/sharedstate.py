"""Where requests are read to; shared with a supervisor or master, it tells what a process that died was doing.

The kernel writes a request into ``chunk`` in the same call in which it hands it out, so the first octet is not zero
from that moment on. Requests are ASCII, which leaves the highest bit of each octet for us; the remains of older
requests stand behind the line end.

    first octet       second octet   state                    who makes it              after a death
    0                 0              not started              a new process             the start failed
    0                 not 0          idle                     note_start, end_answer    nothing is lost
    a character       a character    unseen: was read         the kernel                another process answers
    a character|0x80  a character    whole: is looked at      take_whole                failed, or answered
    a character       character|0x80 more or less than one    see                       failed
    1                 any            an answer was begun      begin_answer              the stream is broken
    2                 any            handed                   start_again               another process answers
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

    Buffer = mmap | memoryview

__all__ = ["CHUNK", "PIPE_BUF", "SharedState"]

CHUNK = 1 << 16  # octets of one read
PIPE_BUF = 4096  # so much goes into a pipe in one piece or not at all
_PARTLY, _HANDED = 1, 2  # as no request begins
_WHOLE = _SEEN = 0x80


class SharedState:
    """One stream of requests.

    ``is_resumable`` says whether another process could carry on, with the request that ``remember`` got. A process is
    killed most easily as it wakes: the kernel has handed out a request then, and nobody has looked at it. Such a
    request is ``unseen``, and ``handed`` to the next process.
    """

    SIZE = CHUNK + 2 + 0xFFFF

    def __init__(self, shared: Buffer | None = None, chunk: int = CHUNK) -> None:
        """``shared`` is a writable buffer, of which one read takes ``chunk`` octets; by default one of its own."""
        view = memoryview(bytearray(self.SIZE) if shared is None else shared)
        self.chunk, self._length, self._line = view[:chunk], view[chunk : chunk + 2], view[chunk + 2 :]
        self.is_resumable = True
        self.handed = b""

    @property
    def is_waiting(self) -> bool:
        """Whether a request was read and not answered to the end."""
        return self.chunk[0] != 0

    @property
    def has_started(self) -> bool:
        """Whether the process came so far as to wait for requests, or has read one."""
        return self.chunk[1] != 0

    @property
    def unseen(self) -> bytes:
        """The request, with its line end, that was read by a process which did not live to look at it."""
        first, second = self.chunk[:2]
        if first == _HANDED:
            return self.handed
        if first <= _HANDED or first & _WHOLE or second & _SEEN or not self.resume:
            return b""
        # What PowerDNS writes in one piece is read in one piece; after the line end are the remains of older requests
        line, end, _ = bytes(self.chunk[:PIPE_BUF]).partition(b"\n")
        return line + end if end else b""

    @property
    def unanswered(self) -> bytes:
        """The request that waits for an answer, if no part of that was written; empty if it is not all here."""
        return self.first_line if self.chunk[0] & _WHOLE else b""

    @property
    def first_line(self) -> bytes:
        """What was read last, to its first line end; for the log also what is not a whole request."""
        octets = bytearray(self.chunk)
        octets[0] &= ~_WHOLE
        octets[1] &= ~_SEEN
        return bytes(octets).partition(b"\n")[0]

    @property
    def resume(self) -> bytes:
        """What ``remember`` got last."""
        return bytes(self._line[: int.from_bytes(self._length, "big")])

    def remember(self, request: bytes | None) -> None:
        """Keep the request that brings a new session into the state of this one; None if nothing could do that."""
        self.is_resumable = request is not None and len(request) <= len(self._line)
        self._length[:] = bytes(2)
        if request is not None and self.is_resumable:
            self._line[: len(request)] = request
            self._length[:] = len(request).to_bytes(2, "big")

    def note_start(self) -> None:
        """The process waits for requests."""
        self.chunk[1] = 1

    def take_whole(self) -> None:
        """What was read is one whole request, of whose answer nothing was written."""
        self.chunk[0] |= _WHOLE

    def see(self) -> None:
        """What was read is not one whole request."""
        self.chunk[1] |= _SEEN

    def begin_answer(self) -> None:
        """A part of the answer is written."""
        self.chunk[0] = _PARTLY

    def end_answer(self) -> None:
        """Right before the last write of the answer."""
        self.chunk[0] = 0

    def start_again(self) -> None:
        """Make ready for the next process: what this one left unseen is for that one to answer."""
        self.handed = self.unseen
        self.chunk[:2] = bytes((_HANDED if self.handed else 0, 0))

    def take_up(self) -> None:
        """The request that was handed over is looked at."""
        self.chunk[: len(self.handed)] = self.handed
        self.take_whole()
