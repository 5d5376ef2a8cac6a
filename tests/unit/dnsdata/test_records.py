"""Record content: what PowerDNS gets, and what is refused."""

from __future__ import annotations

import dns.rdata
import pytest

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import charstrings, records


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("", '""'),
        ("Los Angeles", '"Los Angeles"'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("São", r'"S\195\163o"'),
        ("a\tb\nEND\n", r'"a\009b\010END\010"'),
        ("\0\x7f", r'"\000\127"'),
        ("\udcff", r'"\255"'),
    ],
)
def test_a_text_becomes_a_quoted_string(value: str, content: str) -> None:
    assert charstrings.txt_content(value) == content


@pytest.mark.parametrize(("length", "sizes"), [(255, [255]), (256, [255, 1]), (510, [255, 255]), (511, [255, 255, 1])])
def test_a_long_text_is_split_at_255_octets(length: int, sizes: list[int]) -> None:
    rdata = dns.rdata.from_text("IN", "TXT", charstrings.txt_content("x" * length))
    assert [len(string) for string in rdata.strings] == sizes


def test_a_text_is_split_by_octets_not_letters() -> None:
    rdata = dns.rdata.from_text("IN", "TXT", charstrings.txt_content("ü" * 200))
    assert b"".join(rdata.strings).decode() == "ü" * 200
    assert [len(string) for string in rdata.strings] == [255, 145]


@pytest.mark.parametrize(
    ("text", "strings"),
    [
        ("plain words", [b"plain", b"words"]),
        ('"two words" "and more"', [b"two words", b"and more"]),
        ('""', [b""]),
        (r'"a\"b"', [b'a"b']),
        (r'"\195\163"', [b"\xc3\xa3"]),
        (r"a\ b", [b"a b"]),
        ('"a"\t"b"', [b"a", b"b"]),
        ("ü", ["ü".encode()]),
    ],
)
def test_character_strings_are_read(text: str, strings: list[bytes]) -> None:
    assert charstrings.character_strings(text) == strings


def test_a_longer_string_is_cut_as_powerdns_cuts_it() -> None:
    assert charstrings.character_strings(f'"{"x" * 300}" y') == [b"x" * 255, b"x" * 45, b"y"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at least one string is needed"),
        ("  ", "at least one string is needed"),
        ('"open', "a quote that is never closed"),
        ('"open\\', "a backslash that escapes nothing"),
        ("a\\", "a backslash that escapes nothing"),
        (r"\25", "a backslash that escapes nothing"),
        (r"\256", "a backslash that escapes nothing"),
    ],
)
def test_broken_character_strings_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(RecordFault, match=complaint):
        charstrings.character_strings(text)


@pytest.mark.parametrize(
    ("latitude", "longitude", "altitude", "content"),
    [
        ("33.94250", "-118.40801", "38.4", "33 56 33.000 N 118 24 28.836 W 38.40m 1.00m 10000.00m 10.00m"),
        ("0", "0", "0", "0 0 0.000 N 0 0 0.000 E 0.00m 1.00m 10000.00m 10.00m"),
        ("-0.0", "-0", "-0", "0 0 0.000 N 0 0 0.000 E 0.00m 1.00m 10000.00m 10.00m"),
        ("90", "180", "42849672.95", "90 0 0.000 N 180 0 0.000 E 42849672.95m 1.00m 10000.00m 10.00m"),
        ("-90", "-180", "-100000", "90 0 0.000 S 180 0 0.000 W -100000.00m 1.00m 10000.00m 10.00m"),
        # these would be 59.9996 and 59.9999 seconds: never 60.000
        ("10.99999991", "10.016666639", "0", "11 0 0.000 N 10 1 0.000 E 0.00m 1.00m 10000.00m 10.00m"),
        ("-0.00000001", "0.0000001388889", "-0.004", "0 0 0.000 N 0 0 0.001 E 0.00m 1.00m 10000.00m 10.00m"),
        (" 1 ", "+2", ".5", "1 0 0.000 N 2 0 0.000 E 0.50m 1.00m 10000.00m 10.00m"),
    ],
)
def test_degrees_become_loc(latitude: str, longitude: str, altitude: str, content: str) -> None:
    assert records.loc_content(latitude, longitude, altitude) == content


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("91", "0"), "latitude 91 is out of range"),
        (("-90.001", "0"), "latitude -90.001 is out of range"),
        (("0", "180.0001"), "longitude 180.0001 is out of range"),
        (("north", "0"), "latitude 'north' is not a decimal number"),
        (("", "0"), "latitude '' is not a decimal number"),
        (("1e1", "0"), "latitude '1e1' is not a decimal number"),
        (("--1", "0"), "latitude '--1' is not a decimal number"),
        (("1_0", "0"), "latitude '1_0' is not a decimal number"),
        (("\uff11", "0"), "is not a decimal number"),
        (("1" * 5000, "0"), "is not a decimal number"),
        (("0", "0", "42849672.96"), "altitude 42849672.96 is out of range"),
        (("0", "0", "-100000.01"), "altitude -100000.01 is out of range"),
    ],
)
def test_a_place_that_is_none_is_refused(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(RecordFault) as caught:
        records.loc_content(*arguments)
    assert complaint in str(caught.value)


def test_soa_content() -> None:
    assert records.soa_content("ns1.aa", "mail.aa", 7, (1, 2, 3, 4)) == "ns1.aa mail.aa 7 1 2 3 4"


@pytest.mark.parametrize(
    ("type_", "given", "content"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("NS", "NS1.Example.", "NS1.Example"),
        ("CNAME", "a.b", "a.b"),
        ("PTR", ".", "."),
        ("ALIAS", r"a\.b.c.", r"a\.b.c"),
        ("MX", "10 mail.example.", "10 mail.example"),
        ("MX", "010   mail.example", "10 mail.example"),
        ("MX", "0 .", "0 ."),
        ("TXT", "one two", '"one" "two"'),
        ("TXT", '"one two"', '"one two"'),
        ("SPF", '"v=spf1 -all"', '"v=spf1 -all"'),
    ],
)
def test_content_is_written_as_powerdns_wants_it(type_: str, given: str, content: str) -> None:
    assert records.checked_content(type_, given) == content


@pytest.mark.parametrize(
    ("type_", "given", "complaint"),
    [
        ("A", "192.0.2", "is not an IPv4 address"),
        ("A", "192.0.2.256", "is not an IPv4 address"),
        ("A", "192.0.2.-1", "is not an IPv4 address"),
        ("A", "2001:db8::1", "is not an IPv4 address"),
        ("A", "\uff11.1.1.1", "is not an IPv4 address"),
        ("NS", "", "is not one domain name"),
        ("NS", "a b", "is not one domain name"),
        ("NS", "a..b", "has an empty label"),
        ("MX", "mail.example", "MX preference 'mail.example' is not a number"),
        ("MX", "65536 mail.example", "MX preference '65536' is not a number from 0 to 65535"),
        ("MX", "9" * 5000 + " mail.example", "is not a number from 0 to 65535"),
        ("MX", "10", "has no exchange; write the mail server's name"),
        ("MX", "10 a b", "is not one domain name"),
        ("TXT", '"open', "a quote that is never closed"),
    ],
)
def test_wrong_content_is_refused_with_a_reason(type_: str, given: str, complaint: str) -> None:
    with pytest.raises(RecordFault) as caught:
        records.checked_content(type_, given)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("written", "kept"), [("2001:DB8:0:0::1", "2001:db8::1"), ("::", "::"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
)
def test_an_ipv6_address_is_written_in_its_short_form(written: str, kept: str) -> None:
    assert records.checked_content("AAAA", written) == kept


@pytest.mark.parametrize("written", ["", "x", "192.0.2.1", "2001:db8::1%eth0", "::\0", "2001:db8::é", "1::2::3"])
def test_what_is_no_ipv6_address_is_refused(written: str) -> None:
    with pytest.raises(RecordFault, match="is not an IPv6 address"):
        records.checked_content("AAAA", written)
