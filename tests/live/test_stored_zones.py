"""Zones of the store under a real PowerDNS: what zoneutil and pdnsutil write is served at once, without fault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.live.servers import (
    PATIENCE,
    PdnsServer,
    installed_command,
    owner_for_pdnsutil,
    pdns_version,
    program,
    remote_config,
)

pytestmark = pytest.mark.live

ZONE = "example.org"
FILE = """\
$ORIGIN example.org.
$TTL 300
@        IN SOA   ns1 hostmaster 7 3600 600 86400 300
@        IN NS    ns1
@        IN MX    10 mail.example.net.
ns1      IN A     192.0.2.53
www      IN A     192.0.2.1
a.b.c    IN TXT   "deep"
*.wild   IN CNAME www
sub      IN NS    ns.sub
ns.sub   IN A     192.0.2.54
"""


@pytest.fixture
def server(tmp_path: Path, store_url: str):
    (tmp_path / "pipebackend.toml").write_text(f'[store]\nurl = "{store_url}"\n')
    with PdnsServer(remote_config(tmp_path / "pipebackend.toml", dnssec=True), tmp_path) as running:
        yield running


@pytest.fixture
def zoneutil(tmp_path: Path):
    """The installed command."""

    def run(*words: str, **environment: str) -> str:
        command = [installed_command("zoneutil"), "--config", str(tmp_path / "pipebackend.toml"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def zone(server: PdnsServer, zoneutil, tmp_path: Path) -> PdnsServer:
    """A server that has example.org."""
    (tmp_path / "example.org.zone").write_text(FILE)
    zoneutil("zone", "import", ZONE, str(tmp_path / "example.org.zone"))
    return server


def contents(server: PdnsServer, name: str, rdtype: str = "A") -> list[str]:
    return sorted(rdata.to_text() for rrset in server.dig(name, rdtype).answer for rdata in rrset)


def serial(server: PdnsServer) -> int:
    [soa] = contents(server, ZONE, "SOA")
    return int(soa.split()[2])


def checked(server: PdnsServer) -> str:
    """What pdnsutil finds wrong with the zone."""
    return server.said("check-zone", ZONE).splitlines()[-1].partition("', ")[2]


def test_what_zoneutil_writes_is_served_at_once(server: PdnsServer, zoneutil, tmp_path: Path) -> None:
    assert server.dig(ZONE, "SOA").rcode().name == "REFUSED"
    zoneutil("zone", "create", ZONE)
    assert contents(server, ZONE, "NS") == ["ns1.example.org."]
    (tmp_path / "zone").write_text(FILE)
    zoneutil("zone", "import", ZONE, str(tmp_path / "zone"))
    assert contents(server, f"www.{ZONE}") == ["192.0.2.1"]
    zoneutil("record", "add", f"www.{ZONE}", "A", "192.0.2.2")
    assert contents(server, f"www.{ZONE}") == ["192.0.2.1", "192.0.2.2"]
    assert serial(server) == 8
    zoneutil("zone", "edit", ZONE, "--yes", EDITOR="sed -i s/192.0.2.2/192.0.2.3/", PATH="/usr/bin:/bin")
    assert contents(server, f"www.{ZONE}") == ["192.0.2.1", "192.0.2.3"]
    assert serial(server) == 9
    zoneutil("record", "delete", f"www.{ZONE}", "A")
    assert server.dig(f"www.{ZONE}", "A").rcode().name == "NXDOMAIN"
    assert checked(server) == "0 errors, 0 warnings."
    zoneutil("zone", "delete", ZONE, "--yes")
    assert server.dig(ZONE, "SOA").rcode().name == "REFUSED"


def test_every_kind_of_answer(zone: PdnsServer) -> None:
    assert contents(zone, f"x.wild.{ZONE}", "CNAME") == ["www.example.org."]
    assert zone.dig(f"b.c.{ZONE}", "A").rcode().name == "NOERROR", "an empty non-terminal"
    assert zone.dig(f"nope.{ZONE}", "A").rcode().name == "NXDOMAIN"
    referral = zone.dig(f"x.sub.{ZONE}", "A", "+norecurse")
    assert [rrset.name.to_text() for rrset in referral.authority] == ["sub.example.org."]
    assert [rrset.name.to_text() for rrset in referral.additional] == ["ns.sub.example.org."]


def test_export_and_transfer_are_the_zone(zone: PdnsServer, zoneutil, tmp_path: Path) -> None:
    exported = sorted(" ".join(line.split()) for line in zoneutil("zone", "export", ZONE).splitlines())
    assert sorted(" ".join(line.split()) for line in zone.axfr(ZONE).splitlines()) == exported
    (tmp_path / "exported").write_text("\n".join(exported) + "\n")
    subprocess.run([program("named-checkzone"), ZONE, str(tmp_path / "exported")], check=True, capture_output=True)


def test_zoneutil_commands_by_pdnsutil(server: PdnsServer, tmp_path: Path) -> None:
    def command(text: str) -> str:
        return server.said("backend-cmd", "remote", text)

    assert f"zone {ZONE} created with 2 records" in command(f"zone create {ZONE} --ns ns1.{ZONE}")
    command(f"record add ns1.{ZONE} A 192.0.2.53")
    assert contents(server, f"ns1.{ZONE}") == ["192.0.2.53"]
    (tmp_path / "zone").write_text(FILE)
    assert "9 records imported" in command(f"zone import {ZONE} {tmp_path}/zone")
    assert f"www.{ZONE}. 300 IN A 192.0.2.1" in command("record search 'www*'")
    command(f"zone set-kind {ZONE} primary")
    assert "Primary" in server.said("show-zone", ZONE) or "Master" in server.said("show-zone", ZONE)
    command(f"zone delete {ZONE} --yes")
    assert server.said("list-all-zones") == ""


def test_a_command_that_fails_says_why_to_pdnsutil(server: PdnsServer) -> None:
    done = server.pdnsutil("backend-cmd", "remote", "zone create example.org --kind secondary")
    assert "needs --primary ADDRESS" in done.stdout + done.stderr


def test_pdnsutil_list_zone(zone: PdnsServer) -> None:
    listed = [line.split("\t") for line in zone.said("list-zone", ZONE).splitlines() if "\t" in line]
    assert [f"www.{ZONE}" + ("" if pdns_version() < (5, 0) else "."), "300", "IN", "A", "192.0.2.1"] in listed
    assert len([fields for fields in listed if fields[3] in ("SOA", "NS", "A", "MX", "TXT", "CNAME")]) == 9


def test_pdnsutil_add_record(zone: PdnsServer) -> None:
    zone.said("add-record", ZONE, owner_for_pdnsutil("new", ZONE), "A", "60", "192.0.2.9")
    assert contents(zone, f"new.{ZONE}") == ["192.0.2.9"]
    zone.said("add-record", ZONE, owner_for_pdnsutil("www", ZONE), "A", "300", "192.0.2.2")
    assert contents(zone, f"www.{ZONE}") == ["192.0.2.1", "192.0.2.2"]
    assert checked(zone) == "0 errors, 0 warnings."


def test_pdnsutil_replace_and_delete_rrset(zone: PdnsServer) -> None:
    zone.said("replace-rrset", ZONE, owner_for_pdnsutil("www", ZONE), "A", "60", "192.0.2.7", "192.0.2.8")
    assert contents(zone, f"www.{ZONE}") == ["192.0.2.7", "192.0.2.8"]
    zone.said("delete-rrset", ZONE, owner_for_pdnsutil("a.b.c", ZONE), "TXT")
    assert zone.dig(f"c.{ZONE}", "A").rcode().name == "NXDOMAIN", "its empty non-terminals are gone too"


def test_pdnsutil_increase_serial(zone: PdnsServer) -> None:
    zone.said("increase-serial", ZONE)
    assert serial(zone) == 8


def test_pdnsutil_load_and_clear_zone(zone: PdnsServer, zoneutil, tmp_path: Path) -> None:
    exported = zoneutil("zone", "export", ZONE)
    zone.said("clear-zone", ZONE)
    assert zone.dig(f"www.{ZONE}", "A").rcode().name == "REFUSED"
    zone.said("load-zone", ZONE, str(tmp_path / "example.org.zone"))
    assert zoneutil("zone", "export", ZONE) == exported
    assert checked(zone) == "0 errors, 0 warnings."


def test_pdnsutil_refuses_what_dns_forbids(zone: PdnsServer, zoneutil) -> None:
    before = zoneutil("zone", "export", ZONE)
    done = zone.pdnsutil("add-record", ZONE, owner_for_pdnsutil("www", ZONE), "CNAME", "ns1.example.org")
    assert done.returncode != 0
    assert zoneutil("zone", "export", ZONE) == before


@pytest.mark.parametrize("options", [(), ("-n", "-t", "5", "-s", "abcd"), ("-n", "-p")])
def test_a_file_signed_elsewhere_is_served_with_its_signatures(
    server: PdnsServer, zoneutil, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Signed by ldns-signzone; the transferred zone is verified by ldns-verify-zone."""
    (tmp_path / "plain").write_text(FILE)
    generate = [program("ldns-keygen"), "-k", "-a", "ECDSAP256SHA256", ZONE]
    made = subprocess.run(generate, cwd=tmp_path, capture_output=True, text=True, check=True)
    sign = [program("ldns-signzone"), *options, "-o", ZONE, "-f", "signed", "plain", made.stdout.strip()]
    subprocess.run(sign, cwd=tmp_path, capture_output=True, check=True)
    zoneutil("zone", "import", ZONE, str(tmp_path / "signed"))
    (tmp_path / "transferred").write_text(server.axfr(ZONE))
    verified = subprocess.run(
        [program("ldns-verify-zone"), str(tmp_path / "transferred")], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    denied = {rrset.rdtype.name for rrset in server.dig(f"nope.{ZONE}", "A", "+dnssec").authority}
    assert denied == {"SOA", "RRSIG", "NSEC3" if options else "NSEC"}
