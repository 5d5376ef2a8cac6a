"""How the project speaks: habits that docs/glossary.md drops, and help lines that a terminal shows whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipebackend.cli.main import cli

TOP = Path(__file__).parents[2]
GLOSSARY = (TOP / "docs" / "glossary.md").read_text(encoding="utf-8")
# Each is old-fashioned, private, or names nobody; the list grows
HABITS = [re.compile(habit, re.I) for habit in re.findall(r"^\| `/(.+)/` \|", GLOSSARY, re.M)]
MAX_HELP_CHARS = 45  # what click shows of a sentence beside the name of a command on 80 columns


def _pages() -> list[Path]:
    folders = (
        "pipebackend",
        "remoteshim",
        "docs",
        "scripts",
        "contrib",
        "man",
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
    )
    found = subprocess.run(["git", "ls-files", *folders], cwd=TOP, capture_output=True, text=True, check=True)
    paths = [TOP / name for name in found.stdout.splitlines()]
    kept = [path for path in paths if path.suffix not in (".svg", ".json", ".html", ".tsv", ".png") and path.exists()]
    return [path for path in kept if path != TOP / "docs" / "glossary.md"]


@pytest.mark.parametrize("path", _pages(), ids=lambda path: str(path.relative_to(TOP)))
def test_a_page_has_no_habit_that_is_dropped(path: Path) -> None:
    assert len(HABITS) >= 5
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    assert [f"{number}: {line}" for number, line in enumerate(lines, 1) for habit in HABITS if habit.search(line)] == []


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for word, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _commands(inner, f"{name} {word}")


@pytest.mark.parametrize(("name", "command"), list(_commands(cli, "zoneutil")))
def test_a_help_line_is_one_short_sentence(name: str, command: click.Command) -> None:
    line = command.get_short_help_str(MAX_HELP_CHARS + 1)
    assert not line.endswith("..."), f"{name}: {command.get_short_help_str(200)}"
    assert line, name


def test_a_word_stands_once_in_the_glossary() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY, re.M)
    assert len(words) > 25
    assert len(set(words)) == len(words)
    assert words == sorted(words, key=str.lower)
