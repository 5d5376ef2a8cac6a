"""Reloading: the new files when they are good, the old ones when not, and one word about it in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipebackend.backend.watch import Watcher
from pipebackend.dnsdata.records import Client
from tests.making import CITIES, TABLE_ZONE, age, make_watcher

LAX = "lax.cities.example"


class Scene:
    """A watcher, its two files, and a clock that makes each writing newer than the last."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.watcher: Watcher = make_watcher(folder)
        self._capfd = capfd
        self._seconds = 1_700_000_000

    def write(self, name: str, text: str) -> None:
        self._seconds += 1
        (self.folder / name).write_text(text, encoding="utf-8")
        age(self.folder / name, self._seconds)

    def table(self, text: str) -> None:
        self.write("cities.tsv", text)

    def config(self, text: str) -> None:
        self.write("pipebackend.toml", text)

    def refreshed(self, times: int = 1) -> str:
        """Refresh as the watching thread does, only when something is stale; what was logged."""
        self._capfd.readouterr()
        for _ in range(times):
            if self.watcher.registry.is_stale():
                self.watcher.refresh()
        return self._capfd.readouterr().err

    def text(self, name: str = LAX) -> str | None:
        zone = self.watcher.registry.zone_of(name)
        records = zone.find(name, Client()) if zone is not None else None
        return records[0].content if records else None


@pytest.fixture
def scene(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Scene:
    return Scene(tmp_path, capfd)


def test_nothing_changed_nothing_done(scene: Scene) -> None:
    zone = scene.watcher.registry.zones[0]
    assert scene.refreshed(3) == ""
    assert scene.watcher.registry.zones[0] is zone
    assert scene.watcher.reloads == 0


def test_a_changed_table_is_served_and_said(scene: Scene) -> None:
    scene.table(CITIES.replace("Los Angeles", "L.A."))
    log = scene.refreshed(3)
    assert log.count("zone cities.example read again") == 1
    assert scene.text() == '"L.A."'
    assert scene.watcher.reloads == 1


def test_rows_that_come_and_go(scene: Scene) -> None:
    scene.table(CITIES.replace("LAX", "SFO"))
    scene.refreshed()
    assert scene.text() is None
    assert scene.text("sfo.cities.example") is not None


def test_a_changed_table_changes_the_serial(scene: Scene) -> None:
    scene.config(TABLE_ZONE.replace(", serial = 7", ""))
    scene.refreshed()
    first = int(scene.watcher.registry.zones[0].soa().content.split()[2])
    scene.table(CITIES)
    scene.refreshed()
    assert int(scene.watcher.registry.zones[0].soa().content.split()[2]) == first + 1


def test_faulty_rows_of_a_new_table_are_said_once_and_the_rest_is_served(scene: Scene) -> None:
    scene.table(CITIES.replace("Los Angeles", "L.A.").replace("48.11030", "91"))
    log = scene.refreshed(3)
    assert log.count("cities.tsv:3: latitude 91 is out of range") == 1
    assert scene.text() == '"L.A."'
    assert scene.text("vie.cities.example") is None


def test_many_faulty_rows_are_said_short(scene: Scene) -> None:
    scene.table(CITIES + "bad row\n" * 100)
    log = scene.refreshed()
    assert log.count(": 1 fields, where the header names 5") == 20
    assert "… and 80 more; zoneutil zone check cities.example lists them" in log


def test_a_table_that_is_none_leaves_the_old_one_and_is_said_once(scene: Scene) -> None:
    scene.table("nothing\n")
    log = scene.refreshed(3)
    assert log.count("cities.tsv:1: no column 'code'") == 1
    assert log.count("zone cities.example is served as it was before") == 1
    assert scene.text() == '"Los Angeles"'


def test_a_table_that_is_fixed_is_served_again(scene: Scene) -> None:
    scene.table("nothing\n")
    scene.refreshed()
    scene.table(CITIES.replace("Los Angeles", "L.A."))
    assert "zone cities.example read again" in scene.refreshed()
    assert scene.text() == '"L.A."'


def test_a_table_that_is_gone_leaves_the_old_one_and_is_said_once(scene: Scene) -> None:
    (scene.folder / "cities.tsv").unlink()
    log = scene.refreshed(3)
    assert log.count("there is no file") == 1
    assert log.count("zone cities.example is served as it was before") == 1
    assert scene.text() == '"Los Angeles"'


def test_a_table_that_is_back_again_is_served(scene: Scene) -> None:
    (scene.folder / "cities.tsv").unlink()
    scene.refreshed()
    scene.table(CITIES.replace("Los Angeles", "L.A."))
    assert "zone cities.example read again" in scene.refreshed(3)
    assert scene.text() == '"L.A."'


def test_a_table_that_is_back_as_it_was_is_followed_again(scene: Scene) -> None:
    path = scene.folder / "cities.tsv"
    path.rename(scene.folder / "away")
    scene.refreshed()
    (scene.folder / "away").rename(path)
    scene.refreshed()
    assert not scene.watcher.registry.is_stale()
    entry = scene.watcher.registry.entry("cities.example")
    assert entry is not None
    assert entry.faults == ()


def test_a_changed_configuration_is_served(scene: Scene) -> None:
    scene.config(TABLE_ZONE + TABLE_ZONE.replace("Cities.Example", "towns.example").replace("{city}", "town {city}"))
    scene.refreshed(3)
    assert [zone.apex for zone in scene.watcher.registry.zones] == ["cities.example", "towns.example"]
    assert scene.text("lax.towns.example") == '"town Los Angeles"'


def test_a_zone_that_left_the_configuration_is_gone(scene: Scene) -> None:
    scene.config(TABLE_ZONE.replace("Cities.Example", "towns.example"))
    scene.refreshed()
    assert scene.text() is None
    assert scene.text("lax.towns.example") == '"Los Angeles"'


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        (
            TABLE_ZONE.replace("ttl = 60", 'ttl = "x"'),
            ".toml:6: zone Cities.Example: ttl: must be a whole",
        ),
        (TABLE_ZONE.replace("ttl = 60", "tll = 60"), "pipebackend.toml:6: zone Cities.Example: tll: unknown key"),
        (
            TABLE_ZONE.replace("cities.tsv", "none.tsv"),
            ".toml:4: zone Cities.Example: file: there is no file",
        ),
        (
            TABLE_ZONE + TABLE_ZONE,
            ".toml:17: zone Cities.Example: name: there is a zone cities.ex",
        ),
        ("[[zone\n", "pipebackend.toml: is not TOML"),
    ],
)
def test_a_faulty_configuration_leaves_the_old_one_and_is_said_once(scene: Scene, toml: str, complaint: str) -> None:
    scene.config(toml)
    log = scene.refreshed(3)
    assert log.count(complaint) == 1
    assert log.count("the configuration in force stays as it was before") == 1
    assert scene.text() == '"Los Angeles"'


def test_a_configuration_that_is_gone_leaves_the_old_one_and_is_said_once(scene: Scene) -> None:
    (scene.folder / "pipebackend.toml").unlink()
    log = scene.refreshed(3)
    assert log.count("cannot be read: No such file or directory") == 1
    assert log.count("the configuration in force stays as it was before") == 1
    assert scene.text() == '"Los Angeles"'


def test_under_a_faulty_configuration_the_tables_are_still_followed(scene: Scene) -> None:
    scene.config("[[zone\n")
    scene.refreshed()
    scene.table(CITIES.replace("Los Angeles", "L.A."))
    log = scene.refreshed(3)
    assert scene.text() == '"L.A."'
    assert "is not TOML" not in log


def test_a_configuration_that_is_fixed_is_served(scene: Scene) -> None:
    scene.config("[[zone\n")
    scene.refreshed()
    scene.config(TABLE_ZONE.replace('"{city}"', '"the {city}"'))
    scene.refreshed()
    assert scene.text() == '"the Los Angeles"'


def test_a_configuration_that_is_back_again_is_served(scene: Scene) -> None:
    (scene.folder / "pipebackend.toml").unlink()
    scene.refreshed()
    scene.config(TABLE_ZONE.replace('"{city}"', '"the {city}"'))
    scene.refreshed()
    assert scene.text() == '"the Los Angeles"'
    assert not scene.watcher.registry.is_stale()


def test_configuration_and_table_change_together(scene: Scene) -> None:
    scene.config(TABLE_ZONE.replace("{city}", "{town}"))
    scene.table(CITIES.replace("city", "town"))
    scene.refreshed()
    assert scene.text() == '"Los Angeles"'
    assert not scene.watcher.registry.is_stale()


def test_a_table_that_loses_a_column_leaves_the_old_one(scene: Scene) -> None:
    scene.table(CITIES.replace("city", "town"))
    log = scene.refreshed(3)
    assert log.count("there is no column 'city'") == 1
    assert scene.text() == '"Los Angeles"'


def test_the_id_survives_a_reload(scene: Scene) -> None:
    ident = scene.watcher.registry.zones[0].ident
    scene.table(CITIES + "SFO\tSan Francisco\t37\t-122\t4\n")
    scene.refreshed()
    assert scene.watcher.registry.zones[0].ident == ident


def test_a_zone_that_was_refused_at_the_start_is_served_when_fixed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path, capfd)
    scene.watcher = make_watcher(tmp_path, table="nothing\n")
    assert scene.text() is None
    scene.table(CITIES)
    scene.refreshed()
    assert scene.text() == '"Los Angeles"'


@pytest.mark.parametrize("rows", [CITIES.partition("\n")[0] + "\n", CITIES[: CITIES.index("VIE")]])
def test_a_table_that_lost_most_of_its_rows_leaves_the_old_one(scene: Scene, rows: str) -> None:
    """As of an export that failed: every name was gone, and nothing said so."""
    many = CITIES + "".join(f"C{number}\tcity {number}\t1\t2\t3\n" for number in range(9))
    scene.table(many)
    scene.refreshed()
    scene.table(rows)
    log = scene.refreshed(3)
    assert log.count("more than max_loss = 50 percent are gone") == 1
    assert "is served as it was before" in log
    assert scene.text("c8.cities.example") == '"city 8"'
    scene.config(TABLE_ZONE.replace("ttl = 60", "ttl = 60\nmax_loss = 100"))
    scene.refreshed(2)
    assert scene.text("c8.cities.example") is None
