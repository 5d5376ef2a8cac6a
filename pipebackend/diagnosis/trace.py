"""Writes down what a session is asked and what it answers, a line for each call; with content a trace can be replayed.

    2026-11-22T09:30:01.250101Z 4711.1    0.052 ms lookup lax.airports.aa. ANY (zone-id -1) -> 2 records: TXT LOC
    > {"method": "lookup", …
    < {"result":[…

The time is when the question came, in UTC; 4711.1 is the first session of process 4711. The lines below are there with
content alone, an answer of several lines has a ``<`` before each, and an empty line ends the entry. Private keys and
secrets are never written.
"""

from __future__ import annotations

import os
import time
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from pipebackend.base import logs, ownership
from pipebackend.base.errors import RequestFault
from pipebackend.diagnosis import transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipebackend.backend.sessions import Session

__all__ = ["Entry", "Traced", "Writer", "entries"]

_MODE = 0o600  # names that clients ask for are nobody else's business
_ASKED, _ANSWERED = b"> ", b"< "
_sessions = count(1)


class Entry(NamedTuple):
    """One call of a trace with content; ``session`` tells calls of different clients apart."""

    session: str
    request: bytes
    answer: bytes


class Writer:
    """A trace file, to which several processes may write; a file that cannot be written never stops the answers."""

    def __init__(self, path: str, is_full: bool) -> None:
        """``%p`` in ``path`` stands for the process id."""
        self.path = path.replace("%p", str(os.getpid()))
        self.is_full = is_full
        self._file: int | None = None

    def write(self, entry: bytes) -> None:
        """Add one entry, by one call of the system so that no other process writes into it."""
        try:
            if self._file is None:
                self._file = _own_file(self.path)
            written = os.write(self._file, entry)
            reason = f"only {written} of {len(entry)} octets were taken" if written < len(entry) else None
        except OSError as exc:
            reason = exc.strerror or str(exc)
        if reason:
            logs.once(f"trace {self.path}", f"trace {self.path}: {reason}; calls go untraced until it can be written")
        else:
            logs.forget(f"trace {self.path}")


def _own_file(path: str) -> int:
    """The descriptor of a file to add to; OSError for a link and for a file of another user, who could read it all."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    descriptor = os.open(path, flags, _MODE)
    owner = os.fstat(descriptor).st_uid
    if owner != os.geteuid():
        os.close(descriptor)
        raise PermissionError(f"it belongs to {ownership.user_name(owner)}; name a file that is not there yet")
    return descriptor


class Traced:
    """A session that is written down; put around another one only while tracing is on."""

    def __init__(self, session: Session, writer: Writer) -> None:
        self._session = session
        self._writer = writer
        self._name = f"{os.getpid()}.{next(_sessions)}"

    def answer(self, request: bytes) -> bytes:
        """See ``sessions.Session``."""
        moment, started = time.time(), time.perf_counter()
        answer = self._session.answer(request)
        self.note(request, answer, moment, time.perf_counter() - started)
        return answer

    def note(self, request: bytes, answer: bytes, moment: float, seconds: float) -> None:
        """Write a call down that was answered elsewhere."""
        request, answer = transcript.blanked(request, answer)
        entry = f"{self._head(moment, seconds)} {transcript.summary(request, answer)}\n".encode()
        if self._writer.is_full:
            answered = b"".join(_ANSWERED + line + b"\n" for line in answer.removesuffix(b"\n").split(b"\n"))
            entry += _ASKED + request + b"\n" + answered + b"\n"
        self._writer.write(entry)

    def overlong(self) -> bytes:
        """See ``sessions.Session``."""
        self._writer.write(f"{self._head(time.time(), 0)} a line that is too long -> failed\n".encode())
        return self._session.overlong()

    def settle(self) -> None:
        """See ``sessions.Session``."""
        self._session.settle()

    def _head(self, moment: float, seconds: float) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        return f"{stamp}.{int(moment % 1 * 1e6):06d}Z {self._name} {seconds * 1000:8.3f} ms"


def entries(path: str) -> Iterator[Entry]:
    """The calls of a trace with content, but one that was cut off in the middle; RequestFault if it cannot be read."""
    session, request = "", None
    answer: list[bytes] = []
    found = False
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.startswith(_ASKED):
                    request, answer = line.removeprefix(_ASKED).removesuffix(b"\n"), []
                elif line.startswith(_ANSWERED):
                    answer.append(line.removeprefix(_ANSWERED))
                elif line != b"\n":
                    session, request = _session(line), None
                elif request is not None:
                    found = True
                    yield Entry(session, request, b"".join(answer))
                    request = None
    except OSError as exc:
        raise RequestFault(f"{path}: {exc.strerror}") from exc
    if not found:
        hint = "record them with --trace FILE --trace-full, or trace_full = true in the configuration"
        raise RequestFault(f"{path} has no calls with their content; {hint}")


def _session(line: bytes) -> str:
    return b" ".join(line.split(b" ")[1:2]).decode("ascii", "replace")
