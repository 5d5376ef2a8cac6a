"""Whole processes: start to first answer (part c) and memory (part d), and how both grow (part e)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks.figures import AT_MOST, Goal
from scripts.benchmarks.responders import (
    PIPE,
    REMOTE,
    Protocol,
    Responder,
    ResponderFailed,
    command_of,
    preferred,
    program,
)
from tests.live.servers import running_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["CROWD", "bare_megabytes", "measure_memory", "measure_starts", "megabytes_after"]

CROWD = 4  # processes that serve the same zone: what PowerDNS starts by default (rule L-6)
BARE = "bare Python"
_TABLE = Path(__file__).parents[2] / "airports.tsv"
_START_GOAL = 2.3
_MEGABYTES = {"airports": 14.0, "large": 24.0}
_LARGE = 1_000_000
_FEW, _MANY = 1000, 10_000  # names that are asked for before memory is looked at


class Subject(NamedTuple):
    """A coprocess with its configuration, and names of its zone; ``size`` is 0 where it does not grow."""

    title: str
    protocol: Protocol
    command: list[str]
    names: Sequence[str]
    kind: str = "airports"
    size: int = 0

    @property
    def part_of_growth(self) -> bool:
        return self.size > 0


def measure_starts(setup: Setup, run: Run) -> None:
    """From the start of the process until its first answer is read, beside a Python that does nothing at all."""
    subjects = [subject for subject in _subjects(setup) if _is_fit(subject, setup, run)]
    seconds: dict[str, list[float]] = {subject.title: [] for subject in subjects}
    bare: list[float] = []
    with preferred():  # not on one CPU: what a process does after its first answer would count as its start
        for _ in range(setup.scale.starts):
            bare.append(_bare_start())
            for subject in subjects:
                seconds[subject.title].append(_first_answer(subject)[1])
    for subject in subjects:
        asked = subject.kind == "airports" or subject.size in (0, _LARGE)
        run.add(
            "e" if subject.part_of_growth else "c",
            f"start to first answer, {subject.title}",
            "ms",
            [second * 1000 for second in seconds[subject.title]],
            [second * 1000 for second in bare],
            BARE,
            goals=[Goal(AT_MOST, _START_GOAL)] if asked else [],
            size=subject.size,
        )


def measure_memory(setup: Setup, run: Run) -> None:
    """PSS per process of four that have answered, their keepers counted in, beside a Python that only waits."""
    bare = bare_megabytes()
    for subject in _subjects(setup):
        if not _is_fit(subject, setup, run):
            continue
        with ExitStack() as running:
            crowd = [running.enter_context(Responder(subject.protocol, subject.command)).greet() for _ in range(CROWD)]
            megabytes = megabytes_after(subject.names[:_FEW], subject.protocol, crowd)
            later = megabytes_after(subject.names[_FEW:], subject.protocol, crowd)
        bound = _MEGABYTES["airports"] if subject.kind == "airports" else _MEGABYTES["large"]
        asked = subject.kind == "airports" or subject.size == _LARGE
        goals = [Goal(AT_MOST, bound, of_value=True)] if asked else []
        part = "e" if subject.part_of_growth else "d"
        what, against = f"memory per process, {subject.title}", f"{CROWD} waiting Pythons"
        run.add(part, what, "MB", [megabytes], [bare], against, goals=goals, size=subject.size)
        if len(subject.names) > _FEW:
            run.add(part, f"{what}, {len(subject.names):,} asked", "MB", [later], [bare], against, size=subject.size)


def _subjects(setup: Setup) -> list[Subject]:
    with open(_TABLE, encoding="utf-8") as table:
        codes = [line.partition("\t")[0].lower() for line in table][1 : 1 + setup.scale.served_names]
    airports = [f"{code}.airports.aa" for code in codes]
    found = [Subject(f"{p.title} airports", p, [program(p)], airports) for p in (PIPE, REMOTE)]
    for kind in ("table", "file", "stored"):
        for size in setup.scale.sizes[1:]:
            zone = setup.zone(kind, size)
            names = list(zone.names(min(_MANY, size), 6, in_mixed_case=False))
            for protocol in (PIPE, REMOTE) if size == setup.scale.sizes[-1] else (PIPE,):
                command = command_of(protocol, zone.config)
                found.append(Subject(f"{protocol.title} {kind}: {size:,} names", protocol, command, names, kind, size))
    return found


def _is_fit(subject: Subject, setup: Setup, run: Run) -> bool:
    """Whether it serves its zone, and soon; otherwise that is noted. What a first start compiles is compiled here."""
    try:
        said, _ = _first_answer(subject)
        _, seconds = _first_answer(subject)
    except ResponderFailed as exc:
        run.skip(subject.title, str(exc))
        return False
    if b"TXT" not in said:
        run.skip(subject.title, "such zones are not served yet" if subject.kind == "stored" else f"it says {said!r}")
        return False
    if seconds > setup.scale.patience:
        run.skip(f"start and memory, {subject.title}", f"one start takes {seconds:.1f} s here; --long waits for it")
        return False
    return True


def _first_answer(subject: Subject) -> tuple[bytes, float]:
    """What it says, and after how many seconds."""
    begin = time.perf_counter()
    with Responder(subject.protocol, subject.command) as responder:
        said = responder.greet().ask(subject.protocol.lookup(subject.names[0]))
        return said, time.perf_counter() - begin


def _bare_start() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begin


def bare_megabytes() -> float:
    """What each of as many processes takes that only wait."""
    with ExitStack() as running:
        crowd = []
        for _ in range(CROWD):
            command = [sys.executable, "-c", "import sys; print('OK', flush=True); sys.stdin.read()"]
            responder = running.enter_context(Responder(PIPE, command))
            os.read(responder.source, 10)
            crowd.append(responder)
        return _pss(crowd) / CROWD


def megabytes_after(names: Sequence[str], protocol: Protocol, crowd: Sequence[Responder]) -> float:
    """What each of them takes when all have been asked for these names."""
    for responder in crowd:
        for name in names:
            responder.ask(protocol.lookup(name))
    return _pss(crowd) / CROWD


def _pss(crowd: Sequence[Responder]) -> float:
    """Megabytes of all these processes and their children; what they share counts once."""
    wanted = {responder.process.pid for responder in crowd}
    parents = running_processes()
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    return sum(_pss_of(pid) for pid in wanted)


def _pss_of(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        line = next(line for line in file if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024 / 1e6
