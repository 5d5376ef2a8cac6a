"""A write that was not kept is a failure to who asked for it, in each of PowerDNS's commands and interfaces.

The store refuses one address, by a trigger: that is a failing write of the database as on a full disk.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from pipebackend.admin.zoneimport import import_file
from pipebackend.backend.opening import open_backend
from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.servers import HOST, pdns_version, remote_config
from tests.live.writes import WritableServer, nsupdate, rrset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dns.rrset import RRset

pytestmark = pytest.mark.live

ZONE = "example.org"
FILE = """\
$ORIGIN {0}.
$TTL 60
@    SOA  ns1 hostmaster 1 1 1 86400 2
@    NS   ns1
ns1  A    192.0.2.53
www  A    192.0.2.80
txt  TXT  "x"
"""
BAD = "192.0.2.66"
TRIGGER = f"""CREATE TRIGGER refuses BEFORE INSERT ON records WHEN NEW.content = '{BAD}' BEGIN
    SELECT RAISE(ABORT, 'refused by the test'); END"""
WHOLE = [
    rrset(ZONE, "SOA", f"ns1.{ZONE}. hostmaster.{ZONE}. 9 1 1 86400 2"),
    rrset(ZONE, "NS", f"ns1.{ZONE}."),
    rrset(f"ns1.{ZONE}", "A", "192.0.2.53"),
]


def put(server: WritableServer, zone: str, *more: dict[str, object], **settings: object) -> int:
    rrsets = [{**each, "name": str(each["name"]).replace(ZONE, zone)} for each in (*WHOLE, *more)]
    return server.api("PUT", f"/zones/{zone}.", {"rrsets": rrsets, **settings}).status


def load(server: WritableServer, zone: str, more: str) -> int:
    path = server.folder / "load"
    path.write_text(FILE.format(zone) + more)
    return server.pdnsutil("load-zone", zone, str(path)).returncode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("writes")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[WritableServer]:
    config = folder / "pipebackend.toml"
    (folder / "configured").write_text(FILE.format("configured.test"))
    config.write_text(
        '[store]\nurl = "sqlite:zones.db"\n[[zone]]\nname = "configured.test"\nkind = "file"\nfile = "configured"\n'
    )
    fill(folder)
    with sqlite3.connect(folder / "zones.db") as connection:
        connection.execute(TRIGGER)
    connection.close()
    settings = {"secondary": "yes", "xfr-cycle-interval": "1"}
    with WritableServer({**remote_config(config, dnssec=True), **settings}, folder) as running:
        yield running


def fill(folder: Path) -> None:
    """The zone as it is before each test."""
    backend = open_backend(str(folder / "pipebackend.toml"))
    (folder / "file").write_text(FILE.format(ZONE))
    import_file(backend, ZONE, str(folder / "file"), lambda what, count: None)
    backend.close()


def records(folder: Path, zone: str = ZONE) -> list[str]:
    backend = open_backend(str(folder / "pipebackend.toml"))
    found = sorted(map(str, backend.transfer(zone)[1]))
    backend.close()
    return found


WRITES: dict[str, Callable[[WritableServer], int | str]] = {
    "PATCH": lambda s: s.patch(ZONE, rrset(f"good.{ZONE}", "A", "192.0.2.9"), rrset(f"new.{ZONE}", "A", BAD)),
    "PUT": lambda s: put(s, ZONE, rrset(f"new.{ZONE}", "A", BAD)),
    "PUT without rectify": lambda s: put(s, ZONE, rrset(f"new.{ZONE}", "A", BAD), api_rectify=False),
    "add-record": lambda s: s.edit_rrset("add-record", ZONE, "www", "A", "60", BAD).returncode,
    "replace-rrset": lambda s: s.edit_rrset("replace-rrset", ZONE, "www", "A", "60", BAD).returncode,
    "delete-rrset": lambda s: s.edit_rrset("delete-rrset", ZONE, "@", "SOA").returncode,
    "edit-zone": lambda s: s.edit_zone(ZONE, f"sed -i s/192.0.2.80/{BAD}/"),
    "load-zone": lambda s: load(s, ZONE, f"new A {BAD}\n"),
    "UPDATE, a new name": lambda s: nsupdate(s, ZONE, f"update add new.{ZONE} 60 A {BAD}"),
    "UPDATE, one more": lambda s: nsupdate(s, ZONE, f"update add www.{ZONE} 60 A {BAD}"),
    "DELETE of the SOA": lambda s: s.patch(ZONE, rrset(ZONE, "SOA")),
}
FAILED = {
    "PATCH": (422, 500),
    "PUT": (422, 500),
    "PUT without rectify": (500,),
    "DELETE of the SOA": (422,),
    "UPDATE, a new name": ("SERVFAIL",),
    "UPDATE, one more": ("SERVFAIL",),
}
NO_RRSETS_IN_PUT = pytest.mark.skipif(pdns_version() < (4, 8), reason="PowerDNS 4.7 ignores the rrsets of a PUT")


@pytest.mark.parametrize("write", [pytest.param(w, marks=NO_RRSETS_IN_PUT) if w[:3] == "PUT" else w for w in WRITES])
def test_what_was_not_kept_is_a_failure(server: WritableServer, folder: Path, write: str) -> None:
    fill(folder)
    before = records(folder)
    answer = WRITES[write](server)
    assert answer in FAILED.get(write, range(1, 256)), f"{write}: {answer}"
    assert records(folder) == before
    assert nsupdate(server, ZONE, f"update add after.{ZONE} 60 A 192.0.2.9") == "NOERROR", "the next write is kept"


def test_the_log_has_the_reason(server: WritableServer, folder: Path) -> None:
    fill(folder)
    server.patch(ZONE, rrset(ZONE, "SOA"))
    server.wait_for_log(f"zone {ZONE}: it would have 0 SOA records; a zone has one")


@pytest.mark.parametrize("command", ["edit-zone", "delete-rrset", "add-record", "load-zone"])
def test_pdnsutil_fails_for_a_configured_zone(server: WritableServer, folder: Path, command: str) -> None:
    zone = "configured.test"
    before = records(folder, zone)
    if command == "edit-zone":
        status = server.edit_zone(zone, "sed -i s/192.0.2.80/192.0.2.81/")
    elif command == "load-zone":
        status = load(server, zone, "")
    else:
        words = ("TXT", "60", '"y"') if command == "add-record" else ("TXT",)
        status = server.edit_rrset(command, zone, "txt", *words).returncode
    assert status != 0
    assert records(folder, zone) == before


def test_the_api_refuses_a_configured_zone(server: WritableServer, folder: Path) -> None:
    zone = "configured.test"
    before = records(folder, zone)
    assert server.patch(zone, rrset(f"www.{zone}", "A", "192.0.2.9")) == 422
    assert nsupdate(server, zone, f"update add www.{zone} 60 A 192.0.2.9") == "SERVFAIL"
    assert nsupdate(server, zone, f"update delete www.{zone} A") == "SERVFAIL"
    if pdns_version() >= (4, 8):
        assert put(server, zone) == 422
        assert put(server, zone, api_rectify=False) in (422, 500)
    assert records(folder, zone) == before


def test_a_transfer_that_was_not_kept_is_an_error_of_powerdns_too(server: WritableServer, folder: Path) -> None:
    """Its log, and the zone is not fresh: PowerDNS tries again."""
    zone = "second.test"
    with Primary() as primary:
        primary.zones[f"{zone}."] = transferred(zone, BAD)
        backend = open_backend(str(folder / "pipebackend.toml"))
        backend.create_secondary(zone, f"{HOST}:{primary.port}", "")
        until(
            lambda: any(zone in line and "No 'result'" in line for line in server.log.splitlines()),
            "PowerDNS says that the zone was not transferred",
        )
        info = backend.domain(zone)
        assert info is not None
        assert info.last_check == 0
        primary.zones[f"{zone}."] = transferred(zone, "192.0.2.9")
        until(lambda: bool(server.dig(f"www.{zone}").answer), "the good zone was transferred")
        backend.close()


def transferred(zone: str, address: str) -> list[RRset]:
    soa = rr(f"{zone}. 60 SOA ns1.{zone}. hostmaster.{zone}. 1 1 1 86400 60")
    return [soa, rr(f"{zone}. 60 NS ns1.{zone}."), rr(f"www.{zone}. 60 A {address}"), soa]
