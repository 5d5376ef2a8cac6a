"""Cells of any type that SQLite knows: as gsqlite3 reads them, or a fault that names owner and type."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata.records import Record
from pipebackend.store.rows import cells

NAME = "x.example.org"


@pytest.fixture
def store_kind():
    return "sqlite"


def served(type_="A", ttl=60, prio=0, content="192.0.2.1", auth=1):
    return cells.served(NAME, type_, ttl, prio, content, auth)


@pytest.mark.parametrize(
    ("prio", "content", "right"),
    [
        (None, "10 mail.example.net", "10 mail.example.net"),
        ("", "10 mail.example.net", "10 mail.example.net"),
        ("20", "mail.example.net", "20 mail.example.net"),
        (10.5, "mail.example.net", "10.5 mail.example.net"),
    ],
)
def test_a_missing_priority_is_in_the_content(prio, content, right):
    assert served("MX", prio=prio, content=content) == Record(NAME, "MX", 60, right)


@pytest.mark.parametrize(
    ("ttl", "right"),
    [
        (None, 3600),
        ("", 3600),
        ("1h", 1),
        (60.5, 60),
        (" 60", 60),
        (b"60", 60),
        (2**31 - 1, 2**31 - 1),
        (2**31, 0),  # RFC 2181 section 8
        (2**32 - 1, 0),
    ],
)
def test_a_ttl_is_the_number_that_the_cell_begins_with(ttl, right):
    assert served(ttl=ttl).ttl == right


@pytest.mark.parametrize("ttl", [-1, "hour", 99999999999, b"\xff", "9" * 5000])
def test_a_row_whose_ttl_is_no_number_is_left_out_and_said(ttl, capfd):
    from pipebackend.base import logs

    logs.forget(f"{NAME} A: the ttl {cells._shown(cells.text(ttl))} is not a number from 0 to 2147483647")
    assert served(ttl=ttl) is None
    assert f"{NAME} A: the ttl" in capfd.readouterr().err
    assert isinstance(cells.examined(NAME, "A", ttl, 0, "192.0.2.1", 1), RecordFault)


@pytest.mark.parametrize(
    ("content", "right"),
    [
        (b'"a\xffb"', '"a\\255b"'),
        ('"Z\u00fcrich"', '"Z\\195\\188rich"'),
        ('"a\nb\tc"', '"a\\010b\\009c"'),
        ('"a"\n\t"b"', '"a"  "b"'),
        ('"a\\"\nb"', '"a\\"\\010b"'),
        (7, "7"),
    ],
)
def test_content_is_one_line_of_printable_ascii_with_the_same_octets(content, right):
    assert served("TXT", content=content).content == right


def test_code_keeps_its_lines():
    assert served("LUA", content='A "return\n1"').content == 'A "return\n1"'


@pytest.mark.parametrize("type_", [1.5, "A ", "a\tb", 'A"', b"\xff"])
def test_a_type_that_cannot_be_one_fails_with_its_owner(type_):
    with pytest.raises(RecordFault, match=r"x.example.org .*: there is no such type"):
        served(type_)


def test_a_type_in_small_letters_or_octets_is_that_type():
    assert served("a") == served(b"A") == Record(NAME, "A", 60, "192.0.2.1")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ((NAME, "A", 60, 0, None, 1), "x.example.org A: the content is empty"),
        ((NAME, "A", 60, 0, "192.0.2.256", 1), "x.example.org A '192.0.2.256': "),
        ((NAME, "TXT", 60, 0, '"never', 1), "x.example.org TXT '\"never': "),
        ((NAME, "URL", 60, 0, "https://example.net/", 1), "x.example.org URL 'https://example.net/': "),
        ((NAME, "MX", 60, 10, "10 mail.example.net", 1), "x.example.org MX '10 10 mail.example.net': "),
        (("X.example.org.", "A", 60, 0, "192.0.2.1", 1), "lower case, without a dot"),
        ((b"\xff", "A", 60, 0, "192.0.2.1", 1), "DDD"),
    ],
)
def test_each_faulty_row_is_named_by_owner_and_type(row, fault):
    found = cells.examined(*row)
    assert isinstance(found, RecordFault)
    assert fault in str(found)


def test_a_right_row_is_its_record():
    assert cells.examined(NAME, "MX", 60, None, "10 mail.example.net", None) == served(
        "MX", content="mail.example.net", prio=10
    )


def test_an_apl_without_prefixes_is_a_record():
    """RFC 3123 section 4; PowerDNS writes nothing for it."""
    assert served("APL", content="") == Record(NAME, "APL", 60, "")
