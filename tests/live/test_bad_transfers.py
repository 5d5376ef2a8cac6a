"""What a primary must not send: the old zone is served, the log says why, and the next good transfer is taken."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from pipebackend.backend import open_backend
from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.servers import HOST, PATIENCE, PdnsServer, program, remote_config
from tests.process.disks import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dns.rrset import RRset

pytestmark = pytest.mark.live


class Bad(NamedTuple):
    """What a primary sends between two SOAs beside the rest, which of all that, and what the log says of it."""

    lines: str
    reason: str
    sent: slice = slice(None)


REFUSED = {
    "cname.example": Bad("www.{0} 60 CNAME ns1.{0}", "www.cname.example CNAME: there cannot be A records beside it"),
    "cnames.example": Bad("a.{0} 60 CNAME b.{0}\na.{0} 60 CNAME c.{0}", "there cannot be another CNAME beside it"),
    # PowerDNS itself
    "content.example": Bad("a.{0} 60 A short", "'content.example', primary: '127.0.0.1', unable to parse record"),
    "broken-off.example": Bad("", "'broken-off.example', primary: '127.0.0.1', unable to xfr zone", slice(-1)),
    "none.example": Bad("", "'none.example', primary: '127.0.0.1', unable to xfr zone", slice(1, -1)),
}
LEFT_OUT = {  # by PowerDNS, which takes the rest
    "outside.example": Bad("www.elsewhere.example. 60 A 192.0.2.9", "tried to sneak in out-of-zone data"),
    "two-soas.example": Bad("sub.{0} 60 SOA . . 2 1 1 1 1", ""),
}
OLDER = "older.example"
FULL = "full.example"
SHORT = dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.A, b"\xc0\x00\x02")


def records(zone: str, serial: int, lines: Iterable[str] = ()) -> list[RRset]:
    """A whole transfer; the address of www tells the serial."""
    soa = rr(f"{zone}. 60 SOA ns1.{zone}. hostmaster.{zone}. {serial} 1 1 86400 60")
    plain = f"{zone}. 60 NS ns1.{zone}.", f"ns1.{zone}. 60 A 192.0.2.53", f"www.{zone}. 60 A 192.0.2.{serial}"
    found = [
        dns.rrset.from_rdata(f"a.{zone}.", 60, SHORT) if " short" in line else rr(line) for line in (*plain, *lines)
    ]
    return [soa, *found, soa]


def bad(zone: str, case: Bad) -> list[RRset]:
    return records(zone, 2, case.lines.format(f"{zone}.").splitlines())[case.sent]


@contextmanager
def secondary_of(primary: Primary, folder: Path, store: Path, zones: Iterable[str]) -> Iterator[PdnsServer]:
    """A secondary with serial 1 of all these zones."""
    config = folder / "pipebackend.toml"
    config.write_text(f'[store]\nurl = "sqlite:{store}/zones.db"\n')
    backend = open_backend(str(config))
    for zone in zones:
        primary.zones[f"{zone}."] = records(zone, 1)
        backend.create_secondary(zone, f"{HOST}:{primary.port}", "")
    backend.close()
    settings = {**remote_config(config, timeout=20_000, dnssec=True), "secondary": "yes", "xfr-cycle-interval": "1"}
    with PdnsServer(settings, folder) as server:
        for zone in zones:
            until(lambda zone=zone: address(server, zone) == "192.0.2.1", f"{zone} was fetched")
        yield server


@pytest.fixture(scope="module")
def primary() -> Iterator[Primary]:
    with Primary() as running:
        yield running


@pytest.fixture(scope="module")
def secondary(primary: Primary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdnsServer]:
    folder = tmp_path_factory.mktemp("secondary")
    with secondary_of(primary, folder, folder, (*REFUSED, *LEFT_OUT, OLDER)) as server:
        yield server


def retrieve(server: PdnsServer, zone: str) -> None:
    """Fetch the zone now."""
    command = [program("pdns_control"), f"--config-dir={server.folder}", "retrieve", zone]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def address(server: PdnsServer, zone: str) -> str:
    answer = server.dig(f"www.{zone}", "A").answer
    return answer[0][0].address if answer else ""


def check_recovery(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    """The old zone is served; what the primary sends next is taken."""
    assert address(secondary, zone) == "192.0.2.1"
    primary.zones[f"{zone}."] = records(zone, 3)
    retrieve(secondary, zone)
    until(lambda: address(secondary, zone) == "192.0.2.3", "the good zone was fetched")


@pytest.mark.parametrize("zone", REFUSED)
def test_the_old_zone_stays(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    primary.zones[f"{zone}."] = bad(zone, REFUSED[zone])
    retrieve(secondary, zone)
    secondary.wait_for_log(REFUSED[zone].reason)
    check_recovery(primary, secondary, zone)


@pytest.mark.parametrize("zone", LEFT_OUT)
def test_powerdns_leaves_it_out(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    primary.zones[f"{zone}."] = bad(zone, LEFT_OUT[zone])
    retrieve(secondary, zone)
    until(lambda: address(secondary, zone) == "192.0.2.2", "the rest was taken")
    secondary.wait_for_log(LEFT_OUT[zone].reason)
    assert secondary.axfr(zone).count("\tSOA\t") == 1
    assert len(secondary.axfr(zone).splitlines()) == len(records(zone, 2)) - 1


def test_a_serial_that_goes_back(primary: Primary, secondary: PdnsServer) -> None:
    primary.zones[f"{OLDER}."] = records(OLDER, 0)
    secondary.wait_for_log(f"'{OLDER}' more recent than")
    check_recovery(primary, secondary, OLDER)


def test_a_disk_that_fills_up_at_the_commit(primary: Primary, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk), secondary_of(primary, tmp_path, disk, [FULL]) as secondary:
        primary.zones[f"{FULL}."] = records(FULL, 2, (f"h{number}.{FULL}. 60 A 192.0.2.9" for number in range(20_000)))
        retrieve(secondary, FULL)
        secondary.wait_for_log("disk is full")
        check_recovery(primary, secondary, FULL)
