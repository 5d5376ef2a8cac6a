"""Who has the keys and who has the records: each pair validates, and what cannot is known."""

from __future__ import annotations

import dns.dnssec
import dns.message
import dns.name
import pytest

from tests.live.mariadb import MariaDb
from tests.live.modes.example import APEX, ZONE, check_answers, ds_of, validating
from tests.live.modes.page import Section
from tests.live.servers import Unbound, pdns_version
from tests.live.signed import verdict_of_ldns

pytestmark = pytest.mark.live


WHOLE = "Zone is verified and complete\n"


def section_with_zone_file(title, folder, values=None):
    section = Section(title, folder, values=values)
    (section.folder / "example.org.zone").write_text(ZONE)
    return section


def dnskeys(server):
    [rrset] = server.dig(APEX, "DNSKEY").answer
    return rrset


def test_online_signing(tmp_path):
    """A second server with a copy of the store has the same keys: what either answers fits one DS."""
    section = section_with_zone_file("Online signing", tmp_path)
    first, second = section.pdns("192.0.2.53"), section.pdns("198.51.100.53", "second.conf")
    section.run(1, first)
    delegations = ds_of(first)
    section.run(2)
    with first, second:
        assert dnskeys(first) == dnskeys(second)
        for server in (first, second):
            with validating(server, tmp_path, delegations) as resolver:
                check_answers(resolver)


def test_keys_in_gsqlite3(tmp_path):
    section = section_with_zone_file("Keys in gsqlite3", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server, validating(server, tmp_path) as resolver:
        check_answers(resolver)
    assert not (section.folder / "zones.db").exists()


def test_keys_in_mysql(tmp_path):
    with MariaDb() as database:
        section = section_with_zone_file("Keys in MySQL", tmp_path, {"/run/mysqld/mysqld.sock": str(database.socket)})
        database.client(section.folder / "bin")
        server = section.pdns("192.0.2.53")
        section.run(1, server)
        assert "NARROW hashed NSEC3 semantics" in server.said("show-zone", APEX)
        with server, validating(server, tmp_path) as resolver:
            check_answers(resolver)
            assert server.axfr(APEX) == ""
            server.said("unset-nsec3", APEX)
            with Unbound({APEX: server.port}, tmp_path / "nsec", ds_of(server)) as afresh:
                check_answers(afresh)
            assert verdict_of_ldns(server.axfr(APEX), tmp_path) == WHOLE
            assert not (section.folder / "zones.db").exists()
            section.run(2, server)
            with Unbound({APEX: server.port}, tmp_path / "nsec3", ds_of(server)) as afresh:
                check_answers(afresh)
            assert verdict_of_ldns(server.axfr(APEX), tmp_path) == WHOLE
        keys = section.tool("mariadb", "powerdns", "-Ne", "SELECT COUNT(*) FROM cryptokeys")
        records = section.tool("mariadb", "powerdns", "-Ne", "SELECT COUNT(*) FROM records")
        assert (keys, records) == ("1\n", "0\n")


def test_pipe_with_keys_in_gsqlite3(tmp_path):
    section = section_with_zone_file("PIPE with keys in gsqlite3", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server, validating(server, tmp_path) as resolver:
        check_answers(resolver)
        assert server.axfr(APEX) == ""


@pytest.mark.parametrize("denial", [["unset-nsec3", APEX], ["set-nsec3", APEX, "1 0 0 -"]], ids=["nsec", "nsec3"])
def test_pipe_and_the_order_of_names(tmp_path, denial):
    """What the section warns of, where PowerDNS would have to ask PIPE for the neighbours of a name."""
    section = section_with_zone_file("PIPE with keys in gsqlite3", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    server.said(*denial)
    with server:
        assert server.dig(f"www.{APEX}", "A", "+dnssec").answer
        assert verdict_of_ldns(server.axfr(APEX), tmp_path) == WHOLE
        query = dns.message.make_query(f"nope.{APEX}", "A", want_dnssec=True)
        if pdns_version() < (5, 0):
            server.send(query)
            server.wait_for_log("Got a signal 6")
        else:
            types = {rrset.rdtype.name for rrset in server.ask(query).authority}
            assert types == {"SOA", "RRSIG"}, "no proof"
            server.wait_for_log(f"Backend for zone '{APEX}' does not support DNSSEC operation")


def test_hybrid_bind(tmp_path):
    """By pdnsutil, or where it cannot load the BIND module by PowerDNS's API."""
    section = section_with_zone_file("Hybrid BIND", tmp_path)
    server = section.pdns("192.0.2.53")
    sign, hash_names = (1, 2) if pdns_version() < (5, 0) else (3, 4)
    if sign == 1:
        section.run(sign, server)
    with server:
        if sign == 3:
            section.run(sign, server)
        [key] = dnskeys(server)
        delegations = [f"{APEX}. IN DS {dns.dnssec.make_ds(dns.name.from_text(APEX), key, 'SHA256')}"]
        with validating(server, tmp_path, delegations) as resolver:
            check_answers(resolver)
        section.run(hash_names, server)
        assert "NSEC3PARAM" in server.axfr(APEX)
        with Unbound({APEX: server.port}, tmp_path / "nsec3", delegations) as afresh:
            check_answers(afresh)


def test_zone_files(tmp_path):
    section = section_with_zone_file("Zone files", tmp_path)
    server = section.pdns("192.0.2.53")
    section.run(1, server)
    with server, validating(server, tmp_path) as resolver:
        check_answers(resolver, opt_out=True)
