"""docs/dnssec.md does what it shows: its commands are run in order, and print what stands below them."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

from pipebackend.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "dnssec.md").read_text()


class Shown(NamedTuple):
    """A command of the page, and the lines below it."""

    command: str
    output: list[str]


def shown_commands():
    found = []
    for line in PAGE.splitlines():
        if line.startswith("    $ "):
            found.append(Shown(line.removeprefix("    $ "), []))
        elif found and (line.startswith("    ") or (not line and found[-1].output)):
            found[-1].output.append(line.removeprefix("    "))
        elif found and line:
            found.append(Shown("", []))
    return [Shown(command, "\n".join(output).rstrip().splitlines()) for command, output in found if command]


def blurred(lines):
    """Lines with all that differs each time made the same: key tags, which may be short, digests, secrets."""
    for line in lines:
        line = re.sub(r" +", " ", line)
        line = re.sub(r"\d+ +(yes|no) +(yes|no)$", r"TAG \1 \2", line)
        line = re.sub(r"DS \d+ (\d+ \d) [0-9a-f]+$", r"DS TAG \1 DIGEST", line)
        line = re.sub(r"(\+\d{3}\+)\d{5}", r"\1TAG", line)
        yield re.sub(r'secret "[A-Za-z0-9+/=]+"', "SECRET", line)


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """A folder with the configuration of the README, and a key of another server."""
    [configuration] = [
        block
        for block in re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        if "airports.aa" in block
    ][:1]
    (tmp_path / "pipebackend.toml").write_text(configuration)
    shutil.copy(ROOT / "airports.tsv", tmp_path)
    (tmp_path / "secondary.key").write_text('key "secondary" { algorithm hmac-sha512; secret "c2VjcmV0c2VjcmV0"; };')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPEBACKEND_CONFIG", raising=False)


def test_the_page_shows_what_happens(at_home):
    for command, output in shown_commands():
        program, *words = (found for word in shlex.split(command) for found in (glob.glob(word) or [word]))
        assert program == "zoneutil"
        done = CliRunner().invoke(cli, words, prog_name="zoneutil")
        assert done.exit_code == 0, f"{command}: {done.output}{done.exception}"
        if output:
            assert list(blurred(done.stdout.splitlines())) == list(blurred(output)), command


@pytest.mark.parametrize("group", ["key", "meta", "tsig", "store"])
def test_every_command_is_on_the_page(group):
    commands = cli.commands[group]
    assert isinstance(commands, click.Group)
    assert not [name for name in commands.commands if not re.search(rf"`{name}`|zoneutil {group} {name}\b", PAGE)]
