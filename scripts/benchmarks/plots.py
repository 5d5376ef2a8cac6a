"""The plots of docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from scripts.benchmarks.figures import Row, Run

__all__ = ["draw_growth", "draw_ratios"]

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "bench",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)
_COLOURS = {"table": "#1b6ca8", "file": "#d1495b", "stored": "#2e933c"}
_MARKERS = {"table": "o", "file": "s", "stored": "^"}
_TICKS = (0.1, 0.2, 0.5, 1, 2)
_PANELS = (
    ("positive, random names", "µs for one answer (PIPE)"),
    ("start to first answer, PIPE", "ms from start to first answer"),
    ("memory per process, PIPE", "MB (PSS) per process"),
)


def draw_growth(run: Run, path: Path) -> bool:
    """What an answer, a start and a process cost by the number of names; false if the run has nothing of it."""
    rows = [row for row in run.rows if row.part == "e" and row.size]
    if not rows:
        return False
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, (what, label) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        _draw_panel(axes, [row for row in rows if what in row.what], label)
    _save(figure, path)
    return True


def draw_ratios(run: Run, path: Path) -> bool:
    """Each figure that has a goal: its ratio over what the goal asks, so that 1 is met; false if there are none."""
    rows = [row for row in run.rows if row.goal is not None]
    if not rows:
        return False
    figure = Figure(figsize=(9, 0.9 + 0.24 * len(rows)), layout="constrained")
    axes = figure.subplots()
    reached = [_reached(row) for row in rows]
    axes.barh(range(len(rows)), reached, color=["#1b6ca8" if row.verdict == "met" else "#d1495b" for row in rows])
    axes.set_yticks(range(len(rows)), [f"{row.what} / {row.against}" for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set_xticks([], minor=True)
    axes.margins(y=0.01)
    axes.set_xlabel("how much of its goal is reached: right of 1 is met (logarithmic)")
    _save(figure, path)
    return True


def _draw_panel(axes: Axes, rows: Sequence[Row], label: str) -> None:
    for kind, colour in _COLOURS.items():
        mine = [row for row in rows if f" {kind}" in row.what and not row.what.endswith(" asked")]
        points = sorted({row.size: row.value for row in mine}.items())
        if points:
            sizes, values = zip(*points, strict=True)
            axes.plot(sizes, values, color=colour, marker=_MARKERS[kind], label=f"{kind} zone")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.1 * max((row.value for row in rows), default=1))
    axes.set_xlabel("names in the zone")
    axes.set_title(label, fontsize=9)
    if axes.lines:
        axes.legend(frameon=False, fontsize=8)


def _reached(row: Row) -> float:
    assert row.goal is not None
    figure = row.value if row.goal.of_value else row.ratio
    return figure / row.goal.bound if row.goal.sense == "at least" else row.goal.bound / figure


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", pad_inches=0.3)  # fonts of viewers differ
