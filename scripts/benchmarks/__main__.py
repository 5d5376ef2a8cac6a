"""Measures, prints one table and says which goals are met; see docs/performance.md for what the parts are."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.benchmarks import databases, endtoend, firsttime, importing, overhttp, processes, roundtrip
from scripts.benchmarks.figures import Run
from scripts.benchmarks.responders import ResponderFailed
from scripts.benchmarks.setup import DEFAULT, LONG, QUICK, Scale, Setup
from tests.live.servers import ServerFailed

PARTS = "ajhbcdefgi"
TOP = Path(__file__).parents[2]


def main() -> None:
    """The command ``scripts/bench``."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a minute: whether all of it works, not what it is worth")
    size.add_argument("--long", action="store_true", help="a million names, too, and more rounds")
    parser.add_argument("--parts", default=PARTS, help="only these, as in --parts ac")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to FILE as well")
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.md and its plots from them")
    parser.add_argument(
        "--from", dest="sources", metavar="FILE", nargs="+", type=Path, help="take the figures of --json, not new"
    )
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {''.join(sorted(unknown))!r}; the parts are {PARTS}")
    if given.sources:
        run = Run.joined([Run.from_json(source.read_text("utf-8")) for source in given.sources])
    else:
        run = measured(QUICK if given.quick else LONG if given.long else DEFAULT, given.parts, given.json)
    print(run.text(), end="")
    if given.write_docs:
        from scripts.benchmarks import document

        document.write(run, TOP / "docs")


def measured(scale: Scale, parts: str, kept: Path | None) -> Run:
    """All figures of these parts; ``kept`` gets the JSON of those that are there after each part."""
    title = {id(QUICK): "quick run", id(LONG): "long run"}.get(id(scale), "default run")
    run = Run(title, _machine())
    measures = (
        ("a", roundtrip.measure_kinds),
        ("j", overhttp.measure),
        ("h", firsttime.measure),
        ("b", endtoend.measure),
        ("c", processes.measure_starts),
        ("d", processes.measure_memory),
        ("e", roundtrip.measure_growth),
        ("f", roundtrip.compare_answer_sizes),
        ("g", importing.measure),
        ("i", databases.measure),
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        setup = Setup(scale, Path(folder))
        for part, measure in measures:
            if part in parts:
                print(f"bench: part {part}", file=sys.stderr, flush=True)
                try:
                    measure(setup, run)
                except (ResponderFailed, ServerFailed) as exc:
                    run.skip(f"the rest of part {part}", str(exc))
                if kept:
                    kept.write_text(run.json(), "utf-8")
    return run


def _machine() -> str:
    version = subprocess.run(["pdns_server", "--version"], capture_output=True, text=True).stderr
    words = version.partition("Server ")[2].split()
    pdns = f", PowerDNS {words[0]}" if words else ""
    cpus = len(os.sched_getaffinity(0))
    return f"Python {platform.python_version()}{pdns}, Linux {platform.release()}, {cpus} CPUs"


if __name__ == "__main__":
    main()
