"""Whatever comes in: as many well-formed answers as requests, and memory that stays as it is."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipebackend.server.answercache import MAX_ANSWERS
from tests.process.coprocess import HELO, INITIALIZE, Q, children

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1 << 20
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
BATCH = 500
TENTHS = 10
SEED = 20261122
LINES = pytest.mark.parametrize("lines", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])


def mutated(chance: random.Random, samples: list[bytes]) -> bytes:
    """A line that is right, slightly wrong, or noise; without a line end in it."""
    line = bytearray(chance.choice(samples).rstrip(b"\n"))
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        place = chance.randrange(len(line) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            line[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif kind == 1:
            del line[place : place + chance.randrange(1, 9)]
        elif kind == 2:
            line[place:place] = chance.choice(samples).rstrip(b"\n")[: chance.randrange(1, 60)]
        else:
            line = bytearray(chance.randbytes(chance.randrange(1, 80)))
    return bytes(line).replace(b"\n", b"\t") or b"x"


def names(chance: random.Random) -> Iterator[bytes]:
    """Names of three letters, of which nearly half are airports."""
    while True:
        yield bytes(chance.choices(LETTERS, k=3)) + b".airports.aa"


def private(pid: int) -> int:
    fields = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
    return 1024 * sum(int(fields[fields.index(key) + 1]) for key in ("Private_Clean:", "Private_Dirty:"))


class Flood:
    """Batches of requests in, one answer for each out; the process stays the same and so does its memory."""

    def __init__(self, program: str, folder: Path, first: bytes) -> None:
        self.is_pipe = program == "pipebackend"
        environ = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
        self.process = subprocess.Popen(
            [os.path.join(sys.prefix, "bin", program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environ,
        )
        self.ask([first.rstrip(b"\n")])
        (self.serving,) = children(self.process.pid)

    def ask(self, requests: list[bytes]) -> None:
        assert self.process.stdin is not None
        writer = threading.Thread(target=self._write, args=(b"".join(request + b"\n" for request in requests),))
        writer.start()
        for request in requests:
            if self.is_pipe:
                self._pipe_answer(request)
            else:
                answer = json.loads(self._line())
                assert "result" in answer, request
        writer.join()

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        line: bytes = self.process.stdout.readline()
        assert line.endswith(b"\n")
        return line

    def _pipe_answer(self, request: bytes) -> None:
        """DATA and LOG lines up to the END or FAIL that this request calls for (rules P-4 to P-15)."""
        fields = request.rstrip(b"\r").split(b"\t")
        while (line := self._line().rstrip(b"\n")) not in (b"END", b"FAIL"):
            if fields[0] == b"HELO" and line.startswith(b"OK\t"):
                return
            assert line.startswith((b"DATA\t", b"LOG\t")) or fields[0] == b"CMD", (request, line)
        if line == b"FAIL" and fields[0] == b"Q" and fields[3:4] == [b"SOA"]:
            assert self._line() == b"END\n"


def as_powerdns_writes_it(name: bytes) -> bytes:
    """A lookup with keys in PowerDNS's order and spacing, whose answer is kept."""
    return (
        b'{"method": "lookup", "parameters": {"local": "127.0.0.1", "qname": "%s.", "qtype": "TXT", '
        b'"real-remote": "127.0.0.1/32", "remote": "127.0.0.1", "zone-id": -1}}' % name
    )


@LINES
@pytest.mark.parametrize("program", ["pipebackend", "remoteshim"])
def test_random_and_mutated_lines(program: str, lines: int, tmp_path: Path) -> None:
    """Kept answers come to their bound first; from there on memory is the same however many questions follow."""
    chance = random.Random(SEED)
    name = names(chance)
    flood = Flood(program, tmp_path, HELO if program == "pipebackend" else INITIALIZE % b"")
    begin = b'{"method": "getAllDomainMetadata", "parameters": {"name": "airports.aa."}}'
    others = (
        [b"CMD\tstats", b"HELO\t4"]
        if flood.is_pipe
        else [begin, begin.replace(b"getAllDomainMetadata", b"getDomainInfo")]
    )

    def question(name: bytes) -> bytes:
        return Q.replace(b"lax.airports.aa", name).rstrip() if flood.is_pipe else as_powerdns_writes_it(name)

    def batch() -> list[bytes]:
        samples = [question(next(name)), question(b"airports.aa").replace(b"TXT", b"SOA"), *others]
        return [mutated(chance, samples) for _ in range(BATCH)]

    codes = map(bytes, itertools.islice(itertools.product(LETTERS, repeat=3), MAX_ANSWERS))
    while full := list(itertools.islice(codes, BATCH)):
        flood.ask([question(code + b".airports.aa") for code in full])
    flood.ask(batch())
    used = [private(flood.serving)]
    for _ in range(TENTHS):
        for _ in range(lines // TENTHS // BATCH):
            flood.ask(batch())
        used.append(private(flood.serving))
    grown = [(octets - used[0]) / MEGABYTE for octets in used]
    print(f"{program}: of {lines} lines, MB more after each tenth: {' '.join(f'{more:.2f}' for more in grown[1:])}")
    assert flood.process.poll() is None
    assert children(flood.process.pid) == {flood.serving}
    assert max(grown) < 2
    assert grown[-1] - grown[TENTHS // 2] < 1, "it goes on growing"
    assert flood.process.stdin is not None
    assert flood.process.stdout is not None
    flood.process.stdin.close()
    assert flood.process.wait() == 0
    flood.process.stdout.close()
