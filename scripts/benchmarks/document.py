"""docs/performance.md and its plots, written from the figures of a run."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.benchmarks.figures import Row, Run

__all__ = ["text_of", "write"]

WIDTH = 120
PROSE = Path(__file__).with_name("prose")
PARTS = {
    "a": "Round trips with a coprocess alone",
    "j": "Round trips over HTTP",
    "h": "Names that nobody asked for before",
    "b": "Whole servers",
    "c": "Start to first answer",
    "d": "Memory",
    "e": "Growth",
    "f": "Octets of an answer",
    "g": "Import",
    "i": "PostgreSQL",
}


def write(run: Run, folder: Path) -> None:
    """Write the page and the plots that belong to it."""
    from scripts.benchmarks import plots  # matplotlib, which only this needs

    drawn = {
        "growth": plots.draw_growth(run, folder / "performance-growth.svg"),
        "ratios": plots.draw_ratios(run, folder / "performance-ratios.svg"),
    }
    (folder / "performance.md").write_text(text_of(run, drawn), "utf-8")


def text_of(run: Run, drawn: dict[str, bool]) -> str:
    """The page; what people wrote of it is in prose/, a file for each chapter."""
    chapters = [_prose("head", run), *_goals(run, drawn), _prose("settings", run), _prose("missed", run)]
    for part, title in PARTS.items():
        rows = [row for row in run.rows if row.part == part]
        if rows:
            plot = (
                [_plot("growth", "What an answer, a start and a process cost")]
                if part == "e" and drawn["growth"]
                else []
            )
            chapters += [f"## {title}", _prose(f"part-{part}", run), *plot, _table(rows)]
    if run.left_out:
        notes = "\n".join(f"- {note}" for note in run.left_out)
        chapters += ["## Left out", f"What this run did not measure, and why:\n\n{notes}"]
    return "\n\n".join(chapters) + "\n"


def _goals(run: Run, drawn: dict[str, bool]) -> list[str]:
    rows = [row for row in run.rows if row.goal is not None]
    if not rows:
        return []
    met = sum(row.verdict == "met" for row in rows)
    plot = [_plot("ratios", "How much of each goal is reached")] if drawn["ratios"] else []
    return ["## Goals", f"{met} of {len(rows)} goals are met in this run.", *plot, _table(rows)]


def _table(rows: Sequence[Row]) -> str:
    heads = ["what", "median", "ratio", "range", "to"] + (["goal", ""] if any(row.goal for row in rows) else [])
    lines = [heads, ["---"] * len(heads), *(_cells(row)[: len(heads)] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cells(row: Row) -> list[str]:
    bound = "" if row.goal is None else str(row.goal) + (f" {row.unit}" if row.goal.of_value else "")
    verdict = f"**{row.verdict}**" if row.verdict == "MISSED" else row.verdict
    return [row.what, row.shown, f"{row.ratio:.2f}", f"{row.low:.2f} to {row.high:.2f}", row.against, bound, verdict]


def _plot(name: str, title: str) -> str:
    return f"![{title}](performance-{name}.svg)"


def _prose(name: str, run: Run) -> str:
    """A chapter; ``{{b:WHAT:AGAINST}}`` in it is the ratio of a row, ``{{=b:WHAT}}`` its median with the unit."""
    text = (PROSE / f"{name}.md").read_text("utf-8").strip()
    while "{{" in text:
        before, _, rest = text.partition("{{")
        wanted, _, after = rest.partition("}}")
        text = before + _figure(run, wanted) + after
    blocks = text.replace("{title}", run.title).replace("{machine}", run.machine).split("\n\n")
    return "\n\n".join(_wrapped(block) for block in blocks)


def _figure(run: Run, wanted: str) -> str:
    part, what, *against = wanted.removeprefix("=").split("|")
    for row in run.rows:
        if row.part == part and row.what == what and against in ([], [row.against]):
            return row.shown if wanted.startswith("=") else f"{row.ratio:.2f}"
    return "(not measured)"


def _wrapped(block: str) -> str:
    """Paragraphs and list items wrapped again; headings, tables and examples as they are."""
    if block.startswith(("#", "|", "    ", "```")):
        return block
    items = [line if line.startswith("- ") else f"\0{line}" for line in block.split("\n")]
    joined = "\n".join(items).replace("\n\0", " ").removeprefix("\0").split("\n")
    return "\n".join(
        textwrap.fill(
            " ".join(item.split()),
            WIDTH,
            subsequent_indent="  " if item.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for item in joined
    )
