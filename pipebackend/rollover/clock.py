"""A clock that does not jump: it goes on only by what a machine has counted itself since its last look.

The time of day may be set back or forward by a year, and a delay that ends by that would end too early. So what passed
is read from the counter of the running system, which nobody sets; when the machine has started again, or another one
looks, what passed meanwhile is not known, and does not count.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Uptime", "moment", "uptime"]

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class Uptime:
    """Which run of which machine this is, and for how many seconds it goes on, sleep included."""

    boot: str
    seconds: int


def uptime() -> Uptime:
    """That of this machine; raises OSError where it cannot be known."""
    with open(_BOOT_ID, encoding="ascii") as file:
        return Uptime(file.read().strip(), int(time.clock_gettime(time.CLOCK_BOOTTIME)))


def moment(looks: Mapping[str, tuple[int, int]], here: Uptime, wall: int) -> int:
    """The moment of this look; ``looks`` are the last of each machine: its seconds, and the moment they stood for.

    ``wall`` is the time of day, with which the clock begins.
    """
    if not looks:
        return wall
    last = max(then for _, then in looks.values())
    seconds, then = looks.get(here.boot, (here.seconds, last))
    return max(last, then + max(0, here.seconds - seconds))
