"""What all parts of a run share: how much to measure, the folder, the zones made so far, the programs in C."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.benchmarks import made, responders
from scripts.benchmarks.responders import PIPE

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.benchmarks.made import Zone

__all__ = ["DEFAULT", "LONG", "QUICK", "Scale", "Setup"]

_COMPILING = 300.0  # seconds; a million names need less


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: rounds are the items of a median, ``seconds`` one run of dnsperf.

    ``names`` are more than the questions of all rounds, and of the one to warm up: what is asked for is new each time.

    ``database_sizes`` are those of the zones in PostgreSQL (part i), smallest first.

    ``imported`` are the sizes of the zones in part g, each imported ``imports`` times.

    ``all_floods`` is false where two of them have to do; a process that starts in more than ``patience`` seconds is
    not started again and again.
    """

    rounds: int
    questions: int
    names: int
    sizes: tuple[int, ...]
    starts: int
    served_names: int
    flood_rounds: int
    seconds: float
    patience: float
    imported: tuple[int, ...]
    imports: int
    database_sizes: tuple[int, ...]
    database_imports: int
    all_floods: bool = True


QUICK = Scale(
    rounds=5,
    questions=150,
    names=1000,
    sizes=(100, 1000),
    starts=5,
    served_names=200,
    flood_rounds=2,
    seconds=0.2,
    patience=60,
    imported=(1000,),
    imports=1,
    database_sizes=(1000,),
    database_imports=1,
    all_floods=False,
)
DEFAULT = Scale(
    rounds=9,
    questions=1000,
    names=10_000,
    sizes=(100, 1000, 10_000, 100_000),
    starts=11,
    served_names=1000,
    flood_rounds=5,
    seconds=0.5,
    patience=2,
    imported=(1_000_000,),
    imports=5,
    database_sizes=(1000, 100_000),
    database_imports=3,
)
LONG = Scale(
    rounds=15,
    questions=3000,
    names=100_000,
    sizes=(100, 1000, 10_000, 100_000, 1_000_000),
    starts=21,
    served_names=1000,
    flood_rounds=9,
    seconds=2,
    patience=60,
    imported=(100_000, 1_000_000),
    imports=9,
    database_sizes=(1000, 1_000_000),
    database_imports=3,
)


class Setup:
    """One run; everything is in ``folder``."""

    def __init__(self, scale: Scale, folder: Path) -> None:
        self.scale = scale
        self.folder = folder
        self.native = responders.compiled(folder)
        self.cpu = max(os.sched_getaffinity(0))
        self._zones: dict[tuple[str, int], Zone] = {}
        self._paths = 0

    def zone(self, kind: str, count: int) -> Zone:
        """A zone of that kind and size, made when it is first asked for."""
        key = (kind, count)
        if key not in self._zones:
            self._zones[key] = zone = made.make(self.folder, kind, count)
            _wait_until_compiled(zone)
        return self._zones[key]

    def hashed_zone(self, count: int) -> Zone:
        """A table zone that is signed with NSEC3."""
        zone = made.make_several(self.new_path("hashed"), "table", count, ["hashed.example"])[0]
        made.sign(zone.config, zone.apex, "nsec3")
        return zone

    def peer_data(self, zone: Zone) -> Path:
        """The names of a zone for pdns-remotebackend."""
        path = self.folder / f"peer-{zone.apex}-{zone.count}.json"
        if not path.exists():
            made.write_peer_data(path, [zone.apex], zone.count)
        return path

    def new_path(self, what: str) -> Path:
        """A file that is not there yet."""
        self._paths += 1
        return self.folder / f"{what}-{self._paths}"


def _wait_until_compiled(zone: Zone) -> None:
    """Ask until the zone answers: the first process to meet a large file compiles it, and that is nobody's figure."""
    deadline = time.monotonic() + _COMPILING
    with responders.Responder(PIPE, responders.command_of(PIPE, zone.config)).greet() as responder:
        while time.monotonic() < deadline:
            try:
                if b"SOA" in responder.ask(PIPE.lookup(zone.apex, "SOA")):
                    break
            except responders.ResponderFailed:  # not yet
                pass
            time.sleep(0.1)
        else:
            raise responders.ResponderFailed(f"the {zone.kind} zone of {zone.count} names is not served")
