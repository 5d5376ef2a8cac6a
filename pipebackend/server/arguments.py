"""The few options of the two coprocesses, read without ``click``, whose import would double their start."""

from __future__ import annotations

import os
import sys

from pipebackend.base.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

__all__ = ["SYSTEMD", "Arguments", "parse"]

SYSTEMD = "systemd"  # as a place to listen: the socket that systemd hands over
UNIX = "unix:"
HTTP = "http:"
HTTP_UNIX = "http+unix:"
_PLACES = f"{UNIX}PATH, http://HOST:PORT, {HTTP_UNIX}PATH or {SYSTEMD}"
_PATH_SIGNS = "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # RFC 3986 section 2.3
_MODE = 0o660
_MOST_WORKERS = 256
_NEEDS = {  # the options with a value, and what that is
    "--config": "a file",
    "--listen": _PLACES,
    "--workers": f"a number from 1 to {_MOST_WORKERS}",
    "--mode": "an octal mode, as in 0660",
    "--owner": "a user or USER:GROUP",
    "--trace": "a file",
    "--metrics": "HOST:PORT",
    "--maintain-keys": "a number of seconds from 1 to 86400",
    "--allow": "networks, as in 192.0.2.0/24,2001:db8::/32",
    "--secret": "a file",
}
_NUMBERS = {  # of these options, the base, the least and the most
    "--workers": (10, 1, _MOST_WORKERS),
    "--mode": (8, 0, 0o777),
    "--maintain-keys": (10, 1, 86_400),
}
_HELP = """\
  --config FILE         the configuration
  --no-keeper           answer in the very process that PowerDNS starts: nothing goes on when it is killed
  --listen unix:PATH    serve a socket instead of stdin and stdout; with --listen systemd the one that systemd has made
  --listen http:…       serve HTTP at http://HOST:PORT[/PATH], or on a socket, for a proxy, at http+unix:PATH
  --allow NETWORKS      who may ask over HTTP, beside this machine, as in 192.0.2.0/24,2001:db8::/32
  --secret FILE         answer over HTTP only what has the secret in FILE in its path, or in its header Authorization
  --workers N           this many processes serve the socket; without it one for each CPU
  --mode MODE           of the socket, without it 0660
  --owner USER:GROUP    of the socket
  --metrics HOST:PORT   show the numbers of the socket's server to Prometheus there
  --maintain-keys N     do what is due with the keys of zones that have a policy, every N seconds
  --trace FILE          write a line for each call to FILE; %p in its name is the process id
  --trace-full          with all that was asked and answered, save keys and secrets: zoneutil pdns replay reads it
  --help, --version     show this, or the version, and leave"""


class Arguments(Value):
    """What the command line said.

    ``listen`` is the path of a socket, SYSTEMD, or empty if ``address`` is where to serve HTTP; None for stdin and
    stdout. ``workers`` is 0 for one per CPU. ``trace_full`` also holds for a trace that the configuration asks for;
    ``metrics`` is an address and a port; ``maintain_keys`` is in seconds, 0 for never.
    ``path`` is below which HTTP is served, without a slash at its end.
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
    maintain_keys: int = 0
    http: bool = False
    address: tuple[str, int] | None = None
    path: str = ""
    allow: tuple[str, ...] = ()
    secret: str | None = None


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
    _check(found, program)
    return found


def _check(found: Arguments, program: str) -> None:
    """Leave if options do not go together."""
    has_place = found.owner or found.mode != _MODE
    of_service = found.workers or found.metrics or found.maintain_keys or found.allow or found.secret
    if found.listen is None and (of_service or has_place):
        options = "--workers, --mode, --owner, --metrics, --maintain-keys, --allow and --secret"
        _leave(2, f"{program}: {options} need --listen {_PLACES}")
    if found.address and has_place:
        _leave(2, f"{program}: --mode and --owner are for a socket in the file system; for HTTP there is --allow")
    if found.listen and found.listen != SYSTEMD and found.allow:
        _leave(
            2, f"{program}: --allow is for --listen http://HOST:PORT; for a socket in the file system there is --mode"
        )
    if found.secret and not found.http and found.listen != SYSTEMD:
        _leave(2, f"{program}: --secret is for HTTP: --listen http://HOST:PORT")


def _with(found: Arguments, program: str, option: str, value: str) -> Arguments:
    if option == "--listen":
        return _listening(found._replace(http=False, address=None, path=""), program, value)
    field: dict[str, Any] = {option.removeprefix("--").replace("-", "_"): _value(program, option, value)}
    return found._replace(**field)


def _value(program: str, option: str, value: str) -> object:
    if option in _NUMBERS:
        return _number(program, option, value, *_NUMBERS[option])
    if option == "--allow":
        return tuple(filter(None, value.split(",")))
    if option == "--metrics":
        host, _, port = value.rpartition(":")
        return host.strip("[]") or "127.0.0.1", _number(program, option, port, 10, 1, 65535)
    return value


def _listening(found: Arguments, program: str, value: str) -> Arguments:
    if value == SYSTEMD:
        return found._replace(listen=value)
    for prefix in (UNIX, HTTP_UNIX):
        if value.startswith(prefix) and value != prefix:
            return found._replace(listen=value.removeprefix(prefix), http=prefix == HTTP_UNIX)
    place = value.removeprefix("http://")
    host_port, slash, path = place.partition("/")
    host, colon, port = host_port.rpartition(":")
    if place == value or not colon or not host or "@" in host:
        _leave(2, f"{program}: --listen needs {_PLACES}, not {value!r}")
    path = (slash + path).rstrip("/")
    if path.strip(_PATH_SIGNS):
        _leave(2, f"{program}: --listen {value!r}: its path may have letters, digits and -._~/ alone")
    number = _number(program, "--listen", port, 10, 1, 65535)
    return found._replace(listen="", http=True, address=(host.strip("[]"), number), path=path)


def _number(program: str, option: str, value: str, base: int, least: int, most: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 8 or value.strip(digits) or not least <= int(value, base) <= most:
        _leave(2, f"{program}: {option} needs {_NEEDS[option]}, not {value!r}")
    return int(value, base)


def _leave(status: int, text: str) -> NoReturn:
    os.write(2 if status else 1, f"{text}\n".encode("utf-8", "backslashreplace"))
    sys.exit(status)
