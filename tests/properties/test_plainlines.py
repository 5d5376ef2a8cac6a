"""Plain lines read without dnspython are what dnspython would have read: a comment behind a line makes it do so."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.base.errors import ZoneFault
from pipebackend.zones.text import lexer, zonefile

APEX = "Example.org"
HEAD = "@ 300 IN SOA ns1 host 1 2 3 4 5 ; begin\n"
NAMES = st.sampled_from([
    *("@", "a", "B", "c.d", "*", "_x._tcp", "a.EXAMPLE.org.", "a.example.net.", "IN", "A", "300", "x" * 63, "x" * 64),
    *(".", "a.", "a..b", "-", "a.b.", ".".join(["y" * 60] * 4), "é", "a\\.b", "", "\t", "org.", "xexample.org."),
])  # fmt: skip
TTLS = st.sampled_from(["", "", "60 ", "0 ", "2147483648 ", "1h ", "060 ", "60  ", "60\t"])
CLASSES = st.sampled_from(["", "", "IN ", "in ", "CH ", "IN 60 "])
# Character strings, quoted or not; one that is not ends at white space, and has any other printable octet in it
STRINGS = st.one_of(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=4),
    st.text("aZ09.@$=:,-_/+*#'", min_size=1, max_size=4),
    st.sampled_from(["IN", "TXT", "60", "@", "$TTL", '""', '"a b"', "a;", "é", "\\032", "(", ")", "x" * 256]),
).filter(lambda text: not text.endswith("\\"))  # which would escape the space of the comment
CONTENTS = st.one_of(
    st.tuples(st.sampled_from(["NS", "CNAME", "PTR", "ns"]), NAMES),
    st.tuples(st.just("A"), st.sampled_from(["192.0.2.1", "192.0.2.01", "192.0.2", "1", "", "192.0.2.1 2"])),
    st.tuples(st.just("AAAA"), st.sampled_from(["2001:db8::1", "2001:DB8::1", "::", "::ffff:1.2.3.4", "1"])),
    st.tuples(st.just("MX"), st.tuples(st.sampled_from(["0", "010", "65535", "65536", ""]), NAMES).map(" ".join)),
    st.tuples(st.just("TXT"), st.sampled_from(['""', '"a"', '"a" "b"', "a", '"a;b(c"', '"\\"', '"a\\\\"', '"é"'])),
    st.tuples(st.just("TXT"), st.integers(254, 257).map(lambda count: f'"{"x" * count}"')),
    st.tuples(st.just("TXT"), st.integers(254, 257).map(lambda count: "x" * count)),
    st.tuples(st.just("TXT"), st.lists(STRINGS, min_size=1, max_size=4).map(" ".join)),
    st.tuples(st.just("TXT"), st.lists(STRINGS, min_size=1, max_size=4).map("\t ".join)),
    st.tuples(st.just("TXT"), st.sampled_from(["\\# 2 0161", "( a )", '"a""b"', 'a"b"', '"a"b', "a;b"])),
    st.tuples(st.just("SRV"), st.just("1 2 3 a")),
).map(" ".join)  # fmt: skip
LINES = st.one_of(
    st.tuples(NAMES, st.just(" "), TTLS, CLASSES, CONTENTS).map("".join),
    st.sampled_from(
        ["$ORIGIN sub", "$ORIGIN example.org.", "$ORIGIN example.net.", "$TTL 77", " 5 A 192.0.2.9", " TXT b"]
    ),
)


def read(lines, comment):
    with TemporaryDirectory() as folder:
        path = Path(folder, "zone")
        path.write_text(HEAD + "".join(f"{line}{comment}\n" for line in lines))
        try:
            found = zonefile.read(str(path), APEX)
        except ZoneFault as exc:
            return [fault.replace(folder, "").partition(", in ")[0] for fault in exc.faults]
        places = [found.lines[index].replace(folder, "") for index in range(len(found.records))]
        return list(zip(found.records, places, strict=True)), [text.replace(folder, "") for text in found.left_out]


@given(st.lists(LINES, max_size=6))
@example([f"a TXT {'x ' * 32_768}"])  # 65,536 octets of rdata
def test_a_plain_line_is_what_dnspython_would_read(lines):
    assert read(lines, "") == read(lines, " ; comment")


@given(st.lists(LINES, max_size=6), st.integers(1, 4), st.sampled_from(["", "\r", "  "]))
def test_plain_lines_of_a_block_are_what_dnspython_would_read(lines, block, end):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexer, "BLOCK", block)
        assert read(lines, end) == read(lines, " ; comment")


PLAIN = st.tuples(
    st.sampled_from(["a", "B", "c.d", "*", "a.EXAMPLE.org.", "@", "x" * 63]),
    st.sampled_from([" ", " 60 ", " 77 IN ", "\tIN\t"]),
    st.one_of(
        st.sampled_from(["A 192.0.2.1", "A 192.0.2.255", "AAAA 2001:db8::1", "MX 10 b", "NS c.", 'TXT "a b"']),
        st.lists(st.sampled_from(["a", '"b c"', "v=spf1", "~all", "@", '""']), min_size=1).map(
            lambda s: f"TXT {' '.join(s)}"
        ),
    ),
).map("".join)


@given(st.lists(PLAIN, max_size=12), st.integers(1, 4))
def test_blocks_of_nothing_but_plain_lines_are_what_dnspython_would_read(lines, block):
    lines = ["$TTL 5", *lines, " TXT b", " 5 TXT c"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexer, "BLOCK", block)
        assert read(lines, "") == read(lines, " ; comment")
