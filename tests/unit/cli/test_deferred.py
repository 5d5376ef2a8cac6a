"""Commands that are imported when they are asked for."""

import subprocess
import sys

import click
import pytest

from pipebackend.cli.deferred import Deferred
from pipebackend.cli.main import cli


def test_names_are_known_before_anything_is_imported():
    commands = Deferred(no_such_module=["edit"])
    assert (list(commands), len(commands), "edit" in commands) == (["edit"], 1, True)


def test_a_command_is_imported_once_when_it_is_looked_at():
    commands = Deferred(zone_edit=["edit"])
    assert commands["edit"].name == "edit"
    assert commands.get("edit") is commands["edit"]
    assert [name for name, _ in commands.items()] == ["edit"]


def test_commands_are_added_beside():
    commands = Deferred(zone_edit=["edit"])
    commands["show"] = click.Command("show")
    assert sorted(commands) == ["edit", "show"]


@pytest.mark.parametrize("name", cli.commands)
def test_each_command_is_where_its_group_says(name):
    group = cli.commands[name]
    assert isinstance(group, click.Group)
    assert group.name == name
    assert {inner: command.name for inner, command in group.commands.items()} == {
        inner: inner for inner in group.commands
    }


def test_one_command_imports_none_of_the_others():
    code = "import sys; from pipebackend.cli.main import cli; cli.get_command(None, 'meta'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("pipebackend.cli.")}
    assert loaded == {f"pipebackend.cli.{name}" for name in ("deferred", "main", "meta", "output")}
