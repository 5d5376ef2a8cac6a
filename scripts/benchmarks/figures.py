"""Figures and their forms: a row of the table, the whole run, its text and its JSON."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AT_LEAST", "AT_MOST", "Goal", "Row", "Run", "compared"]

AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio, or a value where ``of_value``, should be; ``sense`` is AT_LEAST or AT_MOST."""

    sense: str
    bound: float
    of_value: bool = False

    def is_met(self, row: Row) -> bool:
        """Whether the row's figure is on the right side of the bound."""
        figure = row.value if self.of_value else row.ratio
        return figure >= self.bound if self.sense == AT_LEAST else figure <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.sense == AT_LEAST else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: a median in ``unit``, and the median, least and greatest of its ratios to ``against``.

    ``part`` is one letter (see docs/performance.md); ``size`` the number of names where it grows, else 0.
    """

    part: str
    what: str
    value: float
    unit: str
    ratio: float
    low: float
    high: float
    against: str
    goal: Goal | None = None
    size: int = 0

    @property
    def shown(self) -> str:
        """The median for people."""
        return f"{self.value:,.0f} {self.unit}" if self.value >= 1000 else f"{self.value:.3g} {self.unit}"

    @property
    def verdict(self) -> str:
        """``met`` or ``MISSED`` where there is a goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self) else "MISSED"


@dataclass(slots=True)
class Run:
    """All rows of a run, and in words what was left out and why."""

    title: str
    machine: str
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(
        self,
        part: str,
        what: str,
        unit: str,
        own: Sequence[float],
        other: Sequence[float],
        against: str,
        *,
        inverse: bool = False,
        goals: Sequence[Goal] = (),
        size: int = 0,
    ) -> None:
        """Compare two series whose items with the same number were measured one right after the other.

        The ratio is own over other, the other way round if ``inverse``: where less is better it is the share of the
        limit that is reached. More goals than one make more rows than one.
        """
        ratios = compared(other, own) if inverse else compared(own, other)
        for goal in goals or (None,):
            row = Row(
                part, what, statistics.median(own), unit, statistics.median(ratios), min(ratios), max(ratios),
                against, goal, size,
            )  # fmt: skip
            self.rows.append(row)

    def skip(self, what: str, why: str) -> None:
        """Note what was not measured."""
        note = f"{what}: {why}"
        if note not in self.left_out:
            self.left_out.append(note)

    def text(self) -> str:
        """The table."""
        heads = ("", "what", "median", "ratio", "range of it", "to", "goal", "")
        lines = [heads, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        notes = [f"left out: {note}" for note in self.left_out]
        return "\n".join([f"{self.title}; {self.machine}", *(line.rstrip() for line in table), *notes, ""])

    def json(self) -> str:
        """The same for machines; ``from_json`` reads it."""
        rows = [{**asdict(row), "verdict": row.verdict} for row in self.rows]
        found = {"title": self.title, "machine": self.machine, "rows": rows, "left_out": self.left_out}
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        """A run as ``json`` wrote it."""
        found = json.loads(text)
        rows = []
        for cells in found["rows"]:
            goal = cells["goal"]
            kept = {key: value for key, value in cells.items() if key not in ("goal", "verdict")}
            rows.append(Row(**kept, goal=Goal(**goal) if goal else None))
        return cls(found["title"], found["machine"], rows, found["left_out"])

    @classmethod
    def joined(cls, runs: Sequence[Run]) -> Run:
        """One of which each of these measured some parts."""
        rows = [row for run in runs for row in run.rows]
        return cls(runs[0].title, runs[0].machine, rows, [note for run in runs for note in run.left_out])


def compared(own: Sequence[float], other: Sequence[float]) -> list[float]:
    """Own over other, round by round: what disturbs a round disturbs both sides of its ratio."""
    return [mine / theirs for mine, theirs in zip(own, other, strict=True)]


def _cells(row: Row) -> tuple[str, ...]:
    goal = "" if row.goal is None else str(row.goal) + (f" {row.unit}" if row.goal.of_value else "")
    return (
        row.part,
        row.what,
        row.shown,
        f"{row.ratio:.2f}",
        f"{row.low:.2f} to {row.high:.2f}",
        row.against,
        goal,
        row.verdict,
    )
