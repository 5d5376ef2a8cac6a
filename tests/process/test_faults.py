"""Files and stores that go wrong under a running process: the answers stay, the log says it once, and it recovers."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.process.coprocess import LOOKUP, Coprocess, coprocesses, wait_for, write_table
from tests.process.disks import fill, small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = LOOKUP.replace(b"lax.airports.aa.", b"x.t.example.")
META = b'{"method": "%s", "parameters": {"name": "t.example.", "kind": "ALLOW-AXFR-FROM"%s}}\n'
GET, SET = META % (b"getDomainMetadata", b""), META % (b"setDomainMetadata", b', "value": ["192.0.2.1"]')
LOOKS = 5  # of the watcher, and one for good measure
POLL_SECONDS = 0.3


@pytest.fixture
def coprocess(tmp_path: Path) -> Iterator[Coprocess]:
    write_table(tmp_path, "first")
    with coprocesses(tmp_path) as start:
        coprocess = start("remoteshim", f"--config={tmp_path / 'own.toml'}")
        coprocess.begin()
        assert b"first" in coprocess.ask(QUESTION)
        yield coprocess


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(4096))


def truncated(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def said_whole(log: str, path: Path) -> bool:
    """The fault has been named, and what is served meanwhile."""
    return path.name in log and log.endswith("as it was before\n")


def test_spoiled_files(tmp_path: Path) -> None:
    """A table or a configuration, each spoiled in each way, all at once since the test has to wait."""
    with coprocesses(tmp_path) as start:
        cases = {}
        for file, harm in itertools.product(("own.tsv", "own.toml"), (garbage, truncated, removed, a_directory)):
            folder = tmp_path / f"{file}-{harm.__name__}"
            folder.mkdir()
            write_table(folder, "first")
            cases[folder / file] = start("remoteshim", f"--config={folder / 'own.toml'}")
            cases[folder / file].begin()
            assert b"first" in cases[folder / file].ask(QUESTION)
            harm(folder / file)
        said = {}
        for path, coprocess in cases.items():
            wait_for(lambda path=path, log=coprocess: said_whole(log.log, path), f"a word in the log on {path}")
            said[path] = coprocess.log
        time.sleep(LOOKS * POLL_SECONDS)
        for path, coprocess in cases.items():
            assert coprocess.log == said[path], "said more than once"
            assert b"first" in coprocess.ask(QUESTION), path
            if path.is_dir():
                path.rmdir()
            write_table(path.parent, "second")
        for path, coprocess in cases.items():
            wait_for(lambda one=coprocess: b"second" in one.ask(QUESTION), f"recovery of {path}")


def test_a_change_that_is_older_than_what_it_replaces(coprocess: Coprocess, tmp_path: Path) -> None:
    """As if the clock had been set back."""
    write_table(tmp_path, "second")
    os.utime(tmp_path / "own.tsv", (1_000_000_000, 1_000_000_000))
    wait_for(lambda: b"second" in coprocess.ask(QUESTION), "the change in force")


def test_a_store_locked_by_another_process(coprocess: Coprocess, tmp_path: Path) -> None:
    """Reads go on; a write waits its time, fails with a word in the log, and later succeeds."""
    assert coprocess.ask(SET) == b'{"result":true}\n'
    other = sqlite3.connect(tmp_path / "zones.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert b"192.0.2.1" in coprocess.ask(GET)
    assert b"first" in coprocess.ask(QUESTION)
    assert b'"result":false' in coprocess.ask(SET)
    assert "zones.db" in coprocess.log
    other.execute("ROLLBACK")
    other.close()
    assert coprocess.ask(SET) == b'{"result":true}\n'


def test_a_store_that_is_removed_and_comes_back(coprocess: Coprocess, tmp_path: Path) -> None:
    assert coprocess.ask(SET) == b'{"result":true}\n'
    kept = sqlite3.connect(tmp_path / "zones.db")
    kept.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept.close()
    shutil.copy(tmp_path / "zones.db", tmp_path / "saved")
    for path in tmp_path.glob("zones.db*"):
        path.unlink()
    assert b'"result":false' in coprocess.ask(GET), "no store, no settings"
    assert b"first" in coprocess.ask(QUESTION)
    shutil.copy(tmp_path / "saved", tmp_path / "zones.db")
    wait_for(lambda: b"192.0.2.1" in coprocess.ask(GET), "recovery")


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Answers and settings go on, a write fails with a word in the log, and succeeds when there is room."""
    disk = tmp_path / "disk"
    with small_disk(disk), coprocesses(tmp_path) as start:
        write_table(disk, "first")
        coprocess = start("remoteshim", f"--config={disk / 'own.toml'}")
        coprocess.begin()
        assert coprocess.ask(SET) == b'{"result":true}\n'
        filler = fill(disk)
        larger = SET.replace(b'"192.0.2.1"', b", ".join(b'"10.%d.%d.0/24"' % (n // 256, n % 256) for n in range(5000)))
        assert b'"result":false' in coprocess.ask(larger)
        assert "zones.db" in coprocess.log
        assert b"first" in coprocess.ask(QUESTION)
        assert b"192.0.2.1" in coprocess.ask(GET)
        filler.unlink()
        assert coprocess.ask(larger) == b'{"result":true}\n'
