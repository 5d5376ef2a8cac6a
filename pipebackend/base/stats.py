"""How often a process was asked what: counted in lists that the front ends hold, named and added up when asked."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Numbers = Mapping[str, Any]

__all__ = ["Stats", "added", "lines"]

SLOWEST = 10
_MILLISECONDS = 1000


class Stats:
    """The counts of one process; all its sessions share them.

    ``others`` gives the numbers of the processes that serve the same socket.
    """

    def __init__(self) -> None:
        self.started = int(time.time())
        self.others: Callable[[], Sequence[Numbers]] = tuple
        self._tallies: dict[tuple[str, int], tuple[str, list[int]]] = {}
        self._slowest: list[tuple[float, str]] = []
        self._slow = 0.0

    def tally(self, method: str, zone_id: int, name: Callable[[int], str]) -> list[int]:
        """The count of calls and of failures, to be raised by who answers; ``name`` gives the zone of an id."""
        found = self._tallies.get((method, zone_id))
        if found is None:
            found = self._tallies[method, zone_id] = (name(zone_id), [0, 0])
        return found[1]

    def is_slow(self, seconds: float) -> bool:
        """Whether a call belongs to the slowest so far."""
        return seconds > self._slow

    def remember(self, seconds: float, call: str) -> None:
        """Keep one of the slowest calls."""
        self._slowest = sorted([*self._slowest, (seconds, call)], reverse=True)[:SLOWEST]
        if len(self._slowest) == SLOWEST:
            self._slow = self._slowest[-1][0]

    def numbers(self, reloads: int) -> Numbers:
        """All counts as plain values; may be asked for by any thread."""
        tallies = list(self._tallies.items())
        return {
            "process": os.getpid(),
            "processes": 1,
            "started": self.started,
            "reloads": reloads,
            "calls": [[method, zone, *tally] for (method, _), (zone, tally) in tallies],
            "slowest": [[round(seconds * _MILLISECONDS, 3), call] for seconds, call in self._slowest],
        }


def added(parts: Iterable[Numbers]) -> Numbers:
    """The numbers of several processes as one; each reads changed zones again, so of reloads the most counts."""
    parts = list(parts)
    counts: dict[tuple[str, str], list[int]] = {}
    for part in parts:
        for method, zone, calls, failures in part["calls"]:
            total = counts.setdefault((method, zone), [0, 0])
            total[0] += calls
            total[1] += failures
    slowest = sorted((tuple(call) for part in parts for call in part["slowest"]), reverse=True)
    return {
        "processes": sum(part["processes"] for part in parts),
        "started": min(part["started"] for part in parts),
        "reloads": max(part["reloads"] for part in parts),
        "calls": [[*key, *total] for key, total in sorted(counts.items())],
        "slowest": [list(call) for call in slowest[:SLOWEST]],
    }


def lines(numbers: Numbers, zones: int, now: float) -> list[str]:
    """Numbers for people, a line each."""
    calls = numbers["calls"]
    return [
        f"questions {sum(count for method, _, count, _ in calls if method == 'lookup')}",
        f"failures {sum(failures for *_, failures in calls)}",
        f"zones {zones}",
        f"reloads {numbers['reloads']}",
        f"uptime {int(now) - numbers['started']} s",
        f"processes {numbers['processes']}",
        *(
            f"{method} {zone}: {count}" + (f", failures {failures}" if failures else "")
            for method, zone, count, failures in sorted(calls, key=lambda call: -call[2])
        ),
        *(f"slow: {milliseconds} ms {call}" for milliseconds, call in numbers["slowest"]),
    ]
