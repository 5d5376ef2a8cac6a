"""How long it takes to fill a zone of the store from a zone file, beside PowerDNS's own tool (part g)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from scripts.benchmarks import made
from scripts.benchmarks.figures import AT_MOST, Goal
from scripts.benchmarks.served import make_database
from tests.live.servers import program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["measure"]

APEX = "import.example"
_LARGE = 1_000_000  # names; where the start of a process does not count any more
_LIMIT = 600  # seconds


def measure(setup: Setup, run: Run) -> None:
    """``zoneutil zone import`` into a new store and ``pdnsutil load-zone`` into a new database, in turn."""
    pdnsutil = program("pdnsutil")
    for size in setup.scale.imported:
        file = setup.new_path("zone")
        made.write_addresses(file, APEX, size)
        own, loaded, both = [], [], []
        for _ in range(setup.scale.imports):
            own.append(_import(setup.new_path("store"), file))
            theirs = [pdnsutil, f"--config-dir={_configured(setup.new_path('gsqlite3'))}"]
            loaded.append(_seconds([*theirs, "load-zone", APEX, str(file)]))
            both.append(loaded[-1] + _seconds([*theirs, "rectify-zone", APEX]))
        goals = [Goal(AT_MOST, 1)] if size >= _LARGE else []
        what = f"zone import, {size:,} names"
        run.add("g", what, "s", own, loaded, "pdnsutil load-zone, gsqlite3", goals=goals, size=size)
        run.add("g", what, "s", own, both, "load-zone and rectify-zone", size=size)


def _import(folder: Path, file: Path) -> float:
    folder.mkdir()
    config = folder / "pipebackend.toml"
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    seconds = _seconds([f"{sys.prefix}/bin/zoneutil", "--config", str(config), "zone", "import", APEX, str(file)])
    shutil.rmtree(folder)
    return seconds


def _configured(folder: Path) -> Path:
    """The folder of a pdns.conf, with an empty database of PowerDNS's own schema."""
    folder.mkdir()
    database = folder / "pdns.db"
    make_database(database)
    (folder / "pdns.conf").write_text(
        f"launch=gsqlite3\ngsqlite3-database={database}\ngsqlite3-dnssec=yes\nzone-cache-refresh-interval=0\n"
    )
    return folder


def _seconds(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_LIMIT)
    return time.perf_counter() - begin
