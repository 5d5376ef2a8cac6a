"""What one process refuses, another one tells: PowerDNS passes no reason on."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.process.coprocess import Coprocess, coprocesses

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "example.org"
SOA = (ZONE, "SOA", "ns1.example.net hostmaster.example.org 1 2 3 4 5")
NS = (ZONE, "NS", "ns1.example.net")
GOOD = (SOA, NS)
BAD = (SOA, NS, (f"www.{ZONE}", "A", "192.0.2"))
POWERDNS_WAITS = 2.0  # seconds, by default


def zoneutil(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("zoneutil"), f"--config={folder / 'own.toml'}", "zone", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def coprocess(tmp_path: Path) -> Iterator[Coprocess]:
    (tmp_path / "own.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    assert zoneutil(tmp_path, "create", ZONE, "--kind", "secondary", "--primary", "192.0.2.1").returncode == 0
    with coprocesses(tmp_path) as start:
        coprocess = start("remoteshim", f"--config={tmp_path / 'own.toml'}")
        coprocess.begin()
        yield coprocess


def call(coprocess: Coprocess, method: str, **parameters: object) -> object:
    request = json.dumps({"method": method, "parameters": {"trxid": 1, **parameters}})
    return json.loads(coprocess.ask(f"{request}\n".encode()))["result"]


def transfer(coprocess: Coprocess, records: tuple[tuple[str, str, str], ...]) -> object:
    """The answer to the commit."""
    ident = call(coprocess, "getDomainInfo", name=f"{ZONE}.")["id"]
    assert call(coprocess, "startTransaction", domain=f"{ZONE}.", domain_id=ident)
    for owner, type_, content in records:
        taken = call(coprocess, "feedRecord", rr={"qname": f"{owner}.", "qtype": type_, "ttl": 60, "content": content})
        assert taken is (content != "192.0.2")
    return call(coprocess, "commitTransaction")


def test_another_process_tells_the_reason(coprocess: Coprocess, tmp_path: Path) -> None:
    assert transfer(coprocess, GOOD) is True
    assert zoneutil(tmp_path, "check", ZONE).returncode == 0
    started = int(time.time())
    assert transfer(coprocess, BAD) is None  # false would be success to PowerDNS (docs/writes.md)
    ended = int(time.time())
    coprocess.kill_child()
    checked = zoneutil(tmp_path, "check", ZONE)
    reason = f"www.{ZONE} A: '192.0.2' is not an IPv4 address; write one such as 192.0.2.1"
    moments = [time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at)) for at in range(started, ended + 1)]
    assert checked.returncode == 1
    assert checked.stdout in [
        f"{ZONE}: the transfer of {moment} was refused, the zone is the one before: {reason}\n" for moment in moments
    ]
    assert json.loads(zoneutil(tmp_path, "check", "--json").stdout) == {ZONE: checked.stdout.splitlines()}
    assert transfer(coprocess, GOOD) is True
    assert zoneutil(tmp_path, "check", ZONE).returncode == 0


def test_the_answer_does_not_wait_for_who_writes(coprocess: Coprocess, tmp_path: Path) -> None:
    assert transfer(coprocess, GOOD) is True
    with closing(sqlite3.connect(tmp_path / "zones.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert transfer(coprocess, ((f"www.{ZONE}", "A", "192.0.2"),)) is None
        assert time.monotonic() - started < POWERDNS_WAITS
    assert zoneutil(tmp_path, "check", ZONE).returncode == 0  # it could not be noted
    assert f"www.{ZONE} A: '192.0.2' is not an IPv4 address" in coprocess.log
