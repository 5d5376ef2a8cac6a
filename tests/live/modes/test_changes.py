"""Stored zones that others change, by DNS UPDATE and over HTTP, and what the parent zone is told of their keys."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import dns.rcode
import dns.rdatatype
import pytest

from tests.live.modes.example import APEX, ZONE, check_answers, ds_of, is_secure, serial_of, validating
from tests.live.modes.page import Section
from tests.live.signed import verdict_of_ldns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.servers import PdnsServer

pytestmark = pytest.mark.live

WHOLE = "Zone is verified and complete\n"
CHANGED = (
    ("new.deep.inside", "A", dns.rcode.NOERROR, True),
    ("deep.inside", "A", dns.rcode.NOERROR, False),
    ("other.inside", "A", dns.rcode.NXDOMAIN, False),
    ("mail", "A", dns.rcode.NXDOMAIN, False),
)


def section_with_zone(title: str, folder: Path, zone: str = ZONE) -> Section:
    section = Section(title, folder)
    (section.folder / "example.org.zone").write_text(zone)
    return section


def check_changed(server: PdnsServer, folder: Path) -> None:
    """The changes of the page are there, everything validates, and the transferred zone is whole."""
    assert verdict_of_ldns(server.axfr(APEX), folder) == WHOLE
    with validating(server, folder) as resolver:
        for name, type_, rcode, has_answer in CHANGED:
            answer = resolver.query(f"{name}.{APEX}", type_)
            assert (answer.rcode(), bool(answer.answer), is_secure(answer)) == (rcode, has_answer, True), answer
        check_answers(resolver)


@pytest.mark.parametrize("denial", ["nsec", "nsec3"])
def test_dns_update(tmp_path: Path, denial: str) -> None:
    section = section_with_zone("DNS UPDATE", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    if denial == "nsec3":
        server.said("set-nsec3", APEX, "1 0 0 ab")
    with server:
        section.run(2)
        assert serial_of(server) > 1
        assert sorted(rr.address for rr in server.dig(f"www.{APEX}").answer[0]) == ["203.0.113.80", "203.0.113.81"]
        check_changed(server, tmp_path)


def test_dns_update_without_the_key(tmp_path: Path) -> None:
    section = section_with_zone("DNS UPDATE", tmp_path, ZONE)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    server.said("import-tsig-key", "other", "hmac-sha256", "YW5vdGhlciBleGFtcGxlLCBtYWtlIHlvdXIgb3du")
    server.said("set-meta", APEX, "TSIG-ALLOW-DNSUPDATE", "other")
    with server:
        with pytest.raises(AssertionError, match="update failed: REFUSED"):
            section.run(2)
        assert serial_of(server) == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl, with which the page uses the API")
def test_http_api(tmp_path: Path) -> None:
    section = section_with_zone("HTTP API", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server:
        printed = section.run(2)
        found = json.loads(printed[printed.rindex('{"account"') :])
        assert found["dnssec"]
        names = {rrset["name"] for rrset in found["rrsets"]}
        assert f"new.deep.inside.{APEX}." in names
        assert f"mail.{APEX}." not in names
        assert "203.0.113.1" in server.said("get-meta", APEX, "ALSO-NOTIFY")
        check_changed(server, tmp_path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl, with which the page uses the API")
def test_api_with_gsqlite3_beside(tmp_path: Path) -> None:
    section = section_with_zone("API with gsqlite3 beside", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server:
        printed = section.run(2)
        listed = json.loads(printed[printed.rindex("}[{") + 1 :])
        assert {zone["name"] for zone in listed} == {"example.net.", f"{APEX}."}
        assert server.dig("www.example.net").answer[0][0].address == "203.0.113.99"
        assert server.dig(f"www.{APEX}").answer[0][0].address == "203.0.113.80"
        section.run(3)
        assert server.dig("www.example.net").rcode() == dns.rcode.REFUSED
        assert server.dig(f"www.{APEX}").answer
    assert not (section.folder / "zones.db").exists()


def test_cds_and_cdnskey(tmp_path: Path) -> None:
    section = section_with_zone("CDS and CDNSKEY", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server, validating(server, tmp_path) as resolver:
        assert not server.dig(APEX, "CDS").answer
        section.run(2, server)
        [ds] = [text.split(" DS ")[1] for text in ds_of(server) if re.search(r"DS \d+ 13 2 ", text)]
        cds = [rrset for rrset in resolver.query(APEX, "CDS").answer if rrset.rdtype == dns.rdatatype.CDS]
        assert [[rr.to_text() for rr in rrset] for rrset in cds] == [[ds.strip()]]
        assert is_secure(resolver.query(APEX, "CDS"))
        [keys] = server.dig(APEX, "DNSKEY").answer
        [published] = server.dig(APEX, "CDNSKEY").answer
        assert [rr.to_text() for rr in published] == [rr.to_text() for rr in keys]
        assert verdict_of_ldns(server.axfr(APEX), tmp_path) == WHOLE
        section.run(3, server)
        assert not server.dig(APEX, "CDS").answer
        assert not server.dig(APEX, "CDNSKEY").answer
