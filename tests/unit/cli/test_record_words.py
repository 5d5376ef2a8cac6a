"""The commands keep what PowerDNS of the configured version writes, however type and content are written."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pipebackend.admin import wording

ZONE = "example.org"
HEAD = f"$ORIGIN {ZONE}.\n$TTL 60\n@ SOA ns1 hostmaster 7 3600 600 86400 300\n@ NS ns1.example.net.\n"
LOC = "60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m"
ROUNDED = "60 8 60.000 N 24 38 60.000 E 10.00m 20.00m 2000.00m 20.00m"
HIGH = "0 0 0.000 S 1 0 0.000 W 42849672.95m 1.00m 10000.00m 10.00m"
# Written so, kept so for 4.9 and for 5.1
WORDS = [
    ("LOC", LOC, ("LOC", ROUNDED), ("LOC", LOC)),
    ("LOC", ROUNDED, ("LOC", ROUNDED), ("LOC", LOC)),
    (
        "LOC",
        "0 0 0 N 0 0 0 E 0m",
        *[("LOC", f"0 0 0.000 {d} 0.00m 1.00m 10000.00m 10.00m") for d in ("S 0 0 0.000 W", "N 0 0 0.000 E")],
    ),
    (
        "LOC",
        HIGH,
        ("LOC", HIGH.replace("42849672.95m", "-100000.01m")),
        ("LOC", HIGH.replace("42849672.95m", "-100000.01m").replace("S", "N")),
    ),
    (
        "RESINFO",
        '"qnamemin" "exterr=15"',
        ("TYPE261", r"\# 19 08716e616d656d696e096578746572723d3135"),
        ("RESINFO", '"qnamemin" "exterr=15"'),
    ),
    ("TYPE261", r"\# 2 0161", ("TYPE261", r"\# 2 0161"), ("RESINFO", '"a"')),
    ("WALLET", '"BTC" "x"', ("TYPE262", r"\# 6 034254430178"), ("WALLET", '"BTC" "x"')),
    ("TYPE67", r"\# 4 01020304", ("TYPE67", r"\# 4 01020304"), ("HHIT", "AQIDBA==")),
    (
        "NSAP-PTR",
        "foo.example.",
        ("TYPE23", r"\# 13 03666f6f076578616d706c6500"),
        ("TYPE23", r"\# 13 03666f6f076578616d706c6500"),
    ),
    ("ISDN", '"1"', ("TYPE20", r"\# 2 0131"), ("TYPE20", r"\# 2 0131")),
    ("TYPE1", r"\# 4 c0000207", ("A", "192.0.2.7"), ("A", "192.0.2.7")),
    ("A", r"\# 4 c0000207", ("A", "192.0.2.7"), ("A", "192.0.2.7")),
    ("TXT", r"\# 3 026869", ("TXT", '"hi"'), ("TXT", '"hi"')),
    ("MX", r"\# 5 000a016100", ("MX", "a"), ("MX", "a")),  # the preference has its own column
    ("NS", r"\# 3 016100", ("NS", "a"), ("NS", "a")),
    ("CSYNC", "1 3 A TYPE261", ("CSYNC", "1 3 A TYPE261"), ("CSYNC", "1 3 A RESINFO")),
    ("TYPE65280", r"\# 0", ("TYPE65280", r"\# 0 "), ("TYPE65280", r"\# 0")),
    ("SVCB", "1 . ohttp", ("SVCB", '1 . key8=""'), ("SVCB", "1 . ohttp")),
    (
        "HTTPS",
        "1 . tls-supported-groups=29,23",
        ("HTTPS", r'1 . key9="\000\029\000\023"'),
        ("HTTPS", "1 . tls-supported-groups=29,23"),
    ),
    ("SVCB", "1 a. dohpath=/q{?dns}", ("SVCB", '1 a key7="/q{?dns}"'), ("SVCB", '1 a dohpath="/q{?dns}"')),
    ("IPSECKEY", "1 0 2 AQID", ("IPSECKEY", "1 0 2 AQID"), ("IPSECKEY", "1 0 2 AQID")),
]
VERSIONS = {"4.9": 2, "5.1": 3, "": 2}


@pytest.fixture(params=VERSIONS)
def version(request, zoneutil, monkeypatch):
    """Without one the PowerDNS that is installed decides how LOC is written: here one before 5.0."""
    monkeypatch.setattr(wording, "_installed_rounds", lambda: True)
    path = zoneutil.folder / "pipebackend.toml"
    path.write_text((f'powerdns = "{request.param}"\n' if request.param else "") + path.read_text())
    return request.param


def kept(zoneutil):
    """By the first label, the type and content of the records below the apex, apart from what it has itself."""
    with closing(sqlite3.connect(zoneutil.store)) as database:
        rows = database.execute("SELECT name, type, content FROM records WHERE name LIKE 'n%.example.org'").fetchall()
    return {int(name.partition(".")[0][1:]): (type_, content) for name, type_, content in rows}


def wanted(version):
    return {number: row[VERSIONS[version]] for number, row in enumerate(WORDS)}


def serial(zoneutil):
    return int(zoneutil.good("zone", "export", ZONE).out.split()[6])


def test_an_import_is_kept_in_the_words_of_the_version(zoneutil, version):
    file = zoneutil.folder / "new.zone"
    lines = [f"n{number} {type_} {content}" for number, (type_, content, *_) in enumerate(WORDS)]
    file.write_text(HEAD + "\n".join([*lines, ""]))
    zoneutil.good("zone", "import", ZONE, file)
    assert kept(zoneutil) == wanted(version)


def test_record_add_knows_each_record_in_all_its_words(zoneutil, version):
    """RESINFO and TYPE261, text and hexadecimal digits: one record, which is added, found and deleted."""
    zoneutil.good("zone", "create", ZONE, "--ns", "ns1.example.net")
    for number, (type_, content, *_) in enumerate(WORDS):
        zoneutil.good("record", "add", f"n{number}.{ZONE}", type_, content)
    assert kept(zoneutil) == wanted(version)
    before = serial(zoneutil)
    for number, row in enumerate(WORDS):
        for type_, content in (row[:2], *row[2:]):
            if type_ != "MX" and "-100000.01m" not in content:
                done = zoneutil.good("record", "add", f"n{number}.{ZONE}", type_, content)
                assert "no change" in done.err, (type_, content)
    assert serial(zoneutil) == before
    for number, row in enumerate(WORDS):
        zoneutil.good("record", "delete", f"n{number}.{ZONE}", *row[:2])
    assert kept(zoneutil) == {}


def test_what_another_version_wrote_is_replaced_and_deleted_under_the_other_name(zoneutil):
    path = zoneutil.folder / "pipebackend.toml"
    plain = path.read_text()
    path.write_text(f'powerdns = "4.9"\n{plain}')
    zoneutil.good("zone", "create", ZONE, "--ns", "ns1.example.net")
    for number in (0, 1, 2):
        zoneutil.good("record", "add", f"n{number}.{ZONE}", "RESINFO", '"a"')
    path.write_text(f'powerdns = "5.1"\n{plain}')
    zoneutil.good("record", "add", f"n0.{ZONE}", "RESINFO", '"b"')
    zoneutil.good("record", "delete", f"n1.{ZONE}", "RESINFO")
    zoneutil.good("record", "replace", f"n2.{ZONE}", "TYPE261", '"c"')
    with closing(sqlite3.connect(zoneutil.store)) as database:
        rows = database.execute("SELECT name, type, content FROM records WHERE name LIKE 'n%.example.org'").fetchall()
    assert sorted(rows) == [
        (f"n0.{ZONE}", "RESINFO", '"a"'),
        (f"n0.{ZONE}", "RESINFO", '"b"'),
        (f"n2.{ZONE}", "RESINFO", '"c"'),
    ]


def test_a_repair_rewrites_the_words_of_another_version(zoneutil):
    path = zoneutil.folder / "pipebackend.toml"
    plain = path.read_text()
    path.write_text(f'powerdns = "4.9"\n{plain}')
    zoneutil.good("zone", "create", ZONE, "--ns", "ns1.example.net")
    for number, (type_, content, *_) in enumerate(WORDS):
        zoneutil.good("record", "add", f"n{number}.{ZONE}", type_, content)
    path.write_text(f'powerdns = "5.1"\n{plain}')
    before = zoneutil.good("zone", "export", ZONE).out
    differing = sum(old != new for _, _, old, new in WORDS)
    assert f"{differing} records rewritten" in zoneutil.good("store", "check", "--repair").err
    assert kept(zoneutil) == wanted("5.1")
    assert zoneutil.good("zone", "export", ZONE).out == before, "no answer changes"


def test_zone_edit_with_no_change_changes_nothing(zoneutil, version, monkeypatch):
    """Also of records that another version wrote, and of those that are not answered where no version is named."""
    path = zoneutil.folder / "pipebackend.toml"
    named = path.read_text()
    path.write_text('powerdns = "4.9"\n' + named.partition('"\n')[2] if version else named)
    zoneutil.good("zone", "create", ZONE, "--ns", "ns1.example.net")
    for number, (type_, content, *_) in enumerate(WORDS):
        zoneutil.good("record", "add", f"n{number}.{ZONE}", type_, content)
    path.write_text(named)
    before = serial(zoneutil)
    monkeypatch.setenv("VISUAL", "true")
    assert "nothing was changed" in zoneutil.good("zone", "edit", ZONE, "--yes").err
    monkeypatch.setenv("VISUAL", "sed -i -e /^n4./d -e '$a www 60 A 192.0.2.1'")
    zoneutil.good("zone", "edit", ZONE, "--yes")
    assert 4 not in kept(zoneutil)
    assert serial(zoneutil) == before + 1


CODE = "A \";local t = {'192.0.2.1', '192.0.2.2'}; " + "local x = 'abcdefgh' .. 'ij'; " * 120 + 'return t[1]"'


def test_lua_of_any_length_and_alias_are_shown_and_edited_as_text(zoneutil, monkeypatch):
    zoneutil.good("zone", "create", ZONE, "--ns", "ns1.example.net")
    zoneutil.good("record", "add", f"n1.{ZONE}", "LUA", CODE)
    zoneutil.good("record", "add", f"n2.{ZONE}", "ALIAS", "target.example.net.")
    assert kept(zoneutil) == {1: ("LUA", CODE), 2: ("ALIAS", "target.example.net")}
    lines = [f"n1.{ZONE}. 3600 IN LUA {CODE}", f"n2.{ZONE}. 3600 IN ALIAS target.example.net."]
    exported = zoneutil.good("zone", "export", ZONE).out
    assert all(f"{line}\n" in exported for line in lines)
    for number, (line, type_) in enumerate(zip(lines, ("LUA", "ALIAS"), strict=True), 1):
        assert zoneutil.good("record", "lookup", f"n{number}.{ZONE}", type_).out.startswith(f"{line}\t; auth=")
        assert zoneutil.good("record", "search", f"n{number}.{ZONE}").out == f"{line}\n"
    monkeypatch.setenv("VISUAL", "sed -i -e s/192.0.2.1/192.0.2.9/ -e s/target.example.net/other.example.net/")
    zoneutil.good("zone", "edit", ZONE, "--yes")
    new = {1: ("LUA", CODE.replace("192.0.2.1", "192.0.2.9")), 2: ("ALIAS", "other.example.net")}
    assert kept(zoneutil) == new
    path = zoneutil.folder / "again.zone"
    path.write_text(zoneutil.good("zone", "export", ZONE).out)
    zoneutil.good("zone", "import", ZONE, path)
    assert kept(zoneutil) == new
