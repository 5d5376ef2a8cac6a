"""File zones: what a zone file says, and all that is wrong with it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.config.configuration import Config, Section
from pipebackend.dnsdata.records import Client, Record
from pipebackend.zones import registry
from pipebackend.zones.kinds import file
from pipebackend.zones.kinds.file import FileZone
from pipebackend.zones.text import lexer
from tests.making import age

APEX = "example.org"
HEAD = """\
$TTL 300
@ IN SOA ns1 hostmaster ( 7 ; serial
    7200 3600 1209600
    300 )
  NS ns1
ns1 A 192.0.2.1
"""


def load(folder: Path, text: str, name: str = APEX) -> FileZone:
    (folder / "zone").write_bytes(text.encode("utf-8", "surrogateescape"))
    table = {"name": name, "kind": "file", "file": "zone"}
    section = Section(Config("test.toml", str(folder), {"zone": [table]}), table, "zone[0]", [])
    zone = file.load(section, name.lower(), 5)
    assert section.faults == []
    assert zone is not None
    return zone


def faults(folder: Path, text: str) -> list[str]:
    """The faults of a file that is refused, without the folder."""
    with pytest.raises(ZoneFault) as caught:
        load(folder, text)
    return [fault.replace(f"{folder}/", "") for fault in caught.value.faults]


def told(zone: FileZone) -> list[str]:
    """The faults of a zone that is served, without the folder."""
    folder = Path(zone.sources[0]).parent
    return [fault.replace(f"{folder}/", "") for fault in zone.faults]


def found(zone: FileZone, name: str) -> list[tuple[str, int, str]]:
    return [(record.type, record.ttl, record.content) for record in zone.find(name, Client()) or ()]


def test_a_file_is_a_zone(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + "www 60 IN A 192.0.2.2\n    IN 60 A 192.0.2.3\nx.ent TXT a b\n")
    assert (zone.apex, zone.ident, zone.kind, zone.dynamic, zone.narrow) == (APEX, 5, "file", False, False)
    assert zone.soa() == Record(APEX, "SOA", 300, "ns1.example.org hostmaster.example.org 7 7200 3600 1209600 300")
    assert found(zone, "www.example.org") == [("A", 60, "192.0.2.2"), ("A", 60, "192.0.2.3")]
    assert found(zone, "x.ent.example.org") == [("TXT", 300, '"a" "b"')]
    assert zone.find("ent.example.org", Client()) == ()
    assert zone.find("none.example.org", Client()) is None
    assert [record.type for record in zone.listing()] == ["SOA", "NS", "A", "A", "A", "TXT", ""]
    assert zone.ring().neighbours("x.example.org") == ("www.example.org", APEX)
    assert zone.faults == []


def test_owners_and_content_keep_the_spelling_of_the_file(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + "WwW CNAME Ns1\n", "Example.ORG")
    (record,) = zone.find("www.example.org", Client()) or ()
    assert (record.owner, record.content) == ("WwW.Example.ORG", "Ns1.Example.ORG")


def test_cuts_and_glue_are_not_authoritative(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + "sub NS ns.sub\nsub DS 1 13 2 " + "00" * 32 + "\nns.sub A 192.0.2.9\n")
    auth = {(record.owner, record.type): record.auth for record in zone.listing()}
    assert auth[("sub.example.org", "NS")] is False
    assert auth[("sub.example.org", "DS")] is True
    assert auth[("ns.sub.example.org", "A")] is False


def test_origin_and_ttl_hold_for_what_follows(tmp_path: Path) -> None:
    text = HEAD + "$ORIGIN a\nx A 192.0.2.1\n$TTL 1h\ny A 192.0.2.1\n$ORIGIN b.example.org.\n@ 1m30s A 192.0.2.1\n"
    zone = load(tmp_path, text)
    assert found(zone, "x.a.example.org") == [("A", 300, "192.0.2.1")]
    assert found(zone, "y.a.example.org") == [("A", 3600, "192.0.2.1")]
    assert found(zone, "b.example.org") == [("A", 90, "192.0.2.1")]


def test_generate_writes_records_out(tmp_path: Path) -> None:
    text = (
        HEAD
        + "$GENERATE 1-3 h$ A 192.0.2.${10,0,d}\n"
        + "$GENERATE 8-16/8 ${0,3,x} 60 IN MX 10 ns1 ; comment\n"
        + "$GENERATE 26-26 ${0,4,n}e.${0,3,N} TXT a$$b\\$c\n"
    )
    zone = load(tmp_path, text)
    assert [found(zone, f"h{i}.example.org") for i in (1, 2, 3)] == [[("A", 300, f"192.0.2.1{i}")] for i in (1, 2, 3)]
    assert found(zone, "008.example.org") == [("MX", 60, "10 ns1.example.org")]
    assert found(zone, "010.example.org") == [("MX", 60, "10 ns1.example.org")]
    assert found(zone, "a.1.e.a.1.example.org") == [("TXT", 300, '"a$b$c"')]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("$GENERATE 1 h$ A 192.0.2.$", "must be written: $GENERATE"),
        ("$GENERATE 3-1 h$ A 192.0.2.$", "the range 3-1 is empty"),
        ("$GENERATE 1-9000000 h$ A 192.0.2.1", "makes more than 1000000"),
        ("$GENERATE 1-2 ${0,200,d} A 192.0.2.1", "the width 127 at most"),
        ("$GENERATE 1-2 ${-5,2,n} A 192.0.2.1", "gives -4, which has no nibbles"),
        ("$GENERATE 255-300 h$ A 192.0.2.$", "'192.0.2.256' is not an IPv4 address"),
    ],
)
def test_a_wrong_generate_is_one_fault(tmp_path: Path, line: str, fault: str) -> None:
    (said,) = faults(tmp_path, HEAD + line + "\n")
    assert said.startswith("zone:7: ")
    assert fault in said


def test_an_included_file_is_found_beside_the_one_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a").write_text("$ORIGIN deep.sub.example.org.\nx TXT a\n$INCLUDE b\n")
    (tmp_path / "parts" / "b").write_text("y TXT b\n")
    zone = load(tmp_path, HEAD + "last A 192.0.2.1\n$INCLUDE parts/a sub\n  AAAA ::1\nnext A 192.0.2.2\n")
    assert found(zone, "x.deep.sub.example.org") == [("TXT", 300, '"a"')]
    assert found(zone, "y.deep.sub.example.org") == [("TXT", 300, '"b"')]
    # RFC 1035 section 5.1: the including file goes on with its own origin and owner
    assert [type_ for type_, _, _ in found(zone, "last.example.org")] == ["A", "AAAA"]
    assert found(zone, "next.example.org") == [("A", 300, "192.0.2.2")]
    assert [Path(source).name for source in zone.sources] == ["zone", "a", "b"]


def test_every_error_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("ok A 192.0.2.1\nbad A 192.0.2.256\n$INCLUDE none\n$INCLUDE zone\n")
    text = HEAD + "\n".join(
        [
            "k TXT )",
            "a A 192.0.2.1.5",
            'b TXT "open',
            "c FOO bar",
            "d MX ( 10",
            "    ; the parenthesis is never closed",
            "e ANY \\# 0",
            "f 99999999999 A 192.0.2.1",
            f"{'g' * 64} A 192.0.2.1",
            "h CH A 192.0.2.1",
            "$FOO bar",
            "$TTL x",
            "$INCLUDE",
            "$INCLUDE part",
            "i A 192.0.2.1 ; good",
            "j LOC 0 N 0 E 0m 90000000m",
            "l 3000000000 A 192.0.2.1",
        ]
    )
    said = faults(tmp_path, text)
    places = [fault.split(": ")[0] for fault in said]
    assert places == [
        *(f"zone:{line}" for line in (7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19)),
        *("part:2", "part:3", "part:4", "zone:22", "zone:23"),
    ]
    assert said[3].startswith("zone:10: there is no type FOO; write owner, TTL, class, type")
    assert said[13] == "part:3: $INCLUDE none: cannot be read: No such file or directory"
    assert "the file includes itself" in said[14]


def test_an_unclosed_parenthesis_hides_no_later_error() -> None:
    lines = ["@ SOA a b (\n", "  1 2 3\n", "x A bad (\n", "y A worse\n", "z A (192.0.2.1\n", ")\n", "last A (\n"]
    assert [number for number, _ in lexer.cut(lines)] == [1, 3, 4, 5, 7]


def test_a_string_and_a_comment_may_hold_parentheses() -> None:
    lines = ['a TXT "(" ; (\n', "b TXT \\(\n", 'c TXT ( "\\")" ; )\n', " x )\n", "\n", "  ; (\n", "d A 192.0.2.1"]
    assert [number for number, _ in lexer.cut(lines)] == [1, 2, 3, 7]


def test_a_refused_file_names_all_files_that_can_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ZoneFault) as caught:
        load(tmp_path, HEAD + "$INCLUDE missing\n")
    assert [Path(source).name for source in caught.value.sources] == ["zone", "missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "zone: the zone example.org has no SOA record; add one, with @ as its owner"),
        ("x A 192.0.2.1", "zone:1: no TTL is known here: write $TTL 3600 before it, in 'x A 192.0.2.1'"),
        (HEAD + "@ SOA a b 1 2 3 4 5", "zone:7: a second SOA; the first is at zone:2"),
        (HEAD + "x SOA a b 1 2 3 4 5", "zone:7: SOA at x.example.org; it belongs at the zone's name example.org"),
    ],
)
def test_a_zone_has_one_soa_at_its_apex(tmp_path: Path, text: str, said: str) -> None:
    assert faults(tmp_path, text) == [said]


def test_what_is_odd_is_told_and_served(tmp_path: Path) -> None:
    text = HEAD + "other.example. A 192.0.2.1\nx CNAME ns1\nx TXT beside\n"
    zone = load(tmp_path, text)
    assert [type_ for type_, _, _ in found(zone, "x.example.org")] == ["CNAME", "TXT"]
    assert told(zone) == [
        "zone:7: other.example. is not in the zone example.org.; left out",
        "zone:8: x.example.org has a CNAME beside TXT (RFC 1034 section 3.6.2)",
    ]


def test_what_powerdns_makes_itself_is_left_out(tmp_path: Path) -> None:
    signature = "RRSIG A 13 3 300 20300101000000 20200101000000 1 example.org. AAAA"
    text = f"{HEAD}www A 192.0.2.1\nwww {signature}\nwww NSEC ns1 A\n@ NSEC3PARAM 1 0 0 -\n@ DNSKEY 257 3 13 AAAA\n"
    zone = load(tmp_path, text)
    assert [type_ for type_, _, _ in found(zone, "www.example.org")] == ["A"]
    assert [type_ for type_, _, _ in found(zone, APEX)] == ["SOA", "NS", "DNSKEY"]
    [fault] = told(zone)
    assert fault.startswith("zone: 1 RRSIG records are left out, for the zone is signed in part")


def test_chains_without_signatures_are_left_out(tmp_path: Path) -> None:
    zone = load(tmp_path, f"{HEAD}www A 192.0.2.1\nwww NSEC ns1 A\n@ NSEC3PARAM 1 0 0 -\n")
    assert told(zone) == [
        f"zone: 1 {type_} records are left out: PowerDNS makes them itself" for type_ in ("NSEC", "NSEC3PARAM")
    ]


def test_a_double_is_served_once(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + "x A 192.0.2.1\nX A 192.0.2.1\nx A 192.0.2.2\n")
    assert found(zone, "x.example.org") == [("A", 300, "192.0.2.1"), ("A", 300, "192.0.2.2")]
    assert told(zone) == ["zone:8: X.example.org A 192.0.2.1 is there twice"]


def test_octets_outside_ascii_stand_for_themselves(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + 'é TXT "ü" \udcff \\é\n')
    assert found(zone, "\\195\\169.example.org") == [("TXT", 300, '"\\195\\188" "\\255" "\\195\\169"')]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    zone = load(tmp_path, "\ufeff" + HEAD.replace("\n", "\r\n") + 'x TXT "a"\r\n\r\n')
    assert found(zone, "x.example.org") == [("TXT", 300, '"a"')]
    assert zone.faults == []


def test_escapes_in_names_come_out_as_powerdns_writes_them(tmp_path: Path) -> None:
    zone = load(tmp_path, HEAD + "a\\.b\\032\\;\\000 TXT x\n" + "l" * 63 + " TXT y\n")
    assert found(zone, "a\\.b\\032;\\000.example.org") == [("TXT", 300, '"x"')]
    assert found(zone, f"{'l' * 63}.example.org") == [("TXT", 300, '"y"')]


def test_a_changed_include_makes_a_new_zone_and_a_wrong_one_leaves_the_old(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text(HEAD + "$INCLUDE part\n")
    (tmp_path / "part").write_text("x TXT old\n")
    for name in ("zone", "part"):
        age(tmp_path / name)
    table = {"zone": [{"name": APEX, "kind": "file", "file": "zone"}], "store": {"url": ""}}
    config = Config(str(tmp_path / "pipebackend.toml"), str(tmp_path), table)
    first = registry.load(config)
    (tmp_path / "part").write_text("x TXT newer\n")
    age(tmp_path / "part", 1_700_000_001)
    second = registry.load(config, first)
    (tmp_path / "part").write_text("x TEXT newest\n")
    third = registry.load(config, second)
    contents = [
        [record.content for record in known.by_apex[APEX].find("x.example.org", Client()) or ()]
        for known in (first, second, third)
    ]
    assert contents == [['"old"'], ['"newer"'], ['"newer"']]


def test_records_that_differ_in_case_are_both_served_as_powerdns_does(tmp_path: Path) -> None:
    zone = load(tmp_path, f"{HEAD}m MX 1 a.b\nm MX 1 A.b\nm MX 1 a.b\n")
    assert [record.content for record in zone.find("m.example.org", Client()) or ()] == [
        "1 a.b.example.org",
        "1 A.b.example.org",
    ]
