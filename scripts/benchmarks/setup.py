"""What all parts of a run share: how much to measure, the folder, the zones made so far, the programs in C."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.benchmarks import made, responders

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.benchmarks.made import Zone

__all__ = ["DEFAULT", "LONG", "QUICK", "Scale", "Setup"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: rounds are the items of a median, ``seconds`` one run of dnsperf.

    ``all_floods`` is false where two of them have to do.
    """

    rounds: int
    questions: int
    names: int
    sizes: tuple[int, ...]
    starts: int
    served_names: int
    flood_rounds: int
    seconds: float
    all_floods: bool = True


QUICK = Scale(
    rounds=5,
    questions=200,
    names=1000,
    sizes=(100, 1000),
    starts=5,
    served_names=200,
    flood_rounds=2,
    seconds=0.2,
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
)
LONG = Scale(
    rounds=15,
    questions=3000,
    names=10_000,
    sizes=(100, 1000, 10_000, 100_000, 1_000_000),
    starts=21,
    served_names=1000,
    flood_rounds=9,
    seconds=2,
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
            self._zones[key] = made.make(self.folder, kind, count)
        return self._zones[key]

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
