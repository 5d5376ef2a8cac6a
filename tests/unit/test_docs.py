"""All pages: commands that exist, configurations that load, files and links that are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipebackend.cli.main import cli
from pipebackend.config import configuration
from pipebackend.zones import registry
from tests.unit import documents
from tests.unit.documents import PAGES, TOP

ZONE_FILE = "@ 3600 IN SOA ns hostmaster 1 10800 3600 604800 3600\n@ 3600 NS ns\nns 3600 A 192.0.2.53\n"
NAMES = [str(page.relative_to(TOP)) for page in PAGES]
DEVELOPING = documents.text("docs/developing.md")


def blocks() -> Iterator[tuple[str, str]]:
    """The configurations of all pages, each with its page."""
    for name in NAMES:
        yield from ((name, block) for block in documents.fenced(documents.text(name), "toml"))


def command_lines(name: str) -> Iterator[list[str]]:
    """The words of each ``zoneutil`` command in the blocks of a page; of several in a line, of each."""
    page = documents.text(name)
    lines = [line for block in documents.indented(page) + documents.fenced(page, "sh") for line in block.splitlines()]
    for line in lines:
        if re.match(r"(\$ |# )?(sudo )?zoneutil ", line):
            words = shlex.split(line.removeprefix("$ "), comments=True)
            yield words[words.index("zoneutil") + 1 : _end(words)]


def _end(words: list[str]) -> int:
    """Where the shell's own signs begin."""
    return next((n for n, word in enumerate(words) if re.match(r"[|;&<>]|\d>", word)), len(words))


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_page_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups, commands, options, the number of arguments; nothing is run."""
    monkeypatch.setattr(click.Command, "invoke", lambda command, context: None)
    for words in command_lines(name):
        try:
            cli.main(words, prog_name="zoneutil", standalone_mode=False)
        except click.UsageError as exc:
            pytest.fail(f"{name}: zoneutil {shlex.join(words)}: {exc.format_message()}")


def test_a_command_that_does_not_exist_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Command, "invoke", lambda command, context: None)
    for wrong in (["zone", "fly"], ["zone", "check", "--fly"], ["zone", "show"], ["key", "list", "a", "b"]):
        with pytest.raises(click.UsageError):
            cli.main(wrong, prog_name="zoneutil", standalone_mode=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_in_the_text_of_a_page_exist(name: str) -> None:
    for group, command in re.findall(
        r"`zoneutil ([a-z]+)(?: ([a-z0-9-]+))?[^`]*`", documents.prose(documents.text(name))
    ):
        found = cli.commands[group]
        assert isinstance(found, click.Group)
        assert not command or command in found.commands, f"zoneutil {group} {command}"


@pytest.mark.parametrize(("name", "block"), list(blocks()), ids=lambda text: text.partition("\n")[0][:30])
def test_a_configuration_loads(name: str, block: str, tmp_path: Path) -> None:
    """Those that are wrong to show what is said then have ``wrong`` for a name."""
    (tmp_path / "c.toml").write_text(block.replace('url = "sqlite:/', f'url = "sqlite:{tmp_path}/'))
    for module in documents.fenced(documents.text(name), "python"):
        documents.write_files(f"```python\n{module}```\n", tmp_path)
    if not (tmp_path / "my_zones.py").exists():
        (tmp_path / "my_zones.py").write_text(
            "class Clock:\n    def lookup(self, name, client):\n        return None\n"
        )
    read = configuration.read(str(tmp_path / "c.toml"))
    for zone in read.table.get("zone", []):
        if "file" in zone and zone["kind"] in ("file", "ranges"):
            (tmp_path / zone["file"]).write_text(ZONE_FILE)
    (tmp_path / "airports.tsv").symlink_to(TOP / "airports.tsv")
    if name == "docs/tables.md":  # a table and its configuration stand in pairs
        page = documents.text(name)
        table = documents.fenced(page, "")[documents.fenced(page, "toml").index(block)]
        (tmp_path / read.table["zone"][0]["file"]).write_text(table)
    if block.startswith("# wrong"):
        with pytest.raises(registry.ConfigFault):
            registry.load(read)
        return
    loaded = registry.load(read)
    assert [entry.faults for entry in loaded.entries] == [()] * len(read.table.get("zone", []))


@pytest.mark.parametrize("name", NAMES)
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    page = documents.text(name)
    for target, fragment in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", page):
        path = (TOP / name).parent / target if target else TOP / name
        assert path.exists(), target
        if fragment and path.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
            assert fragment in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_file_that_developers_are_told_of_exists() -> None:
    named = re.findall(r"`((?:[\w.-]+/)*[\w.-]+/?)`", DEVELOPING)
    paths = [name for name in named if "/" in name or name.endswith((".py", ".md"))]
    assert len(paths) > 30
    assert [path for path in paths if not (TOP / path).exists()] == []


@pytest.mark.parametrize("package", ["pipebackend", "remoteshim", "tests"])
def test_each_folder_is_told_to_developers(package: str) -> None:
    folders = [path for path in [TOP / package, *(TOP / package).iterdir()] if any(path.glob("*.py"))]
    told = documents.section(DEVELOPING, "## Where things are")
    assert [path for path in folders if path != TOP / "tests" and f"`{path.relative_to(TOP)}`" not in told] == []
