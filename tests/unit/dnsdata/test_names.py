"""Names: what is one, how it is written, and who is above whom."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import pytest

from pipebackend.base.errors import NameFault
from pipebackend.dnsdata import names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        (".", ""),
        ("aa", "aa"),
        ("aa.", "aa"),
        ("LAX.Airports.AA.", "lax.airports.aa"),
        (r"a\.b.c", r"a\.b.c"),
        (r"a\046b.c", r"a\.b.c"),
        (r"a\\.c", r"a\\.c"),
        (r"a\\.", r"a\\"),
        (r"a\.", r"a\."),
        (r"\065\b", "ab"),
        (r"a\032b", r"a\032b"),
        ("a b.c", r"a\032b.c"),
        ("a\tb", r"a\009b"),
        (r"\000.c", r"\000.c"),
        (r"\200", r"\200"),
        ("*.aa", "*.aa"),
        ("_tcp.a-b.aa", "_tcp.a-b.aa"),
    ],
)
def test_a_name_has_one_canonical_form(text: str, name: str) -> None:
    assert names.from_text(text) == name


def test_a_spelling_keeps_its_case() -> None:
    assert names.spelling("LaX.Airports.aa.") == "LaX.Airports.aa"
    assert names.spelling(r"\076aX") == "LaX"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("..", "has an empty label"),
        ("a..b", "has an empty label"),
        (".a", "has an empty label"),
        (r"a\.b..c", "has an empty label"),
        ("a" * 64, "is longer than 63 octets"),
        ("a" * 63 + r"\097", "is longer than 63 octets"),
        (".".join(["a" * 63] * 4), "is longer than 255 octets"),
        (".".join([r"\000" * 63] * 4), "is longer than 255 octets"),
        ("a\\", "a backslash that escapes nothing"),
        (r"a\25", "a backslash that escapes nothing"),
        (r"a\256", "above \\255"),
        ("münchen.de", "letters outside ASCII"),
        ("\udcff.de", "letters outside ASCII"),
        ("\u212a.de", "letters outside ASCII"),
    ],
)
def test_what_is_no_name_is_refused_with_a_reason(text: str, complaint: str) -> None:
    with pytest.raises(NameFault) as caught:
        names.from_text(text)
    assert complaint in str(caught.value)
    assert str(caught.value).isascii()


def test_the_longest_names_are_names() -> None:
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert names.from_text(longest) == longest
    assert len(names.to_wire(longest)) == 255
    with pytest.raises(NameFault):
        names.from_text(longest + "a")


def test_a_fault_shows_a_long_name_shortened() -> None:
    with pytest.raises(NameFault) as caught:
        names.from_text("a" * 5000)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("", []),
        ("a", [b"a"]),
        ("a.b", [b"a", b"b"]),
        (r"a\.b.c", [b"a.b", b"c"]),
        (r"a\\.c", [b"a\\", b"c"]),
        (r"\000\255.c", [b"\x00\xff", b"c"]),
    ],
)
def test_labels_are_octets(name: str, labels: list[bytes]) -> None:
    assert names.labels(name) == labels
    assert names.label_count(name) == len(labels)
    assert names.from_labels(labels) == name


def test_from_labels_refuses_what_has_no_wire_form() -> None:
    for labels in ([b""], [b"a" * 64], [b"a" * 63] * 4):
        with pytest.raises(NameFault):
            names.from_labels(labels)


@pytest.mark.parametrize(
    ("name", "parent"), [("", ""), ("aa", ""), ("lax.aa", "aa"), (r"a\.b.c", "c"), (r"a\\.b.c", "b.c"), (r"a\.b", "")]
)
def test_the_parent_has_one_label_less(name: str, parent: str) -> None:
    assert names.parent(name) == parent


def test_ancestors_end_with_the_root() -> None:
    assert list(names.ancestors(r"a.b\.c.d")) == [r"b\.c.d", "d", ""]
    assert list(names.ancestors("")) == []


def test_join_leaves_empty_parts_out() -> None:
    assert names.join("a", "b.c") == "a.b.c"
    assert names.join("a", "") == names.join("", "a") == "a"
    assert names.join("", "") == ""
    assert names.wildcard_of("") == "*"
    assert names.wildcard_of("aa") == "*.aa"


@pytest.mark.parametrize(
    ("name", "apex", "below"),
    [
        ("aa", "aa", True),
        ("lax.aa", "aa", True),
        ("laxaa", "aa", False),
        ("aa", "lax.aa", False),
        ("aa", "", True),
        ("", "", True),
        ("", "aa", False),
        (r"lax\.aa", "aa", False),
        (r"lax\\.aa", "aa", True),
    ],
)
def test_below_looks_at_labels_not_at_text(name: str, apex: str, below: bool) -> None:
    assert names.is_below(name, apex) is below


def test_relative_takes_the_apex_off() -> None:
    assert names.relative("a.b.aa", "aa") == "a.b"
    assert names.relative("aa", "aa") == ""
    assert names.relative("a.b", "") == "a.b"
    assert names.relative("", "") == ""


def test_canonical_order_is_that_of_the_rfc() -> None:
    """The example of RFC 4034 section 6.1."""
    ordered = [
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        r"\001.z.example",
        "*.z.example",
        r"\200.z.example",
    ]
    assert sorted(set(ordered), key=names.order_key) == ordered


@pytest.mark.parametrize("text", ["", "plain", "it's", 'say "it\'s"', "a\nEND\n", "\t", "ü\udcff\u2028", "\\x"])
def test_printable_is_one_line_of_ascii(text: str) -> None:
    shown = names.printable(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert "\\'" not in shown


def calls_of(question: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C: the same on each machine."""
    count = 0

    def tally(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tally)
    try:
        question()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("label", [r"\.", r"\000", "a"])
@pytest.mark.parametrize("walk", [names.split, names.ancestors, names.parent, names.from_text, names.order_key])
def test_the_cost_of_a_name_grows_with_its_octets(walk: Callable[[str], Iterable[object]], label: str) -> None:
    """116 labels of an escaped dot each cost 135 ms: each label was split from the rest again and again."""
    short, long = (".".join([label] * count) for count in (29, 116))
    assert calls_of(lambda: list(walk(long))) <= 5 * calls_of(lambda: list(walk(short))) + len(long)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("münchen.de", "write xn--mnchen-3ya.de"),
        ("www.Bücher.example.", "write www.xn--bcher-kva.example"),
        ("stra\u00dfe.example", "write xn--strae-oqa.example"),  # IDNA2008 keeps the letter
        ("mu\u0308nchen.de", "write xn--mnchen-3ya.de"),  # as macOS writes it: u and two dots
        ("ü" * 80, "write its xn-- form"),
        ("a\udcff.de", r"write each octet as \DDD"),
    ],
)
def test_letters_outside_ascii_are_refused_with_the_a_labels(text, advice):
    with pytest.raises(NameFault) as caught:
        names.from_text(text)
    assert advice in str(caught.value)
