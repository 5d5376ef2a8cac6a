"""What there is to say about a command: read from click, or from what a coprocess prints for --help."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

__all__ = ["Command", "Option", "commands_of", "printed_help"]

_EXAMPLE = "Example: "


@dataclass(frozen=True, slots=True)
class Option:
    """An option as it is written, with its value, and what it does; no text for one that says all by its name."""

    written: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group: its ``words``, what follows them, paragraphs that tell of it, an example, its options."""

    words: str
    usage: str
    about: tuple[str, ...]
    example: str
    options: tuple[Option, ...]
    is_group: bool = False


def commands_of(top: click.Command, name: str) -> Iterator[Command]:
    """The command itself, then those below it, in the order of their names."""
    return _walk(top, click.Context(top, info_name=name))


def printed_help(program: str) -> Command:
    """What a coprocess beside this Python says of itself."""
    path = Path(sys.executable).parent / program
    text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
    usage, *rest = text.splitlines()
    about = " ".join(line for line in rest if not line.startswith(" "))
    options = [re.fullmatch(r"  (\S.*?)\s{2,}(\S.*)", line) for line in rest if line.startswith(" ")]
    found = [Option(match[1], match[2]) for match in options if match]
    if len(found) != len(options):
        raise ValueError(f"{program} --help has an option without a text:\n{text}")
    usage = usage.removeprefix(f"usage: {program}").strip()
    return Command(program, usage, (about,), "", tuple(found))


def _walk(command: click.Command, context: click.Context) -> Iterator[Command]:
    yield _command(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.commands[name]
            yield from _walk(below, click.Context(below, info_name=name, parent=context))


def _command(command: click.Command, context: click.Context) -> Command:
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    examples = [part.removeprefix(_EXAMPLE) for part in paragraphs if part.startswith(_EXAMPLE)]
    return Command(
        context.command_path.strip(),
        " ".join(command.collect_usage_pieces(context)),
        tuple(part for part in paragraphs if not part.startswith(_EXAMPLE)),
        examples[0] if examples else "",
        tuple(_options(command, context)),
        isinstance(command, click.Group),
    )


def _options(command: click.Command, context: click.Context) -> Iterator[Option]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and (record[1] or isinstance(parameter, click.Option)):  # the usage names all arguments
            yield Option(record[0], record[1].strip())
