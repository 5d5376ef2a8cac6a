"""Laws of names, held against dnspython."""

from __future__ import annotations

import dns.dnssec
import dns.exception
import dns.name
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import NameFault
from pipebackend.dnsdata import names
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.store.zonedata import positions

LABELS = st.binary(min_size=1, max_size=20) | st.sampled_from(
    [b"*", b"a", b"A", b"aa", b"\x00", b"\x01", b"a.b", b"\\", b" ", b"\xff", b"@", b'"', b"0", b"000"]
)
OCTET_NAMES = st.lists(LABELS, max_size=7)


def theirs(labels: list[bytes]) -> dns.name.Name:
    return dns.name.Name([*labels, b""])


@given(OCTET_NAMES)
def test_labels_make_a_round_trip(labels: list[bytes]) -> None:
    name = names.from_labels(labels)
    assert names.labels(name) == labels
    assert names.spelling(name) == name
    assert names.label_count(name) == len(labels)


@given(OCTET_NAMES)
def test_a_name_is_what_dnspython_reads(labels: list[bytes]) -> None:
    name = names.from_labels(labels)
    assert dns.name.from_text(f"{name}.") == theirs(labels)
    assert names.to_wire(name) == theirs(labels).to_wire()


@given(OCTET_NAMES)
def test_what_dnspython_writes_is_the_same_name(labels: list[bytes]) -> None:
    assert names.spelling(theirs(labels).to_text()) == names.from_labels(labels)


@given(st.text(alphabet=st.sampled_from("aB0.\\*-_ \t\x00\x7fü\udcff\"'@$;()"), max_size=30) | st.text(max_size=300))
def test_any_text_is_a_name_or_a_fault_and_a_name_stays_itself(text: str) -> None:
    try:
        name = names.from_text(text)
    except NameFault as fault:
        assert str(fault).isascii()
        return
    assert name.isascii()
    assert all(0x20 < ord(character) < 0x7F for character in name)
    assert names.from_text(name) == name
    assert names.from_text(f"{name}.") == name
    assert len(names.to_wire(name)) <= 255


@given(st.text(alphabet="aB0.\\*-_ 259", max_size=30))
def test_both_take_the_same_texts_for_names(text: str) -> None:
    try:
        ours: list[bytes] | None = names.labels(names.spelling(text))
    except NameFault:
        ours = None
    try:
        read: list[bytes] | None = list(dns.name.from_text(text).labels[:-1])
    except dns.exception.DNSException:
        read = None
    assert ours == read


@given(OCTET_NAMES, OCTET_NAMES)
def test_the_order_is_the_canonical_one(first: list[bytes], second: list[bytes]) -> None:
    """RFC 4034 section 6.1; dnspython's comparison is that order."""
    one, two = names.order_key(names.from_labels(first)), names.order_key(names.from_labels(second))
    assert (one < two) == (theirs(first) < theirs(second))
    assert (one == two) == (theirs(first) == theirs(second))


@given(OCTET_NAMES)
def test_a_key_tells_its_name(labels: list[bytes]) -> None:
    name = names.from_labels(labels)
    assert names.from_order_key(names.order_key(name)) == name.lower()


@given(st.lists(OCTET_NAMES.map(lambda labels: labels[:4])), OCTET_NAMES.map(lambda labels: labels[:4]))
def test_keys_of_many_names_are_those_of_each(found: list[list[bytes]], apex_labels: list[bytes]) -> None:
    apex = names.from_labels(apex_labels).lower()
    owners = [names.join(names.from_labels(labels), apex) for labels in found]
    assert positions.keys(owners, apex) == [names.order_key_in(apex, owner.lower()) for owner in owners]


@given(OCTET_NAMES, LABELS)
def test_a_key_starts_with_the_keys_of_the_names_above(labels: list[bytes], label: bytes) -> None:
    above = names.from_labels(labels)
    below = names.from_labels([label, *labels])
    assert names.order_key(below).startswith(names.order_key(above))
    assert names.parent(below) == above
    assert next(iter(names.ancestors(below))) == above


@given(OCTET_NAMES, OCTET_NAMES)
def test_below_is_subdomain(first: list[bytes], second: list[bytes]) -> None:
    for one, two in ((first, second), (first + second, second)):
        name, apex = (names.from_labels(labels).lower() for labels in (one[:9], two))
        assert names.is_below(name, apex) == theirs(one[:9]).is_subdomain(theirs(two))
        if names.is_below(name, apex):
            assert names.join(names.relative(name, apex), apex) == name


@given(OCTET_NAMES, st.binary(max_size=20), st.integers(0, 20))
def test_the_nsec3_hash_is_dnspythons(labels: list[bytes], salt: bytes, iterations: int) -> None:
    name = names.from_labels(labels).lower()
    theirs_label = dns.dnssec.nsec3_hash(theirs(labels), salt, iterations, "SHA1")
    assert hash_label(name, salt, iterations) == theirs_label.lower()


@given(st.text() | st.text(alphabet="\n\t\r\0\x7f\u2028\udcff'\"\\END"))
def test_printable_never_breaks_a_line(text: str) -> None:
    shown = names.printable(text)
    assert shown.isascii()
    assert shown.isprintable()
