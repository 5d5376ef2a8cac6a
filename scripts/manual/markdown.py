"""docs/zoneutil.md: each command with its options and an example."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from scripts.manual.program import Command

__all__ = ["page"]

_WIDTH = 120


def page(head: str, commands: Sequence[Command]) -> str:
    """The whole page: the words that a person wrote, then the commands, the first of which is the program."""
    return "\n".join([head.rstrip("\n"), *(line for command in commands[1:] for line in _command(command))]) + "\n"


def _command(command: Command) -> Iterator[str]:
    yield from ("", f"{'##' if command.is_group else '###'} {command.words}", "")
    yield textwrap.fill(" ".join(command.about), _WIDTH, break_on_hyphens=False)
    if command.is_group:
        return
    yield from ("", f"    {command.example}")
    usage = f"{command.words} {command.usage}"
    yield from ("", f"Usage: `{usage}`")
    if command.options:
        yield from ("", "| option | |", "|---|---|")
    for option in command.options:
        yield f"| `{_cell(option.written)}` | {_cell(option.text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
