"""What commands print: aligned tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

__all__ = ["as_json", "json_option", "print_rows"]

json_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--json", "as_json_", is_flag=True, help="Print JSON."
)


def as_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows with the same keys as a table under bold headings; styles appear on a terminal alone."""
    if not rows:
        return
    columns = list(rows[0])
    cells = [[str(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    click.echo(click.style(_line(columns, widths), bold=True))
    for line in cells:
        click.echo(_line(line, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
