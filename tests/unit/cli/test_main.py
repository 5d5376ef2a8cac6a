"""All of zoneutil: every command has an example that is one, JSON where it prints, and colours on a terminal alone."""

from __future__ import annotations

import shlex

import click
import pytest
from click.testing import CliRunner

from pipebackend.cli.main import cli
from tests.making import write_config

SILENT = {  # commands that print nothing that a program would read
    "record add",
    "record delete",
    "record replace",
    "zone compile",
    "zone create",
    "zone delete",
    "zone edit",
    "zone export",
    "zone map",
    "zone nsec",
    "zone nsec3",
    "zone set-account",
    "zone set-kind",
    "zone set-policy",
    "zone set-primaries",
    "key delete",
    "key timeline",
    "key unsecure",
    "meta set",
    "meta add",
    "meta unset",
    "tsig generate",
    "tsig import",
    "tsig delete",
    "tsig allow",
    "autoprimary add",
    "autoprimary remove",
    "store init",
    "store backup",
    "store copy",
}


def commands(group=cli, path=()):
    """All groups and commands by their path."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = dict(commands())
LEAVES = {" ".join(path): command for path, command in EVERY.items() if not isinstance(command, click.Group)}


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_has_an_example_that_parses(path):
    """The words of the example are taken by the command that it calls."""
    done = CliRunner().invoke(cli, [*path, "--help"])
    assert done.exit_code == 0
    example = " ".join(done.output.partition("Example: ")[2].partition("\n\n")[0].split())
    words = shlex.split(example.partition(" > ")[0])
    assert words.pop(0) == "zoneutil"
    command = EVERY[path]
    if isinstance(command, click.Group):
        path, command = tuple(words[:2]), EVERY[tuple(words[:2])]
    assert tuple(words[: len(path)]) == path
    context = command.make_context(path[-1], words[len(path) :])
    assert context.params.keys() == {parameter.name for parameter in command.params}


@pytest.mark.parametrize("name", sorted(LEAVES.keys() - SILENT))
def test_what_prints_data_prints_json(name):
    assert "--json" in {option for parameter in LEAVES[name].params for option in parameter.opts}


def test_the_commands_that_print_no_data_are_known():
    assert LEAVES.keys() >= SILENT


@pytest.mark.parametrize(
    "words", [["key", "list", "cities.example"], ["tsig", "list"], ["meta", "list", "cities.example"]]
)
def test_tables_are_coloured_on_a_terminal_alone(tmp_path, words):
    config = str(write_config(tmp_path))
    runner = CliRunner()
    for change in (
        ["key", "secure", "cities.example"],
        ["tsig", "generate", "k"],
        ["tsig", "allow", "cities.example", "k"],
    ):
        assert runner.invoke(cli, ["--config", config, *change]).exit_code == 0
    plain = runner.invoke(cli, ["--config", config, *words]).output
    coloured = runner.invoke(cli, ["--config", config, *words], color=True).output
    assert "\x1b[" in coloured
    assert click.unstyle(coloured) == plain
