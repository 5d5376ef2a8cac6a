"""What is told of a zone that is served all the same."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata.records import Record
from pipebackend.zones import zonecheck

APEX = "example.org"
NAMED = """
@ SOA ns1.example.org hostmaster.example.org 1 2 3 4 5
@ NS ns1.example.org
ns1 A 192.0.2.1
"""


def faults(lines: str, head: str = NAMED) -> list[str]:
    records = []
    for line in (head + lines).strip().splitlines():
        owner, type_, content = line.split(" ", 2)
        ttl, _, type_ = type_.rpartition("/")
        full = APEX if owner == "@" else owner.removesuffix(".") if owner.endswith(".") else f"{owner}.{APEX}"
        records.append(Record(full, type_, int(ttl or 60), content))
    return zonecheck.check(APEX, records, [f"zone:{number}" for number in range(1, len(records) + 1)])


GOOD = [
    "x CNAME nowhere.example.org",
    "x CNAME nowhere.example.org\nx RRSIG CNAME 13 3 60 20300101000000 20200101000000 1 example.org AAAA",
    "@ MX 0 .",
    "_x._tcp SRV 0 0 0 .",
    "@ MX 10 *.w.example.org\n*.w A 192.0.2.1",
    "@ MX 10 a.w.example.org\n*.w A 192.0.2.1",
    "@ MX 10 mail.example.net",
    "@ MX 10 NS1.Example.ORG",
    "sub NS ns.sub.example.org\nns.sub AAAA 2001:db8::1\n@ MX 10 mail.sub.example.org",
    "d DNAME example.net",
    "",
]
WRONG = [
    ("@ NS ns2.example.org", "zone:4: example.org NS: ns2.example.org has no address: add its A or AAAA"),
    ("@ MX 10 mail.example.org", "zone:4: example.org MX: mail.example.org has no address: add its A or AAAA"),
    (
        "_x SRV 0 0 1 s.example.org\ns TXT x",
        "zone:4: _x.example.org SRV: s.example.org has no address: add its A or AAAA",
    ),
    (
        "@ MX 10 m.example.org\nm CNAME ns1.example.org",
        "zone:4: example.org MX: m.example.org is a CNAME, which MX must not name (RFC 2181 section 10.3)",
    ),
    (
        "sub NS ns.sub.example.org",
        "zone:4: sub.example.org NS: ns.sub.example.org is below the delegation of sub.example.org and has no glue: "
        "add its A or AAAA",
    ),
    (
        "a NS ns.b.example.org\nb NS ns1.example.org",
        "zone:4: a.example.org NS: ns.b.example.org is below the delegation of b.example.org and has no glue: "
        "add its A or AAAA",
    ),
    ("x CNAME y\nx A 192.0.2.1", "zone:4: x.example.org has a CNAME beside A (RFC 1034 section 3.6.2)"),
    ("x CNAME y\nx CNAME z", "zone:5: x.example.org has more than one CNAME (RFC 2181 section 10.1)"),
    ("x A 192.0.2.1\nX A 192.0.2.1", "zone:5: X.example.org A 192.0.2.1 is there twice"),
    (
        "x 60/A 192.0.2.1\nx 61/A 192.0.2.2",
        "zone:5: x.example.org A has ttl 61, the first one 60 (RFC 2181 section 5.2)",
    ),
    ("other.example. A 192.0.2.1", "zone:4: other.example is not in the zone example.org; it is never asked for here"),
    (
        "d DNAME example.net\nx.d A 192.0.2.1",
        "zone:5: x.d.example.org is below the DNAME at d.example.org, which hides it (RFC 6672 section 2.4)",
    ),
    (
        "d DNAME a.net\n@ MX 1 m.d.example.org",
        "zone:5: example.org MX: m.d.example.org is below the DNAME at d.example.org",
    ),
    (
        "sub NS ns1.example.org\nsub.sub NS nowhere.sub.sub.example.org",
        "zone:5: NS at sub.sub.example.org, which is below a delegation and so never seen (RFC 9499: occluded name)",
    ),
    ("@ SOA a b 1 2 3 4 5", "zone:4: a second SOA"),
    ("x SOA a b 1 2 3 4 5", "zone:4: SOA at x.example.org, which is not the zone's apex"),
    ("@ MX 10 a..example.org", "zone:4: name 'a..example.org' has an empty label"),
]


@pytest.mark.parametrize("lines", GOOD)
def test_nothing_is_told_of_a_good_zone(lines: str) -> None:
    assert faults(lines) == []


@pytest.mark.parametrize(("lines", "fault"), WRONG)
def test_a_fault_is_told_with_its_line(lines: str, fault: str) -> None:
    assert faults(lines) == [fault]


def test_a_zone_needs_soa_and_ns() -> None:
    assert faults("x A 192.0.2.1", head="") == [
        "example.org: the zone has no SOA record",
        "example.org: the zone has no NS record at its apex (RFC 1034 section 4.2.1); other servers refuse it",
    ]


def test_faults_stand_in_the_order_of_the_records() -> None:
    said = faults("b MX 10 no.example.org\na CNAME x\na TXT y\nb 61/MX 20 no.example.org")
    assert [fault.split(": ")[0] for fault in said] == ["zone:4", "zone:5", "zone:7", "zone:7"]


def test_without_lines_a_fault_begins_with_the_zone() -> None:
    records = [
        Record("", "SOA", 60, "a b 1 2 3 4 5"),
        Record("", "NS", 60, "ns"),
        Record("ns", "", 0, ""),
    ]
    assert zonecheck.check("", records) == [".: . NS: ns has no address: add its A or AAAA"]
