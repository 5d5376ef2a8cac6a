"""A record that is written wrongly is refused with its field, the value and what to write."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdforms, records
from pipebackend.dnsdata.typetable import number_of


@pytest.mark.parametrize(
    ("type_", "content", "said"),
    [
        ("L32", "1 x", "L32 '1 x': write L32 as: preference locator, such as 10 10.1.2.0"),
        ("SRV", "10 mail", "SRV '10 mail': weight 'mail' is not a number; write SRV as: priority weight port target"),
        ("SRV", "1 2 3", "SRV '1 2 3': target is missing; write SRV as"),
        (
            "CAA",
            "issue ca.example",
            "CAA 'issue ca.example': flags 'issue' is not a number; write CAA as: flags tag value",
        ),
        ("CAA", "0 issue", "value is missing"),
        ("SOA", "a b 1 2 3", "expire is missing; write SOA as: mname rname serial refresh retry expire minimum"),
        ("TLSA", "3 1 1 xx", "Non-hexadecimal digit found; write TLSA as: usage selector matching-type data"),
        ("LOC", "51 N", "LOC '51 N': write LOC as: latitude N|S longitude E|W altitude [sizes], such as 52 22"),
        ("HTTPS", "x .", "priority 'x' is not a number; write HTTPS as: priority target [params]"),
        ("IN", "A 192.0.2.1", "IN is a class, which is left out here; write the type first, as A"),
        ("300", "A 192.0.2.1", "300 stands where the type is written"),
        ("FOO", "a", "FOO 'a': there is no such type; write one as A or MX, or TYPE and its number"),
        ("GPOS", "a", r"GPOS 'a': PowerDNS does not know GPOS by name; write TYPE27 \# length hexadecimal (RFC 3597)"),
        ("A", "192.0.2.256", "'192.0.2.256' is not an IPv4 address; write one such as 192.0.2.1"),
        ("AAAA", "192.0.2.1", "is not an IPv6 address; write one such as 2001:db8::1"),
        (
            "MX",
            "mail.example.org",
            "MX preference 'mail.example.org' is not a number from 0 to 65535; write 10 MAILSERVER",
        ),
        ("CNAME", "", "'' is not one domain name; write one such as host.example.net"),
        ("CNAME", "münchen.example", "has letters outside ASCII; write xn--mnchen-3ya.example"),
    ],
)
def test_a_slip_is_said_with_its_field_and_what_to_write(type_, content, said):
    with pytest.raises(RecordFault) as caught:
        records.checked_content(type_, content)
    assert said in str(caught.value)
    assert "malformed" not in str(caught.value)


@pytest.mark.parametrize("type_", rdforms._FORMS)
def test_each_example_is_of_a_type_that_powerdns_knows_and_has_its_fields(type_):
    assert number_of(type_) is not None
    assert "is missing" not in rdforms.advice(type_, rdforms._FORMS[type_][1])
    assert "is not a number" not in rdforms.advice(type_, rdforms._FORMS[type_][1])


@pytest.mark.parametrize("type_", [type_ for type_, (_, example) in rdforms._FORMS.items() if "…" not in example])
def test_each_whole_example_is_taken(type_):
    assert records.checked_content(type_, rdforms._FORMS[type_][1])
