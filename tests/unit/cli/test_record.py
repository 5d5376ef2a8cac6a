"""zoneutil record: what PowerDNS is told."""

from __future__ import annotations

import pytest

LOC = "33 56 33.000 N 118 24 28.836 W 38.40m 1m 10000m 10m"


def test_lookup_shows_zone_file_lines_with_auth(zoneutil):
    lines = zoneutil.good("record", "lookup", "lax.cities.example").out.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["LAX.Cities.Example.", "60", "IN", "TXT"],
        ["LAX.Cities.Example.", "60", "IN", "LOC"],
    ]
    assert '"Los Angeles"' in lines[0]
    assert all(line.endswith("; auth=1") for line in lines)


def test_lookup_of_one_type_in_any_case(zoneutil):
    (line,) = zoneutil.good("record", "lookup", "LAX.CITIES.example.", "loc").out.splitlines()
    assert LOC.removesuffix(" 1m 10000m 10m") in line, "the sizes of RFC 1876 need not be written"


def test_lookup_in_json(zoneutil):
    (record,) = zoneutil.good("record", "lookup", "lax.cities.example", "LOC", "--json").json
    assert record == {
        "owner": "LAX.Cities.Example",
        "type": "LOC",
        "ttl": 60,
        "content": LOC,
        "auth": True,
        "scope": 0,
        "zone_id": record["zone_id"],
    }


@pytest.mark.parametrize("words", [("xxx.cities.example",), ("lax.cities.example", "AAAA"), ("other",)])
def test_nothing_is_status_1(zoneutil, words):
    done = zoneutil("record", "lookup", *words)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"nothing at {words[0]} ")


def test_what_is_no_name_is_an_error(zoneutil):
    done = zoneutil("record", "lookup", "a..b")
    assert (done.status, done.out) == (1, "")
    assert "name 'a..b' has an empty label" in done.err


def test_an_empty_nonterminal_is_shown_as_one(zoneutil):
    config = zoneutil.folder / "pipebackend.toml"
    config.write_text(config.read_text().replace('"ns1 A 192.0.2.1"', '"a.b A 192.0.2.1"'))
    assert zoneutil.good("record", "lookup", "b.cities.example").out == "b.cities.example.\t; empty non-terminal\n"
