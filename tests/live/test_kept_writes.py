"""Whole-zone writes, serials and new zones: what is written is kept and served, as PowerDNS's gsqlite3 does it."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.servers import HOST, PATIENCE, gsqlite3_schema, installed_command, pdns_version, remote_config
from tests.live.writes import WritableServer, nsupdate, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "example.org"
ROOT = """\
. 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 2026112800 1800 900 604800 86400
. 518400 NS a.root-servers.net.
org. 172800 NS a0.org.afilias-nst.info.
org. 86400 DS 26974 8 2 4fede294c53f438a158c41d39489cd78a86beb0d8a0aeaff14745c0d16e1de32
a0.org.afilias-nst.info. 172800 A 199.19.56.1
a.root-servers.net. 518400 A 198.41.0.4
"""
NEEDS_PUT = pytest.mark.skipif(pdns_version() < (4, 8), reason="PowerDNS 4.7 ignores the rrsets of a PUT")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pipebackend.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    return tmp_path / "pipebackend.toml"


@pytest.fixture
def server(config: Path, tmp_path: Path) -> Iterator[WritableServer]:
    settings = {**remote_config(config, dnssec=True), "secondary": "yes", "xfr-cycle-interval": "1"}
    with WritableServer(settings, tmp_path) as running:
        yield running


def zoneutil(config: Path, *words: str) -> str:
    command = [installed_command("zoneutil"), "--config", str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def serial(server: WritableServer, zone: str = ZONE) -> int:
    return int(server.dig(zone, "SOA").answer[0][0].serial)


def whole(serial: int, address: str) -> list[dict[str, object]]:
    return [
        rrset(ZONE, "SOA", f"ns1.{ZONE}. hostmaster.{ZONE}. {serial} 1 1 86400 2"),
        rrset(ZONE, "NS", f"ns1.{ZONE}."),
        rrset(f"ns1.{ZONE}", "A", address),
    ]


def test_a_zone_that_zoneutil_made_gets_a_new_serial_by_the_api(server: WritableServer, config: Path) -> None:
    zoneutil(config, "zone", "create", ZONE)
    before = serial(server)
    assert server.patch(ZONE, rrset(f"ns1.{ZONE}", "A", "192.0.2.53")) == 204
    assert serial(server) > before
    assert server.api("GET", f"/zones/{ZONE}.").body["soa_edit_api"] == "DEFAULT"


@NEEDS_PUT
@pytest.mark.parametrize("is_set", ["with it", "before", "not at all"])
def test_put_of_rrsets_with_soa_edit_api(server: WritableServer, config: Path, is_set: str) -> None:
    """PowerDNS feeds the zone, and replaces its SOA in the same transaction."""
    zoneutil(config, "zone", "create", ZONE)
    kinds = {"soa_edit_api": "INCREASE"} if is_set == "with it" else {}
    if is_set == "not at all":
        server.said("set-meta", ZONE, "SOA-EDIT-API")
    reply = server.api("PUT", f"/zones/{ZONE}.", {**kinds, "rrsets": whole(3_000_000_000, "192.0.2.99")})
    assert reply.status == 204
    assert server.dig(f"ns1.{ZONE}").answer[0][0].address == "192.0.2.99"
    assert (serial(server) == 3_000_000_000) is (is_set == "not at all")


def test_a_setting_that_is_not_kept_is_no_success(server: WritableServer, config: Path) -> None:
    """PowerDNS ignores the answer, and asks for the commit."""
    zoneutil(config, "zone", "create", ZONE)
    assert server.api("PUT", f"/zones/{ZONE}.", {"soa_edit": "INCEPTION"}).status == 500
    assert server.api("PUT", f"/zones/{ZONE}.", {"soa_edit": "INCEPTION-INCREMENT"}).status == 204
    assert server.api("GET", f"/zones/{ZONE}.").body["soa_edit"] == "INCEPTION-INCREMENT"


def test_a_mirror_of_the_root(server: WritableServer, config: Path) -> None:
    """RFC 8806: transferred in, answered as an authoritative server of the root does, and transferred out."""
    with Primary() as primary:
        soa, *rest = map(rr, ROOT.splitlines())
        primary.zones["."] = [soa, *rest, soa]
        zoneutil(config, "zone", "create", ".", "--kind", "secondary", "--primary", f"{HOST}:{primary.port}")
        until(lambda: bool(server.dig(".", "SOA").answer), "the root was transferred")
    answer = server.dig("www.example.org", "A", "+norecurse")
    assert [str(each.name) for each in answer.authority] == ["org."]
    assert [str(each.name) for each in answer.additional if each.rdtype == 1] == ["a0.org.afilias-nst.info."]
    assert server.dig("nope", "A").rcode().name == "NXDOMAIN"
    assert len(server.axfr(".").splitlines()) == len(ROOT.splitlines())


def test_the_root_by_pdnsutil_and_the_api(server: WritableServer, config: Path, tmp_path: Path) -> None:
    zoneutil(config, "zone", "create", ".")
    (tmp_path / "root.zone").write_text(ROOT)
    server.said("load-zone", ".", str(tmp_path / "root.zone"))
    assert serial(server, ".") == 2026112800
    assert server.dig("a.root-servers.net").answer[0][0].address == "198.41.0.4"
    reply = server.api("PATCH", "/zones/=2E", {"rrsets": [rrset("a.root-servers.net", "A", "198.41.0.5")]})
    assert reply.status == 204, reply
    assert server.dig("a.root-servers.net").answer[0][0].address == "198.41.0.5"
    assert nsupdate(server, ".", "update add a.root-servers.net. 60 A 198.41.0.6") == "NOERROR"
    assert len(server.dig("a.root-servers.net").answer[0]) == 2


def test_a_new_secondary_zone_is_answered_as_soon_as_it_is_here(config: Path, tmp_path: Path) -> None:
    """PowerDNS keeps its list of zones for minutes; names that are not on it are REFUSED."""
    primary = Primary()
    soa = rr(f"{ZONE}. 60 SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 1 1 86400 60")
    primary.zones[f"{ZONE}."] = [soa, rr(f"{ZONE}. 60 NS ns1.{ZONE}."), soa]
    zoneutil(config, "zone", "create", ZONE, "--kind", "secondary", "--primary", f"{HOST}:{primary.port}")
    settings = {**remote_config(config, dnssec=True), "zone-cache-refresh-interval": "300"}
    more = {"secondary": "yes", "xfr-cycle-interval": "1"}
    with WritableServer({**settings, **more}, tmp_path) as server:
        assert [zone["name"] for zone in server.api("GET", "/zones").body] == [f"{ZONE}."]
        assert not server.dig(ZONE, "SOA").answer
        with primary:
            until(lambda: bool(server.dig(ZONE, "SOA").answer), "the zone is answered")


@pytest.mark.parametrize("launch", ["remote,gsqlite3", "gsqlite3,remote"])
def test_a_zone_of_gsqlite3_with_settings_here_is_written_there(config: Path, tmp_path: Path, launch: str) -> None:
    """Two databases; ``remote`` first takes keys and settings of all zones."""
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    of_gsqlite3 = {"gsqlite3-database": str(tmp_path / "theirs.db"), "gsqlite3-dnssec": "yes"}
    zoneutil(config, "zone", "create", ZONE)
    with WritableServer({**remote_config(config, dnssec=True), **of_gsqlite3, "launch": launch}, tmp_path) as server:
        server.said("create-zone", "theirs.test")
        server.said("set-meta", "theirs.test", "ALLOW-AXFR-FROM", "127.0.0.0/8")
        server.said("add-zone-key", "theirs.test", "ksk", "active", "published", "ecdsa256")
        assert server.edit_rrset("add-record", "theirs.test", "www", "A", "60", "192.0.2.1").returncode == 0
        assert server.patch("theirs.test", rrset("api.theirs.test", "A", "192.0.2.2")) == 204
        server.said("set-meta", "theirs.test", "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
        assert nsupdate(server, "theirs.test", "update add up.theirs.test 60 A 192.0.2.3") == "NOERROR"
        for name in ("www", "api", "up"):
            assert server.dig(f"{name}.theirs.test").answer, f"{name} is served"
        assert server.edit_rrset("add-record", ZONE, "www", "A", "60", "192.0.2.4").returncode == 0
        assert server.dig(f"www.{ZONE}").answer
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as database:
        found = database.execute("SELECT name FROM records WHERE type = 'A' ORDER BY name").fetchall()
    assert [name for (name,) in found] == ["api.theirs.test", "up.theirs.test", "www.theirs.test"]


ODD_CONTENT = {
    "nul": ("TXT", '"\\0mytest"'),
    "long": ("TXT", f'"v=DKIM1; p={"A" * 289}"'),
    "autohints": ("SVCB", "1 . ipv4hint=auto"),
    "tlsa": ("TLSA", "3 1 1 abcd"),
    "sshfp": ("SSHFP", "1 1 abcd"),
    "ds": ("DS", "1 8 2 abcd"),
    "nsec": ("NSEC", f"z.{ZONE}. A"),
    "nsec3param": ("NSEC3PARAM", "1 0 0 -"),
}


@pytest.mark.parametrize("title", ODD_CONTENT)
def test_odd_content_beside_a_good_rrset_is_kept_with_it_or_refused(
    server: WritableServer, config: Path, title: str
) -> None:
    """Never a success that kept the one and not the other, or neither."""
    zoneutil(config, "zone", "create", ZONE)
    type_, content = ODD_CONTENT[title]
    status = server.patch(ZONE, rrset(f"good.{ZONE}", "A", "192.0.2.200"), rrset(f"{title}.{ZONE}", type_, content))
    found = {each["name"] for each in server.api("GET", f"/zones/{ZONE}.").body["rrsets"]}
    both = {f"good.{ZONE}.", f"{title}.{ZONE}."}
    assert status in (204, 422)
    assert found & both == (both if status == 204 else set())
    if title == "long":
        assert status == 204
        [record] = server.dig(f"long.{ZONE}", "TXT").answer[0]
        assert [len(string) for string in record.strings] == [255, 300 - 255]
