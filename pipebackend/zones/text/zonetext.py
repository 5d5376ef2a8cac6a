"""A zone file that was read, as a value: its records, their places, and what was left out and why."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

from pipebackend.base.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.dnsdata.records import Record

__all__ = ["Lines", "ZoneText"]


class Lines:
    """The place of each record as ``file:line``, by the record's index; four octets a record."""

    def __init__(self) -> None:
        self._numbers = array("I")
        self._starts: list[int] = []  # where the records of another file begin, and which
        self._paths: list[str] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> str:
        path = self._paths[bisect_right(self._starts, index) - 1]
        return f"{path}:{self._numbers[index]}"

    def append(self, path: str, number: int, count: int = 1) -> None:
        """Note that the next record is on this line, and with ``count`` those after it on the lines after it."""
        if not self._paths or self._paths[-1] != path:
            self._starts.append(len(self._numbers))
            self._paths.append(path)
        self._numbers.extend(range(number, number + count))


class ZoneText(Value):
    """A zone file that was read: its records, their places, all files that took part, and what was left out and why.

    ``soa`` is one of the records.

    ``nsec3`` are the different parameters of its NSEC3 and NSEC3PARAM records, as ``nsec3param.from_text`` takes them.
    """

    records: Sequence[Record]
    soa: Record
    lines: Lines
    sources: Sequence[str]
    left_out: Sequence[str]
    nsec3: Sequence[str] = ()
    has_chain: bool = False  # whether there are NSEC or NSEC3 records
    odd: Sequence[str] = ()  # what was read though an RFC forbids it, and why
