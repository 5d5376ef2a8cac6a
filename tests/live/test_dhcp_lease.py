"""A DHCP server's updates for a lease (RFC 4703) and nsupdate's prerequisites, with TSIG, over us and gsqlite3."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.live.servers import gsqlite3_schema, installed_command, remote_config
from tests.live.writes import WritableServer, nsupdate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE, REVERSE = "example.org", "2.0.192.in-addr.arpa"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
KEY = f"hmac-sha256:dhcp:{SECRET}"
FILE = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1.example.org.\n{0}"
HOSTS = "ns1 A 192.0.2.53\nwww A 192.0.2.80\nwww A 192.0.2.81\nalias CNAME www\n"
PC = f"pc.{ZONE}"
# RFC 4701 section 3.6 has such values
MINE, OTHERS = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="

LIFE: list[tuple[str, str, tuple[str, ...], str]] = [  # step, zone, lines and what is answered
    (
        "a lease is added where nothing is (RFC 4703 section 5.3.1)",
        ZONE,
        (f"prereq nxdomain {PC}", f"update add {PC} 600 A 192.0.2.7", f"update add {PC} 600 DHCID {MINE}"),
        "NOERROR",
    ),
    ("its PTR", REVERSE, (f"update delete 7.{REVERSE} PTR", f"update add 7.{REVERSE} 600 PTR {PC}"), "NOERROR"),
    (
        "it cannot be added a second time",
        ZONE,
        (f"prereq nxdomain {PC}", f"update add {PC} 600 A 192.0.2.8", f"update add {PC} 600 DHCID {MINE}"),
        "YXDOMAIN",
    ),
    (
        "it is renewed by who has its DHCID (section 5.3.2)",
        ZONE,
        (
            f"prereq yxdomain {PC}",
            f"prereq yxrrset {PC} DHCID {MINE}",
            f"update delete {PC} A",
            f"update add {PC} 600 A 192.0.2.9",
        ),
        "NOERROR",
    ),
    (
        "another client cannot take the name",
        ZONE,
        (
            f"prereq yxdomain {PC}",
            f"prereq yxrrset {PC} DHCID {OTHERS}",
            f"update delete {PC} A",
            f"update add {PC} 600 A 192.0.2.66",
        ),
        "NXRRSET",
    ),
    (
        "a server that may takes it over",
        ZONE,
        (
            f"prereq yxrrset {PC} DHCID",
            f"update delete {PC} DHCID {MINE}",
            f"update delete {PC} A",
            f"update add {PC} 600 DHCID {OTHERS}",
            f"update add {PC} 600 A 192.0.2.10",
        ),
        "NOERROR",
    ),
    (
        "the address is released (section 5.5)",
        ZONE,
        (f"prereq yxrrset {PC} DHCID {OTHERS}", f"update delete {PC} A 192.0.2.10"),
        "NOERROR",
    ),
    (
        "and the DHCID, where no address is left",
        ZONE,
        (
            f"prereq yxrrset {PC} DHCID {OTHERS}",
            f"prereq nxrrset {PC} A",
            f"prereq nxrrset {PC} AAAA",
            f"update delete {PC} DHCID {OTHERS}",
        ),
        "NOERROR",
    ),
    ("and the PTR", REVERSE, (f"prereq yxrrset 7.{REVERSE} PTR {PC}.", f"update delete 7.{REVERSE} PTR"), "NOERROR"),
]
PREREQUISITES = {  # RFC 2136 section 2.4, each met and not met
    "yxdomain": ("www", "nope", "{0}", "NXDOMAIN"),
    "nxdomain": ("nope", "www", "{0}", "YXDOMAIN"),
    "yxrrset": ("www", "nope", "{0} A", "NXRRSET"),
    "nxrrset": ("nope", "www", "{0} A", "YXRRSET"),
}
BY_VALUE = {
    "both in any order": (("A 192.0.2.81", "A 192.0.2.80"), "NOERROR"),
    "one of two": (("A 192.0.2.80",), "NXRRSET"),
    "one too many": (("A 192.0.2.80", "A 192.0.2.81", "A 192.0.2.82"), "NXRRSET"),
    "another": (("A 192.0.2.80", "A 192.0.2.82"), "NXRRSET"),
}


def set_up(server: WritableServer, folder: Path) -> None:
    server.said("import-tsig-key", "dhcp", "hmac-sha256", SECRET)
    for zone, more in ((ZONE, HOSTS), (REVERSE, "")):
        (folder / zone).write_text(FILE.format(more))
        server.said("load-zone", zone, str(folder / zone))
        server.said("set-meta", zone, "TSIG-ALLOW-DNSUPDATE", "dhcp")
        server.said("set-meta", zone, "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")


@pytest.fixture(scope="module", params=["ours", "gsqlite3"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WritableServer]:
    folder = tmp_path_factory.mktemp("lease")
    if request.param == "ours":
        config = folder / "pipebackend.toml"
        config.write_text('[store]\nurl = "sqlite:zones.db"\n')
        made = WritableServer(remote_config(config, dnssec=True), folder)
        for zone in (ZONE, REVERSE):
            command = [installed_command("zoneutil"), "--config", str(config), "zone", "create", zone]
            subprocess.run(command, check=True, capture_output=True)
    else:
        with closing(sqlite3.connect(folder / "theirs.db")) as database:
            database.executescript(gsqlite3_schema().read_text())
        settings = {"launch": "gsqlite3", "gsqlite3-database": str(folder / "theirs.db"), "gsqlite3-dnssec": "yes"}
        made = WritableServer(settings, folder)
        for zone in (ZONE, REVERSE):
            made.said("create-zone", zone)
    set_up(made, folder)
    with made:
        yield made


def test_the_life_of_a_lease(server: WritableServer) -> None:
    for step, zone, lines, answer in LIFE:
        assert nsupdate(server, zone, *lines, key=KEY) == answer, step
        address = {str(record) for rrset in server.dig(PC).answer for record in rrset}
        if step.startswith("it is renewed"):
            assert address == {"192.0.2.9"}
        if step.startswith("a server"):
            assert address == {"192.0.2.10"}
    assert server.dig(PC, "DHCID").rcode().name == "NXDOMAIN"
    assert server.dig(f"7.{REVERSE}", "PTR").rcode().name == "NXDOMAIN"


def test_an_update_without_the_key(server: WritableServer) -> None:
    assert nsupdate(server, ZONE, f"update add {PC} 600 A 192.0.2.7") == "REFUSED"
    assert server.dig(PC).rcode().name == "NXDOMAIN"


@pytest.mark.parametrize("prerequisite", PREREQUISITES)
def test_a_prerequisite(server: WritableServer, prerequisite: str) -> None:
    met, not_met, form, refusal = PREREQUISITES[prerequisite]
    for name, answer in ((met, "NOERROR"), (not_met, refusal)):
        condition = form.format(f"{name}.{ZONE}")
        lines = (f"prereq {prerequisite} {condition}", f"update add new.{ZONE} 60 A 192.0.2.1")
        assert nsupdate(server, ZONE, *lines, key=KEY) == answer, condition
        assert bool(server.dig(f"new.{ZONE}").answer) is (answer == "NOERROR")
        nsupdate(server, ZONE, f"update delete new.{ZONE}", key=KEY)


@pytest.mark.parametrize("case", BY_VALUE)
def test_a_prerequisite_by_value(server: WritableServer, case: str) -> None:
    values, answer = BY_VALUE[case]
    lines = [f"prereq yxrrset www.{ZONE} {value}" for value in values]
    assert nsupdate(server, ZONE, *lines, f"update add seen.{ZONE} 60 A 192.0.2.1", key=KEY) == answer
    nsupdate(server, ZONE, f"update delete seen.{ZONE}", key=KEY)
