"""Names that nobody asked for before, each once and without a pause, from the first answer of a process on: part h.

The zones of part a have time between their rounds, in which answers may be made in advance; here there is none.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipebackend.backend.opening import open_backend
from pipebackend.dnsdata.records import Record
from scripts.benchmarks import made
from scripts.benchmarks.figures import AT_LEAST, Goal
from scripts.benchmarks.responders import (
    PIPE,
    REMOTE,
    Protocol,
    Responder,
    ResponderFailed,
    command_of,
    peer_command,
    pinned,
    program,
    write_rules,
)
from scripts.benchmarks.roundtrip import LIMIT, LOOP, PEER, loop_command, micro, zone_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["measure"]

_MOST = 7_000  # names of a zone, which has more
_FIRST, _AGAIN = "names asked for once", "the same names again"
_GOALS = {
    ("airports", PIPE.title, LIMIT): 0.55,
    ("airports", REMOTE.title, LIMIT): 0.50,
    ("file", PIPE.title, LIMIT): 0.55,
    ("file", REMOTE.title, LIMIT): 0.50,
    ("stored", PIPE.title, LIMIT): 0.30,
    ("stored", REMOTE.title, LIMIT): 0.30,
    ("airports", PIPE.title, PEER): 2.0,
    ("airports", REMOTE.title, PEER): 2.0,
    ("file", PIPE.title, PEER): 2.0,
    ("file", REMOTE.title, PEER): 2.0,
    ("stored", PIPE.title, PEER): 1.1,
    ("stored", REMOTE.title, PEER): 1.1,
}


@dataclass(slots=True)
class Subject:
    """A zone behind one protocol; ``commands`` are the responders by name, ``seconds`` their rounds."""

    kind: str
    title: str
    protocol: Protocol
    questions: Path
    count: int
    commands: dict[str, list[str]]
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def ask(self, setup: Setup) -> None:
        """One round: each responder is started, and asked for all names in turn, twice."""
        for name, command in self.commands.items():
            with Responder(self.protocol, command, setup.native) as responder:
                if name in ("own", PEER):
                    responder.greet()
                for again in (_FIRST, _AGAIN):
                    found = responder.seconds(self.questions, 0, self.count)
                    self.seconds.setdefault((name, again), []).append(found)


def measure(setup: Setup, run: Run) -> None:
    """Airports, a compiled zone file and a stored zone, over both protocols."""
    subjects = []
    size = setup.scale.sizes[-1]
    with pinned([setup.cpu]):
        for protocol in (PIPE, REMOTE):
            for kind in ("airports", "file", "stored"):
                try:
                    subjects.append(_subject(setup, protocol, kind, size))
                except ResponderFailed as exc:
                    run.skip(f"{protocol.title} {kind}, {_FIRST}", str(exc))
        for _ in range(setup.scale.rounds):
            for subject in subjects:
                subject.ask(setup)
    for subject in subjects:
        _add(run, subject)


def _add(run: Run, subject: Subject) -> None:
    for again in (_FIRST, _AGAIN):
        own = micro(subject.seconds["own", again])
        for against in (LIMIT, LOOP, PEER):
            if (against, again) not in subject.seconds:
                continue
            bound = _GOALS.get((subject.kind, subject.protocol.title, against)) if again == _FIRST else None
            goals = [Goal(AT_LEAST, bound)] if bound else []
            other = micro(subject.seconds[against, again])
            run.add("h", f"{subject.title}, {again}", "µs", own, other, against, inverse=True, goals=goals)


def _subject(setup: Setup, protocol: Protocol, kind: str, size: int) -> Subject:
    if kind == "airports":
        own = [program(protocol)]
        zone = open_backend(None, {}).registry.zones[0]
        apex, records = zone.apex, list(zone.listing())
        owners = sorted({record.owner for record in records if record.type == "TXT"})
        title = f"{protocol.title} airports"
    else:
        small = setup.zone(kind, size)
        own, apex, title = command_of(protocol, small.config), small.apex, f"{protocol.title} {kind} of {size:,} names"
        records = list(made.written_out(apex, size))
        owners = [f"{made.name_of(number)}.{apex}" for number in range(size)]
    return _with_others(setup, protocol, kind, title, own, apex, owners, records)


def _with_others(
    setup: Setup,
    protocol: Protocol,
    kind: str,
    title: str,
    own: list[str],
    apex: str,
    owners: Sequence[str],
    records: Sequence[Record],
) -> Subject:
    with Responder(protocol, own).greet() as responder:
        ident = zone_id(responder, apex)
        answer = responder.ask(protocol.lookup(owners[0], "ANY", ident))
    draw = random.Random(7)
    asked = [made.mixed(name, draw) for name in draw.sample(owners, min(_MOST, len(owners)))]
    questions = setup.new_path("questions")
    questions.write_bytes(b"".join(protocol.lookup(name, "ANY", ident) for name in asked))
    commands = {"own": own}
    if setup.native is not None:
        rules = write_rules(setup.new_path("rules"), [("", answer)])
        commands[LIMIT] = [str(setup.native.constant), str(rules)]
    commands[LOOP] = loop_command(setup, answer)
    data = setup.new_path("peer")
    made.write_records(data, records)
    command = peer_command(protocol, data)
    if command is not None:
        commands[PEER] = command
    return Subject(kind, title, protocol, questions, len(asked), commands)
