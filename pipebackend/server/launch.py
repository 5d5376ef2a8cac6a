"""What the commands of both front ends do: read the options, serve stdin and stdout under a keeper, or a socket."""

from __future__ import annotations

import _thread
import os
import sys
import time

from pipebackend.backend.opening import open_as_owner
from pipebackend.base import logs
from pipebackend.base.errors import ConfigFault
from pipebackend.base.version import VERSION
from pipebackend.server import arguments, streams
from pipebackend.server.answercache import Kept
from pipebackend.server.sharedstate import SharedState
from pipebackend.server.tracing import traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.backend.sessions import KeepingSession, NewSession
    from pipebackend.server.worker import NewTranslate

__all__ = ["run"]

_SETTLED_SECONDS = 1.0


def run(
    program: str,
    purpose: str,
    new_session: NewSession,
    refusal: Callable[[bytes], bytes] = lambda _: b"",
    new_translate: NewTranslate | None = None,
) -> None:
    """Serve until the end of input; exits with status 2 if the options or the configuration cannot be used.

    ``new_session`` gets a backend, None if no configuration was given here, and what a session calls with the request
    that brings another one into its state. ``refusal`` is that of ``supervisor.keep``. ``new_translate`` makes of the
    options what ``HttpConnection`` needs; without it HTTP is not served.
    """
    from pipebackend.base.signals import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, signal

    signal(SIGINT, SIG_DFL)  # a person's Ctrl-C is no fault that needs a traceback
    given = arguments.parse(program, purpose, VERSION, sys.argv[1:])
    try:
        if given.listen is not None:
            _serve_socket(given, new_session, new_translate)
            return
        signal(SIGHUP, SIG_IGN)  # until files are followed: then it means to look at them now
        streams.close_inherited_files()
        _serve_stdio(program, given, new_session, refusal)
    except ConfigFault as exc:
        logs.error(str(exc))
        sys.exit(2)


def _serve_socket(given: arguments.Arguments, new_session: NewSession, new_translate: NewTranslate | None) -> None:
    from pipebackend.server.sockets import WORKER_KEY

    descriptors = os.environ.pop(WORKER_KEY, None)
    if descriptors is not None:
        from pipebackend.server import worker

        worker.run(given, new_session, new_translate, *map(int, descriptors.split()))
        return
    from pipebackend.server import master

    master.run(given, new_translate)


def _serve_stdio(
    program: str, given: arguments.Arguments, new_session: NewSession, refusal: Callable[[bytes], bytes]
) -> None:
    launcher = os.getppid()
    sink = streams.claim_stdout()
    memory = SharedState()
    if given.keeper:
        from pipebackend.server import supervisor

        memory = supervisor.keep(0, sink, refusal)
    backend = open_as_owner(given.config) if given.config else None
    session = new_session(backend, memory.remember)
    if not memory.resume:  # else another process has told it already
        _thread.start_new_thread(_tell_of_launcher, (launcher, program, session))
    if given.trace or session.backend is not None:
        kept = Kept(session)
        streams.serve(traced(kept, given, session.backend) or kept, 0, sink, memory, kept)
    else:
        undecided = _Undecided(session, given)
        streams.serve(undecided, 0, sink, memory, undecided.kept)


def _tell_of_launcher(process: int, program: str, session: KeepingSession) -> None:
    """Not at once: nobody is to wait for it, and many processes of PowerDNS live for one question only."""
    time.sleep(_SETTLED_SECONDS)
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            if b"pdns_server" not in file.read():  # a person, or pdnsutil
                return
    except OSError:
        return
    from pipebackend.diagnosis.doctor import atstart

    atstart.tell(process, program, session)


class _Undecided:
    """A session that learns from its first request which configuration there is, and so whether to write a trace."""

    def __init__(self, session: KeepingSession, given: arguments.Arguments) -> None:
        self._first, self.kept, self._given = session, Kept(session), given
        self.answer: Callable[[bytes], bytes] = self._answer
        self.overlong, self.settle = self.kept.overlong, self.kept.settle

    def _answer(self, request: bytes) -> bytes:
        moment, started = time.time(), time.perf_counter()
        answer = self.kept.answer(request)
        if self._first.backend is not None:
            decided = traced(self.kept, self._given, self._first.backend)
            stays = decided or self.kept
            self.answer, self.overlong = stays.answer, stays.overlong  # from now on this object costs nothing
            if decided is not None:
                decided.note(request, answer, moment, time.perf_counter() - started)
        return answer
