"""What commands print: aligned tables for people, JSON for programs."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from pipebackend.base.ownership import Acting, user_of_place

__all__ = ["as_json", "counted", "json_option", "print_rows", "write_whole", "yes_option"]

_Decorator = Callable[[Callable[..., None]], Callable[..., None]]

json_option: _Decorator = click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
yes_option: _Decorator = click.option("--yes", is_flag=True, help="Do not ask.")


def as_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def counted(count: int, what: str) -> str:
    """``no faults``, ``1 fault``, ``2 faults``."""
    return f"{count or 'no'} {what}" + ("" if count == 1 else "s")


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows with the same keys as a table under coloured headings; colours appear on a terminal alone.

    True and False become yes and no; what is not known (None) a hyphen.
    """
    if not rows:
        return
    columns = list(rows[0])
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    click.echo(click.style(_line(columns, widths), fg="cyan", bold=True))
    for line in cells:
        click.echo(_line(line, widths))


def write_whole(path: str | os.PathLike[str], octets: bytes, mode: int = 0o644) -> None:
    """Put a file there, whole or not at all, in place of one and of a link; OSError.

    Root does so as the owner of the folder, who could lead it elsewhere.
    """
    whole = os.path.abspath(path)
    if os.path.dirname(whole) == "/dev" or (os.path.exists(whole) and not os.path.isfile(whole)):
        raise OSError(errno.EINVAL, "not a file")  # /dev/stdout would be one from then on
    with (
        Acting(user_of_place(whole)),
        tempfile.NamedTemporaryFile(dir=os.path.dirname(whole), delete=False) as file,
    ):
        try:
            file.write(octets)
            os.fchmod(file.fileno(), mode)
            file.close()
            os.replace(file.name, whole)
        except OSError:
            os.unlink(file.name)
            raise


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
