"""Man pages in the few man(7) macros that every reader of them knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scripts.manual.program import Command, Option

__all__ = ["page"]

_SPECIAL = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})


def page(
    program: Command, purpose: str, version: str, below: Iterable[Command], sections: Iterable[tuple[str, str]]
) -> str:
    """One man page of section 1; ``below`` are its commands, ``sections`` heading and text of what else there is.

    Paragraphs of a text are apart by an empty line; one that begins with four spaces is shown as it is.
    """
    lines = [
        f'.TH {program.words.upper()} 1 "" "pipebackend {version}" "pipebackend"',
        *(".SH NAME", f"{escaped(program.words)} \\- {escaped(purpose)}"),
        *(".SH SYNOPSIS", f".B {escaped(program.words)}", escaped(program.usage)),
        *(".SH DESCRIPTION", *_paragraphs("\n\n".join(program.about))),
        *(".SH OPTIONS", *_options(program.options)),
    ]
    commands = [command for command in below if not command.is_group]
    if commands:
        lines += [".SH COMMANDS", *(line for command in commands for line in _command(command))]
    for heading, text in sections:
        lines += [f".SH {heading}", *_paragraphs(text)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """The text so that roff shows it as it is, in ASCII."""
    text = text.translate(_SPECIAL)
    text = re.sub(r"[^\x00-\x7f]", lambda match: f"\\[u{ord(match[0]):04X}]", text)
    return f"\\&{text}" if text.startswith(".") else text


def _command(command: Command) -> Iterator[str]:
    words = command.words.partition(" ")[2]
    yield from (f".SS {escaped(words)} {escaped(command.usage)}", *_paragraphs("\n\n".join(command.about)))
    yield from _options(command.options)
    yield from (".PP", "Example:", *_shown(command.example))


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        yield from (".TP", f".B {escaped(option.written)}", escaped(option.text) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip("\n").split("\n\n")):
        if paragraph.startswith("    "):
            yield from _shown(paragraph)
            continue
        if number:
            yield ".PP"
        yield escaped(" ".join(paragraph.split()))


def _shown(text: str) -> Iterator[str]:
    yield from (
        ".PP",
        ".RS 4",
        ".nf",
        *(escaped(line.removeprefix("    ")) for line in text.splitlines()),
        ".fi",
        ".RE",
    )
