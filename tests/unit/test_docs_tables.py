"""docs/tables.md does what it shows: each table is a zone, and the commands print what stands below them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.unit import documents

PAGE = documents.text("docs/tables.md")
TABLES, CONFIGURATIONS = documents.fenced(PAGE, ""), documents.fenced(PAGE, "toml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All tables of the page in one configuration."""
    for table, toml in zip(TABLES, CONFIGURATIONS, strict=True):
        (tmp_path / tomllib.loads(toml)["zone"][0]["file"]).write_text(table)
    (tmp_path / "pipebackend.toml").write_text("".join(CONFIGURATIONS))
    return tmp_path


@pytest.mark.parametrize("shown", documents.shown(PAGE), ids=lambda shown: shown.command)
def test_a_command_prints_what_the_page_shows(folder: Path, shown: documents.Shown) -> None:
    assert documents.run(shown.command, folder) == shown.output


def test_no_table_of_the_page_has_a_fault(folder: Path) -> None:
    assert len(documents.shown(PAGE)) == len(TABLES) == 3
    said = documents.run("zoneutil zone check", folder)
    assert said.count("no faults") == 3
