"""Zones that come from elsewhere and zones that go elsewhere, with TSIG, signed on either side."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from tests.live.modes.example import APEX, ZONE, check_answers, ds_of, is_secure, serial_of, until, validating
from tests.live.modes.page import Section
from tests.live.secondaries import HeldNotify
from tests.live.signed import verdict_of_ldns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.secondaries import Nsd
    from tests.live.servers import PdnsServer, Server, Unbound

pytestmark = pytest.mark.live

PRIMARY, SECONDARY, NSD = "192.0.2.53", "198.51.100.1", "198.51.100.2"
SECRET = "b25seSBhbiBleGFtcGxlLCBtYWtlIHlvdXIgb3du"
OTHER_SECRET = "bm90IHRoZSBvbmUgdGhhdCB0aGUgcHJpbWFyeSBoYXM="
# Nothing is looked for again while a test runs: a change comes by NOTIFY or not at all.
NEVER = "86400"
UNREFRESHED_ZONE = ZONE.replace("1 1 1 86400 2", f"1 {NEVER} {NEVER} {NEVER} 2")
WHOLE = "Zone is verified and complete\n"


def change_primary(section: Section, nsd: Nsd, serial: int, more: str = "", zone: str = ZONE) -> None:
    """Another zone file with this serial."""
    text = zone.replace("hostmaster 1 ", f"hostmaster {serial} ")
    assert text != zone or serial == 1
    (section.folder / "example.org.zone").write_text(text + more)
    nsd.reload()


def has(server: Server, name: str) -> bool:
    return bool(server.dig(f"{name}.{APEX}", "A").answer)


def test_secondary_of_an_unsigned_primary(tmp_path: Path) -> None:
    section = Section("Secondary of an unsigned primary", tmp_path)
    (section.folder / "example.org.zone").write_text(ZONE)
    with section.nsd("198.51.100.1") as nsd:
        secondary = section.pdns(PRIMARY)
        section.run(1, secondary)
        assert nsd.axfr(APEX) == ""  # without the key
        with secondary:
            section.run(2, secondary)
            until(lambda: serial_of(secondary) == 1, "the zone was fetched")
            theirs = nsd.axfr(APEX, f"hmac-sha256:transfer:{SECRET}")
            assert sorted(secondary.axfr(APEX).splitlines()) == sorted(theirs.splitlines())
            change_primary(section, nsd, 2, "new A 203.0.113.99\n")
            until(lambda: serial_of(secondary) == 2, "the serial followed")
            assert has(secondary, "new")
            change_primary(section, nsd, 3)
            until(lambda: serial_of(secondary) == 3, "the serial followed again")
            assert not has(secondary, "new")


def test_a_transfer_needs_the_key(tmp_path: Path) -> None:
    """Without it there is no zone, with another secret the old one stays; each time it is the primary that refuses."""
    section = Section("Secondary of an unsigned primary", tmp_path)
    (section.folder / "example.org.zone").write_text(ZONE)
    with section.nsd("198.51.100.1") as nsd:
        secondary = section.pdns(PRIMARY)
        section.run(1, secondary)
        secondary.said("deactivate-tsig-key", APEX, "transfer", "secondary")
        with secondary:
            nsd.wait_for_log(f"axfr for {APEX}. from 127.0.0.1 refused")
            secondary.wait_for_log("AXFR chunk error: Query Refused")
            assert serial_of(secondary) == 0
            secondary.said("activate-tsig-key", APEX, "transfer", "secondary")
            until(lambda: serial_of(secondary) == 1, "the zone was fetched with the key")
            old = secondary.axfr(APEX)

            secondary.said("import-tsig-key", "transfer", "hmac-sha256", OTHER_SECRET)
            change_primary(section, nsd, 2, "new A 203.0.113.99\n")
            nsd.wait_for_log("bad tsig signature for key transfer")
            secondary.wait_for_log("Not Authorized")
            assert serial_of(nsd) == 2
            assert secondary.axfr(APEX) == old

            secondary.said("import-tsig-key", "transfer", "hmac-sha256", SECRET)
            until(lambda: serial_of(secondary) == 2, "the change was fetched with the key")
            assert has(secondary, "new")


@pytest.mark.parametrize("denial", ["nsec", "nsec3"])
def test_front_signing(tmp_path: Path, denial: str) -> None:
    """The NOTIFY, and nothing else, brings what the primary changes; a resolver validates it then."""
    notify = HeldNotify({"transfer": ("hmac-sha256", SECRET)})
    values = {f"notify: {PRIMARY}": f"notify: 127.0.0.1@{notify.port}"}
    section = Section("Front-signing", tmp_path, "Secondary of an unsigned primary", values)
    (section.folder / "example.org.zone").write_text(UNREFRESHED_ZONE)
    with notify, section.nsd("198.51.100.1") as nsd:
        server = section.pdns(PRIMARY, **{"xfr-cycle-interval": NEVER})
        section.run(1, server)
        section.run(3, server)
        if denial == "nsec3":
            server.said("set-nsec3", APEX, "1 0 0 ab")
        with server:
            until(lambda: serial_of(server) == 1, "the zone was fetched")
            with validating(server, tmp_path) as resolver:
                check_answers(resolver)
            change_primary(section, nsd, 2, "new.deep.inside A 203.0.113.99\n", UNREFRESHED_ZONE)
            notify.wait_for(APEX, 2)
            assert (serial_of(nsd), serial_of(server)) == (2, 1)
            notify.pass_on(server)
            server.wait_for_log(f"Received secure NOTIFY for {APEX} from 127.0.0.1, with TSIG key 'transfer'")
            until(lambda: serial_of(server) == 2, "the serial followed")
            with validating(server, tmp_path) as resolver:
                check_answers(resolver)
                check_new_data(resolver)
            assert verdict_of_ldns(server.axfr(APEX), tmp_path) == WHOLE


def check_new_data(resolver: Unbound) -> None:
    """What the primary added is signed, and so is the denial of what stands beside it."""
    for name, rcode in (
        ("new.deep.inside", dns.rcode.NOERROR),
        ("deep.inside", dns.rcode.NOERROR),
        ("other.inside", dns.rcode.NXDOMAIN),
    ):
        answer = resolver.query(f"{name}.{APEX}", "A")
        assert (answer.rcode(), is_secure(answer)) == (rcode, True), answer


def notified_serial(section: Section) -> int:
    connection = sqlite3.connect(section.folder / "zones.db")
    [(serial,)] = connection.execute("SELECT coalesce(notified_serial, 0) FROM domains")
    connection.close()
    return int(serial)


@pytest.mark.parametrize("denial", ["nsec3", pytest.param("nsec", marks=pytest.mark.slow)])
def test_signed_transfers_and_notify(tmp_path: Path, denial: str) -> None:
    """Both secondaries have each change in seconds, whole and signed, and we know that they were told."""
    section = Section("NOTIFY and serials", tmp_path, after="Signed transfers")
    (section.folder / "example.org.zone").write_text(ZONE)
    primary, secondary = section.pdns(PRIMARY), section.pdns(SECONDARY, "secondary.conf")
    section.run(1, primary)
    section.run(2, secondary)
    if denial == "nsec":
        primary.said("unset-nsec3", APEX)
    with secondary, section.nsd(NSD, "  provide-xfr: 127.0.0.1 NOKEY\n") as nsd, primary:
        serial = serial_of(primary)
        assert serial > 2020_00_00_00
        check_secondaries(tmp_path, primary, secondary, nsd)
        until(lambda: notified_serial(section) == 1, "the store knows that they were told")
        section.run(3, primary)
        section.run(4, primary)
        until(lambda: serial_of(secondary) == serial_of(nsd) == serial + 1, "both followed")
        assert has(secondary, "new")
        assert has(nsd, "new")
        check_secondaries(tmp_path, primary, secondary, nsd)
        # increase-serial stores what was served so far, and SOA-EDIT makes one more of it
        until(lambda: notified_serial(section) == serial, "the store knows that they were told again")


def check_secondaries(folder: Path, primary: PdnsServer, *secondaries: Server) -> None:
    serial = serial_of(primary)
    until(lambda: {serial_of(server) for server in secondaries} == {serial}, "all have the zone")
    for server in secondaries:
        transferred = server.axfr(APEX)
        assert verdict_of_ldns(transferred, folder) == WHOLE
        assert sorted(lines(transferred)) == sorted(lines(primary.axfr(APEX)))
        with validating(server, folder, ds_of(primary)) as resolver:
            check_answers(resolver)


def lines(transferred: str) -> list[str]:
    """Without the signatures, which are made again for each transfer."""
    return [" ".join(line.split()) for line in transferred.splitlines() if "\tRRSIG\t" not in line]
