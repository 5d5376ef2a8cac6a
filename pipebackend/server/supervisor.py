"""The process that PowerDNS knows, kept alive whatever happens to the one that answers.

PowerDNS never launches a REMOTE coprocess again that died while idle: that thread answers SERVFAIL for ever
(rule L-1). So the process that PowerDNS started only waits; a child of it reads and writes the same stdin and
stdout, and is replaced when it dies between two questions, or before it looked at one, which the new child then
answers. If it dies over a question, the keeper refuses that if the protocol has a word for it. Else nobody but PowerDNS
can ask again: then the keeper ends as well, at once, and PowerDNS launches both afresh for its next question.

The child is forked before anything is loaded, so no zone, thread, or connection to a database is ever in two processes.
"""

from __future__ import annotations

import os

from pipebackend.base import logs
from pipebackend.server.sharedstate import SharedState
from pipebackend.zones.compiled import fingerprints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

__all__ = ["MOST_VAIN", "end_with", "keep"]

MOST_VAIN = 5  # so many processes in a row that died at their start: another one would not help
_FAULTS_OF_MEMORY = (6, 7, 11)  # SIGABRT, SIGBUS, SIGSEGV: what a damaged file that is mapped leads to
_LAST_WORDS_MS = 1000  # how long a process may go on when nobody reads its answers any more


def keep(source: int, sink: int, refusal: Callable[[bytes], bytes]) -> SharedState:
    """Become the keeper; returns in each serving process, with the memory that both share.

    ``refusal`` gives the answer to a request that took the process down, empty if only PowerDNS can answer it.
    In the keeper it never returns. The keeper's exit status is that of the serving process, or 128 and the number of
    the signal that killed it over a question.
    """
    import mmap

    from pipebackend.base.signals import SIG_DFL, SIGCHLD, SIGHUP, signal

    signal(SIGCHLD, SIG_DFL)  # PowerDNS 4.7 ignores it and we inherit that: nobody could wait for a child then
    memory = SharedState(mmap.mmap(-1, SharedState.SIZE))
    keeper = os.getpid()
    vain, is_first = 0, True
    while True:
        memory.start_again()
        life, held = os.pipe()  # the keeper holds the writing end of one, its child that of the other
        ended, end = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(held)
            os.close(ended)
            end_with(keeper, life)
            return memory
        os.close(life)
        os.close(end)
        before = signal(SIGHUP, _passed_on_to(pid))
        status = _status_of(pid, ended, sink)
        signal(SIGHUP, before)
        os.close(held)
        os.close(ended)
        _leave_if_over(memory, pid, status, is_first)
        if -status in _FAULTS_OF_MEMORY:
            os.environ[fingerprints.VERIFY_KEY] = "1"
        refused = _refuse(memory, pid, status, sink, refusal)
        is_first = False
        vain = 0 if refused or memory.has_started else vain + 1
        if vain == MOST_VAIN:
            _give_up(memory, source, sink, pid, status)
        if not refused:
            logs.warning(f"the idle process {pid} {_fate(status)}; a new one goes on in its place")


def end_with(process: int, life: int) -> None:
    """From now on this process is killed when its parent ends, even in code that never comes back.

    ``life`` is a pipe whose writing end only the parent holds: the kernel sends the signal as it closes.
    PR_SET_PDEATHSIG does the same, but to call it takes ctypes, whose import is 9 ms against 0.5 here.
    """
    import fcntl

    from pipebackend.base.signals import SIGKILL

    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETSIG, SIGKILL)
    fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC)
    if os.getppid() != process:  # it had ended before
        os._exit(1)


def _passed_on_to(pid: int) -> Callable[[int, FrameType | None], None]:
    def pass_on(number: int, _: FrameType | None) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:  # it has just ended; another one reads all files as they are now
            pass

    return pass_on


def _status_of(pid: int, ended: int, sink: int) -> int:
    """Wait for a child; one that goes on when nobody reads its answers any more is ended."""
    import select

    poll = select.poll()  # without events: it wakes for a hang-up alone, never for a question
    poll.register(ended, 0)
    poll.register(sink, 0)
    if all(ready != ended for ready, _ in poll.poll()):
        poll.unregister(sink)
        if not poll.poll(_LAST_WORDS_MS):
            logs.warning(f"nobody reads the answers any more, and the process {pid} does not end by itself: killed")
            os.kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _leave_if_over(memory: SharedState, pid: int, status: int, is_first: bool) -> None:
    """End where a new process could not help."""
    if status == 0:
        os._exit(0)
    if (
        is_first and status > 0 and not memory.is_waiting and not memory.has_started
    ):  # it could not start and has said why
        os._exit(status)


def _refuse(memory: SharedState, pid: int, status: int, sink: int, refusal: Callable[[bytes], bytes]) -> bool:
    """Answer the question that the process died over, if there is one; end if that cannot be done."""
    if not memory.is_waiting or memory.unseen:
        return False
    question = memory.unanswered
    refused = refusal(question)
    taken = question or memory.first_line.rstrip(b"\0")
    what_next = "that is refused, and a new one goes on" if refused else "PowerDNS launches a new one"
    if status < 0 or refused:
        from pipebackend.dnsdata import shown

        logs.error(f"the process {pid} {_fate(status)} over {shown.request(taken)}; {what_next}")
    if not refused:
        os._exit(_exit_status(status))
    try:
        os.write(sink, refused)  # far below PIPE_BUF: all of it or nothing
    except OSError:  # PowerDNS has gone
        os._exit(_exit_status(status))
    return True


def _give_up(memory: SharedState, source: int, sink: int, pid: int, status: int) -> NoReturn:
    """End with the next question: to end while idle would be SERVFAIL for ever (rule L-1)."""
    import select

    logs.error(
        f"{MOST_VAIN} processes in a row died at their start, the last one, {pid}, {_fate(status)}; "
        "no more are started until PowerDNS launches us afresh, with its next question"
    )
    if not memory.unseen:
        poll = select.poll()
        poll.register(source, select.POLLIN)
        poll.register(sink, 0)
        poll.poll()
    os._exit(_exit_status(status))


def _exit_status(status: int) -> int:
    return status if status >= 0 else 128 - status


def _fate(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
