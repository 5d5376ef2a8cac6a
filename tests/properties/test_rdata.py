"""Laws of record content: what goes to PowerDNS means what was written, whatever octets it holds."""

from __future__ import annotations

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zonefile
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.nsbase import NSBase
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import names, rdata, zonelines
from pipebackend.dnsdata.records import Record

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=3).filter(lambda found: sum(map(len, found)) < 240)
STRINGS = st.lists(st.binary(max_size=255), min_size=1, max_size=4)
IN = dns.rdataclass.IN


@given(STRINGS)
def test_strings_keep_every_octet(strings: list[bytes]) -> None:
    meant = TXT(IN, dns.rdatatype.TXT, strings)
    assert rdata.to_rdata("TXT", rdata.content_of(meant)) == meant


@given(LABELS)
def test_names_keep_every_octet(labels: list[bytes]) -> None:
    meant = NSBase(IN, dns.rdatatype.NS, dns.name.Name([*labels, b""]))
    content = rdata.content_of(meant)
    assert content.isascii()
    assert content.isprintable()
    assert rdata.to_rdata("NS", content).to_wire() == meant.to_wire()


@given(LABELS, STRINGS)
def test_a_zone_line_is_read_back_as_the_same_record(labels: list[bytes], strings: list[bytes]) -> None:
    owner = names.from_labels(labels)
    content = rdata.content_of(TXT(IN, dns.rdatatype.TXT, strings))
    line = zonelines.zone_line(Record(owner, "TXT", 60, content))
    (rrset,) = dns.zonefile.read_rrsets(line, rdclass=None)
    assert rrset.name == dns.name.Name([*labels, b""])
    assert rrset[0].strings == tuple(strings)


@given(st.sampled_from(["CAA", "SRV", "NAPTR", "SVCB", "TXT", "IPSECKEY", "LUA", "TYPE99", "SOA"]), st.text())
def test_any_content_is_a_fault_or_clean(type_: str, content: str) -> None:
    try:
        checked = rdata.checked_content(type_, content)
    except RecordFault as exc:
        assert str(exc)
    else:
        assert checked.isascii()
        assert checked.isprintable()
        assert rdata.checked_content(type_, checked) == checked
