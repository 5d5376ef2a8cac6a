"""A session over stdin and stdout: whole lines in, whole answers out, one read and one write for each request."""

from __future__ import annotations

import os
from io import FileIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from pipebackend.backend.sessions import Session
    from pipebackend.server.answercache import Kept

    Buffer = mmap | memoryview
    ReadInto = Callable[[memoryview], int | None]


__all__ = ["CHUNK", "MAX_REQUEST", "Memory", "claim_stdout", "close_inherited_files", "serve"]

MAX_REQUEST = 1 << 20  # octets of one request; the longest that PowerDNS sends is a metadata value or a key
CHUNK = 1 << 16  # octets of one read
_IDLE_MILLISECONDS = 2  # without a request, after which answers are made in advance
_PIPE_BUF = 4096  # so much goes into a pipe in one piece or not at all


class Memory:
    """Where requests are read to; in memory shared with a keeper it tells what a process that died was doing.

    The first octet is zero exactly when nothing waits for an answer: the kernel overwrites it as it hands out a
    request, in the same call, and it is cleared right before the last write of the answer. In between it has the bit
    WHOLE while the chunk holds one request, to its end, of whose answer nothing was written. ``is_resumable`` says
    whether another process could carry on after that.

    A process is killed most easily as it wakes: the kernel has handed out a request then, and nobody has looked at it.
    Such a request is ``unseen``, and ``handed`` to the next process.
    """

    SIZE = CHUNK + 2 + 0xFFFF
    WHOLE = 0x80  # requests are ASCII
    PARTLY = 1  # in place of the first octet: a part of the answer was written
    _HANDED = 2  # in its place, too: the next process has not taken up what is for it to answer
    _SEEN = 0x80  # of the second octet: what was read is known to be something else than one whole request

    def __init__(self, shared: Buffer | None = None, chunk: int = CHUNK) -> None:
        """``shared`` is a writable buffer, of which one read takes ``chunk`` octets; one of its own if left out."""
        view = memoryview(bytearray(self.SIZE) if shared is None else shared)
        self.chunk, self._length, self._line = view[:chunk], view[chunk : chunk + 2], view[chunk + 2 :]
        self.is_resumable = True
        self.handed = b""

    @property
    def unseen(self) -> bytes:
        """The request, with its line end, that was read by a process which did not live to look at it."""
        first, second = self.chunk[:2]
        if first == self._HANDED:
            return self.handed
        if first <= self._HANDED or first & self.WHOLE or second & self._SEEN or not self.resume:
            return b""
        # What PowerDNS writes in one piece is read in one piece; after the line end are the remains of older requests
        line, end, _ = bytes(self.chunk[:_PIPE_BUF]).partition(b"\n")
        return line + end if end else b""

    def start_again(self) -> None:
        """Make ready for the next process: what this one left unseen is for that one to answer."""
        self.handed = self.unseen
        self.chunk[:2] = bytes((self._HANDED if self.handed else 0, 0))

    def see(self) -> None:
        """Note that what was read is not one whole request."""
        self.chunk[1] |= self._SEEN

    @property
    def unanswered(self) -> bytes:
        """The request that waits for an answer, if no part of that was written; empty if it is not all here."""
        return self.first_line if self.chunk[0] & self.WHOLE else b""

    @property
    def first_line(self) -> bytes:
        """What was read last, to its first line end; for the log also what is no whole request."""
        octets = bytearray(self.chunk)
        octets[0] &= ~self.WHOLE
        octets[1] &= ~self._SEEN
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


def serve(session: Session, source: int, sink: int, memory: Memory | None = None, answers: Kept | None = None) -> None:
    """Answer requests from one descriptor on another until the end of input or until nobody reads.

    ``answers`` makes some in advance while nothing is asked.
    """
    try:
        _answer_all(session, _reader(source, answers), sink, memory or Memory())
    except BrokenPipeError:  # PowerDNS has gone: nobody is left to answer
        return


def close_inherited_files() -> None:
    """Close all but stdin, stdout and stderr: PowerDNS leaks the pipes of our siblings into us (rule L-5).

    Where one of the three is missing the null device takes its place, so that no other file ever gets its number.
    """
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    while (spare := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(spare)


def claim_stdout() -> int:
    """The descriptor for answers; stdout becomes stderr, so that a stray print in a user's zone is a log line."""
    sink = os.dup(1)
    os.dup2(2, 1)
    return sink


def _reader(source: int, answers: Kept | None) -> ReadInto:
    read_into = FileIO(source, closefd=False).readinto
    if answers is None:
        return read_into
    finished = answers.finished

    def make_answers_and_read(chunk: memoryview) -> int | None:
        if finished.unfinished:
            _make_answers_until_asked(answers, source)
        return read_into(chunk)

    return make_answers_and_read


def _make_answers_until_asked(answers: Kept, source: int) -> None:
    from select import POLLIN, poll

    requests, milliseconds = poll(), _IDLE_MILLISECONDS
    requests.register(source, POLLIN)
    while answers.finished.unfinished and not requests.poll(milliseconds) and answers.make_some():
        milliseconds = 0


def _answer_all(session: Session, read_into: ReadInto, sink: int, memory: Memory) -> None:
    chunk = memory.chunk
    settled = _resumed(session, memory)
    chunk[1] = 1  # a keeper can tell by it, or by a question, that the start was no failure
    if memory.handed:
        _answer_handed(session, sink, memory)
    pending = b""
    skipping = False  # inside a line that was already answered as overlong
    while True:
        if settled and not pending and not skipping:
            data = _answer_whole_lines(session, read_into, sink, memory)
        else:
            data = chunk[: read_into(chunk) or 0].tobytes()
        if not data:
            break
        pending += data
        *requests, pending = pending.split(b"\n")
        if skipping and requests:
            requests.pop(0)
            skipping = False
        if len(requests) == 1 and len(requests[0]) == len(data) - 1:
            chunk[0] |= Memory.WHOLE
        else:
            memory.see()
        left = len(requests)
        for request in requests:
            answer = session.answer(request) if len(request) <= MAX_REQUEST else session.overlong()
            left -= 1
            if left or pending or not memory.is_resumable:
                _write(sink, answer)
            else:
                _finish(sink, answer, chunk)
        if len(pending) > MAX_REQUEST:
            if not skipping:
                _write(sink, session.overlong())
            pending, skipping = b"", True
        elif not requests and not pending and not skipping and memory.is_resumable:
            chunk[0] = 0  # that was the end of an overlong line
        if not settled and requests:
            settled = True
            session.settle()
    if pending and not skipping:  # a person's last line may lack its end
        _write(sink, session.answer(pending))


def _answer_whole_lines(session: Session, read_into: ReadInto, sink: int, memory: Memory) -> bytes:
    """What PowerDNS does all day: one whole line at a time. Gives what came instead of one, nothing at the end."""
    chunk, write = memory.chunk, os.write
    while count := read_into(chunk):
        data = chunk[:count].tobytes()
        if data.find(b"\n") != count - 1:
            return data
        chunk[0] |= Memory.WHOLE
        answer = session.answer(data[:-1])
        if not memory.is_resumable:
            _write(sink, answer)
        elif len(answer) > _PIPE_BUF:
            _finish(sink, answer, chunk)
        else:
            chunk[0] = 0
            written = write(sink, answer)
            if written < len(answer):
                _write(sink, answer[written:])
    return b""


def _resumed(session: Session, memory: Memory) -> bool:
    """Take a session over that another process had, if there is one."""
    request = memory.resume
    if not request:
        return False
    session.answer(request)
    session.settle()
    return True


def _answer_handed(session: Session, sink: int, memory: Memory) -> None:
    """Answer the request that the process before this one took."""
    memory.chunk[: len(memory.handed)] = memory.handed
    memory.chunk[0] |= Memory.WHOLE
    answer = session.answer(memory.handed[:-1])
    if memory.is_resumable:
        _finish(sink, answer, memory.chunk)
    else:
        _write(sink, answer)


def _finish(sink: int, answer: bytes, chunk: memoryview) -> None:
    """The last write: all of it comes about in one call, and the flag says so before it."""
    if len(answer) > _PIPE_BUF:
        chunk[0] = Memory.PARTLY
        _write(sink, answer[:-1])
        answer = answer[-1:]
    chunk[0] = 0
    _write(sink, answer)


def _write(sink: int, answer: bytes) -> None:
    written = os.write(sink, answer)
    while written < len(answer):
        answer = answer[written:]
        written = os.write(sink, answer)
