"""A session over stdin and stdout: whole lines in, whole answers out, one read and one write for each request."""

from __future__ import annotations

import os
from io import FileIO

from pipebackend.server.framing import Requests
from pipebackend.server.sharedstate import PIPE_BUF, SharedState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.backend.sessions import Session
    from pipebackend.server.answercache import Kept


__all__ = ["claim_stdout", "close_inherited_files", "serve"]


def serve(
    session: Session, source: int, sink: int, memory: SharedState | None = None, answers: Kept | None = None
) -> None:
    """Answer requests from one descriptor on another until the end of input or until nobody reads.

    ``answers`` makes some in advance while no question waits.
    """
    try:
        _answer_all(session, source, sink, memory or SharedState(), answers)
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


def _waiting(source: int) -> Callable[[], bool]:
    """Tells whether there is a request to read, after those who share this CPU had their turn to write it."""
    from select import POLLIN, poll

    requests = poll()
    requests.register(source, POLLIN)

    def is_asked() -> bool:
        os.sched_yield()
        return bool(requests.poll(0))

    return is_asked


def _answer_all(session: Session, source: int, sink: int, memory: SharedState, answers: Kept | None) -> None:
    chunk, read_into = memory.chunk, FileIO(source, closefd=False).readinto
    settled = _resumed(session, memory)
    memory.note_start()
    if memory.handed:
        _answer_handed(session, sink, memory)
    requests = Requests(session)
    while True:
        if settled and not requests:
            data = _answer_whole_lines(session, source, sink, memory, answers)
        else:
            data = chunk[: read_into(chunk) or 0].tobytes()
        if not data:
            break
        answered = _answer_read(requests, data, sink, memory)
        if answered and not settled:
            settled = True
            session.settle()
    if requests.last:  # a person's last line may lack its end
        _write(sink, session.answer(requests.last))


def _answer_read(requests: Requests, data: bytes, sink: int, memory: SharedState) -> bool:
    """Answer the requests that end in what was read; whether there were any."""
    if not requests and data.find(b"\n") == len(data) - 1:
        memory.take_whole()
    else:
        memory.see()
    requests.add(data)
    answered = False
    while (answer := requests.answer_next()) is not None:
        answered = True
        if requests or not memory.is_resumable:
            _write(sink, answer)
        else:
            _finish(sink, answer, memory)
    if not requests and memory.is_resumable:
        memory.end_answer()  # that was the end of an overlong line
    return answered


def _answer_whole_lines(session: Session, source: int, sink: int, memory: SharedState, answers: Kept | None) -> bytes:
    """What PowerDNS does all day: one whole line at a time. Gives what came instead of one, nothing at the end."""
    chunk, read_into, write = memory.chunk, FileIO(source, closefd=False).readinto, os.write
    take_whole, end_answer = memory.take_whole, memory.end_answer
    is_asked = None
    while True:
        if answers is not None and answers.finished.unfinished:
            is_asked = is_asked or _waiting(source)
            while not is_asked() and answers.make_some() and answers.finished.unfinished:
                pass
        count = read_into(chunk)
        if not count:
            return b""
        data = chunk[:count].tobytes()
        if data.find(b"\n") != count - 1:
            return data
        take_whole()
        answer = session.answer(data[:-1])
        if not memory.is_resumable:
            _write(sink, answer)
        elif len(answer) > PIPE_BUF:
            _finish(sink, answer, memory)
        else:
            end_answer()
            written = write(sink, answer)
            if written < len(answer):
                _write(sink, answer[written:])


def _resumed(session: Session, memory: SharedState) -> bool:
    """Take a session over that another process had, if there is one."""
    request = memory.resume
    if not request:
        return False
    session.answer(request)
    session.settle()
    return True


def _answer_handed(session: Session, sink: int, memory: SharedState) -> None:
    """Answer the request that the process before this one took."""
    memory.take_up()
    answer = session.answer(memory.handed[:-1])
    if memory.is_resumable:
        _finish(sink, answer, memory)
    else:
        _write(sink, answer)


def _finish(sink: int, answer: bytes, memory: SharedState) -> None:
    """The last write: all of it comes about in one call, and the flag says so before it."""
    if len(answer) > PIPE_BUF:
        memory.begin_answer()
        _write(sink, answer[:-1])
        answer = answer[-1:]
    memory.end_answer()
    _write(sink, answer)


def _write(sink: int, answer: bytes) -> None:
    written = os.write(sink, answer)
    while written < len(answer):
        answer = answer[written:]
        written = os.write(sink, answer)
