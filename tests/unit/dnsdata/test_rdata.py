"""Record content: what dnspython reads, in the words that PowerDNS 4.7 reads."""

from __future__ import annotations

import dns.name
import dns.rdata
import pytest

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdata, rdtypes, records, zonelines
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import OLD
from tests.live.rdata_samples import SAMPLES

CONTENTS = [
    ("NS", "Ns1.Example.org.", "Ns1.Example.org"),
    ("NS", ".", "."),
    ("MX", "010 mail.example.org.", "10 mail.example.org"),
    ("SOA", "a. b.c. 1 1h 3 4 5", "a b.c 1 3600 3 4 5"),
    ("SRV", "1 2 3  sip.example.org.", "1 2 3 sip.example.org"),
    ("NAPTR", '1 2 "u" "E2U+sip" "!^.*$!sip:a @ b!" .', '1 2 "u" "E2U+sip" "!^.*$!sip:a @ b!" .'),
    ("AAAA", "2001:DB8::0001", "2001:db8::1"),
    ("CAA", '0 issue "ca.example"', '0 issue "ca.example"'),
    ("CERT", "PGP 0 RSASHA256 AQID", "3 0 8 AQID"),
    ("HTTPS", "1 . alpn=h2,h3 port=8443", "1 . alpn=h2,h3 port=8443"),
    ("SVCB", "1 x. key7=a mandatory=dohpath", '1 x mandatory=key7 key7="a"'),
    ("SVCB", "1 x. key65280", '1 x key65280=""'),
    ("IPSECKEY", "10 0 2 . AQID", "10 0 2 AQID"),
    ("IPSECKEY", "10 0 2 AQID", "10 0 2 AQID"),
    ("IPSECKEY", "10 3 2 gw.example. AQID", "10 3 2 gw.example AQID"),
    ("ALIAS", "Target.example.", "Target.example"),
    ("LUA", "A \"pickrandom({'192.0.2.1'})\"", "A \"pickrandom({'192.0.2.1'})\""),
    ("MINFO", "a. b.c.", "a b.c"),
    ("TXT", 'plain "qu\\"oted" \\255', '"plain" "qu\\"oted" "\\255"'),
    ("TYPE65534", "\\# 3 01 02 03", "\\# 3 010203"),
    ("TYPE65534", "\\# 0", "\\# 0"),
    ("URI", '1 2 "http://é/"', '1 2 "http://\\195\\169/"'),
    ("RP", "a;b.example x.", "a;b.example x"),
]
WRONG = [
    ("A", "192.0.2.256", "A '192.0.2.256'"),
    ("FOO", "x", "FOO 'x'"),
    ("ANY", "\\# 0", "ANY is for questions"),
    ("OPT", "\\# 0", "OPT is for questions"),
    ("SRV", "1 2 3", "SRV '1 2 3'"),
    ("CAA", "0 issue x ; y", "a semicolon begins a comment"),
    ("CAA", '0 issue "x"\n', "content must be one line"),
    ("ISDN", '"1"', "write the type ISDN as TYPE20"),
    ("TYPE1", "\\# 4 c0000201", "write the type TYPE1 as A"),
    ("LUA", "A", "LUA is written"),
    ("LOC", "0 N 0 E 0m 90000000m", "more than PowerDNS can read"),
    ("NS", "a" * 64 + ".example", "NS 'a"),
]


@pytest.mark.parametrize(("type_", "written", "content"), CONTENTS)
def test_content_is_in_powerdns_form(type_: str, written: str, content: str) -> None:
    assert rdata.checked_content(type_, written) == content


@pytest.mark.parametrize(("type_", "written", "fault"), WRONG)
def test_wrong_content_is_a_fault_that_names_it(type_: str, written: str, fault: str) -> None:
    with pytest.raises(RecordFault) as caught:
        rdata.checked_content(type_, written)
    assert fault in str(caught.value)


def test_types_that_records_checks_itself_come_out_the_same() -> None:
    for type_, written, content in CONTENTS:
        assert records.checked_content(type_, written) == content


@pytest.mark.parametrize("sample", SAMPLES)
def test_content_is_one_line_of_ascii_that_means_the_same(sample: str) -> None:
    type_, _, written = sample.partition(" ")
    meant = dns.rdata.from_text("IN", type_, written, dns.name.root, False)
    content = rdata.content_of(meant)
    assert content.isascii()
    assert content.isprintable()
    assert rdata.to_rdata(rdtypes.type_name(meant.rdtype), content).to_wire() == meant.to_wire()


def test_a_type_goes_by_the_name_that_powerdns_knows() -> None:
    assert [rdtypes.type_name(number) for number in (1, 65401, 65402, 57, 24, 20, 65534)] == [
        *("A", "ALIAS", "LUA", "RKEY", "SIG", "TYPE20", "TYPE65534")
    ]


def test_a_zone_line_is_fully_qualified_and_escaped() -> None:
    record = Record("a;(b)@.$x.Example", "MX", 60, "10 m;x.example")
    assert zonelines.zone_line(record) == "a\\;\\(b\\)\\@.\\$x.Example. 60 IN MX 10 m\\;x.example."
    assert zonelines.zone_line(Record("", "NS", 1, ".")) == ". 1 IN NS ."
    assert zonelines.zone_line(Record("x", "ALIAS", 1, "y.z")) == "x. 1 IN ALIAS y.z."


def test_a_digest_without_octets_is_written_for_others_in_the_form_of_rfc_3597() -> None:
    for type_, content, generic in (("DS", "1 5 9 -", "4 00010509"), ("TLSA", "3 1 1 -", "3 030101")):
        record = Record("x", type_, 1, content)
        assert zonelines.zone_line(record) == f"x. 1 IN {type_} \\# {generic}"
        assert zonelines.zone_line(record, OLD) == f"x. 1 IN {type_} {content}"
    assert zonelines.zone_line(Record("x", "NSEC3PARAM", 1, "1 0 0 -")) == "x. 1 IN NSEC3PARAM 1 0 0 -"


def test_an_empty_nonterminal_has_no_zone_line() -> None:
    with pytest.raises(RecordFault):
        zonelines.zone_line(Record("x.example", "", 0, ""))


def test_code_in_several_lines_is_one_line_of_a_zone_file() -> None:
    record = Record("x.example", "LUA", 60, "TXT \";local x = 'a'\nreturn x\"")
    assert zonelines.zone_line(record) == "x.example. 60 IN LUA TXT \";local x = 'a' return x\""
    assert "\n" not in zonelines.zone_line(record._replace(content='A ";-- a comment\nreturn 1"'))


def test_a_loc_whose_altitude_is_too_low_says_what_is_allowed():
    with pytest.raises(RecordFault, match="altitude, size or precision out of range"):
        rdata.checked_content("LOC", "1 0 0.000 N 1 0 0.000 E -100000.01m")


def test_an_altitude_is_kept_to_the_centimetre():
    content = "0 0 0.001 S 0 0 0.999 W 67772.15m 1.00m 10000.00m 10.00m"
    assert rdata.checked_content("LOC", content) == content
