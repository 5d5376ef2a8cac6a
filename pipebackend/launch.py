"""What the commands of both front ends do: read the options, serve stdin and stdout under a keeper, or a socket."""

from __future__ import annotations

import sys

from pipebackend import arguments, logs, streams
from pipebackend.backend import VERSION, open_backend
from pipebackend.errors import ConfigFault
from pipebackend.kept import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.streams import NewSession

__all__ = ["run"]


def run(program: str, purpose: str, new_session: NewSession) -> None:
    """Serve until the end of input; exits with status 2 if the options or the configuration cannot be used.

    ``new_session`` gets a backend, None if no configuration was given here, and what a session calls with the request
    that brings another one into its state.
    """
    from pipebackend.signals import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, signal

    signal(SIGINT, SIG_DFL)  # a person's Ctrl-C is no fault that needs a traceback
    given = arguments.parse(program, purpose, VERSION, sys.argv[1:])
    try:
        if given.listen:
            from pipebackend import listen

            listen.run(given, new_session)
            return
        signal(SIGHUP, SIG_IGN)  # changed files are in force within a second without being told
        streams.close_inherited_files()
        _serve_stdio(given, new_session)
    except ConfigFault as exc:
        logs.error(str(exc))
        sys.exit(2)


def _serve_stdio(given: arguments.Arguments, new_session: NewSession) -> None:
    sink = streams.claim_stdout()
    memory = streams.Memory()
    if given.keeper:
        from pipebackend import keeper

        memory = keeper.keep(0, sink)
    backend = open_backend(given.config) if given.config else None
    streams.serve(Kept(new_session(backend, memory.remember)), 0, sink, memory)
