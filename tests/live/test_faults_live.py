"""Files that go wrong under a real PowerDNS: its answers stay, each process says it once, and it recovers."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.live.servers import PdnsServer, remote_config
from tests.making import CITIES, write_config
from tests.process.coprocess import wait_for
from tests.process.disks import fill, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

LAX = "lax.cities.example"
LOOKS_SECONDS = 1.5  # in which a watcher looks five times
LOCKED_SECONDS = 10


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PdnsServer]:
    """With one thread, so that one process answers."""
    settings = {**remote_config(write_config(tmp_path), dnssec=True), "distributor-threads": "1"}
    with PdnsServer(settings, tmp_path / "pdns") as server:
        assert text(server) == "Los Angeles"
        yield server


def text(server: PdnsServer) -> str:
    answer = server.dig(LAX, "TXT").answer
    return answer[0][0].strings[0].decode() if answer else ""


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(4096))


def truncated(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [garbage, truncated, removed, a_directory])
def test_a_spoiled_table(server: PdnsServer, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    path = tmp_path / "cities.tsv"
    harm(path)
    server.wait_for_log("is served as it was before")
    time.sleep(LOOKS_SECONDS)
    assert text(server) == "Los Angeles"
    assert server.log.count("is served as it was before") == 1
    if path.is_dir():
        path.rmdir()
    path.write_text(CITIES.replace("Los Angeles", "L.A."))
    wait_for(lambda: text(server) == "L.A.", "recovery")


@pytest.mark.parametrize("harm", [garbage, truncated, removed, a_directory])
def test_a_spoiled_configuration(server: PdnsServer, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    path = tmp_path / "pipebackend.toml"
    harm(path)
    server.wait_for_log("the configuration in force stays as it was before")
    time.sleep(LOOKS_SECONDS)
    assert text(server) == "Los Angeles"
    assert server.log.count("the configuration in force stays as it was before") == 1
    if path.is_dir():
        path.rmdir()
    write_config(tmp_path, table=CITIES.replace("Los Angeles", "L.A."))
    wait_for(lambda: text(server) == "L.A.", "recovery")


def test_a_clock_that_was_set_back(server: PdnsServer, tmp_path: Path) -> None:
    (tmp_path / "cities.tsv").write_text(CITIES.replace("Los Angeles", "L.A."))
    os.utime(tmp_path / "cities.tsv", (1_000_000_000, 1_000_000_000))
    wait_for(lambda: text(server) == "L.A.", "the change in force")


def test_a_store_that_is_locked(server: PdnsServer, tmp_path: Path) -> None:
    """Signed answers go on; what cannot be written in time fails, and works when the lock is gone."""
    server.said("secure-zone", "cities.example")
    other = sqlite3.connect(tmp_path / "zones.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    until = time.monotonic() + LOCKED_SECONDS
    assert server.pdnsutil("set-meta", "cities.example", "ALLOW-AXFR-FROM", "192.0.2.1").returncode != 0
    while time.monotonic() < until:
        assert types_of_lax(server) == {"TXT", "RRSIG"}
    other.execute("ROLLBACK")
    other.close()
    server.said("set-meta", "cities.example", "ALLOW-AXFR-FROM", "192.0.2.1")


@pytest.mark.parametrize("harm", [garbage, truncated, removed, a_directory])
def test_a_store_that_is_lost(server: PdnsServer, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """Without its keys a zone that has a DS would be bogus for every validator."""
    server.said("secure-zone", "cities.example")
    signed = {"TXT", "RRSIG"}
    wait_for(lambda: types_of_lax(server) == signed, "signed answers")
    store, saved = tmp_path / "zones.db", tmp_path / "saved.db"
    with contextlib.closing(sqlite3.connect(store)) as source, contextlib.closing(sqlite3.connect(saved)) as copy:
        source.backup(copy)
    for beside in tmp_path.glob("zones.db-*"):
        beside.unlink()
    store.unlink()
    store.touch()  # another file: what happens to an open one, no user of SQLite is told
    harm(store)
    for _ in range(50):
        assert types_of_lax(server) == signed
    assert server.log.count("what was read from it before stays in force") == 1
    for file in tmp_path.glob("zones.db*"):
        file.rmdir() if file.is_dir() else file.unlink()
    saved.rename(store)
    assert types_of_lax(server) == signed
    server.said("set-meta", "cities.example", "ALLOW-AXFR-FROM", "192.0.2.1")


def types_of_lax(server: PdnsServer) -> set[str]:
    return {rrset.rdtype.name for rrset in server.dig(LAX, "TXT", "+dnssec").answer}


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Also the log of the server may be on it; here it is not, to be read."""
    disk = tmp_path / "disk"
    with small_disk(disk):
        settings = {**remote_config(write_config(disk), dnssec=True), "distributor-threads": "1"}
        with PdnsServer(settings, tmp_path / "pdns") as server:
            server.said("secure-zone", "cities.example")
            assert text(server) == "Los Angeles"
            filler = fill(disk)
            failed = False
            for number in range(200):
                done = server.pdnsutil("set-meta", "cities.example", f"X-FULL-{number}", "x" * 2000)
                failed = failed or done.returncode != 0
                if failed:
                    break
            assert failed
            assert types_of_lax(server) == {"TXT", "RRSIG"}
            filler.unlink()
            server.said("set-meta", "cities.example", "ALLOW-AXFR-FROM", "192.0.2.1")
            assert types_of_lax(server) == {"TXT", "RRSIG"}
