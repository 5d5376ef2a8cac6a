"""What cannot be answered is SERVFAIL: never "no such name", never unsigned, never a denial of everything.

All of it is one failed answer: the next question is answered, by the same process where the protocol allows it.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import dns.rcode
import dns.rdatatype
import pytest

from tests.live.servers import PdnsServer, pipe_config, remote_config
from tests.live.signed import zoneutil

pytestmark = pytest.mark.live

ZONES = ("sound.aa", "failing.aa", "unlistable.aa")
NO_DATABASE = b"this is no database\n" * 500


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("failing.toml", "user_zones.py"):
        shutil.copy(Path(__file__).parent / "zones" / name, tmp_path)
    return tmp_path / "failing.toml"


@pytest.fixture
def signed(config: Path) -> Path:
    for zone in ZONES:
        zoneutil(config.parent, "failing", "key", "secure", zone)
    return config


def rcode(server: PdnsServer, name: str, rdtype: str, *flags: str) -> str:
    return dns.rcode.to_text(server.dig(name, rdtype, *flags).rcode())


def types(server: PdnsServer, name: str, rdtype: str) -> set[str]:
    """The types of all records of an answer with DNSSEC."""
    answer = server.dig(name, rdtype, "+dnssec")
    return {dns.rdatatype.to_text(rrset.rdtype) for rrset in (*answer.answer, *answer.authority)}


@pytest.mark.parametrize("protocol", ["remote", "pipe abi 1", "pipe abi 5"])
def test_user_code_that_raises(config: Path, tmp_path: Path, protocol: str) -> None:
    abi = protocol.rpartition("abi ")[2]
    settings = pipe_config(config, int(abi)) if abi.isdigit() else remote_config(config)
    with PdnsServer({**settings, "distributor-threads": "1"}, tmp_path) as server:
        assert rcode(server, "a.failing.aa", "TXT") == "NOERROR"
        before = server.coprocesses()
        for _ in range(5):
            assert rcode(server, "boom.failing.aa", "TXT") == "SERVFAIL"
            assert rcode(server, "a.failing.aa", "TXT") == "NOERROR"
            assert rcode(server, "none.failing.aa", "TXT") == "NXDOMAIN"
            assert rcode(server, "a.sound.aa", "TXT") == "NOERROR"
        assert server.coprocesses() == before
        server.wait_for_log("ValueError: the user's code has a fault")


def test_user_code_that_raises_in_a_signed_zone(signed: Path, tmp_path: Path) -> None:
    with PdnsServer(remote_config(signed, dnssec=True), tmp_path) as server:
        assert types(server, "boom.failing.aa", "TXT") == set()
        assert rcode(server, "boom.failing.aa", "TXT", "+dnssec") == "SERVFAIL"
        assert types(server, "a.failing.aa", "TXT") == {"TXT", "RRSIG"}
        assert types(server, "none.failing.aa", "TXT") == {"SOA", "NSEC", "RRSIG"}


@pytest.mark.parametrize("nsec3", [False, True])
def test_a_denial_without_neighbours(signed: Path, tmp_path: Path, nsec3: bool) -> None:
    """ "No" would make PowerDNS sign that nothing exists (rule D-4)."""
    if nsec3:
        zoneutil(tmp_path, "failing", "zone", "nsec3", "unlistable.aa")
    with PdnsServer(remote_config(signed, dnssec=True), tmp_path) as server:
        for _ in range(3):
            assert types(server, "a.unlistable.aa", "TXT") == {"TXT", "RRSIG"}
            assert rcode(server, "a.unlistable.aa", "MX") == "NOERROR"  # nothing to prove without DNSSEC
            assert rcode(server, "a.unlistable.aa", "MX", "+dnssec") == "SERVFAIL"
            assert rcode(server, "none.unlistable.aa", "MX", "+dnssec") == "SERVFAIL"
            assert types(server, "none.sound.aa", "TXT") == {"SOA", "NSEC", "RRSIG"}
        server.wait_for_log("ValueError: the user's list has a fault")


def test_a_transfer_without_names(signed: Path, tmp_path: Path) -> None:
    with PdnsServer(remote_config(signed, dnssec=True), tmp_path) as server:
        assert "\tTXT\t" not in server.axfr("unlistable.aa")
        assert "\tTXT\t" in server.axfr("sound.aa")


def test_a_store_that_is_no_database(config: Path, tmp_path: Path) -> None:
    """Nobody knows whether the zone is signed."""
    (tmp_path / "zones.db").write_bytes(NO_DATABASE)
    (tmp_path / "zones.db").chmod(0o600)
    with PdnsServer(remote_config(config, dnssec=True), tmp_path) as server:
        for name, rdtype in (
            ("a.sound.aa", "TXT"),
            ("a.sound.aa", "MX"),
            ("none.sound.aa", "TXT"),
            ("sound.aa", "DNSKEY"),
        ):
            assert rcode(server, name, rdtype, "+dnssec") == "SERVFAIL"
            assert rcode(server, name, rdtype) == "SERVFAIL"
        assert "zones.db" in server.wait_for_log("not an SQLite database")
    assert (tmp_path / "zones.db").read_bytes() == NO_DATABASE


def test_pipe_needs_no_store(config: Path, tmp_path: Path) -> None:
    """PowerDNS asks it for neither keys nor settings."""
    (tmp_path / "zones.db").write_bytes(NO_DATABASE)
    with PdnsServer(pipe_config(config), tmp_path) as server:
        assert rcode(server, "a.sound.aa", "TXT") == "NOERROR"
        assert rcode(server, "none.sound.aa", "TXT") == "NXDOMAIN"


def test_a_store_that_is_not_there_yet(config: Path, tmp_path: Path) -> None:
    with PdnsServer(remote_config(config, dnssec=True), tmp_path) as server:
        assert types(server, "a.sound.aa", "TXT") == {"TXT"}
        assert types(server, "none.sound.aa", "TXT") == {"SOA"}
        zoneutil(tmp_path, "failing", "key", "secure", "sound.aa")
        assert types(server, "a.sound.aa", "TXT") == {"TXT", "RRSIG"}


def test_a_store_that_breaks_and_comes_back(signed: Path, tmp_path: Path) -> None:
    path = tmp_path / "zones.db"
    with PdnsServer(remote_config(signed, dnssec=True), tmp_path) as server:
        assert types(server, "a.sound.aa", "TXT") == {"TXT", "RRSIG"}
        _fold(path)
        path.rename(tmp_path / "kept.db")
        path.write_bytes(NO_DATABASE)
        path.chmod(0o600)
        assert rcode(server, "a.sound.aa", "TXT", "+dnssec") == "SERVFAIL"
        assert rcode(server, "none.sound.aa", "TXT", "+dnssec") == "SERVFAIL"
        (tmp_path / "kept.db").rename(path)
        assert types(server, "a.sound.aa", "TXT") == {"TXT", "RRSIG"}
        assert types(server, "none.sound.aa", "TXT") == {"SOA", "NSEC", "RRSIG"}


def _fold(path: Path) -> None:
    """All of a database in its one file, so that it can be moved."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
