"""The log: lines on stderr, which PowerDNS inherits; never stdout, which belongs to the protocol.

The standard ``logging`` costs 20 ms to import, as much as all the rest of the start.
"""

from __future__ import annotations

import os
from time import monotonic

__all__ = ["error", "error_of_question", "forget", "info", "once", "shown", "traceback", "warning"]

_QUIET_SECONDS = 60.0
_MAX_SAID = 100
_seen: set[str] = set()
_said: dict[str, float] = {}


def info(message: str) -> None:
    """Something an operator may want to know."""
    _write("info", message)


def warning(message: str) -> None:
    """Something is not as it should be; questions are still answered."""
    _write("warning", message)


def error(message: str) -> None:
    """Something failed."""
    _write("error", message)


def once(key: str, message: str) -> None:
    """A warning that is said again only after ``forget(key)``: for conditions that are met many times a second."""
    if key not in _seen:
        _seen.add(key)
        _write("warning", message)


def error_of_question(message: str) -> None:
    """An error that an endless row of questions may meet: the same one is said once a minute."""
    now = monotonic()
    if now - _said.get(message, -_QUIET_SECONDS) < _QUIET_SECONDS:
        return
    if len(_said) >= _MAX_SAID:
        _said.clear()
    _said[message] = now
    _write("error", message)


def forget(key: str) -> None:
    """The condition of ``once(key, …)`` has passed."""
    _seen.discard(key)


def traceback(message: str) -> None:
    """An error that should not happen, with the traceback of the exception being handled."""
    from traceback import format_exc

    _write("error", f"{message}\n{format_exc()}")


def shown(line: str) -> str:
    """What comes from a file or from the network must not command a terminal."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def _write(level: str, message: str) -> None:
    lines = message.rstrip("\n").split("\n")
    text = "".join(f"pipebackend[{os.getpid()}] {level}: {shown(line)}\n" for line in lines)
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:  # stderr closed or full: a log that cannot be written must not stop the answers
        pass
