"""A front end as PowerDNS runs it, spoken to line by line; what the process tests share."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., "Coprocess"]

PATIENCE = 60.0
T = TypeVar("T")
HELO = b"HELO\t4\n"
INITIALIZE = b'{"method": "initialize", "parameters": {"command": "x"%s}}\n'
Q = b"Q\tlax.airports.aa\tIN\tTXT\t-1\t127.0.0.1\t127.0.0.1\t127.0.0.1/32\n"
LOOKUP = b'{"method": "lookup", "parameters": {"qname": "lax.airports.aa.", "qtype": "TXT", "zone-id": -1}}\n'


class Coprocess:
    """A front end as PowerDNS runs it: by pipes, SIGCHLD ignored."""

    def __init__(self, program: str, folder: Path, *options: str) -> None:
        self.is_pipe = program == "pipebackend"
        self._log = folder / f"log-{time.monotonic_ns()}"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(sys.prefix, "bin", program), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env={key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"},
                preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
                bufsize=0,
            )
        assert self.process.stdout is not None
        self._output = io.BufferedReader(self.process.stdout)  # type: ignore[type-var]  # unbuffered so far

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def child(self) -> int:
        """The process that answers."""
        return wait_for(lambda: next(iter(children(self.process.pid)), 0), "a serving process")

    def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def hear(self) -> bytes:
        """All of one answer; what there was of it at the end of output."""
        answer = b""
        while line := self._output.readline():
            answer += line
            if not self.is_pipe or line.startswith((b"OK", b"END\n", b"FAIL\n")):
                break
        return answer

    def ask(self, line: bytes | None = None) -> bytes:
        self.say(line or (Q if self.is_pipe else LOOKUP))
        return self.hear()

    def begin(self, extra: bytes = b"") -> None:
        answer = self.ask(HELO if self.is_pipe else INITIALIZE % extra)
        assert answer.startswith(b"OK" if self.is_pipe else b'{"result":true'), answer

    def kill_child(self) -> None:
        """Kill the process that answers, while it has nothing to do, and wait until another one is in its place."""
        before = self.child
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: children(self.process.pid) - {before}, "another process")

    def wait_until_read(self) -> None:
        """Until the serving process has taken all that was said."""
        assert self.process.stdin is not None
        pipe = self.process.stdin.fileno()
        wait_for(lambda: fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4), "what was said is read")

    def wait_until_asleep(self) -> None:
        """Until the serving process waits for more, and so has looked at what it read."""
        state = Path(f"/proc/{self.child}/stat")
        wait_for(lambda: state.read_text().rpartition(")")[2].split()[0] == "S", "what was read is looked at")

    def ends(self) -> int:
        return self.process.wait(PATIENCE)


def children(pid: int) -> set[int]:
    try:
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return set()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def wait_for(found: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        time.sleep(0.002)
    return value


@contextlib.contextmanager
def coprocesses(folder: Path) -> Iterator[Start]:
    """A function that starts front ends; they end with the block."""
    running = []

    def start(program: str, *options: str) -> Coprocess:
        running.append(Coprocess(program, folder, *options))
        return running[-1]

    yield start
    for coprocess in running:
        coprocess.process.kill()
        coprocess.process.wait()
        for pipe in (coprocess.process.stdin, coprocess.process.stdout):
            assert pipe is not None
            pipe.close()


def write_table(folder: Path, text: str) -> None:
    (folder / "own.tsv").write_text(f"id\ttext\nx\t{text}\n")
    (folder / "own.toml").write_text(
        '[[zone]]\nname = "t.example"\nkind = "table"\nfile = "own.tsv"\nkey = "id"\nttl = 60\nns = ["ns1.t.example"]\n'
        'soa = { mname = "ns1.t.example", rname = "hostmaster.t.example" }\n'
        '[[zone.record]]\ntype = "TXT"\ncontent = "{text}"\n'
    )
