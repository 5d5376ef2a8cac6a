"""Part b: questions per second of whole servers, asked by dnsperf, all in turn."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks import made
from scripts.benchmarks.figures import AT_LEAST, Goal
from scripts.benchmarks.responders import preferred
from scripts.benchmarks.served import MODES, PLAIN, Zones, apex_of, start
from tests.live.servers import HOST, ServerFailed, program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup
    from tests.live.servers import PdnsServer

__all__ = ["Flood", "flooded", "measure"]

DIRECT = "ours REMOTE timeout=0"
C_DIRECT = "C REMOTE timeout=0"
OURS = ("ours PIPE", "ours REMOTE timeout=2000", DIRECT, "ours unix", "ours HTTP")
LIMITS = ("C PIPE", "C REMOTE timeout=2000", C_DIRECT, "C unix", "C HTTP")
OWN = ("gsqlite3", "lmdb", "bind")
THREADS = (1, 2)  # beside PowerDNS's default of three
_QUESTIONS_PER_SECOND = 70_000  # more than any of these servers answers: no name comes twice
_EDNS_DO = "-D"


class Flood(NamedTuple):
    """One sort of question to a set of servers of the same settings."""

    title: str
    mode: str
    exists: bool
    signed: bool
    caches: bool
    titles: tuple[str, ...]

    @property
    def expected(self) -> str:
        return "NOERROR" if self.exists else "NXDOMAIN"


_MORE_THREADS = tuple(f"{who}, distributor-threads={n}" for who in ("ours PIPE", DIRECT) for n in THREADS)
_SIGNED = ("ours REMOTE timeout=2000", DIRECT, "ours unix", C_DIRECT, "gsqlite3", "bind")
_EVERYTHING = (*OURS, *LIMITS, "documented REMOTE timeout=2000", "peer PIPE", "peer REMOTE timeout=0", *OWN)
FLOODS = (
    Flood("unsigned positive, caches off", PLAIN, True, False, False, (*_EVERYTHING, *_MORE_THREADS)),
    Flood("unsigned NXDOMAIN, caches off", PLAIN, False, False, False, (*OURS, *LIMITS, *OWN)),
    Flood("unsigned positive, default caches", PLAIN, True, False, True, ("ours PIPE", DIRECT, C_DIRECT, "gsqlite3")),
    Flood("unsigned NXDOMAIN, default caches", PLAIN, False, False, True, (*OURS, *LIMITS, *OWN)),
    Flood("signed positive, caches off", "nsec", True, True, False, (DIRECT, C_DIRECT, "gsqlite3")),
    Flood("NSEC NXDOMAIN, caches off", "nsec", False, True, False, (DIRECT, C_DIRECT, "gsqlite3")),
    Flood("signed positive, default caches", "nsec", True, True, True, _SIGNED),
    *(
        Flood(f"{mode} NXDOMAIN, default caches", mode, False, True, True, _SIGNED) for mode in MODES
    ),
)  # fmt: skip


def measure(setup: Setup, run: Run) -> None:
    """All floods; servers of the same settings run at the same time and are asked in turn."""
    missing = [name for name in ("dnsperf", "pdns_server", "pdnsutil") if shutil.which(name) is None]
    if missing:
        run.skip("part b", f"not installed: {', '.join(missing)}")
        return
    zones = Zones.make(setup, run)
    with preferred():
        for signed, caches in ((False, False), (False, True), (True, False), (True, True)):
            wanted = FLOODS if setup.scale.all_floods else (FLOODS[0], FLOODS[-1])
            _measure_alike(
                setup, zones, run, [flood for flood in wanted if (flood.signed, flood.caches) == (signed, caches)]
            )


def _measure_alike(setup: Setup, zones: Zones, run: Run, floods: Sequence[Flood]) -> None:
    """Floods of the same settings."""
    with ExitStack() as running:
        servers = _servers(setup, zones, running, run, floods)
        for flood in floods:
            print(f"bench: {flood.title}", file=sys.stderr, flush=True)
            wanted = {title: servers[title] for title in flood.titles if title in servers}
            _compare(run, flood, flooded(setup, zones.count, run, flood, wanted))


def _servers(
    setup: Setup, zones: Zones, running: ExitStack, run: Run, floods: Sequence[Flood]
) -> dict[str, PdnsServer]:
    found = {}
    for title in dict.fromkeys(title for flood in floods for title in flood.titles):
        try:
            server = start(setup, zones, running, title, floods[0].signed, floods[0].caches)
        except (ServerFailed, AssertionError, OSError) as exc:
            run.skip(title, " ".join(str(exc).split())[:300])
            continue
        if server is None:
            run.skip(title, "what it needs is not installed")
        else:
            found[title] = server
    return found


def flooded(setup: Setup, count: int, run: Run, flood: Flood, servers: dict[str, PdnsServer]) -> dict[str, list[float]]:
    """Questions per second of each server in each round; one that answers anything else is left out.

    ``count`` is how many names the zone has.
    """
    speeds: dict[str, list[float]] = {title: [] for title in servers}
    for number in range(1 + setup.scale.flood_rounds):
        questions = setup.new_path("flood")
        _write_questions(questions, flood, count, number, setup.scale.seconds)
        for title in list(speeds):
            said = _dnsperf(servers[title].port, questions, setup.scale.seconds, flood.signed)
            rcodes = re.search(r"Response codes:\s+(.*)", said)
            speed = re.search(r"Queries per second:\s+([\d.]+)", said)
            if rcodes is None or speed is None or not rcodes[1].endswith(f"{flood.expected} {_whole(rcodes[1])}"):
                run.skip(f"{title}, {flood.title}", f"it answers {rcodes[1] if rcodes else said[-200:]!r}")
                del speeds[title]
            elif number:  # the first round warms up
                speeds[title].append(float(speed[1]))
        questions.unlink()
    return speeds


def _whole(rcodes: str) -> str:
    """What follows the name where there is one response code only."""
    return " ".join(rcodes.split()[-2:]) if rcodes.endswith("(100.00%)") else "?"


def _write_questions(path: Path, flood: Flood, count: int, number: int, seconds: float) -> None:
    wanted = int(_QUESTIONS_PER_SECOND * max(seconds, 0.3))
    apex = apex_of(flood.mode)
    if flood.exists:
        draw = random.Random(number)
        labels = (made.name_of(draw.randrange(count)) for _ in range(wanted))
    else:
        labels = (f"x{number}{label[1:]}" for label in made.absent(wanted, number))
    path.write_text("".join(f"{label}.{apex} A\n" for label in labels))


def _dnsperf(port: int, questions: Path, seconds: float, signed: bool) -> str:
    command = [program("dnsperf"), "-s", HOST, "-p", str(port), "-d", str(questions), "-l", str(seconds), "-n", "1"]
    done = subprocess.run(
        [*command, *([_EDNS_DO] if signed else [])], capture_output=True, text=True, timeout=60 + seconds
    )
    return done.stdout


def _compare(run: Run, flood: Flood, speeds: dict[str, list[float]]) -> None:
    is_plain = flood.title == FLOODS[0].title
    for title, other, goal in _pairs(flood):
        if title in speeds and other in speeds:
            goals = [Goal(AT_LEAST, goal)] if goal else []
            run.add("b", f"{title}: {flood.title}", "q/s", speeds[title], speeds[other], other, goals=goals)
    if is_plain or flood.exists or not flood.signed or not flood.caches:
        return
    if {DIRECT, C_DIRECT, "gsqlite3"} <= speeds.keys():  # neither the pipe nor the signing can be passed
        bound = [min(pair) for pair in zip(speeds[C_DIRECT], speeds["gsqlite3"], strict=True)]
        what = f"{DIRECT}: {flood.title}"
        against = "gsqlite3 over the pipe's limit"
        run.add("b", what, "q/s", speeds[DIRECT], bound, against, goals=[Goal(AT_LEAST, 0.8)])


def _pairs(flood: Flood) -> list[tuple[str, str, float]]:
    """Which server is compared with which, and the goal where the first flood has one."""
    wanted = flood is FLOODS[0]
    pairs = [
        ("ours PIPE", "C PIPE", 0.90),
        ("ours PIPE", "peer PIPE", 1.3),
        ("ours REMOTE timeout=2000", "C REMOTE timeout=2000", 0.0),
        ("ours REMOTE timeout=2000", "documented REMOTE timeout=2000", 1.0),
        ("ours REMOTE timeout=2000", DIRECT, 0.0),
        (DIRECT, C_DIRECT, 0.85),
        (DIRECT, "peer REMOTE timeout=0", 0.0),
        ("ours unix", "C unix", 0.85),
        ("ours unix", DIRECT, 0.0),
        ("ours HTTP", "C HTTP", 0.0),
        ("ours HTTP", "ours unix", 0.0),
        *((title, title.partition(",")[0], 0.0) for title in _MORE_THREADS),
        *((DIRECT, own, 0.0) for own in OWN),
    ]
    return [(title, other, goal if wanted else 0.0) for title, other, goal in pairs]
