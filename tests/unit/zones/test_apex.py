"""What every configured zone says in the same words: SOA, NS and fixed records."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipebackend.base.errors import NameFault, RecordFault
from pipebackend.config.configuration import Config, Section
from pipebackend.dnsdata.records import Record
from pipebackend.zones import apex
from tests.making import age

SOA = 'name = "Aa."\nsoa = { mname = "ns1.aa.", rname = "mail.aa", serial = 9 }\n'


def read(toml: str, zone: str = "aa") -> tuple[list[Record], list[str]]:
    section = Section(Config("", "", {}), tomllib.loads(toml), "zone[0]", [])
    section.name("name")
    found = apex.read(section, zone, 60, [])
    return found, [fault.removeprefix("built-in configuration: zone[0].") for fault in section.faults]


def test_soa_ns_and_records_in_the_spelling_of_the_zone() -> None:
    found, faults = read(SOA + 'ns = ["NS1.aa.", "."]\nrecords = ["@ A 192.0.2.1", "WWW 5 A 192.0.2.2"]\n')
    assert faults == []
    assert found == [
        Record("Aa", "SOA", 60, "ns1.aa mail.aa 9 10800 3600 604800 60"),
        Record("Aa", "NS", 60, "NS1.aa"),
        Record("Aa", "NS", 60, "."),
        Record("Aa", "A", 60, "192.0.2.1"),
        Record("WWW.Aa", "A", 5, "192.0.2.2"),
    ]


def test_the_timers_can_be_set() -> None:
    soa = 'soa = { mname = "a", rname = "b", serial = 4294967295, refresh = 1, retry = 2, expire = 3, minimum = 4 }'
    soa = f'name = "aa"\nns = ["ns.aa"]\n{soa}'
    assert read(soa)[0][0].content == "a b 4294967295 1 2 3 4"


def test_the_root_can_be_a_zone() -> None:
    found, faults = read(
        'name = "."\nns = ["a.root"]\nsoa = { mname = "a", rname = "b", serial = 1 }\nrecords = ["x A 192.0.2.1"]', ""
    )
    assert faults == []
    assert [record.owner for record in found] == ["", "", "x"]


@pytest.mark.parametrize(
    ("toml", "faults"),
    [
        (SOA, ["ns: is missing; it must be a list of strings"]),
        (
            'name = "aa"\nns = ["a"]',
            ["soa.mname: is missing; it must be a string", "soa.rname: is missing; it must be a string"],
        ),
        ('name = "aa"\nns = ["a"]\nsoa = "x"', None),
        (SOA + "ns = 5", ["ns: must be a list of strings, not 5"]),
        (SOA + 'ns = ["a..b"]', ["ns: name 'a..b' has an empty label"]),
        (SOA + 'ns = ["a"]\nrecords = "x"', ["records: must be a list of strings, not 'x'"]),
        (
            SOA.replace("mail.aa", "mail@aa") + 'ns = ["a"]',
            ["soa.rname: write the mail address with a dot for the @: mail.aa"],
        ),
        (SOA.replace("9", "4294967296") + 'ns = ["a"]', ["soa.serial: must be from 0 to 4294967295, not 4294967296"]),
        (SOA.replace("serial", "serail") + 'ns = ["a"]', None),
    ],
)
def test_faults_name_their_key(toml: str, faults: list[str] | None) -> None:
    found = read(toml)[1]
    if faults is None:
        assert any(fault.startswith("soa") for fault in found)
    else:
        assert found == faults


def test_a_faulty_zone_name_is_said_once() -> None:
    _, faults = read(SOA.replace("Aa.", "a..b") + 'ns = ["a"]', "")
    assert faults == ["name: name 'a..b' has an empty label"]


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("www A 192.0.2.1", Record("www.aa", "A", 60, "192.0.2.1")),
        ("  www   300   a   192.0.2.1 ", Record("www.aa", "A", 300, "192.0.2.1")),
        ("www 0 A 192.0.2.1", Record("www.aa", "A", 0, "192.0.2.1")),
        ("www 2147483647 A 192.0.2.1", Record("www.aa", "A", 2147483647, "192.0.2.1")),
        ("@ MX 10 mail.aa.", Record("aa", "MX", 60, "10 mail.aa")),
        ("Www.AA. A 192.0.2.1", Record("Www.AA", "A", 60, "192.0.2.1")),
        ("* TXT hello there", Record("*.aa", "TXT", 60, '"hello" "there"')),
        (r"a\.b CNAME c.aa", Record(r"a\.b.aa", "CNAME", 60, "c.aa")),
        ("sub NS ns.sub.aa", Record("sub.aa", "NS", 60, "ns.sub.aa")),
        ("www IN A 192.0.2.2", Record("www.aa", "A", 60, "192.0.2.2")),
        ("www in 300 A 192.0.2.2", Record("www.aa", "A", 300, "192.0.2.2")),
        ("www 300 IN A 192.0.2.2", Record("www.aa", "A", 300, "192.0.2.2")),
        ("www\tIN\tTXT\thello there", Record("www.aa", "TXT", 60, '"hello" "there"')),
        ("in IN A 192.0.2.2", Record("in.aa", "A", 60, "192.0.2.2")),
    ],
)
def test_a_fixed_record(line: str, record: Record) -> None:
    assert apex.fixed_record(line, "aa", 60) == record


@pytest.mark.parametrize(
    ("line", "fault", "complaint"),
    [
        ("", RecordFault, "must be written: owner [ttl] type content"),
        ("www", RecordFault, "must be written: owner [ttl] type content"),
        ("www A", RecordFault, "must be written: owner [ttl] type content"),
        ("www 60 A", RecordFault, "must be written: owner [ttl] type content"),
        ("www IN A", RecordFault, "must be written: owner [ttl] type content, such as 'www 300 A 192.0.2.1'"),
        ("www IN IN A 192.0.2.1", RecordFault, "IN is a class, which is left out here; write the type first, as A"),
        ("www CH A 192.0.2.1", RecordFault, "class CH is not served; leave it out, or write IN"),
        ("www 1h A 192.0.2.1", RecordFault, "ttl '1h' is not a number of seconds; write 3600"),
        ("www 2147483648 A 192.0.2.1", RecordFault, "the ttl is above 2147483647"),
        ("www " + "9" * 5000 + " A 192.0.2.1", RecordFault, "the ttl is above 2147483647"),
        ("www A 192.0.2", RecordFault, "'192.0.2' is not an IPv4 address"),
        ("@ SOA a b 1 2 3 4 5", RecordFault, "the SOA record is written as soa = { … }"),
        ("a..b A 192.0.2.1", NameFault, "has an empty label"),
        ("www.other. A 192.0.2.1", NameFault, "www.other. is not in the zone aa"),
        ("x" * 64 + " A 192.0.2.1", NameFault, "is longer than 63 octets"),
    ],
)
def test_a_fixed_record_that_is_none(line: str, fault: type[Exception], complaint: str) -> None:
    with pytest.raises(fault) as caught:
        apex.fixed_record(line, "aa", 60)
    assert complaint in str(caught.value)


def test_the_serial_is_the_newest_time_and_never_zero(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for path, seconds in ((old, 1000), (new, 2000)):
        path.touch()
        age(path, seconds)
    assert apex.serial_of([str(old), str(new)]) == 2000
    assert apex.serial_of([str(tmp_path / "none"), str(old)]) == 1000
    assert apex.serial_of([]) == 1
    age(new, 2**32 + 5)
    assert apex.serial_of([str(new)]) == 5


def test_a_zone_needs_a_name_server() -> None:
    assert read(SOA + "ns = []\n")[1] == ["ns: at least one name server is needed"]
