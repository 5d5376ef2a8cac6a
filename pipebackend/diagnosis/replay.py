"""Puts the calls of a recorded trace to a front end with the present configuration and finds what differs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from pipebackend.base.errors import BackendError
from pipebackend.diagnosis import trace, transcript
from pipebackend.diagnosis.doctor.advised import installed
from pipebackend.diagnosis.trace import Entry

__all__ = ["Difference", "Outcome", "replay"]

_SOA_SERIAL = re.compile(r"^(\S+ \S+ )\d+")  # after MNAME and RNAME (RFC 1035 section 3.3.13)
_PATIENCE = 600.0  # seconds for all calls of one client


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that is answered otherwise than it was; ``request`` is as it was recorded."""

    request: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """``asked`` calls were asked again; ``writing`` were left out since they change the store, ``secret`` since their
    secrets were not recorded."""

    asked: int
    writing: int
    secret: int
    differences: Sequence[Difference]


def replay(path: str, config: str, with_writes: bool, ignore_serial: bool = False) -> Outcome:
    """Ask again; ``config`` is a configuration file, "" for the built-in one. Raises BackendError.

    With ``ignore_serial`` answers that differ in serials of SOA records alone are the same.
    """
    recorded = list(trace.entries(path))
    writing = {entry for entry in recorded if not with_writes and not transcript.reads_only(entry.request)}
    secret = {entry for entry in recorded if transcript.BLANK.encode() in entry.request} - writing
    left_out = writing | secret
    asked = [entry for entry in recorded if entry not in left_out]
    differences: list[Difference] = []
    for session in dict.fromkeys(entry.session for entry in asked):
        before = [entry for entry in asked if entry.session == session]
        differences += _differences(before, _answers(before, config), ignore_serial)
    return Outcome(len(asked), _count(recorded, writing), _count(recorded, secret), differences)


def _count(recorded: Sequence[Entry], kind: Set[Entry]) -> int:
    return sum(entry in kind for entry in recorded)


def _answers(asked: Sequence[Entry], config: str) -> list[Entry]:
    """The same calls as a front end of today answers them: it writes a trace, too."""
    is_remote = any(entry.answer.startswith(b"{") for entry in asked)  # a question may be anything
    program = installed("remoteshim" if is_remote else "pipebackend")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        words = [program, "--no-keeper", "--trace", path, "--trace-full", *(("--config", config) if config else ())]
        questions = b"".join(_for_here(entry.request) + b"\n" for entry in asked)
        try:
            done = subprocess.run(words, input=questions, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.SubprocessError) as exc:
            raise BackendError(f"{program} cannot be asked: {exc}") from exc
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise BackendError(f"{program} ended with status {done.returncode}: {said}")
        return list(trace.entries(path))


def _for_here(request: bytes) -> bytes:
    """``initialize`` without the place of the configuration that was in force where the trace was made."""
    if b'"initialize"' not in request:
        return request
    try:
        said = json.loads(request)
        said["parameters"].pop("config", None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return request
    return json.dumps(said).encode("ascii")


def _differences(before: Sequence[Entry], after: Sequence[Entry], ignore_serial: bool) -> list[Difference]:
    if len(before) != len(after):
        raise BackendError(f"{len(before)} calls were asked again and {len(after)} answered")
    return [
        Difference(_text(was.request), _text(was.answer), _text(now.answer))
        for was, now in zip(before, after, strict=True)
        if _meaning(was.answer, ignore_serial) != _meaning(now.answer, ignore_serial)
    ]


def _meaning(answer: bytes, ignore_serial: bool) -> object:
    """What is compared: of JSON the value, for an older version may have written it with other white space."""
    try:
        value = json.loads(answer)
    except ValueError:
        lines = [line.rstrip() for line in answer.splitlines() if not line.startswith(b"OK\t")]  # it has a version
        return [_without_pipe_serial(line) for line in lines] if ignore_serial else lines
    return _without_serial(value) if ignore_serial else value


def _without_serial(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_serial(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _without_serial(item) for key, item in value.items() if key not in ("serial", "notified_serial")}
    if found.get("qtype") == "SOA" and isinstance(found.get("content"), str):
        found["content"] = _SOA_SERIAL.sub(r"\1", found["content"])
    return found


def _without_pipe_serial(line: bytes) -> bytes:
    head, found, content = line.rpartition(b"\t")
    if b"\tIN\tSOA\t" not in head + found:
        return line
    return head + found + _SOA_SERIAL.sub(r"\1", content.decode("ascii", "backslashreplace")).encode()


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace").rstrip("\n")
