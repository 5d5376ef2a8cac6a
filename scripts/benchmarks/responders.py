"""Coprocesses to ask directly, without PowerDNS, and what asks them: one question after the other."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "PIPE", "REMOTE", "Native", "Protocol", "Responder", "ResponderFailed", "command_of", "compiled", "peer_command",
    "pinned", "preferred", "program", "write_rules",
]  # fmt: skip

HERE = Path(__file__).parent
TOP = HERE.parents[1]
_NICE = -15


class ResponderFailed(Exception):
    """A responder that ended, or whose answer is not what it should be."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a question looks on the wire, and what an answer ends in; ``greeting`` comes first."""

    title: str
    command: str
    greeting: bytes
    terminator: bytes

    def lookup(self, name: str, type_: str = "ANY", zone_id: int = -1) -> bytes:
        """One question as PowerDNS 4.7 writes it."""
        if self.title == "PIPE":
            return f"Q\t{name}\tIN\t{type_}\t{zone_id}\t127.0.0.1\t127.0.0.1\t127.0.0.1/32\n".encode()
        return (
            f'{{"method": "lookup", "parameters": {{"local": "127.0.0.1", "qname": "{name}.", "qtype": "{type_}",'
            f' "real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": {zone_id}}}}}\n'
        ).encode()

    def is_whole(self, answer: bytes) -> bool:
        """Whether ``answer`` ends where an answer ends."""
        return answer.endswith(b"\n" + self.terminator) or answer == self.terminator or self.terminator == b"\n"


PIPE = Protocol("PIPE", "pipebackend", b"HELO\t3\n", b"END\n")
REMOTE = Protocol("REMOTE", "remoteshim", b'{"method": "initialize", "parameters": {}}\n', b"\n")


@dataclass(frozen=True, slots=True)
class Native:
    """The programs in C."""

    constant: Path
    asker: Path
    http_asker: Path


def compiled(folder: Path) -> Native | None:
    """The programs, built in ``folder``; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    for name in ("constant", "asker", "httpasker"):
        subprocess.run([compiler, "-O2", "-o", folder / name, HERE / f"{name}.c"], check=True)
    return Native(folder / "constant", folder / "asker", folder / "httpasker")


def write_rules(path: Path, rules: Iterable[tuple[str, bytes]]) -> Path:
    """The file that the responder in C answers from; see constant.c."""
    path.write_bytes(b"".join(f"{text}\t{len(answer)}\n".encode() + answer for text, answer in rules))
    return path


def program(protocol: Protocol) -> str:
    """Our coprocess; by itself it serves the built-in zone of airports."""
    return os.path.join(sys.prefix, "bin", protocol.command)


def command_of(protocol: Protocol, config: Path) -> list[str]:
    """Our coprocess with a configuration."""
    return [program(protocol), "--config", str(config)]


def peer_command(protocol: Protocol, data: Path) -> list[str] | None:
    """The coprocess of pdns-remotebackend; None if that is not installed."""
    if importlib.util.find_spec("pdns") is None:
        return None
    return [sys.executable, "-m", "scripts.benchmarks.peer", protocol.title.lower(), str(data)]


@contextmanager
def pinned(cpus: Iterable[int]) -> Iterator[None]:
    """This process, and those that it starts meanwhile, run on these CPUs alone, before all others if root asks."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cpus))
    is_first = _set_policy(os.SCHED_FIFO, 1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        if is_first:
            _set_policy(os.SCHED_OTHER, 0)


class Responder:
    """A running coprocess."""

    def __init__(self, protocol: Protocol, command: Sequence[str], native: Native | None = None) -> None:
        self.protocol = protocol
        self._native = native
        environment = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=TOP, env=environment
        )
        self.source, self.sink = _descriptors(self.process)

    def greet(self) -> Self:
        """Say what PowerDNS says first."""
        _write_all(self.sink, self.protocol.greeting)
        said = os.read(self.source, 65536)
        if not said.startswith((b"OK", b'{"result":true', b'{"result": true')):
            raise ResponderFailed(f"{self.process.args!r} greets with {said!r}")
        return self

    def ask(self, question: bytes) -> bytes:
        """One answer."""
        _write_all(self.sink, question)
        answer = b""
        while not answer.endswith(b"\n") or not self.protocol.is_whole(answer):
            chunk = os.read(self.source, 1 << 20)
            if not chunk:
                raise ResponderFailed(f"{self.process.args!r} has ended")
            answer += chunk
            if answer.endswith(b"FAIL\n"):
                raise ResponderFailed(f"{self.process.args!r} answers {question!r} with {answer!r}")
        return answer

    def seconds(self, questions: Path, first: int, count: int) -> float:
        """How long one answer takes, from ``count`` lines of a file on."""
        if self._native is None:
            return self._seconds_from_python(questions, first, count)
        terminator = self.protocol.terminator.rstrip(b"\n").decode()
        command = [str(self._native.asker), str(questions), str(first), str(count), terminator]
        done = subprocess.run(command, stdin=self.source, stdout=self.sink, stderr=subprocess.PIPE, timeout=120)
        if done.returncode:
            raise ResponderFailed(f"asking {self.process.args!r} ended with status {done.returncode}")
        return int(done.stderr.split()[0]) / count / 1e9

    def _seconds_from_python(self, questions: Path, first: int, count: int) -> float:
        with open(questions, "rb") as file:
            lines = file.readlines()[first : first + count]
        begin = time.perf_counter()
        for line in lines:
            self.ask(line)
        return (time.perf_counter() - begin) / count

    def close(self) -> None:
        """End it."""
        os.close(self.sink)
        os.close(self.source)
        self.process.stdin = self.process.stdout = None
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def preferred() -> Iterator[None]:
    """What this process starts meanwhile runs before most others if root asks; it may use all CPUs."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        is_first = True
    except PermissionError:
        is_first = False
    try:
        yield
    finally:
        if is_first:
            os.setpriority(os.PRIO_PROCESS, 0, before)


def _set_policy(policy: int, priority: int) -> bool:
    """Without the priority, what else runs on the machine gets its turn between a question and its answer."""
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True


def _descriptors(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    assert process.stdin and process.stdout
    source, sink = os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno())
    process.stdin.close()
    process.stdout.close()
    return source, sink


def _write_all(sink: int, octets: bytes) -> None:
    while octets:
        octets = octets[os.write(sink, octets) :]
