"""Zone files as other programs and people write them: read, or refused with the line and what to do."""

from __future__ import annotations

import gzip

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata import charstrings
from pipebackend.zones import zonecheck
from pipebackend.zones.text import zonefile

HEAD = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
APEX = "example.org"


@pytest.fixture
def read(tmp_path):
    def read_one(text, for_store=True):
        path = tmp_path / "zone"
        path.write_bytes(text if isinstance(text, bytes) else (HEAD + text + "\n").encode())
        return zonefile.read(str(path), APEX, for_store=for_store)

    return read_one


def faults_of(read, text, **options):
    with pytest.raises(ZoneFault) as caught:
        read(text, **options)
    return caught.value.faults


def test_the_same_soa_again_at_the_end_is_taken(read):
    text = read("@ SOA ns1 h 1 2 3 4 5")
    assert [record.type for record in text.records] == ["SOA", "NS", "A"]
    [fault] = faults_of(read, "@ SOA ns1 h 2 2 3 4 5")
    assert ":5: a second SOA; the first is at" in fault
    [fault] = faults_of(read, "d SOA ns1 h 1 2 3 4 5")
    assert ":5: SOA at d.example.org; it belongs at the zone's name" in fault


@pytest.mark.parametrize("altitude", ["-100000.01m", "42849672.96m"])
def test_an_altitude_outside_of_loc_is_refused_with_the_limits(read, altitude):
    [fault] = faults_of(read, f"l LOC 51 0 0 N 5 0 0 E {altitude}")
    assert ":5: altitude, size or precision out of range: from -100000.00m to 42849672.95m" in fault


@pytest.mark.parametrize("altitude", ["-100000.00m", "42849672.95m"])
def test_the_limits_of_loc_are_taken(read, altitude):
    assert altitude in read(f"l LOC 51 0 0 N 5 0 0 E {altitude}").records[-1].content


@pytest.mark.parametrize(
    "line",
    [
        r"c TYPE37 \# 5 0001000000",
        r"dhcid DHCID \# 0",
        r"k DNSKEY \# 4 0101030D",
        'l LUA A ""',
        "t TXT " + " ".join(['"' + "a" * 255 + '"'] * 256),
    ],
)
def test_what_would_not_be_read_again_is_refused_with_its_line(read, line):
    [fault] = faults_of(read, line)
    assert "zone:5: " in fault


def test_the_largest_txt_is_taken(read):
    assert len(read("t TXT " + " ".join(['"' + "a" * 255 + '"'] * 255)).records) == 4


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("n NID 10 14:4fff:ff20:ee64", "10 0014:4FFF:FF20:EE64"),
        ("n L64 10 2001:db8:1:2 ; comment", "10 2001:0DB8:0001:0002"),
        ("i IPSECKEY 10 1 2 192.0.2.38", "10 1 2 192.0.2.38"),
        ("t TLSA 3 1 9 - ; no digest", "3 1 9 -"),
        ("k KEY 54563 133 225 Yw==", "54563 133 225 Yw=="),
        ("i IPSECKEY 10 0 0 .", "10 0 0"),
        ("i IPSECKEY 10 0 0 . AQNR", "10 0 0 AQNR"),
        ("d DS 1 ECDSAP256SHA256 SHA-256 " + "ab" * 32, "1 13 2 " + "ab" * 32),
        ("d DS 1 RSASHA256 2 " + "ab" * 32, "1 8 2 " + "ab" * 32),
        ("k DNSKEY 257 3 ED25519 AQID", "257 3 15 AQID"),
        ("c CERT PKIX 0 RSASHA256 AQID", "1 0 8 AQID"),
    ],
)
def test_forms_that_other_servers_write_are_read(read, line, content):
    assert read(line).records[-1].content == content


@pytest.mark.parametrize(
    "line", ["n NID 10 14:4fff:ff20", "d DS 1 8 SHA-9 ab", "i IPSECKEY 10 1 2", "i IPSECKEY 10 3 2 x"]
)
def test_forms_that_nobody_reads_are_refused(read, line):
    [fault] = faults_of(read, line)
    assert "zone:5: " in fault


@pytest.mark.parametrize("for_store", [True, False])
def test_the_file_of_another_zone_is_said_to_be_one(read, for_store):
    text = b"$ORIGIN example.net.\n$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nwww A 192.0.2.1\n"
    [fault] = faults_of(read, text, for_store=for_store)
    assert "zone:3: example.net. and all other names of the file are outside of the zone example.org" in fault


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (
            b"\0\0\0\x02\0\0\0\1" + bytes(range(200)),
            "of BIND's raw format, not a zone file; run named-compilezone -f raw",
        ),
        (gzip.compress(HEAD.encode(), mtime=0), "compressed by gzip, not a zone file; gunzip it"),
        (HEAD.encode("utf-16"), "UTF-16, not a zone file; save it as UTF-8"),
    ],
)
def test_another_kind_of_file_is_one_line_that_says_what_it_is(read, octets, said):
    [fault] = faults_of(read, octets)
    assert said in fault


def check(read, text):
    found = read(text)
    return zonecheck.check(APEX, found.records, found.lines)


DS = "DS 1 8 2 " + "ab" * 32


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"@ {DS}", 5, "DS at the apex"),
        (f"x {DS}", 5, "x.example.org has DS without NS"),
        ("*.w NS ns.example.net.", 5, "NS at the wildcard *.w.example.org"),
        ("s NS ns.example.net.\nd.s DNAME example.net.", 6, "DNAME at d.s.example.org, which is below a delegation"),
        (
            "d DNAME example.net.\nd DNAME example.com.",
            6,
            "d.example.org has more than one DNAME (RFC 6672 section 2.4)",
        ),
        ("d DNAME example.net.\nd NS ns.example.net.", 5, "d.example.org has DNAME beside NS"),
        ("c CNAME a.example.net.\nc CNAME b.example.net.", 6, "c.example.org has more than one CNAME"),
    ],
)
def test_findings_of_named_checkzone(read, text, line, said):
    [fault] = check(read, text)
    assert f"zone:{line}: {said}" in fault


def test_signatures_have_the_ttl_of_their_rrset(read):
    signature = "RRSIG {} 15 3 60 20990101000000 20200101000000 1 example.org. AQID"
    assert (
        check(
            read,
            "\n".join(
                ["m 60 A 192.0.2.1", "m 300 TXT x", f"m 60 {signature.format('A')}", f"m 300 {signature.format('TXT')}"]
            ),
        )
        == []
    )


def test_cnames_that_differ_in_case_are_one(read):
    from pipebackend.admin import zoneimport

    text = read("c CNAME WWW\nc CNAME www")
    assert zoneimport.alias_faults(text) == []
    [fault] = zonecheck.check(APEX, text.records, text.lines)
    assert "is there twice" in fault


@pytest.mark.parametrize(
    ("written", "lengths"),
    [
        (f'"{"x" * 300}"', [255, 45]),
        ("x" * 300, [255, 45]),
        (f'"a" ( "{"x;" * 300}"\n "{"y" * 255}" ) ; comment', [1, 255, 255, 90, 255]),
        (f'"{"x" * 254}\\"{"y" * 20}"', [255, 20]),
        ('"' + "\\255" * 256 + '"', [255, 1]),
        ('"' + "\\255" * 255 + '"', [255]),
    ],
)
@pytest.mark.parametrize("for_store", [True, False])
def test_strings_longer_than_255_octets_are_cut_as_powerdns_cuts_them(read, written, lengths, for_store):
    [record] = [record for record in read(f"t TXT {written}", for_store=for_store).records if record.type == "TXT"]
    assert [len(string) for string in charstrings.character_strings(record.content)] == lengths
