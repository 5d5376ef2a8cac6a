"""Runs the tests of docs/modes.md with the PowerDNS in PATH, keeps the outcome, and makes docs/compatibility.md."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from scripts import calls
from scripts.callspage import release_of
from tests.live.modes.page import titles

__all__ = ["KEPT", "PAGE", "WAYS", "Outcome", "keep", "main", "outcomes", "page"]

TOP = Path(__file__).parents[1]
PAGE, KEPT = TOP / "docs" / "compatibility.md", TOP / "docs" / "compatibility.json"
WAYS = ("PIPE", "REMOTE, pipe", "REMOTE, unix socket", "REMOTE, HTTP")
_INTRODUCTION = """\
# Which PowerDNS

Tested with PowerDNS {versions}. Each row is a section of [modes.md](modes.md), served over a protocol to the real
server: `yes` means that all tests of the section passed in that run. Made by `scripts/make-compatibility` from runs of
`tests/live/modes`: do not edit.

PIPE has no calls for keys, settings and writing, so it has one mode only; [protocols.md](protocols.md) compares the
protocols, and [powerdns-behaviour.md](powerdns-behaviour.md) has what the versions do differently.

"""


class Outcome(NamedTuple):
    """How many tests of a section passed and failed; those that were skipped are neither."""

    passed: int
    failed: int

    def __str__(self) -> str:
        if not self.passed + self.failed:
            return "not run"
        return "yes" if not self.failed else f"{self.passed} of {self.passed + self.failed} tests"


def main() -> None:
    """Runs them over pipes, then over sockets; what a run found is kept at once."""
    with tempfile.TemporaryDirectory() as scratch:
        for over_unix in ("", "yes"):
            report = Path(scratch) / "report.xml"
            words = [sys.executable, "-m", "pytest", "-q", "-n", "4", "--dist", "worksteal", "tests/live/modes"]
            environment = {**os.environ, "OVER_UNIX": over_unix}
            subprocess.run([*words, f"--junitxml={report}", *sys.argv[1:]], cwd=TOP, env=environment)
            keep(calls.version(), outcomes(report.read_text(encoding="utf-8")), is_of_sockets=bool(over_unix))


def keep(version: str, found: dict[str, dict[str, Outcome]], is_of_sockets: bool) -> None:
    """In place of what was kept of this release's runs over the same protocols."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    release = release_of(version)
    before = next((run["modes"] for each, run in kept.items() if release_of(each) == release), {})
    modes = {
        title: {way: run for way, run in ways.items() if ("unix" in way) != is_of_sockets}
        for title, ways in before.items()
    }
    for title, ways in found.items():
        modes.setdefault(title, {}).update({way: run for way, run in ways.items() if ("unix" in way) == is_of_sockets})
    kept = {each: run for each, run in kept.items() if release_of(each) != release}
    kept[version] = {"python": platform.python_version(), "modes": modes}
    kept = dict(sorted(kept.items(), key=lambda item: [int(part) for part in item[0].split(".")]))
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")


def outcomes(report: str) -> dict[str, dict[str, Outcome]]:
    """What the tests of each section did, by the protocol that served it, from a report of pytest in JUnit's XML."""
    found: dict[str, dict[str, Outcome]] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        failed = case.find("failure") is not None or case.find("error") is not None
        for served in case.iter("property"):
            ways = found.setdefault(served.get("name", ""), {})
            before = ways.get(served.get("value", ""), Outcome(0, 0))
            ways[served.get("value", "")] = Outcome(before.passed + (not failed), before.failed + failed)
    return found


def page(kept: dict[str, dict[str, dict[str, dict[str, list[int]]]]]) -> str:
    """The text of docs/compatibility.md."""
    *first, last = kept
    lines = [_INTRODUCTION.format(versions=f"{', '.join(first)} and {last}" if first else last)]
    lines += [f"| mode | protocol | {' | '.join(kept)} |\n", "|---" * (2 + len(kept)) + "|\n"]
    for title in titles():
        link = f"[{title}](modes.md#{title.lower().replace(' ', '-')})"
        for way in WAYS:
            runs = [run["modes"].get(title, {}).get(way) for run in kept.values()]
            if any(runs):
                cells = [str(Outcome(*run)) if run else "not run" for run in runs]
                lines.append(f"| {link} | {way} | {' | '.join(cells)} |\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
