"""What configurations are made of is read without tomllib; a property test says that it is read right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipebackend.config import configuration, plaintoml
from tests.unit import documents


@pytest.mark.parametrize("page", documents.PAGES, ids=lambda page: page.stem)
def test_every_configuration_that_is_shown_is_plain(page: Path) -> None:
    for block in documents.fenced(page.read_text(encoding="utf-8"), "toml"):
        assert plaintoml.read(block) == tomllib.loads(block)


@pytest.mark.parametrize(
    "line", ['"\\u0061" = 1', "a.b = 1", 'a = "\\u00e9"', "a = 1.5", "a = 1979-05-27", 'a = """b"""']
)
def test_what_is_not_plain_is_read_all_the_same(line: str, tmp_path: Path) -> None:
    assert plaintoml.read(line) is None
    path = tmp_path / "c.toml"
    path.write_text(line, encoding="utf-8")
    assert configuration.read(str(path)).table == tomllib.loads(line)


def test_lines_that_end_as_on_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b'[store]\r\nurl = "sqlite:a.db"\r\n')
    assert configuration.read(str(path)).table == {"store": {"url": "sqlite:a.db"}}


def test_a_text_nested_too_deep_is_left_to_tomllib() -> None:
    assert plaintoml.read("a = " + "[" * 100_000) is None
