"""The zones of a configuration: all faults at once, which zone answers, and which id it has."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from pipebackend.base.errors import ConfigFault
from pipebackend.zones import registry
from pipebackend.zones.registry import Registry
from tests.making import CITIES, TABLE_ZONE, age, read_config

OTHER = TABLE_ZONE.replace("Cities.Example", "towns.example")


def load(folder: Path, toml: str = TABLE_ZONE, table: str = CITIES) -> Registry:
    return registry.load(read_config(folder, toml, table))


def faults(folder: Path, toml: str) -> list[str]:
    with pytest.raises(ConfigFault) as caught:
        load(folder, toml)
    place = re.compile(rf"{re.escape(str(folder))}/pipebackend\.toml(?::\d+)?: ")
    assert all(place.match(fault) for fault in caught.value.faults)
    return [place.sub("", fault) for fault in caught.value.faults]


def test_zones_are_known_by_name_and_id(tmp_path: Path) -> None:
    zones = load(tmp_path, TABLE_ZONE + OTHER)
    assert [zone.apex for zone in zones.zones] == ["cities.example", "towns.example"]
    assert zones.by_apex["cities.example"] is zones.by_id[zones.zones[0].ident]


def test_ids_are_the_same_in_every_process_and_fit_into_31_bits(tmp_path: Path) -> None:
    first, second = load(tmp_path, TABLE_ZONE + OTHER), load(tmp_path, OTHER + TABLE_ZONE)
    assert first.by_apex["cities.example"].ident == second.by_apex["cities.example"].ident
    assert all(0 < zone.ident < 2**31 for zone in first.zones)


def test_an_id_that_is_taken_is_left_to_its_owner() -> None:
    wanted = registry.wanted_id("aa")
    assert registry.wanted_id("aa", {wanted, wanted + 1}) == wanted + 2


def test_an_empty_configuration_has_no_zones(tmp_path: Path) -> None:
    assert load(tmp_path, "").zones == ()


def test_the_deepest_zone_answers_whatever_the_order(tmp_path: Path) -> None:
    inner = TABLE_ZONE.replace("Cities.Example", "big.cities.example")
    for toml in (TABLE_ZONE + inner, inner + TABLE_ZONE):
        zones = load(tmp_path, toml)
        for name, apex in {
            "x.big.cities.example": "big.cities.example",
            "big.cities.example": "big.cities.example",
            "xbig.cities.example": "cities.example",
            r"x\.big.cities.example": "cities.example",
        }.items():
            zone = zones.zone_of(name)
            assert zone is not None
            assert zone.apex == apex
        assert zones.zone_of("example") is None
        assert zones.zone_of("") is None


def test_a_root_zone_answers_for_the_rest(tmp_path: Path) -> None:
    zones = load(tmp_path, TABLE_ZONE + TABLE_ZONE.replace("Cities.Example", "."))
    assert zones.zone_of("com") is zones.by_apex[""]
    assert zones.zone_of("") is zones.by_apex[""]


def test_an_entry_is_found_by_name(tmp_path: Path) -> None:
    zones = load(tmp_path)
    entry = zones.entry("cities.example")
    assert entry is not None
    assert entry.zone is zones.zones[0]
    assert zones.entry("other") is None


def test_two_zones_of_one_name(tmp_path: Path) -> None:
    again = TABLE_ZONE.replace("Cities.Example", "CITIES.example.")
    assert faults(tmp_path, TABLE_ZONE + again) == [
        "zone CITIES.example.: name: there is a zone cities.example already, in " + f"{tmp_path}/pipebackend.toml:1"
    ]


def test_an_unknown_kind(tmp_path: Path) -> None:
    found = faults(tmp_path, TABLE_ZONE.replace('kind = "table"', 'kind = "tabel"'))
    assert len(found) == 1
    assert found[0].startswith("zone Cities.Example: kind: must be one of ")
    assert found[0].endswith(", not 'tabel'")


@pytest.mark.parametrize("key", ["name", "kind", "file", "key"])
def test_what_must_not_be_left_out_or_empty(tmp_path: Path, key: str) -> None:
    line = next(line for line in TABLE_ZONE.splitlines() if line.startswith(f"{key} = "))
    place = "zone[0].name" if key == "name" else f"zone Cities.Example: {key}"
    assert faults(tmp_path, TABLE_ZONE.replace(f"{line}\n", "")) == [f"{place}: is missing; it must be a string"]
    assert faults(tmp_path, TABLE_ZONE.replace(line, f'{key} = ""')) == [f"{place}: must not be empty"]
    assert f"{place}: must be a string, not 5" in faults(tmp_path, TABLE_ZONE.replace(line, f"{key} = 5"))


def test_all_faults_of_all_zones_come_at_once(tmp_path: Path) -> None:
    toml = (
        'colour = "red"\n'
        + TABLE_ZONE.replace("ttl = 60", 'ttl = "x"')
        + OTHER.replace("cities.tsv", "none.tsv")
        + TABLE_ZONE.replace("ns = ", "sn = ")
        + OTHER.replace("towns.example", "third.example").replace("{city}", "{town}")
    )
    assert sorted(faults(tmp_path, toml)) == sorted(
        [
            "colour: unknown key; the keys here are policy, powerdns, store, trace, trace_full, zone",
            "zone Cities.Example: ttl: must be a whole number, not 'x'",
            f"zone towns.example: file: there is no file {tmp_path}/none.tsv",
            f"zone Cities.Example: name: there is a zone cities.example already, in {tmp_path}/pipebackend.toml:2",
            "zone Cities.Example: ns: is missing; it must be a list of strings",
            "zone Cities.Example: sn: unknown key; "
            "the keys here are file, key, kind, max_loss, name, ns, policy, record, records, separator, soa, ttl",
            "zone third.example: record[0].content: there is no column 'town'; "
            "the columns are code, city, lat, lon, metres",
        ]
    )


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("zone = 5", "zone: must be tables, written [[zone]], not 5"),
        ("zone = [5]", "zone: must hold tables, written [[zone]]"),
        ('[zone]\nname = "aa"', "zone: must be tables, written [[zone]], not {'name': 'aa'}"),
    ],
)
def test_zones_that_are_no_tables(tmp_path: Path, toml: str, fault: str) -> None:
    assert faults(tmp_path, toml) == [fault]


def test_a_bad_zone_name_is_said_once(tmp_path: Path) -> None:
    assert faults(tmp_path, TABLE_ZONE.replace("Cities.Example", "a..b")) == [
        "zone a..b: name: name 'a..b' has an empty label"
    ]


def test_a_table_that_is_none_leaves_its_zone_out_and_serves_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_text("nothing\n")
    zones = load(tmp_path, TABLE_ZONE + OTHER.replace("cities.tsv", "bad.tsv"))
    assert [zone.apex for zone in zones.zones] == ["cities.example"]
    entry = zones.entry("towns.example")
    assert entry is not None
    assert entry.zone is None
    assert entry.faults == (f"{tmp_path}/bad.tsv:1: no column 'code'; the columns are nothing",)


def test_what_did_not_change_is_not_stale(tmp_path: Path) -> None:
    assert not load(tmp_path).is_stale()


@pytest.mark.parametrize("name", ["pipebackend.toml", "cities.tsv"])
@pytest.mark.parametrize("change", ["time", "size", "gone", "replaced"])
def test_a_changed_file_makes_it_stale(tmp_path: Path, name: str, change: str) -> None:
    zones = load(tmp_path)
    path = tmp_path / name
    if change == "time":
        age(path, 1_700_000_001)
    elif change == "size":
        path.write_text(path.read_text() + "\n")
        age(path)
    elif change == "gone":
        path.unlink()
    else:
        (tmp_path / "new").write_text(path.read_text())
        age(tmp_path / "new")
        (tmp_path / "new").rename(path)
    assert zones.is_stale()


def test_a_file_of_this_moment_may_still_be_written(tmp_path: Path) -> None:
    """Its time may stay the same after more is written, so it is read again."""
    config = read_config(tmp_path)
    this_moment = time.time() + 5  # as long as a busy machine may take to read it
    os.utime(tmp_path / "cities.tsv", (this_moment, this_moment))
    assert registry.load(config).is_stale()


def test_zones_that_did_not_change_are_kept(tmp_path: Path) -> None:
    config = read_config(tmp_path, TABLE_ZONE + OTHER.replace("cities.tsv", "towns.tsv"), CITIES)
    (tmp_path / "towns.tsv").write_text(CITIES, encoding="utf-8")
    age(tmp_path / "towns.tsv")
    before = registry.load(config)
    age(tmp_path / "towns.tsv", 1_700_000_001)
    after = registry.load(config, before)
    assert after.by_apex["cities.example"] is before.by_apex["cities.example"]
    assert after.by_apex["towns.example"] is not before.by_apex["towns.example"]
    assert after.by_apex["towns.example"].ident == before.by_apex["towns.example"].ident


def test_a_store_of_another_kind_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    """Found by fuzzing: it was a traceback at the start, and at each look of a process that was serving."""
    with pytest.raises(ConfigFault, match=r"store\.url: .*qlite:zones\.db.*supported is sqlite:PATH"):
        registry.load(read_config(tmp_path, '[store]\nurl = "qlite:zones.db"\n' + TABLE_ZONE))
