"""What is odd in a stored zone, or cannot be told to PowerDNS, is named with owner, type and reason."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata import versions
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import UNKNOWN
from pipebackend.zones import contentcheck

OLD = versions.of("4.7")
assert OLD is not None
ODD = [
    ("TLSA", "3 1 1 abcd", "odd, and answered as it is: certificate association data length"),
    ("SVCB", "1 . mandatory=key10", "odd, and answered as it is: key 10 declared mandatory"),
    ("SVCB", "1 . no-default-alpn", "odd, and answered as it is: no-default-alpn present, but alpn missing"),
    ("DS", "1 8 0 00", "odd, and answered as it is: digest type 0 is reserved"),
    ("DS", "1 8 2 -", "odd, and answered as it is: digest length"),
    ("URI", '1 2 ""', "odd, and answered as it is: URI target may not be empty"),
    ("SSHFP", "1 1 ab", "odd, and answered as it is: fingerprint length"),
    ("ZONEMD", "1 1 1 0102", "odd, and answered as it is: digest must be at least 12 octets"),
    ("IXFR", r"\# 1 01", "odd, and answered as it is: IXFR is for questions"),
    ("KEY", "49152 3 3 ", "not answered: there is no key or data"),
    ("CAA", r'128 a\032b "a"', "PowerDNS may fail all of the name for it: the CAA tag"),
    ("TXT", r'"\0mytest"', "PowerDNS may fail all of the name for it: a backslash that escapes nothing"),
    ("TXT", '"open', "PowerDNS may fail all of the name for it: a quote that is never closed"),
    ("A", "192.0.2.256", "PowerDNS may fail all of the name for it: '192.0.2.256' is not an IPv4 address"),
    ("LOC", "1 0 0.000 N 1 0 0.000 E 0.00m 0.00m 90000000000.00m 0.00m", "PowerDNS may fail all of the name for it"),
]
GOOD = [
    ("LOC", "60 8 60.000 N 24 38 60.000 E 10.00m 20.00m 2000.00m 20.00m"),
    ("LOC", "1 0 0.000 N 1 0 0.000 E -100000.01m 0.00m 0.00m 0.00m"),
    ("CAA", '0 issue ""'),
    ("IPSECKEY", "10 0 2 AQID"),
    ("SVCB", "1 . port=53 ipv4hint=auto"),
    ("HTTPS", "1 . alpn=h2,h3 port=8443"),
    ("LUA", f'A "{"x" * 371}"'),
    ("ALIAS", "x.example"),
    ("KEY", "0 2 1 AQI="),
    ("TYPE65534", r"\# 0 "),
    ("TYPE67", r"\# 4 01020304"),
    ("DHCID", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="),
]


@pytest.mark.parametrize(("type_", "content", "reason"), ODD)
def test_odd_content_is_a_finding(type_: str, content: str, reason: str) -> None:
    assert OLD is not None
    [line] = contentcheck.check("example", [Record("x.example", type_, 60, content)], OLD)
    assert line.startswith(f"example: x.example {type_}: {reason}")


@pytest.mark.parametrize(("type_", "content"), GOOD)
def test_what_powerdns_writes_and_reads_is_none(type_: str, content: str) -> None:
    assert OLD is not None
    assert contentcheck.check("example", [Record("x.example", type_, 60, content)], OLD) == []


def test_what_the_version_cannot_be_told_is_named() -> None:
    record = Record("x.example", "TYPE67", 60, r"\# 4 01020304")
    [line] = contentcheck.unanswered("example", [record, Record("x.example", "A", 60, "192.0.2.1")], UNKNOWN)
    assert line.startswith("example: x.example TYPE67: not answered: ")
    assert 'powerdns = "4.9"' in line
