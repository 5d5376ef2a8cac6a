"""Laws of PowerDNS's text: octets come back from it, and what it is kept as is what was handed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdtext, records, typetable
from pipebackend.dnsdata.versions import NEW, OLD, Dialect
from tests.live.odd_rdata import odd_records

DIALECTS = st.sampled_from([OLD, NEW])
KNOWN = st.sampled_from(sorted(typetable.NUMBERS.values()))
SENT = st.sampled_from([(number, octets) for _, number, octets in odd_records()])


def changed(octets: bytes, place: int, octet: int, cut: int) -> bytes:
    """Octets of a record with one of them changed, and some at the end cut off."""
    if not octets:
        return octets
    place %= len(octets)
    return (octets[:place] + bytes((octet,)) + octets[place + 1 :])[: len(octets) - cut % len(octets)]


def check(number: int, octets: bytes, dialect: Dialect) -> None:
    try:
        text = rdtext.text_of(number, octets, dialect)
    except RecordFault as exc:
        assert str(exc)
        return
    assert text.isascii()
    assert text.isprintable()
    type_ = typetable.type_of(number, dialect)
    again = rdtext.octets_of(type_, text)
    assert again == octets or rdtext.text_of(number, again, dialect) == text, "as an APL that ends in a zero"
    if type_ != "LUA":
        assert rdtext.kept(type_, text, dialect) == (type_, text)


@pytest.mark.parametrize("type_", [64, 65])
def test_a_service_parameter_that_is_there_twice_has_no_text(type_: int) -> None:
    """Two of "mandatory" became the text of one record, which was kept for the other."""
    port = b"\0\3\0\2\1\xbb"
    assert rdtext.text_of(type_, b"\0\1\0" + port, OLD) == "1 . port=443"
    with pytest.raises(RecordFault, match="twice"):
        rdtext.text_of(type_, b"\0\1\0" + port + port, OLD)


@given(SENT, DIALECTS, st.integers(0), st.integers(0, 255), st.integers(0, 3))
def test_text_of_records_that_are_nearly_right_gives_the_octets_back(
    sent: tuple[int, bytes], dialect: Dialect, place: int, octet: int, cut: int
) -> None:
    number, octets = sent
    if len(octets) < 5000:
        check(number, changed(octets, place, octet, cut), dialect)


@given(SENT, DIALECTS, DIALECTS, st.integers(0), st.integers(0, 255))
def test_a_command_keeps_what_a_transfer_keeps_or_refuses_it(
    sent: tuple[int, bytes], dialect: Dialect, written: Dialect, place: int, octet: int
) -> None:
    """In the words of any version or in hexadecimal digits, under the type's name or its number."""
    number, octets = sent
    octets = changed(octets, place, octet, 0)
    if len(octets) > 5000:
        return
    try:
        text = rdtext.text_of(number, octets, written)
        wanted = rdtext.own(typetable.type_of(number, written), text, dialect)
        found = [
            records.checked(type_, content)
            for type_ in {typetable.type_of(number, written), f"TYPE{number}"} - {"TYPE65402"}
            for content in (text, f"\\# {len(octets)} {octets.hex()}")
        ]
    except RecordFault as exc:
        assert str(exc)
        return
    assert {rdtext.own(*each, dialect) for each in found} == {wanted}


@given(KNOWN, st.binary(max_size=60), DIALECTS)
def test_any_octets_have_a_text_that_gives_them_back_or_a_reason(number: int, octets: bytes, dialect: Dialect) -> None:
    check(number, octets, dialect)


@given(st.sampled_from(sorted(typetable.NUMBERS)), st.text(st.characters(max_codepoint=300), max_size=60), DIALECTS)
def test_what_is_kept_of_any_text_is_one_line_and_stays(type_: str, content: str, dialect: Dialect) -> None:
    try:
        kept_type, kept = rdtext.kept(type_, content, dialect)
    except RecordFault as exc:
        assert str(exc)
        return
    assert kept.isascii()
    assert kept.replace("\n", "").replace("\t", "").isprintable()
    assert rdtext.kept(kept_type, kept, dialect) == (kept_type, kept)


@pytest.mark.parametrize("dialect", [OLD, NEW])
def test_all_samples_come_back(dialect: Dialect) -> None:
    for title, number, octets in odd_records():
        type_, text = typetable.type_of(number, dialect), rdtext.text_of(number, octets, dialect)
        assert rdtext.octets_of(type_, text) == octets, title
        assert rdtext.kept(type_, text, dialect) == (type_, text), title
