"""What a primary must not send: the old zone is served, the log says why, and the next good transfer is taken.

What we refuse, ``zoneutil zone check`` tells too. What PowerDNS refuses never comes as far as us, and it tells nothing.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from pipebackend.backend.opening import open_backend
from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.servers import HOST, PATIENCE, PdnsServer, installed_command, pdns_version, program, remote_config
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


REFUSED = {zone: Bad("a.{0} 60 A 192.0.2.66", "refused by the test") for zone in ("one.example", "two.example")}
REFUSING = """CREATE TRIGGER refuses BEFORE INSERT ON records WHEN NEW.content = '192.0.2.66' BEGIN
    SELECT RAISE(ABORT, 'refused by the test'); END"""  # as a disk does that is full
ODD = {  # and taken, since gsqlite3 takes it; zone check names it
    "cname.example": Bad("www.{0} 60 CNAME ns1.{0}", "www.cname.example has a CNAME beside A"),
    "cnames.example": Bad("a.{0} 60 CNAME b.{0}\na.{0} 60 CNAME c.{0}", "a.cnames.example has more than one CNAME"),
}
CONTENT = "content.example"
UNREADABLE = {  # for PowerDNS
    CONTENT: Bad("a.{0} 60 A short", f"'{CONTENT}', primary: '127.0.0.1', unable to xfr"),
    "broken-off.example": Bad("", "'broken-off.example', primary: '127.0.0.1', unable to xfr", slice(-1)),
    "none.example": Bad("", "'none.example', primary: '127.0.0.1', unable to xfr", slice(1, -1)),
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
def worker(config: Path) -> Iterator[dict[str, str]]:
    """A process that serves all of PowerDNS's connections, and PowerDNS's settings for it."""
    address = config.parent / "socket"
    command = [installed_command("remoteshim"), f"--config={config}", f"--listen=unix:{address}", "--workers=1"]
    with open(config.parent / "worker.log", "wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            until(address.exists, "the socket is there")
            settings = {"remote-connection-string": f"unix:path={address},timeout=20000", "remote-dnssec": "yes"}
            yield {"launch": "remote", **settings}
        finally:
            process.terminate()


@contextmanager
def secondary_of(
    primary: Primary, folder: Path, store: Path, zones: Iterable[str], socket: bool = False
) -> Iterator[PdnsServer]:
    """A secondary with serial 1 of all these zones."""
    config = folder / "pipebackend.toml"
    config.write_text(f'[store]\nurl = "sqlite:{store}/zones.db"\n')
    backend = open_backend(str(config))
    for zone in zones:
        primary.zones[f"{zone}."] = records(zone, 1)
        backend.create_secondary(zone, f"{HOST}:{primary.port}", "")
    backend.close()
    with closing(sqlite3.connect(store / "zones.db")) as database, database:
        database.execute(REFUSING)
    with ExitStack() as stack:
        settings = remote_config(config, dnssec=True)
        if socket:
            settings = stack.enter_context(worker(config))
        server = stack.enter_context(PdnsServer({**settings, "secondary": "yes", "xfr-cycle-interval": "1"}, folder))
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
    with secondary_of(primary, folder, folder, (*REFUSED, *ODD, *UNREADABLE, *LEFT_OUT, OLDER)) as server:
        yield server


def retrieve(server: PdnsServer, zone: str) -> None:
    """Fetch the zone now."""
    command = [program("pdns_control"), f"--config-dir={server.folder}", "retrieve", zone]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def address(server: PdnsServer, zone: str) -> str:
    answer = server.dig(f"www.{zone}", "A").answer
    return answer[0][0].address if answer else ""


def faults(server: PdnsServer, zone: str) -> list[str]:
    """What is wrong with the zone, as its operator asks."""
    command = [installed_command("zoneutil"), f"--config={server.folder.parent}/pipebackend.toml", "zone", "check"]
    found = subprocess.run([*command, zone], capture_output=True, text=True, timeout=PATIENCE)
    assert found.returncode == bool(found.stdout), found.stderr
    return found.stdout.splitlines()


def in_words_of_version(reason: str) -> str:
    """The log line of PowerDNS that is written as 4.9 says it."""
    if pdns_version() >= (5, 0):
        return reason.replace("primary:", "primary")
    return reason.replace("xfr", "parse record") if CONTENT in reason and pdns_version() < (4, 9) else reason


def check_refusal(primary: Primary, secondary: PdnsServer, zone: str, reason: str) -> None:
    """The zone's transfer is refused, PowerDNS knows it, and zone check says why; not any more after a good one."""
    retrieve(secondary, zone)
    until(lambda: faults(secondary, zone) != [], "zone check has the refusal")
    assert any(zone in line and "No 'result'" in line for line in secondary.log.splitlines())
    [fault] = faults(secondary, zone)
    assert re.match(rf"{zone}: the transfer of 20[-\d]+ [:\d]+ UTC was refused, the zone is the one before: ", fault)
    assert reason in fault
    check_recovery(primary, secondary, zone)
    assert faults(secondary, zone) == []


def check_recovery(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    """The old zone is served; what the primary sends next is taken."""
    assert address(secondary, zone) == "192.0.2.1"
    primary.zones[f"{zone}."] = records(zone, 3)
    retrieve(secondary, zone)
    until(lambda: address(secondary, zone) == "192.0.2.3", "the good zone was fetched")


@pytest.mark.parametrize("zone", REFUSED)
def test_the_old_zone_stays(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    assert faults(secondary, zone) == []
    primary.zones[f"{zone}."] = bad(zone, REFUSED[zone])
    check_refusal(primary, secondary, zone, REFUSED[zone].reason)


def test_a_process_that_refused_one_takes_the_next(primary: Primary, tmp_path: Path) -> None:
    with secondary_of(primary, tmp_path, tmp_path, REFUSED, socket=True) as secondary:
        for zone, case in REFUSED.items():
            assert faults(secondary, zone) == []
            primary.zones[f"{zone}."] = bad(zone, case)
            check_refusal(primary, secondary, zone, case.reason)


@pytest.mark.parametrize("zone", ODD)
def test_what_is_odd_is_taken_and_named(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    primary.zones[f"{zone}."] = bad(zone, ODD[zone])
    retrieve(secondary, zone)
    until(lambda: any(ODD[zone].reason in fault for fault in faults(secondary, zone)), "zone check names it")
    assert secondary.axfr(zone).count("\tCNAME\t") == len(ODD[zone].lines.splitlines())


@pytest.mark.parametrize("zone", UNREADABLE)
def test_powerdns_refuses_it(primary: Primary, secondary: PdnsServer, zone: str) -> None:
    primary.zones[f"{zone}."] = bad(zone, UNREADABLE[zone])
    retrieve(secondary, zone)
    secondary.wait_for_log(in_words_of_version(UNREADABLE[zone].reason))
    assert faults(secondary, zone) == []
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
        check_refusal(primary, secondary, FULL, "disk is full")
