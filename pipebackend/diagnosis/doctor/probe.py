"""Starts a coprocess as PowerDNS does, or connects to it, shakes hands and asks for the SOA of each zone."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pipebackend.base.errors import BackendError
from pipebackend.diagnosis.doctor.coprocess import WORKING_DIRECTORY, Coprocess
from pipebackend.diagnosis.doctor.users import User

__all__ = ["Answer", "Trial", "try_out"]

_USUAL_PATIENCE = 2.0  # seconds; PowerDNS's default
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_FAREWELL = 2.0  # seconds until a process that does not end is killed
_CHUNK = 65536
_LATE = "no answer within"
_NOBODY = ("0.0.0.0", "0.0.0.0", "0.0.0.0/0")  # the addresses of a SOA question (rule P-7)


@dataclass(frozen=True, slots=True)
class Answer:
    """``content`` is the SOA, empty if there was none; ``seconds`` is how long it took."""

    zone: str
    content: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went; ``fault`` is empty if it went well, ``stderr`` what the process said.

    ``seconds`` is the time to the answer to the first greeting, ``memory`` octets of the process then, 0 if unknown.
    """

    title: str
    user: str
    greeting: str = ""
    seconds: float = 0.0
    memory: int = 0
    answers: Sequence[Answer] = ()
    fault: str = ""
    stderr: str = ""

    @property
    def is_late(self) -> bool:
        """Whether no answer came in time."""
        return self.fault.startswith(_LATE)


class _Silence(BackendError):
    """The other end is gone, or has said nothing in time, or nothing that makes sense."""


class _Wire:
    """Lines out and lines in, over a pair of pipes or a socket."""

    def __init__(self, read: Callable[[], int], write: Callable[[bytes], object], patience: float | None) -> None:
        self._source, self._write, self._patience = read(), write, patience
        self._pending = b""

    def say(self, line: str) -> None:
        try:
            self._write(f"{line}\n".encode())
        except OSError as exc:
            raise _Silence(f"it ended before it was asked: {exc.strerror}") from exc

    def hear(self) -> str:
        """One line; PowerDNS waits for each as long as its timeout allows."""
        deadline = None if self._patience is None else time.monotonic() + self._patience
        while b"\n" not in self._pending:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._source], [], [], left)[0]:
                raise _Silence(f"{_LATE} {self._patience:g} s, after which PowerDNS kills it")
            try:
                chunk = os.read(self._source, _CHUNK)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                raise _Silence("it ended without an answer")
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode("utf-8", "replace")


def try_out(coprocess: Coprocess, abi: str, timeout: int, user: User, zones: Sequence[str]) -> Trial:
    """Try one backend; ``timeout`` is PowerDNS's, in milliseconds. Runs as ``user`` if this process may."""
    patience = timeout / 1000 if timeout else None
    speak = _Pipe(abi) if coprocess.protocol == "pipe" else _Remote(coprocess.options)
    title = coprocess.launched.title
    if coprocess.connector == "unix":
        return _over_socket(title, user, coprocess.options["path"], patience or _USUAL_PATIENCE, speak, zones)
    return _over_pipe(title, coprocess.argv, patience or 5 * _USUAL_PATIENCE, speak, user, zones)


def _over_pipe(
    title: str, argv: Sequence[str], patience: float, speak: _Pipe | _Remote, user: User, zones: Sequence[str]
) -> Trial:
    started = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        try:
            process = _start(argv, user, errors)
        except (OSError, ValueError, subprocess.SubprocessError) as exc:
            return Trial(title, user.name, fault=f"{argv[0]} cannot be started: {exc}")
        assert process.stdin is not None and process.stdout is not None
        output, sink = process.stdout.fileno(), process.stdin.fileno()
        wire = _Wire(lambda: output, lambda data: os.write(sink, data), patience)
        trial = _converse(title, user.name, wire, speak, zones, started, lambda: _memory(process.pid))
        _end(process)
        errors.seek(0)
        said = errors.read(_CHUNK).decode("utf-8", "replace")
    return Trial(
        title,
        user.name,
        trial.greeting,
        trial.seconds,
        trial.memory,
        trial.answers,
        trial.fault,
        said.strip(),
    )


def _start(argv: Sequence[str], user: User, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Its user and groups, the root as directory, an environment that no shell has filled."""
    switch: dict[str, Any] = {}
    if not user.is_us and os.geteuid() == 0:
        switch = {"user": user.uid, "group": user.gid, "extra_groups": sorted(user.groups)}
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=WORKING_DIRECTORY,
        env=_ENVIRONMENT,
        start_new_session=True,  # so that its own children can be ended with it
        **switch,
    )


def _over_socket(
    title: str, user: User, path: str, patience: float, speak: _Pipe | _Remote, zones: Sequence[str]
) -> Trial:
    started = time.monotonic()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(patience)
        try:
            client.connect(path)
        except OSError as exc:
            return Trial(title, user.name, fault=f"cannot connect to {path}: {exc.strerror or exc}")
        wire = _Wire(client.fileno, client.sendall, patience)
        return _converse(title, user.name, wire, speak, zones, started, lambda: 0)


def _converse(
    title: str,
    user: str,
    wire: _Wire,
    speak: _Pipe | _Remote,
    zones: Sequence[str],
    started: float,
    memory: Callable[[], int],
) -> Trial:
    """Handshake and questions; what was heard before a fault is kept."""
    greeting, seconds, octets, answers = "", 0.0, 0, list[Answer]()
    try:
        greeting = speak.greet(wire)
        seconds, octets = time.monotonic() - started, memory()
        for zone in zones:
            asked = time.monotonic()
            content = speak.ask_soa(wire, zone)
            answers.append(Answer(zone or ".", content, time.monotonic() - asked))
    except _Silence as exc:
        return Trial(title, user, greeting, seconds, octets, answers, str(exc))
    absent = [answer.zone for answer in answers if not answer.content]
    fault = f"no SOA for {', '.join(absent)}" if absent else ""
    return Trial(title, user, greeting, seconds, octets, answers, fault)


class _Pipe:
    """PIPE's side of PowerDNS (rules P-4 to P-13)."""

    def __init__(self, abi: str) -> None:
        self._abi = abi

    def greet(self, wire: _Wire) -> str:
        wire.say(f"HELO\t{self._abi}")
        banner = wire.hear()
        if not banner.startswith("OK"):
            raise _Silence(f"it answered {banner!r} to HELO {self._abi}")
        return banner.partition("\t")[2] or banner

    def ask_soa(self, wire: _Wire, zone: str) -> str:
        shown = _NOBODY[: {"1": 1, "2": 2}.get(self._abi, 3)]
        wire.say("\t".join(["Q", zone or ".", "IN", "SOA", "-1", *shown]))
        content = ""
        for line in _until_end(wire):
            fields = line.split("\t")
            if fields[0] == "DATA" and "SOA" in fields:
                content = " ".join(fields[fields.index("SOA") + 3 :])
        return content


def _until_end(wire: _Wire) -> Iterator[str]:
    while (line := wire.hear()) != "END":
        if not line.startswith(("DATA\t", "LOG\t", "FAIL")):
            raise _Silence(f"it said {line[:200]!r}, which is not a line of PIPE")
        yield line


class _Remote:
    """REMOTE's side of PowerDNS (rules R-1 to R-5)."""

    def __init__(self, options: object) -> None:
        self._options = options

    def greet(self, wire: _Wire) -> str:
        if self._ask(wire, "initialize", self._options) is False:
            raise _Silence("it refused initialize")
        return "initialized"

    def ask_soa(self, wire: _Wire, zone: str) -> str:
        address = _NOBODY[0]
        question = {"local": address, "qname": f"{zone}.", "qtype": "SOA", "real-remote": _NOBODY[2]}
        records = self._ask(wire, "lookup", {**question, "remote": address, "zone-id": -1})
        found = [row for row in records if isinstance(row, dict)] if isinstance(records, list) else []
        return next((str(row.get("content", "")) for row in found if row.get("qtype") == "SOA"), "")

    def _ask(self, wire: _Wire, method: str, parameters: object) -> Any:
        wire.say(json.dumps({"method": method, "parameters": parameters}))
        line = wire.hear()
        try:
            answer = json.loads(line)
        except ValueError:
            raise _Silence(f"it said {line[:200]!r}, which is not JSON") from None
        if not isinstance(answer, dict) or answer.get("result") is None:
            raise _Silence(f"it said {line[:200]!r}, which has no result")
        return answer["result"]


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no /proc here, or it has ended
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends by itself when its input does; whatever does not is killed with its children."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_FAREWELL)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    process.stdout.close()
