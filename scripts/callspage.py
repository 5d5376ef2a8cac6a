"""docs/calls.md, made from docs/calls.json: the calls of each situation, and where the releases of PowerDNS differ."""

from __future__ import annotations

import difflib
import json
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

__all__ = ["PAGE", "Release", "page", "read", "release_of", "write"]

DOCS = Path(__file__).parents[1] / "docs"
PAGE, KEPT = DOCS / "calls.md", DOCS / "calls.json"
_INTRODUCTION = """\
# What PowerDNS asks

The calls that PowerDNS {versions} make over REMOTE in each situation, and what pipebackend answers. Made by
`scripts/make-calls` from traces ([trace.md](trace.md)) of real servers: do not edit.

All caches of PowerDNS are off, so this is the most that it asks; in normal operation it keeps answers to `lookup`, keys
and settings for a while, and the list of zones saves the search for the SOA. The zones are `plain.example` (unsigned),
`nsec.example`, `nsec3.example` and `narrow.example`, all in the store. Each process has a number. What was asked
several times, one after the other, stands there once. Where a release differs, a second block has the lines that it
leaves out (`-`) and those that it has instead (`+`). [powerdns-behaviour.md](powerdns-behaviour.md) has the rules.
"""


class Release(NamedTuple):
    """The lines of each situation, by its title."""

    version: str
    calls: dict[str, list[str]]

    @property
    def name(self) -> str:
        """Such as 4.7."""
        return release_of(self.version)


def release_of(version: str) -> str:
    """The first two numbers."""
    return ".".join(version.split(".")[:2])


def read() -> list[Release]:
    """What is kept, the oldest first."""
    found = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    return _in_order([Release(version, calls) for version, calls in found.items()])


def write(releases: list[Release]) -> None:
    """Keep them, and make the page."""
    releases = _in_order(releases)
    KEPT.write_text(json.dumps({each.version: each.calls for each in releases}, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(releases), encoding="utf-8")


def page(releases: list[Release]) -> str:
    """The text of docs/calls.md."""
    *first, last = [each.version for each in releases]
    parts = [_INTRODUCTION.format(versions=f"{', '.join(first)} and {last}" if first else last)]
    for title in releases[-1].calls:
        parts.append(f"\n## {title}\n\n{_situation(releases, title)}")
    return "".join(parts)


def _situation(releases: list[Release], title: str) -> str:
    groups: list[tuple[str, list[str]]] = []
    for calls, alike in groupby(releases, lambda each: each.calls.get(title, [])):
        groups.append((", ".join(each.name for each in alike), calls))
    (names, calls), *others = groups
    text = _block("", calls)
    for other, different in others:
        changes = [*difflib.unified_diff(calls, different, lineterm="", n=1)][2:]
        shown = _block("diff", [" …" if line.startswith("@@") else line for line in changes])
        text += f"\n{other} in place of {names}:\n\n{shown}"
        names, calls = other, different
    return text


def _block(language: str, lines: list[str]) -> str:
    return f"```{language}\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def _in_order(releases: list[Release]) -> list[Release]:
    return sorted(releases, key=lambda each: [int(part) for part in each.version.split(".")])
