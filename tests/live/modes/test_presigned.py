"""Zones signed elsewhere, by file and by transfer, with every kind of denial that their signers know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from tests.live.modes.example import APEX, ZONE, check_answers, is_secure, serial_of, until, validating
from tests.live.modes.page import Section
from tests.live.signed import verdict_of_ldns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.servers import PdnsServer

pytestmark = pytest.mark.live

# The groups of commands of the section
SIGNERS = {"ldns-nsec": 1, "ldns-nsec3": 2, "ldns-opt-out": 3, "bind-nsec": 4, "bind-nsec3": 5, "bind-opt-out": 6}
IMPORT, TRANSFER = 7, 8
PARAMETERS = {"nsec": "", "nsec3": "1 0 5 ab", "opt-out": "1 1 0 -"}


def signed_section(folder: Path, signer: str, zone: str = ZONE) -> Section:
    section = Section("Pre-signed", folder)
    (section.folder / "example.org.zone").write_text(zone)
    section.run(SIGNERS[signer])
    return section


def anchor_of(section: Section) -> str:
    """The key that signed the zone."""
    [key] = section.folder.glob("K*.key")
    [anchor] = [line for line in key.read_text().splitlines() if not line.startswith(";")]
    return re.sub(r"\s*;.*", "", anchor)


def check(server: PdnsServer, section: Section, mode: str, folder: Path) -> None:
    assert verdict_of_ldns(server.axfr(APEX), folder) == "Zone is verified and complete\n"
    with validating(server, folder, [anchor_of(section)]) as resolver:
        check_answers(resolver, opt_out=mode == "opt-out")


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signed_file(tmp_path: Path, signer: str) -> None:
    section = signed_section(tmp_path, signer)
    section.run(IMPORT)
    mode = signer.split("-", 1)[1]
    with section.pdns("192.0.2.53") as server:
        assert PARAMETERS[mode] in server.said("get-meta", APEX, "NSEC3PARAM")
        check(server, section, mode, tmp_path)


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signed_primary(tmp_path: Path, signer: str) -> None:
    section = signed_section(tmp_path, signer)
    mode = signer.split("-", 1)[1]
    with section.nsd("198.51.100.1"):
        section.run(TRANSFER)
        with section.pdns("192.0.2.53") as server:
            until(lambda: serial_of(server) == 1, "the zone was fetched")
            check(server, section, mode, tmp_path)


CAPITALS = f"{ZONE}MiXeD.Case TXT x\n"


def check_denials_by_capitals(server: PdnsServer, section: Section, folder: Path) -> None:
    with validating(server, folder, [anchor_of(section)]) as resolver:
        for question in ((APEX, "A"), (f"Mixed.case.{APEX}", "TXT"), (f"mixed.case.{APEX}", "A")):
            assert is_secure(resolver.query(*question)), question
        assert f" NSEC MiXeD.Case.{APEX}. " in str(resolver.query(APEX, "A"))


@pytest.mark.parametrize("signer", ["ldns-nsec", "bind-nsec"])
def test_a_name_with_capitals(tmp_path: Path, signer: str) -> None:
    """Its case is signed where an NSEC names it (RFC 6840 section 5.1)."""
    section = signed_section(tmp_path, signer, CAPITALS)
    section.run(IMPORT)
    with section.pdns("192.0.2.53") as server:
        check_denials_by_capitals(server, section, tmp_path)
        # What docs/modes.md says of transfers: PowerDNS writes lower case there, whatever the backend
        assert "Bogus" in verdict_of_ldns(server.axfr(APEX), tmp_path)


@pytest.mark.parametrize("signer", ["ldns-nsec", "bind-nsec"])
def test_a_name_with_capitals_that_was_transferred(tmp_path: Path, signer: str) -> None:
    """PowerDNS feeds it in lower case: the denial before it is bogus. pdnsutil keeps its case (docs/modes.md)."""
    section = signed_section(tmp_path, signer, CAPITALS)
    with section.nsd("198.51.100.1"):
        section.run(TRANSFER)
        with section.pdns("192.0.2.53") as server:
            until(lambda: serial_of(server) == 1, "the zone was fetched")
            with validating(server, tmp_path, [anchor_of(section)]) as resolver:
                assert resolver.query(APEX, "A").rcode() == dns.rcode.SERVFAIL
                assert is_secure(resolver.query(f"Mixed.case.{APEX}", "TXT"))
            server.said("load-zone", APEX, str(section.folder / "signed.zone"))
            check_denials_by_capitals(server, section, tmp_path)


def test_a_name_with_capitals_that_is_hashed(tmp_path: Path) -> None:
    """NSEC3 hashes lower case (RFC 5155 section 5), so that nothing is lost in a transfer."""
    section = signed_section(tmp_path, "bind-nsec3", CAPITALS)
    with section.nsd("198.51.100.1"):
        section.run(TRANSFER)
        with section.pdns("192.0.2.53") as server:
            until(lambda: serial_of(server) == 1, "the zone was fetched")
            check(server, section, "nsec3", tmp_path)
