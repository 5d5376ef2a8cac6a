"""docs/config.md has the keys that the program reads, all of them and no others, and its examples do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pipebackend.base.errors import ConfigFault
from pipebackend.config import configuration
from pipebackend.config.configuration import Section
from pipebackend.zones import registry
from tests.unit import documents

PAGE = documents.text("docs/config.md")
EXAMPLE, WRONG = documents.fenced(PAGE, "toml")
ZONE_FILE = "@ 3600 IN SOA ns hostmaster 1 10800 3600 604800 3600\n@ 3600 NS ns\nns 3600 A 192.0.2.53\n"
CLOCK = 'class Clock:\n    def lookup(self, name, client):\n        return [("TXT", "12")]\n'


def on_page(heading: str) -> set[str]:
    """The keys in the first column of the tables below a heading."""
    cells = re.findall(r"^\| (`.*?) \|", documents.section(PAGE, f"## {heading}"), re.M)
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents.write_files(PAGE, tmp_path)
    (tmp_path / "airports.tsv").symlink_to(documents.TOP / "airports.tsv")
    (tmp_path / "example.org.zone").write_text(ZONE_FILE)
    (tmp_path / "my_zones.py").write_text(CLOCK)
    return tmp_path


@pytest.fixture
def read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The keys that are read while the example is loaded: place on the page → keys."""
    found: dict[str, set[str]] = {}
    value = Section._value

    def noted(section: Section, key: str, *rest: Any) -> Any:
        path = re.sub(r"\[\d+\]", "", section.path)
        if path == "zone":
            path = f'kind = "{section.table["kind"]}"'
        found.setdefault(path or "At the top", set()).add(key)
        return value(section, key, *rest)

    monkeypatch.setattr(Section, "_value", noted)
    loaded = registry.load(configuration.read(str(folder / "pipebackend.toml")))
    assert {zone.kind for zone in loaded.zones} == set(registry.KINDS)
    return found


def test_each_key_that_is_read_is_on_the_page_and_each_key_on_the_page_is_read(read: dict[str, set[str]]) -> None:
    of_all = {"name", "kind", "policy"}
    of_most = on_page("zone") - of_all
    for kind in registry.KINDS:
        heading = f'kind = "{kind}"'
        assert read.pop(heading) == on_page(heading) | of_all | (set() if kind == "file" else of_most)
    assert read == {
        heading: on_page(heading) for heading in ("At the top", "store", "policy", "zone.soa", "zone.record")
    }


def test_the_example_has_every_key_on_the_page() -> None:
    keys = set(re.findall(r"(\w+) = ", EXAMPLE)) | set(re.findall(r"^\[+(?:\w+\.)?(\w+)\]", EXAMPLE, re.M))
    headings = re.findall(r"^## (.*)$", PAGE, re.M)[:-1]
    assert keys == {key for heading in headings for key in on_page(heading)}


@pytest.mark.parametrize(("kind", "heading"), [(kind, f'kind = "{kind}"') for kind in registry.KINDS])
def test_each_kind_of_zone_is_linked_to_its_section(kind: str, heading: str) -> None:
    assert f"\n## {heading}\n" in PAGE
    assert f"\n## {kind.capitalize()}\n" in documents.text("docs/zones.md")


def soa_of_the_table(folder: Path, example: str) -> tuple[int, list[int]]:
    """The TTL of the first zone's SOA, and the numbers in it after the serial."""
    (folder / "pipebackend.toml").write_text(example)
    record = registry.load(configuration.read(str(folder / "pipebackend.toml"))).zones[0].soa()
    return record.ttl, [int(number) for number in record.content.split()[3:]]


REQUIRED = set(re.findall(r"^\| `(\w+)` \|.*\| required \|$", PAGE, re.M))


@pytest.mark.parametrize("key", sorted(REQUIRED))
def test_what_must_be_there_must_be_there(key: str, folder: Path) -> None:
    example = re.sub(rf'^{key} = .*\n|\b{key} = "[^"]*", |, {key} = "[^"]*"', "", EXAMPLE, flags=re.M)
    with pytest.raises(ConfigFault, match=rf"(\.|: ){'soa.mname' if key == 'soa' else key}: is missing"):
        soa_of_the_table(folder, example)


def test_what_is_left_out_is_as_the_page_says(folder: Path) -> None:
    assert soa_of_the_table(folder, EXAMPLE) == (60, [10800, 3600, 604800, 60])
    timers = ", refresh = 10800, retry = 3600, expire = 604800, minimum = 60, serial = 0"
    assert timers in EXAMPLE
    assert soa_of_the_table(folder, EXAMPLE.replace(timers, "")) == (60, [10800, 3600, 604800, 60])
    assert soa_of_the_table(folder, EXAMPLE.replace(timers, "").replace("ttl = 60\n", "", 1))[1][-1] == 3600
    assert {"10800, 3600, 604800", "3600"} <= set(re.findall(r"\| ([\d, ]+) \|$", PAGE, re.M))


def test_the_faults_are_told_as_shown(folder: Path) -> None:
    (shown,) = documents.shown(PAGE)
    assert documents.run(shown.command, folder) == shown.output
