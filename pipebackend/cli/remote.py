"""``pdnsutil backend-cmd remote "zone create …"``: commands of zoneutil, run inside a coprocess."""

from __future__ import annotations

import io
import os
import shlex
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import click

from pipebackend.base.errors import RequestFault
from pipebackend.cli import record, zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipebackend.backend.backend import Backend

__all__ = ["run"]

_GROUPS = {"record": record.group, "zone": zone.group}
_AT_A_TERMINAL = ("edit",)


def run(backend: Backend, text: str) -> list[str]:
    """The lines that a command of these groups prints; raises RequestFault, or what the command raises.

    Nobody can be asked: where a command would ask, it must be told --yes.
    """
    try:
        os.fsencode(text)
        group, *words = shlex.split(text)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can write
        raise RequestFault(f"{text[:60]!r}: it has a character that UTF-8 does not have") from None
    except ValueError as exc:
        raise RequestFault(f"{text[:60]!r}: {exc}") from None
    if "\0" in text:  # no file has such a name
        raise RequestFault(f"{text[:60]!r}: it has a NUL")
    if group not in _GROUPS or (words and words[0] in _AT_A_TERMINAL):
        raise RequestFault(f"{text[:60]!r} works at a shell alone: zoneutil {text[:60]}")
    if (group, words[:1]) == ("zone", ["import"]):
        _demand_file_of_ours(words, os.path.realpath(backend.registry.config.folder))
    printed = io.StringIO()
    with _captured(printed):
        status = _invoke(_GROUPS[group], words, backend)
    lines = printed.getvalue().splitlines()
    if status:
        raise RequestFault("\n".join(lines) or f"{text[:60]!r} ended with status {status}")
    return lines


def _demand_file_of_ours(words: list[str], folder: str) -> None:
    """RequestFault for a file outside the configuration's folder.

    An import shows the lines that it refuses, and who may ask us need not be allowed to read what this process may.
    """
    for word in words[2:]:
        path = os.path.realpath(word)
        if not word.startswith("-") and not path.startswith(os.path.join(folder, "")):
            raise RequestFault(
                f"{word}: only files below {folder} are imported from here; zoneutil zone import reads all"
            )


def _invoke(group: click.Group, words: list[str], backend: Backend) -> int:
    try:
        status = group.main(words, prog_name=group.name, standalone_mode=False, obj=lambda: backend)
    except click.ClickException as exc:
        raise RequestFault(exc.format_message()) from None
    except click.Abort:
        raise RequestFault("nobody can be asked here; say --yes") from None
    except SystemExit as exc:
        return int(exc.code or 0)
    return status if isinstance(status, int) else 0


@contextmanager
def _captured(printed: io.StringIO) -> Iterator[None]:
    """stdout and stdin belong to the protocol."""
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        sys.stdin = stdin
