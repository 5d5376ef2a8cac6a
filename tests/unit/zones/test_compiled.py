"""When a zone is served from a compiled file, and what happens where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipebackend import config, logs
from pipebackend.config import Section
from pipebackend.errors import ZoneFault
from pipebackend.nsec3param import Nsec3Param
from pipebackend.records import Client
from pipebackend.zones import compilation, compiler
from pipebackend.zones.compilation import Pending, Target
from pipebackend.zones.compiled import CompiledZone
from tests.making import age, read_config

APEX, IDENT = "cities.example", 4711


@pytest.fixture(autouse=True)
def _no_compiler_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "_background", False)
    monkeypatch.setattr(compilation, "_requested", {})


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return compiler.sections(read_config(tmp_path))[APEX]


def target_of(section: Section) -> Target:
    return Target.of(section, APEX, IDENT)


def zone_file(folder: Path, text: str, name: str = APEX) -> Section:
    (folder / "zone").write_text(text)
    age(folder / "zone")
    table = {"name": name, "kind": "file", "file": "zone"}
    return Section(
        config.Config(str(folder / "pipebackend.toml"), str(folder), {"zone": [table]}), table, "zone[0]", []
    )


def made(section: Section) -> CompiledZone:
    compiler.build(section, APEX, IDENT)
    found = compilation.current(target_of(section))
    assert found is not None
    return found


def test_a_compiled_zone_is_there_until_its_source_changes(section: Section, tmp_path: Path) -> None:
    made(section)
    assert not compiler.build(section, APEX, IDENT)  # nothing to do
    age(tmp_path / "cities.tsv", 1_700_000_001)
    assert compilation.current(target_of(section)) is None


def test_another_configuration_of_the_zone_is_another_zone(section: Section) -> None:
    made(section)
    changed = Section(section.config, {**section.table, "ttl": 61}, section.path, [])
    assert compilation.current(target_of(changed)) is None
    assert compilation.current(Target.of(section, APEX, IDENT + 1)) is None


def test_a_refused_source_is_refused_with_its_faults_and_files(tmp_path: Path) -> None:
    section = zone_file(tmp_path, "@ 60 A 192.0.2.300\n")
    compiler.build(section, APEX, IDENT)
    with pytest.raises(ZoneFault, match=r"zone:1: ") as caught:
        compilation.current(target_of(section))
    assert caught.value.sources == (str(tmp_path / "zone"),)


def test_a_large_zone_file_waits_and_a_small_one_does_not(tmp_path: Path) -> None:
    section = zone_file(tmp_path, "; nothing\n" * 100_000)
    zone = compilation.served(target_of(section), None)
    assert isinstance(zone, Pending)
    with pytest.raises(ZoneFault, match=rf"zone {APEX} is being compiled; ready in about \d+ s"):
        zone.find(APEX, Client())
    for answer in (zone.soa, zone.listing, zone.ring):
        with pytest.raises(ZoneFault):
            answer()
    assert compilation.served(target_of(zone_file(tmp_path, "; nothing\n")), None) is None


def test_the_old_zone_goes_on_while_the_new_one_is_compiled(tmp_path: Path) -> None:
    text = "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
    before = made(zone_file(tmp_path, text))
    section = zone_file(tmp_path, text + "; nothing\n" * 100_000)
    assert compilation.served(target_of(section), before) is before
    assert before.soa().content.endswith(" 1 2 3 4 5")


def test_where_nothing_can_be_kept_the_zone_is_read_and_the_log_says_so_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / compilation.FOLDER).write_text("in the way")
    logs.forget(str(tmp_path / compilation.FOLDER))
    section = zone_file(tmp_path, "; nothing\n" * 100_000)
    assert compilation.served(target_of(section), None) is None
    assert compilation.served(target_of(section), None) is None
    assert capfd.readouterr().err.count("make it writable for their user, or run zoneutil") == 1


def test_an_nsec3_ring_is_asked_for_made_and_kept_when_the_source_changes(section: Section, tmp_path: Path) -> None:
    param = Nsec3Param(0, 0, b"\xab")
    with pytest.raises(ZoneFault, match=r"NSEC3 ring of zone cities\.example is being made"):
        made(section).hashed_neighbours("0" * 32, param)
    assert compiler.build(section, APEX, IDENT, "1 0 0 ab")
    first = made(section).hashed_neighbours("0" * 32, param)
    age(tmp_path / "cities.tsv", 1_700_000_001)
    assert made(section).hashed_neighbours("0" * 32, param) == first


def test_files_of_zones_that_are_gone_are_removed(section: Section, tmp_path: Path) -> None:
    made(section)
    other = zone_file(tmp_path, "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n", "other.example")
    compiler.build(other, "other.example", IDENT)
    assert [path.name.rsplit(".", 2)[0] for path in (tmp_path / compilation.FOLDER).glob("*.mdb")] == ["other.example"]


def test_a_map_stays_valid_when_its_file_is_replaced(section: Section, tmp_path: Path) -> None:
    before = made(section)
    age(tmp_path / "cities.tsv", 1_700_000_001)
    made(section)
    assert before.find("lax.cities.example", Client())
    assert list(before.listing())
