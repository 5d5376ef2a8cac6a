"""Laws of zone files: any octets are a zone or a list of faults, and a zone that is written out is read back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dns.zone
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata import rdata, zonelines
from pipebackend.zones.text import lexer, zonefile
from pipebackend.zones.text.zonetext import ZoneText

HEAD = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n"
PIECES = (
    '@ x *.y A TXT MX IN 60 192.0.2.1 10 ( ) " "a" ; \\ \\. \\300 $TTL $ORIGIN $INCLUDE $GENERATE 1-3 $ ${0,3,n} \u00e9'
)
WORDS = st.sampled_from([*PIECES.split(), "\n", "\n", "\n", " ", "\t", "\0"])
TEXTS = st.one_of(st.text(), st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS, max_size=40).map("".join))


def read(text: str) -> ZoneText:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zone"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return zonefile.read(str(path), "example.org")


@given(TEXTS)
def test_any_text_is_a_zone_or_faults_with_their_lines(text: str) -> None:
    try:
        found = read(HEAD + text)
    except ZoneFault as exc:
        assert exc.faults
        assert all("zone:" in fault for fault in exc.faults)
        return
    assert len(found.lines) == len(found.records) >= 3
    for record in found.records:
        assert record.content.isascii()
        assert record.content.isprintable()


@given(TEXTS)
def test_a_zone_that_is_written_out_is_read_back(text: str) -> None:
    try:
        found = read(HEAD + text)
    except ZoneFault:
        return
    lines = "".join(f"{zonelines.zone_line(record)}\n" for record in found.records)
    assert read(lines).records == found.records


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["A 192.0.2.1", 'TXT "x (" y', "MX 1 a"])), max_size=8)
)
def test_records_are_those_that_dnspython_reads(found: list[tuple[str, str]]) -> None:
    text = HEAD + "".join(f"{owner} {line}\n" for owner, line in found)
    theirs = {
        (name.to_text().rstrip("."), rd.rdtype.name, rd.to_wire())
        for name, _, rd in dns.zone.from_text(text, "example.org", relativize=False).iterate_rdatas()
    }
    ours = {(r.owner, r.type, rdata.to_rdata(r.type, r.content).to_wire()) for r in read(text).records}
    assert ours == theirs


@given(st.lists(st.text(st.sampled_from('a ();"\\\t'), max_size=8), max_size=12))
def test_entries_keep_the_order_of_their_lines(lines: list[str]) -> None:
    numbers = [number for number, _ in lexer.cut([f"{line}\n" for line in lines])]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= len(lines) for number in numbers)
