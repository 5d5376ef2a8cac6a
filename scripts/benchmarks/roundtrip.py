"""Round trips with a coprocess alone, asker and responder on one CPU: parts a, f and the first half of e."""

from __future__ import annotations

import json
import random
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.benchmarks import made
from scripts.benchmarks.figures import AT_LEAST, AT_MOST, Goal
from scripts.benchmarks.responders import (
    PIPE,
    REMOTE,
    Protocol,
    Responder,
    ResponderFailed,
    command_of,
    peer_command,
    pinned,
    write_rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.made import Zone
    from scripts.benchmarks.setup import Setup

__all__ = [
    "LIMIT",
    "LOOP",
    "PEER",
    "compare_answer_sizes",
    "loop_command",
    "measure_growth",
    "measure_kinds",
    "micro",
    "zone_id",
]

_BASE32HEX = "0123456789abcdefghijklmnopqrstuv"
REPEATED = 100  # names that are asked again and again
LIMIT, PEER, LOOP = "C limit", "pdns-remotebackend", "Python loop"
_LOOP = "import os, sys\nanswer = open(sys.argv[1], 'rb').read()\nwhile os.read(0, 65536): os.write(1, answer)"
LARGE = 1_000_000
POSITIVE = ("positive, repeated names", "positive, random names")
# Shares of C and multiples of the peer that names reach which come again, and new ones
_GOALS = {
    (PIPE.title, POSITIVE[0]): 0.72,
    (REMOTE.title, POSITIVE[0]): 0.70,
    (PIPE.title, POSITIVE[1]): 0.55,
    (REMOTE.title, POSITIVE[1]): 0.50,
}
_PEER_GOALS = {POSITIVE[0]: 3.0, POSITIVE[1]: 2.0}


@dataclass(frozen=True, slots=True)
class Case:
    """One sort of question: how its requests are made, and what is in each answer."""

    title: str
    requests: Callable[[Zone, Protocol, int, int], Iterator[bytes]]
    expected: bytes
    protocols: tuple[Protocol, ...] = (PIPE, REMOTE)
    peer: bool = False


@dataclass(slots=True)
class Series:
    """Responders that get the same questions in turn, and the seconds per answer of each round."""

    zone: Zone
    protocol: Protocol
    case: Case
    questions: Path
    responders: dict[str, Responder]
    answer: bytes
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.protocol.title} {self.zone.kind}, {self.case.title}"

    def ask(self, first: int, count: int) -> None:
        """One round."""
        for name, responder in self.responders.items():
            self.seconds.setdefault(name, []).append(responder.seconds(self.questions, first, count))


def _repeated(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    few = list(zone.names(REPEATED, 1, in_mixed_case=False))
    return (protocol.lookup(few[number % REPEATED], "ANY", zone_id) for number in range(count))


def _random(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    return (protocol.lookup(name, "ANY", zone_id) for name in zone.names(count, 2, in_mixed_case=True))


def _nodata(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    return (protocol.lookup(name, "MX", zone_id) for name in zone.names(count, 3, in_mixed_case=True))


def _nxdomain(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    return (protocol.lookup(f"{label}.{zone.apex}", "ANY", zone_id) for label in made.between(zone, count, 4))


def _denial(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    for label in made.between(zone, count, 5):
        yield (
            f'{{"method": "getBeforeAndAfterNamesAbsolute", "parameters": {{"id": {zone_id}, "qname": "{label}."}}}}\n'
        ).encode()


def _hashed_denial(zone: Zone, protocol: Protocol, zone_id: int, count: int) -> Iterator[bytes]:
    draw = random.Random(6)
    for _ in range(count):
        label = "".join(draw.choices(_BASE32HEX, k=32))  # a SHA-1 in the letters of NSEC3 (RFC 5155 section 3.3)
        yield (
            f'{{"method": "getBeforeAndAfterNamesAbsolute", "parameters": {{"id": {zone_id}, "qname": "{label}."}}}}\n'
        ).encode()


RANDOM = Case(POSITIVE[1], _random, b"10.", peer=True)
NXDOMAIN = Case("NXDOMAIN, random names", _nxdomain, b"", peer=True)
DENIAL = Case("NSEC neighbours, random names", _denial, b'"before"', (REMOTE,))
HASHED_DENIAL = Case("NSEC3 neighbours, random hashes", _hashed_denial, b'"unhashed":"n', (REMOTE,))
CASES = (
    Case(POSITIVE[0], _repeated, b"10.", peer=True),
    RANDOM,
    Case("NODATA, random names", _nodata, b"", peer=True),
    NXDOMAIN,
    DENIAL,
)


def measure_kinds(setup: Setup, run: Run) -> None:
    """Part a: every kind of zone over both protocols beside the limit, a table beside the peer, too."""
    zones = [setup.zone(kind, setup.scale.names) for kind in made.KINDS]
    cases: list[tuple[Zone, Protocol, Sequence[Case]]] = [
        (zone, protocol, CASES) for zone in zones for protocol in (PIPE, REMOTE)
    ]
    cases.append((setup.hashed_zone(setup.scale.names), REMOTE, (HASHED_DENIAL,)))
    with pinned([setup.cpu]), ExitStack() as running:
        all_series = list(_all_series(setup, run, running, cases, with_peer=True))
        _ask_all(setup, all_series)
    for series in all_series:
        _add_to_limit(run, series, "a", _goals(series))
        if LOOP in series.seconds:
            loop = micro(series.seconds[LOOP])
            run.add("a", series.title, "µs", micro(series.seconds["own"]), loop, LOOP, inverse=True)
            if LIMIT in series.seconds:
                limit = micro(series.seconds[LIMIT])
                run.add("a", f"{series.protocol.title} {LOOP}", "µs", loop, limit, LIMIT, inverse=True)
        if PEER in series.seconds:
            own, peer = series.seconds["own"], series.seconds[PEER]
            bound = _PEER_GOALS.get(series.case.title)
            goals = [Goal(AT_LEAST, bound)] if bound else []
            run.add("a", series.title, "µs", micro(own), micro(peer), PEER, inverse=True, goals=goals)


def measure_growth(setup: Setup, run: Run) -> None:
    """Part e: what one answer costs in zones of different sizes."""
    sizes = setup.scale.sizes
    for kind in ("table", "file", "stored"):
        zones = [setup.zone(kind, size) for size in sizes]
        # A second answer would be a kept one: of names that exist a zone must have as many as are asked for
        enough = [zone for zone in zones if zone.count >= (setup.scale.rounds + 1) * setup.scale.questions]
        cases = [(zone, PIPE, (RANDOM,)) for zone in enough] + [(zone, REMOTE, (DENIAL,)) for zone in zones]
        with pinned([setup.cpu]), ExitStack() as running:
            all_series = list(_all_series(setup, run, running, cases, with_peer=False))
            _ask_all(setup, all_series)
        for series in all_series:
            _compare_sizes(run, series, all_series)


def compare_answer_sizes(setup: Setup, run: Run) -> None:
    """Part f: octets of an answer beside the form in PowerDNS's documentation."""
    zone = setup.zone("table", setup.scale.names)
    with Responder(REMOTE, command_of(REMOTE, zone.config)).greet() as responder:
        for title, name in (("A and TXT", next(zone.names(1, 1, in_mixed_case=False))), ("SOA and NS", zone.apex)):
            answer = responder.ask(REMOTE.lookup(name))
            documented = documented_form(answer)
            run.add("f", f"REMOTE answer, {title}", "octets", [len(answer)], [len(documented)], "documented form")


def documented_form(answer: bytes) -> bytes:
    """The same answer in the spelling of the first lookup example of PowerDNS's manual of the remote backend.

    That example has no ``domain_id``, which PowerDNS needs with the SOA alone.
    """
    records = []
    for found in json.loads(answer)["result"]:
        quoted = {key: json.dumps(found[key]) for key in ("qtype", "qname", "content")}
        text = ", ".join(f'"{key}":{value}' for key, value in quoted.items()) + f', "ttl": {found["ttl"]}'
        records.append("{" + text + "}")
    return ('{"result":[' + ",".join(records) + "]}\n").encode()


def _all_series(
    setup: Setup, run: Run, running: ExitStack, cases: Iterable[tuple[Zone, Protocol, Iterable[Case]]], with_peer: bool
) -> Iterator[Series]:
    """All that can be measured; what cannot is noted with the reason."""
    for zone, protocol, wanted in cases:
        title = f"{protocol.title} {zone.kind} of {zone.count} names"
        try:
            own = _started(setup, running, protocol, command_of(protocol, zone.config))
            ident = zone_id(own, zone.apex)
            for case in wanted:
                if protocol in case.protocols and not (case is DENIAL and zone.kind == "custom"):
                    yield _series(setup, running, zone, protocol, case, own, ident, with_peer)
        except ResponderFailed as exc:
            run.skip(title, str(exc))


def _series(
    setup: Setup,
    running: ExitStack,
    zone: Zone,
    protocol: Protocol,
    case: Case,
    own: Responder,
    zone_id: int,
    with_peer: bool,
) -> Series:
    questions = setup.new_path("questions")
    count = (setup.scale.rounds + 1) * setup.scale.questions
    questions.write_bytes(b"".join(case.requests(zone, protocol, zone_id, count)))
    with open(questions, "rb") as file:
        answer = own.ask(file.readline())
    if case.expected not in answer or (case.expected and answer == protocol.terminator):
        raise ResponderFailed(f"{case.title}: the answer is {answer[:80]!r}")
    responders = {"own": own}
    if setup.native is not None:
        rules = write_rules(setup.new_path("rules"), [("", answer)])
        responders[LIMIT] = _started(setup, running, protocol, [str(setup.native.constant), str(rules)], greet=False)
    if with_peer and case.title == POSITIVE[0] and zone.kind == "table":  # what no Python coprocess can be faster than
        responders[LOOP] = _started(setup, running, protocol, loop_command(setup, answer), greet=False)
    if with_peer and case.peer and zone.kind == "table":
        command = peer_command(protocol, setup.peer_data(zone))
        if command is not None:
            responders[PEER] = _started(setup, running, protocol, command)
    return Series(zone, protocol, case, questions, responders, answer)


def _started(setup: Setup, running: ExitStack, protocol: Protocol, command: list[str], greet: bool = True) -> Responder:
    responder = running.enter_context(Responder(protocol, command, setup.native))
    return responder.greet() if greet else responder


def loop_command(setup: Setup, answer: bytes) -> list[str]:
    """A Python that gives this answer to whatever is asked."""
    whole = setup.new_path("answer")
    whole.write_bytes(answer)
    return [sys.executable, "-c", _LOOP, str(whole)]


def zone_id(responder: Responder, apex: str) -> int:
    """The id under which PowerDNS would ask for names of a zone."""
    answer = responder.ask(responder.protocol.lookup(apex, "SOA"))
    if b"SOA" not in answer:
        raise ResponderFailed(f"the zone {apex} is not served")
    if responder.protocol is PIPE:
        return int(answer.split(b"\t")[7])
    return int(json.loads(answer)["result"][0]["domain_id"])


def _ask_all(setup: Setup, all_series: list[Series]) -> None:
    """A round to warm up, and then the rounds that count; each round asks questions of its own."""
    count = setup.scale.questions
    for number in range(setup.scale.rounds + 1):
        for series in all_series:
            series.ask(number * count, count)
    for series in all_series:
        for seconds in series.seconds.values():
            seconds.pop(0)


def _goals(series: Series) -> list[Goal]:
    bound = _GOALS.get((series.protocol.title, series.case.title)) if series.zone.kind in ("table", "file") else None
    return [Goal(AT_LEAST, bound)] if bound else []


def _add_to_limit(run: Run, series: Series, part: str, goals: list[Goal]) -> None:
    if LIMIT not in series.seconds:
        run.skip("the limit", "there is no C compiler (cc)")
        return
    own, limit = series.seconds["own"], series.seconds[LIMIT]
    run.add(part, series.title, "µs", micro(own), micro(limit), LIMIT, inverse=True, goals=goals)


def _compare_sizes(run: Run, series: Series, all_series: list[Series]) -> None:
    size = series.zone.count
    title = f"{series.title}: {size:,} names"
    alike = {other.zone.count: other for other in all_series if other.case is series.case}
    base = min(alike) if series.case is RANDOM else 1000
    if base in alike and size > base:
        own, other = micro(series.seconds["own"]), micro(alike[base].seconds["own"])
        run.add("e", title, "µs", own, other, f"{base:,} names", goals=[Goal(AT_MOST, 1.3)], size=size)
    if LIMIT in series.seconds and series.case is RANDOM:
        own, limit = micro(series.seconds["own"]), micro(series.seconds[LIMIT])
        goals = [Goal(AT_LEAST, 0.5)] if size == LARGE else []
        run.add("e", title, "µs", own, limit, LIMIT, inverse=True, goals=goals, size=size)


def micro(seconds: list[float]) -> list[float]:
    """Seconds as microseconds."""
    return [second * 1e6 for second in seconds]
