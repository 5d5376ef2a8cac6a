"""Our roll-overs beside those of Knot, seen from outside: recorded with real servers, and drawn."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipebackend.cli import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).parents[1] / "docs"
RECORDING, PICTURE = FOLDER / "rollover-knot.json", FOLDER / "rollover-knot.svg"
TITLES = {"zsk": "a new ZSK", "ksk": "a new KSK"}
BEGIN = 0.9  # seconds: what is there before is of the old key
COLOURS = {"old": "#90a4ae", "new": "#2e7d32"}


def record() -> None:
    """Keeps for each role, program and record: whose key it is, when it was first seen and when last, in seconds."""
    from tests.live.beside_knot import KNOT, OURS, RECORDS, rolled

    with tempfile.TemporaryDirectory() as folder:
        found, _ = rolled(Path(folder))
    kept: dict[str, Any] = {}
    for role, by_apex in found.items():
        end = min(max(seen.last.values()) for seen in by_apex.values())
        for program, apex in (("zoneutil key maintain", OURS), ("Knot 3.2", KNOT)):
            seen = by_apex[apex]
            bars = [
                [record, "new" if seen.first[record, tag] > BEGIN else "old", first, min(end, seen.last[record, tag])]
                for (record, tag), first in seen.first.items()
                if first < end and not (first < BEGIN and seen.last[record, tag] > end - 1)  # what has not changed
            ]
            kept.setdefault(role, {})[program] = sorted(bars, key=lambda bar: (RECORDS.index(bar[0]), bar[2]))
    RECORDING.write_text(json.dumps(kept) + "\n")


def draw() -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    kept = json.loads(RECORDING.read_text())
    end = max(bar[3] for by_program in kept.values() for bars in by_program.values() for bar in bars if bar[1] == "old")
    figure = Figure(figsize=(12, 5.2), layout="tight")
    for row, role in enumerate(kept):
        for column, (program, bars) in enumerate(kept[role].items()):
            axes = figure.add_subplot(2, 2, 2 * row + column + 1)
            _put(axes, bars, end + 3)
            axes.set_title(f"{program}: {TITLES[role]}", loc="left", fontsize=10)
    legend = [Patch(color=colour, label=f"{age} key") for age, colour in COLOURS.items()]
    figure.axes[1].legend(handles=legend, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    PICTURE.write_text(figures.svg(figure, "knot", creator="scripts/make-rollovers"))


def _put(axes: Axes, bars: list[list[Any]], end: float) -> None:
    """A lane for each record of the old key and of the new one."""
    lanes = list(dict.fromkeys(bar[0] for bar in bars))
    for record, age, first, last in bars:
        height = lanes.index(record) + (0.45 if age == "new" else 0)
        axes.broken_barh([(first, min(last, end) - first)], (height, 0.4), facecolors=COLOURS[age])
    axes.set_yticks([number + 0.42 for number in range(len(lanes))], lanes, fontsize=9)
    axes.set_ylim(len(lanes), -0.1)
    axes.set_xlim(0, end)
    axes.set_xlabel("seconds", fontsize=9)


if __name__ == "__main__":
    if sys.argv[1:] != ["--draw"]:
        record()
    draw()
