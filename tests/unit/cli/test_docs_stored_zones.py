"""docs/stored-zones.md does what it shows: its commands are run in order, and print what stands below them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipebackend.cli import zone_edit
from pipebackend.cli.main import cli

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "stored-zones.md").read_text()


def shown_commands():
    """Each command with the lines below it."""
    found = []
    for line in PAGE.splitlines():
        if line.startswith("    $ "):
            found.append((line.removeprefix("    $ "), []))
        elif found and line.startswith("    "):
            found[-1][1].append(line.removeprefix("    "))
        elif found and line:
            found.append(("", []))
    return [(command, output) for command, output in found if command]


def blurred(lines):
    """Without the date that is the first serial."""
    return [re.sub(r"\b20\d{6}(\d\d)\b", r"SERIAL\1", line) for line in lines]


@pytest.fixture
def shell(tmp_path):
    """Runs a line as a person would, in a folder with the page's configuration."""
    [configuration] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "pipebackend.toml").write_text(configuration)
    command = tmp_path / "zoneutil"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from pipebackend.cli.main import main\nmain()\n"
    )
    command.chmod(0o755)

    def run(line):
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        command = ["/bin/sh", "-c", line]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def test_the_page_shows_what_happens(shell):
    commands = shown_commands()
    assert len(commands) > 10
    for command, output in commands:
        done = shell(command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert blurred(done.stdout.splitlines()) == blurred(output), command


CHANGES = [f"zone {getattr(zone_edit, name).name}" for name in zone_edit.__all__]


@pytest.mark.parametrize("name", [*CHANGES, "record search", "record replace"])
def test_every_command_is_on_the_page(name):
    assert name.split()[1] in cli.commands[name.split()[0]].commands
    assert f"zoneutil {name}" in PAGE
