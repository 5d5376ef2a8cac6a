"""The few options of the two coprocesses, read without ``click``, whose import would double their start."""

from __future__ import annotations

import os
import sys

from pipebackend.base.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["SYSTEMD", "Arguments", "parse"]

SYSTEMD = "systemd"  # as a place to listen: the socket that systemd hands over
UNIX = "unix:"
_MODE = 0o660
_MOST_WORKERS = 256
_NEEDS = {  # the options with a value, and what that is
    "--config": "a file",
    "--listen": "unix:PATH",
    "--workers": f"a number from 1 to {_MOST_WORKERS}",
    "--mode": "an octal mode, as in 0660",
    "--owner": "a user or USER:GROUP",
    "--trace": "a file",
    "--metrics": "HOST:PORT",
}
_HELP = """\
  --config FILE         the configuration
  --no-keeper           answer in the very process that PowerDNS starts: nothing goes on when it is killed
  --listen unix:PATH    serve a socket instead of stdin and stdout; with --listen systemd the one that systemd has made
  --workers N           this many processes serve the socket; without it one for each CPU
  --mode MODE           of the socket, without it 0660
  --owner USER:GROUP    of the socket
  --metrics HOST:PORT   show the numbers of the socket's server to Prometheus there
  --trace FILE          write a line for each call to FILE; %p in its name is the process id
  --trace-full          with all that was asked and answered, save keys and secrets: zoneutil pdns replay reads it
  --help, --version     show this, or the version, and leave"""


class Arguments(Value):
    """What the command line said.

    ``listen`` is the path of a socket or SYSTEMD, None for stdin and stdout; ``workers`` is 0 for one per CPU.
    ``trace_full`` also holds for a trace that the configuration asks for; ``metrics`` is an address and a port.
    """

    config: str | None = None
    keeper: bool = True
    listen: str | None = None
    workers: int = 0
    mode: int = _MODE
    owner: str | None = None
    trace: str | None = None
    trace_full: bool = False
    metrics: tuple[str, int] | None = None


def parse(program: str, purpose: str, version: str, argv: Sequence[str]) -> Arguments:
    """The options in ``argv``; exits with status 0 for ``--help`` and ``--version`` and with 2 for a wrong one."""
    found = Arguments()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if option in ("--help", "-h"):
            _leave(0, f"usage: {program} [--config FILE] [--listen unix:PATH] …\n{purpose}\n{_HELP}")
        if option == "--version":
            _leave(0, f"{program} {version}")
        if word == "--no-keeper":
            found = found._replace(keeper=False)
            continue
        if word == "--trace-full":
            found = found._replace(trace_full=True)
            continue
        if option not in _NEEDS:
            _leave(2, f"{program}: unknown option {word!r}; {program} --help shows the options")
        if not equals and not rest:
            _leave(2, f"{program}: {option} needs {_NEEDS[option]}")
        found = _with(found, program, option, value if equals else rest.pop(0))
    if not found.listen and (found.workers or found.owner or found.mode != _MODE or found.metrics):
        _leave(2, f"{program}: --workers, --mode, --owner and --metrics are for a socket: add --listen unix:PATH")
    return found


def _with(found: Arguments, program: str, option: str, value: str) -> Arguments:
    if option == "--listen" and value != SYSTEMD:
        if not value.startswith(UNIX) or value == UNIX:
            _leave(2, f"{program}: --listen needs unix:PATH or {SYSTEMD}, not {value!r}")
        value = value.removeprefix(UNIX)
    if option == "--listen":
        return found._replace(listen=value)
    if option == "--workers":
        return found._replace(workers=_number(program, option, value, 10, 1, _MOST_WORKERS))
    if option == "--mode":
        return found._replace(mode=_number(program, option, value, 8, 0, 0o777))
    if option == "--owner":
        return found._replace(owner=value)
    if option == "--trace":
        return found._replace(trace=value)
    if option == "--metrics":
        host, _, port = value.rpartition(":")
        number = _number(program, option, port, 10, 1, 65535)
        return found._replace(metrics=(host.strip("[]") or "127.0.0.1", number))
    return found._replace(config=value)


def _number(program: str, option: str, value: str, base: int, least: int, most: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 8 or value.strip(digits) or not least <= int(value, base) <= most:
        _leave(2, f"{program}: {option} needs {_NEEDS[option]}, not {value!r}")
    return int(value, base)


def _leave(status: int, text: str) -> NoReturn:
    os.write(2 if status else 1, f"{text}\n".encode("utf-8", "backslashreplace"))
    sys.exit(status)
