"""Content is kept as gsqlite3 keeps it, octet for octet, and given back with the octets that were sent.

The same records, of each type that PowerDNS knows, go to two PowerDNS, one with our store and one with gsqlite3: from a
primary, which sends what it likes, and by the API in the text that PowerDNS writes.
"""

from __future__ import annotations

import re
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from pipebackend.admin.operator import Operator
from pipebackend.admin.zoneimport import import_file
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import RecordFault, ZoneFault
from pipebackend.dnsdata import rdtext, rdtypes, typetable, zonelines
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import NEW, OLD
from tests.live.modes.example import until
from tests.live.odd_rdata import odd_records
from tests.live.primaries import Primary, rr
from tests.live.release import VERSION, powerdns_line
from tests.live.servers import HOST, PATIENCE, gsqlite3_schema, remote_config
from tests.live.writes import WritableServer, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

SENT, PATCHED = "sent.example", "patched.example"
IMPORTED, GENERIC, ADDED = "imported.example", "generic.example", "added.example"
RECORDS = odd_records()
DIALECT = OLD if VERSION < (5, 1) else NEW
# What PowerDNS makes itself, or takes from a primary for signatures and denial; a delegation has a referral
LUA_CODE = ("return '" + "x" * 360 + "'", "a\nb", 'a\\"b')
assert rdtypes  # teaches dnspython the types whose names PowerDNS compresses
NOT_SENT = {"NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "DNSKEY", "SOA", "NS"}
# Where what gsqlite3 keeps is wrong: PowerDNS cannot read it, or reads other octets. A pattern of its text, why
WRONG = (
    (r"CAA 0 (iodef|issue) $", "4.7 writes nothing for an empty text, and reads one octet"),
    (r"TYPE0 $", "to PowerDNS an empty non-terminal, of which it answers nothing"),
    (r'(SVCB|HTTPS) .*="\\"\\""', "5.1 writes two quotes for a key without a value, and reads them"),
    (r"(SVCB|HTTPS) .*[;()]", "in a value of SVCB they are read as its end, also within quotes"),
    (r'(SVCB|HTTPS) .*alpn=.*\\\\(\d{3}|\\?")', "an octet of a protocol is escaped twice, and not read again"),
)


# What a file or a command of the operator is held to, and a transfer is not; see docs/writes.md
STRICT = (
    "inconsistent with",  # a digest's length with its type
    "digest type 0 is reserved",
    "digest must be at least",
    "Odd-length string",  # no digest, which PowerDNS writes as "-"
    "declared mandatory but not present",
    "no-default-alpn present, but alpn missing",
    "write IPSECKEY as",  # no key
    "write SVCB as",  # a key that dnspython knows has another form
    "altitude, size or precision out of range",  # an altitude that PowerDNS writes below zero
    "DNS message is malformed",
    "Text input is malformed",
    "expecting a",
)


class Both(NamedTuple):
    """PowerDNS with our store and with gsqlite3, and their databases."""

    ours: WritableServer
    theirs: WritableServer
    our_file: Path
    their_file: Path

    def kept(self, zone: str) -> tuple[dict[str, str], dict[str, str]]:
        """By owner, the type and content of the zone's records in both databases."""
        return _rows(self.our_file, zone), _rows(self.their_file, zone)

    def octets_of(self, name: str, rdtype: int) -> list[bytes]:
        """The octets of our answers of a type; dnspython refuses some of them, which have no names to be compressed."""
        query = dns.message.make_query(name, rdtype)
        wire = query.to_wire()
        with socket.create_connection((HOST, self.ours.port), PATIENCE) as sock, sock.makefile("rb") as stream:
            sock.sendall(len(wire).to_bytes(2, "big") + wire)
            answer = stream.read(int.from_bytes(stream.read(2), "big"))
        try:
            rrsets = dns.message.from_wire(answer).answer
        except dns.exception.DNSException:
            rdata = answer[len(wire) + 12 :]  # after the question, and a pointer, type, class, TTL and length
            return [rdata] if int.from_bytes(answer[6:8], "big") == 1 else []
        return [rdata.to_wire() or b"" for rrset in rrsets for rdata in rrset if rdata.rdtype == rdtype]


def _rows(path: Path, zone: str) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT name, type, prio, content FROM records WHERE name LIKE 'n%.' || ? AND type IS NOT NULL", (zone,)
        ).fetchall()
    return {
        name.partition(".")[0]: f"{type_} {f'{prio} ' if type_ in ('MX', 'SRV') else ''}{content}"
        for name, type_, prio, content in found
    }


def sent() -> Iterator[tuple[str, int, bytes]]:
    for number, (_, rdtype, octets) in enumerate(RECORDS):
        if typetable.type_of(rdtype) not in NOT_SENT:
            yield f"n{number}", rdtype, octets


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    config = folder / "pipebackend.toml"
    config.write_text(powerdns_line())
    database = folder / "gsqlite3.db"
    with Primary() as primary:
        soa = rr(f"{SENT}. 60 SOA ns1.{SENT}. hostmaster.{SENT}. 1 1 1 86400 60")
        rest = [rr(f"{SENT}. 60 NS ns1.{SENT}."), rr(f"ns1.{SENT}. 60 A 192.0.2.53")]
        for label, rdtype, octets in sent():
            generic = dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rdtype), octets)
            rest.append(dns.rrset.from_rdata(f"{label}.{SENT}.", 60, generic))
        primary.zones[f"{SENT}."] = [soa, *rest, soa]
        backend = open_backend(str(config))
        Operator(backend).editor.create(SENT, 101, "secondary", [f"{HOST}:{primary.port}"], [], 1)
        Operator(backend).editor.create(PATCHED, 102, "native", [], [], 1)
        backend.close()
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(gsqlite3_schema().read_text())
            zones = [(1, SENT, "SLAVE", f"{HOST}:{primary.port}"), (2, PATCHED, "NATIVE", None)]
            connection.executemany("INSERT INTO domains (id, name, type, master) VALUES (?, ?, ?, ?)", zones)
            soa_row = (2, PATCHED, "SOA", f"ns1.{PATCHED} hostmaster.{PATCHED} 1 1 1 86400 60")
            connection.execute("INSERT INTO records (domain_id, name, type, content) VALUES (?, ?, ?, ?)", soa_row)
            connection.commit()
        common = {"secondary": "yes", "xfr-cycle-interval": "1", "direct-dnskey": "yes"}
        ours = WritableServer({**remote_config(config), **common}, folder)
        gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(database)}
        theirs = WritableServer({**gsqlite3, **common}, folder)
        with ours, theirs:
            for server in (ours, theirs):
                until(lambda server=server: bool(server.dig(SENT, "SOA").answer), f"{SENT} was fetched")
            yield Both(ours, theirs, folder / "zones.db", database)


def is_wrong(kept: str) -> bool:
    """Whether gsqlite3's content is one that PowerDNS does not read as it was."""
    return any(re.match(pattern, kept) for pattern, _ in WRONG)


def test_a_transfer_is_kept_as_gsqlite3_keeps_it(both):
    ours, theirs = both.kept(SENT)
    assert len(theirs) == 1 + len(list(sent())), "ns1, too"
    different = {label: (theirs[label], ours.get(label)) for label in theirs if theirs[label] != ours.get(label)}
    assert {label: pair for label, pair in different.items() if not is_wrong(pair[0])} == {}
    assert len(different) < 10


def test_a_transfer_is_given_back_with_its_octets(both):
    for label, rdtype, octets in sent():
        if rdtype == typetable.NUMBERS["ALIAS"]:  # PowerDNS resolves it
            continue
        found = both.octets_of(f"{label}.{SENT}", rdtype)
        assert found == [octets], (label, both.kept(SENT)[0][label][:100])


def test_the_api_keeps_what_gsqlite3_keeps(both):
    """PowerDNS refuses itself what is not in its own form, and then asks no backend; the rest is one PATCH of ours."""
    taken = []
    for label, rdtype, octets in sent():
        try:
            content = rdtext.text_of(rdtype, octets, DIALECT, lambda name: name if name == "." else f"{name}.")
        except RecordFault:
            continue
        change = rrset(f"{label}.{PATCHED}", typetable.type_of(rdtype, DIALECT), content)
        if both.theirs.patch(PATCHED, change) == 204:
            taken.append(change)
    if VERSION < (5, 1):  # which has a setting for it
        taken += [rrset(f"nlua{n}.{PATCHED}", "LUA", f'TXT "{text}"') for n, text in enumerate(LUA_CODE)]
        assert both.theirs.patch(PATCHED, *taken[-3:]) == 204
    types = {str(change["type"]) for change in taken}
    assert len(types) >= 60, sorted(types)
    assert both.ours.patch(PATCHED, *taken) == 204
    ours, theirs = both.kept(PATCHED)
    different = {label: (theirs[label], ours.get(label)) for label in theirs if theirs[label] != ours.get(label)}
    assert {label: pair for label, pair in different.items() if not is_wrong(pair[0])} == {}


def records_kept(both: Both) -> dict[str, Record]:
    """What gsqlite3 keeps of the transfer, by label, as records."""
    found = {}
    for label, kept in both.kept(SENT)[1].items():
        type_, _, content = kept.partition(" ")
        if label != "ns1" and not is_wrong(kept):
            found[label] = Record(label, type_, 60, content)
    return found


def check_kept(both: Both, zone: str, refused: dict[str, str]) -> None:
    """All but the refused are kept in our zone as gsqlite3 keeps what was transferred."""
    assert {label: why for label, why in refused.items() if not any(words in why for words in STRICT)} == {}
    assert len(refused) < 40
    ours, _ = both.kept(zone)
    theirs = {label: f"{record.type} {record.content}" for label, record in records_kept(both).items()}
    different = {
        label: (theirs[label], ours.get(label)) for label in theirs.keys() - refused if theirs[label] != ours.get(label)
    }
    assert different == {}
    assert len({kept.partition(" ")[0] for kept in ours.values()}) >= 60


@pytest.mark.parametrize("zone", [IMPORTED, GENERIC])
def test_an_import_is_kept_as_gsqlite3_keeps_the_transfer(both: Both, tmp_path: Path, zone: str) -> None:
    """In PowerDNS's own words, and as TYPEnnn in hexadecimal (RFC 3597)."""
    lines = {}
    for label, record in records_kept(both).items():
        line = zonelines.zone_line(record._replace(owner=f"{label}.{zone}"), DIALECT)
        if zone == GENERIC:
            octets = rdtext.octets_of(record.type, record.content)
            line = f"{label} 60 IN TYPE{typetable.number_of(record.type)} \\# {len(octets)} {octets.hex()}"
        lines[label] = line
    head = [f"@ 60 SOA ns1.{zone}. hostmaster.{zone}. 1 1 1 86400 60", f"@ 60 NS ns1.{zone}.", "ns1 60 A 192.0.2.53"]
    refused: dict[str, str] = {}
    file = tmp_path / "zone"
    backend = open_backend(str(both.our_file.with_name("pipebackend.toml")))
    try:
        for _ in range(2):
            there = [label for label in lines if label not in refused]
            file.write_text("\n".join([*head, *(lines[label] for label in there), ""]))
            try:
                import_file(backend, zone, str(file), lambda what, count: None)
                break
            except ZoneFault as exc:
                for fault in exc.faults:
                    place, _, why = fault.removeprefix(f"{file}:").partition(": ")
                    refused[there[int(place) - len(head) - 1]] = why
    finally:
        backend.close()
    check_kept(both, zone, refused)


def test_what_record_add_writes_is_kept_as_gsqlite3_keeps_the_transfer(both: Both) -> None:
    refused = {}
    backend = open_backend(str(both.our_file.with_name("pipebackend.toml")))
    try:
        Operator(backend).editor.create(ADDED, 103, "native", [], [f"ns1.{ADDED}"], 1)
        for label, record in records_kept(both).items():
            number = typetable.number_of(record.type)
            assert number is not None
            octets = rdtext.octets_of(record.type, record.content)
            name = f"{label}.{ADDED}"
            try:
                assert Operator(backend).editor.add(name, record.type, record.content, 60)
            except RecordFault as exc:
                refused[label] = str(exc)
                continue
            generic = f"\\# {len(octets)} {octets.hex()}"
            for other in {record.type, f"TYPE{number}", typetable.type_of(number, OLD), typetable.type_of(number, NEW)}:
                assert not Operator(backend).editor.add(name, other, generic, 60), f"{record} is there already"
    finally:
        backend.close()
    check_kept(both, ADDED, refused)
