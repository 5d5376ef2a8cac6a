"""TOML read without tomllib is what tomllib would have read, and what tomllib refuses is left to it."""

from __future__ import annotations

import tomllib

from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.config import plaintoml

KEYS = st.sampled_from([
    *("a", "b", "zone", "record", "a-b_1", "1", "true", "a.b", "a b", "", "é"),
    *('"a"', "'a'", '"a.b"', '""', '"\\"'),
])  # fmt: skip
BLANKS = st.sampled_from(["", "", " ", "\t", "  "])
SCALARS = st.sampled_from([
    *('""', '"text"', "'text'", '"é \t # ] }"', "'\"'", '"\\""', '"\\\\"', '"\x7f"'),
    *('"""a"""', "''''''", "''", '"', "'a"),
    *("0", "7", "60", "007", "-1", "+1", "1_0", "1.5", "1e3", "0x1f", "inf", "1979-05-27", "07:32:00"),
    *("9" * 18, "9" * 19, "true", "false", "True", "yes", "", "[", "{", "=", ",", "٣"),
])  # fmt: skip
GAPS = st.sampled_from(["", "", " ", "\n", " # why\n", "\n\t\n", "\r\n", "# \x01\n"])


def arrays(values):
    items = st.tuples(GAPS, values, GAPS).map("".join)
    return st.tuples(st.lists(items, max_size=3).map(",".join), st.sampled_from(["", "", ","]), GAPS).map(
        lambda parts: f"[{''.join(parts)}]"
    )


def inline_tables(values):
    pairs = st.tuples(BLANKS, KEYS, BLANKS, st.just("="), BLANKS, values, BLANKS).map("".join)
    return st.tuples(st.lists(pairs, max_size=3).map(",".join), st.sampled_from(["", "", ",", "\n"])).map(
        lambda parts: f"{{{''.join(parts)}}}"
    )


VALUES = st.recursive(SCALARS, lambda values: arrays(values) | inline_tables(values), max_leaves=6)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
LINES = st.one_of(
    st.tuples(BLANKS, KEYS, BLANKS, st.just("="), BLANKS, VALUES, BLANKS).map("".join),
    st.tuples(BLANKS, st.just("["), PATHS, st.just("]"), BLANKS).map("".join),
    st.tuples(BLANKS, st.just("[["), PATHS, st.just("]]"), BLANKS).map("".join),
    st.sampled_from(
        ["", "# why", "a = 1 # why", "[zone] # why", "[ zone ]", "[zone", "[[zone]", "[zone] a = 1", "\ufeff"]
    ),
)
PLAIN_KEYS = st.sampled_from(["a", "b", "'a'", "zone"])
PLAIN_PATHS = st.lists(PLAIN_KEYS, min_size=1, max_size=3).map(".".join)
PLAIN_LINES = st.one_of(
    st.tuples(PLAIN_KEYS, st.just(" = "), st.sampled_from(["1", "[]", "{}", "[{}]", "{ a = 1 }", '"x"'])).map("".join),
    PLAIN_PATHS.map("[{}]".format),
    PLAIN_PATHS.map("[[{}]]".format),
)


def check(text):
    found = plaintoml.read(text)
    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert found is None
        return
    assert found is None or repr(found) == repr(wanted)  # the order of keys and the types, too


@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\n", "\r\n"]))
@example(["a = ["], "\n")
@example(["a = []", "[a.b]"], "\n")
@example(["a = [1, # why"], "\n")
def test_any_text_is_what_tomllib_reads(lines, end):
    check(end.join(lines))


@given(st.lists(PLAIN_LINES, max_size=8))
def test_tables_inside_tables_are_what_tomllib_reads(lines):
    check("\n".join(lines))
