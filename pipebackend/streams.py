"""A session over stdin and stdout: whole lines in, whole answers out, one read and one write for each request."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Session(Protocol):
        """What a front end makes of its protocol, without input or output."""

        def answer(self, request: bytes) -> bytes:
            """The bytes that answer one request line, given without its line end; never raises."""

        def overlong(self) -> bytes:
            """The answer to a line of more than MAX_REQUEST octets."""

        def settle(self) -> None:
            """Called once when the first answer is out: the time for work that nobody should wait for."""


__all__ = ["MAX_REQUEST", "claim_stdout", "close_inherited_files", "serve"]

MAX_REQUEST = 1 << 20  # octets of one request; the longest that PowerDNS sends is a metadata value or a key
_CHUNK = 1 << 16


def serve(session: Session, source: int, sink: int) -> None:
    """Answer requests from one descriptor on another until the end of input or until nobody reads."""
    try:
        _answer_all(session, source, sink)
    except BrokenPipeError:  # PowerDNS has gone: nobody is left to answer
        return


def close_inherited_files() -> None:
    """Close all but stdin, stdout and stderr: PowerDNS leaks the pipes of our siblings into us (PROTOCOL.md rule 3)."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def claim_stdout() -> int:
    """The descriptor for answers; stdout becomes stderr, so that a stray print in a user's zone is a log line."""
    sink = os.dup(1)
    os.dup2(2, 1)
    return sink


def _answer_all(session: Session, source: int, sink: int) -> None:
    pending = b""
    skipping = False  # inside a line that was already answered as overlong
    settled = False
    while chunk := os.read(source, _CHUNK):
        pending += chunk
        *requests, pending = pending.split(b"\n")
        if skipping and requests:
            requests.pop(0)
            skipping = False
        for request in requests:
            _write(sink, session.answer(request) if len(request) <= MAX_REQUEST else session.overlong())
        if len(pending) > MAX_REQUEST:
            if not skipping:
                _write(sink, session.overlong())
            pending, skipping = b"", True
        if not settled and requests:
            settled = True
            session.settle()
    if pending and not skipping:  # a person's last line may lack its end
        _write(sink, session.answer(pending))


def _write(sink: int, answer: bytes) -> None:
    written = os.write(sink, answer)
    while written < len(answer):
        answer = answer[written:]
        written = os.write(sink, answer)
