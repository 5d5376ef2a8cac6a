"""What each version of PowerDNS is told of a record: in a form that it reads, or not at all."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata import answerable, versions
from pipebackend.dnsdata.records import ENT, Record
from pipebackend.dnsdata.versions import UNKNOWN, Version

OLD, NEW = versions.of("4.9"), versions.of("5.1")
assert OLD is not None
assert NEW is not None
GROUPS = r'1 . mandatory=key9 key9="\000\029\000\023"'
# Each as it may be kept, and as the versions before 5.1 and those from then on read it
FORMS = [
    ("TYPE67", r"\# 4 01020304", ("TYPE67", r"\# 4 01020304"), ("HHIT", "AQIDBA==")),
    ("HHIT", "AQIDBA==", ("TYPE67", r"\# 4 01020304"), ("HHIT", "AQIDBA==")),
    ("BRID", "AQID", ("TYPE68", r"\# 3 010203"), ("BRID", "AQID")),
    ("TYPE261", r"\# 4 03616263", ("TYPE261", r"\# 4 03616263"), ("RESINFO", '"abc"')),
    ("WALLET", '"a" "b"', ("TYPE262", r"\# 4 01610162"), ("WALLET", '"a" "b"')),
    ("SVCB", '1 . key7="/d"', ("SVCB", '1 . key7="/d"'), ("SVCB", '1 . dohpath="/d"')),
    ("HTTPS", '1 . key8=""', ("HTTPS", '1 . key8=""'), ("HTTPS", "1 . ohttp")),
    ("SVCB", "1 . ohttp", ("SVCB", '1 . key8=""'), ("SVCB", "1 . ohttp")),
    ("SVCB", GROUPS, ("SVCB", GROUPS), ("SVCB", "1 . mandatory=tls-supported-groups tls-supported-groups=29,23")),
    ("HTTPS", "1 . alpn=h2", ("HTTPS", "1 . alpn=h2"), ("HTTPS", "1 . alpn=h2")),
    ("SVCB", "1 . port=53 ipv4hint=auto", ("SVCB", "1 . port=53 ipv4hint=auto"), ("SVCB", "1 . port=53 ipv4hint=auto")),
]


@pytest.mark.parametrize(("type_", "content", "old", "new"), FORMS)
def test_each_version_gets_its_own_form(type_: str, content: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    record = Record("x.example", type_, 60, content)
    assert OLD is not None
    assert NEW is not None
    for version, (wanted_type, wanted) in ((OLD, old), (NEW, new)):
        told = answerable.in_words_of(version, record)
        assert told == Record("x.example", wanted_type, 60, wanted)
        assert answerable.in_words_of(version, told) == told, "and what is in its form stays so"


WORDED = [
    (
        "LOC",
        "60 9 0.000 N 0 1 0.000 E 0.00m 1.00m 1.00m 1.00m",
        "60 8 60.000 N 0 1 0.000 E 0.00m 1.00m 1.00m 1.00m",
        "",
    ),
    (
        "LOC",
        "1 2 3.000 N 0 1 2.000 E 42849672.95m 1.00m 1.00m 1.00m",
        *2 * ("1 2 3.000 N 0 1 2.000 E -100000.01m 1.00m 1.00m 1.00m",),
    ),
    ("LOC", "1 2 3.000 N 0 1 2.000 E 0.00m 1.00m 1.00m 1.00m", "", ""),
    ("LOC", "somewhere 0.000 N", "", ""),
    ("CSYNC", "1 1 A TYPE261", "", "1 1 A RESINFO"),
    ("TYPE65280", "\\# 0", "\\# 0 ", ""),
]


@pytest.mark.parametrize(("type_", "content", "old", "new"), WORDED)
def test_content_that_all_read_is_in_the_words_of_a_known_version(type_: str, content: str, old: str, new: str) -> None:
    """Empty is as it is; ``pdnsutil check-zone`` compares."""
    record = Record("x.example", type_, 60, content)
    assert OLD is not None
    assert NEW is not None
    for version, wanted in ((OLD, old), (NEW, new), (UNKNOWN, "")):
        assert answerable.at_name(version, [record], "ANY") == [record._replace(content=wanted or content)]


@pytest.mark.parametrize(
    ("type_", "content"), [("TYPE67", r"\# 1 01"), ("TYPE262", r"\# 1 00"), ("SVCB", '1 . key8=""'), ("SVCB", GROUPS)]
)
def test_what_versions_read_in_different_forms_is_not_told_to_an_unknown_one(type_: str, content: str) -> None:
    record = Record("x.example", type_, 60, content)
    assert answerable.in_words_of(UNKNOWN, record) is None
    assert "say which one it is" in answerable.fault(UNKNOWN, record)


def test_an_unknown_version_gets_what_all_read_and_what_it_wrote_itself() -> None:
    for type_, content, told in (
        ("SVCB", '1 . dohpath="/d"', '1 . key7="/d"'),
        ("RESINFO", '"abc"', '"abc"'),
        ("HTTPS", "1 . alpn=h2", "1 . alpn=h2"),
    ):
        record = Record("x.example", type_, 60, content)
        assert answerable.in_words_of(UNKNOWN, record) == record._replace(content=told)


@pytest.mark.parametrize(
    ("type_", "content"),
    [("KEY", "49152 3 3 "), ("DNSKEY", "257 3 13"), ("CERT", "1 2 3 "), ("DHCID", ""), ("OPENPGPKEY", "")],
)
@pytest.mark.parametrize("version", [UNKNOWN, OLD, NEW])
def test_no_version_reads_a_record_without_its_key(version: Version, type_: str, content: str) -> None:
    record = Record("x.example", type_, 60, content)
    assert answerable.in_words_of(version, record) is None
    assert "PowerDNS cannot read" in answerable.fault(version, record)


def test_a_name_whose_only_record_cannot_be_told_is_there_without_data() -> None:
    odd = Record("x.example", "KEY", 60, "49152 3 3 ")
    assert answerable.at_name(UNKNOWN, [odd], "ANY") == [Record("x.example", ENT, 0, "")]
    assert answerable.at_name(UNKNOWN, [odd], "KEY") == []
    assert answerable.at_name(UNKNOWN, [], "ANY") == []


def test_a_type_is_found_by_both_its_names() -> None:
    assert NEW is not None
    kept = Record("x.example", "TYPE67", 60, r"\# 1 01")
    address = Record("x.example", "A", 60, "192.0.2.1")
    for asked in ("TYPE67", "HHIT"):
        assert answerable.at_name(NEW, [kept, address], asked) == [Record("x.example", "HHIT", 60, "AQ==")]
