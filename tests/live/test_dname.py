"""DNAME in a signed zone: right with ``dname-processing=yes``; without it the log and ``zone check`` say so."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import dns.flags
import dns.rcode
import pytest

from tests.live.servers import PdnsServer, Unbound, installed_command, remote_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE_FILE = """\
$TTL 300
@ SOA ns1 hostmaster 1 2 3 4 300
@ NS ns1
ns1 A 192.0.2.1
www.new A 192.0.2.2
old DNAME new
"""
ADVICE = "has a DNAME at old.{zone}: without dname-processing=yes in pdns.conf"


def zoneutil(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [installed_command("zoneutil"), "--config", str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A zone of each source, both signed."""
    (tmp_path / "zone").write_text(ZONE_FILE)
    path = tmp_path / "config.toml"
    path.write_text('[[zone]]\nname = "file.example"\nkind = "file"\nfile = "zone"\n')
    zoneutil(path, "zone", "import", "stored.example", str(tmp_path / "zone"))
    for zone in ("file.example", "stored.example"):
        zoneutil(path, "key", "secure", zone)
    return path


def test_without_the_setting_it_is_bogus_and_the_log_says_so(config: Path, tmp_path: Path) -> None:
    with PdnsServer(remote_config(config, timeout=20_000, dnssec=True), tmp_path) as server:
        for zone in ("file.example", "stored.example"):
            (keys,) = server.dig(zone, "DNSKEY").answer
            anchors = [f"{zone}. 60 IN DNSKEY {key}" for key in keys]
            with Unbound({zone: server.port}, tmp_path / zone, anchors=anchors) as resolver:
                assert resolver.query(f"www.old.{zone}").rcode() == dns.rcode.SERVFAIL
            line = server.wait_for_log(ADVICE.format(zone=zone))
            assert line.endswith("PowerDNS answers NXDOMAIN below it, which validating resolvers call bogus")


def test_with_the_setting_it_validates_and_nothing_is_said(config: Path, tmp_path: Path) -> None:
    settings = {**remote_config(config, timeout=20_000, dnssec=True), "dname-processing": "yes"}
    with PdnsServer(settings, tmp_path) as server:
        (keys,) = server.dig("file.example", "DNSKEY").answer
        anchors = [f"file.example. 60 IN DNSKEY {key}" for key in keys]
        with Unbound({"file.example": server.port}, tmp_path, anchors=anchors) as resolver:
            answer = resolver.query("www.old.file.example")
            assert answer.rcode() == dns.rcode.NOERROR
            assert answer.flags & dns.flags.AD
            assert "192.0.2.2" in str(answer)
        assert "has a DNAME" not in server.log


def test_zone_check_has_a_note_which_is_no_fault(config: Path) -> None:
    for zone in ("file.example", "stored.example"):
        done = zoneutil(config, "zone", "check", zone)
        note, count = done.stderr.splitlines()
        assert note.startswith(f"note: zone {zone} {ADVICE.format(zone=zone)}")
        assert note.endswith("which validating resolvers call bogus")
        assert (count, done.stdout) == (f"{zone}: no faults", "")
