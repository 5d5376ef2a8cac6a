"""Pictures of matplotlib as files: SVG, PNG, or a page with the SVG in it, as the suffix of the file says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipebackend.cli.output import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["demand_suffix", "save", "svg"]

_SUFFIXES = (".html", ".png", ".svg")


def demand_suffix(path: Path) -> None:
    """UsageError unless the suffix says in which form the picture is to be written."""
    if path.suffix.lower() not in _SUFFIXES:
        raise click.UsageError(f"-o {path}: the suffix must be one of {', '.join(_SUFFIXES)}")


def save(path: Path, figure: Figure, svg: Callable[[], str], page: Callable[[str], str], **png: Any) -> None:
    """Write a picture whole; OSError. ``page`` makes HTML of the SVG, ``png`` are matplotlib's options for that."""
    suffix = path.suffix.lower()
    if suffix == ".png":
        octets = io.BytesIO()
        figure.savefig(octets, format="png", **png)
        write_whole(path, octets.getvalue())
        return
    picture = svg()
    write_whole(path, (page(picture) if suffix == ".html" else picture).encode())


def svg(figure: Figure, salt: str, creator: str = "zoneutil", **options: Any) -> str:
    """The figure as SVG, the same octets for the same figure; ``salt`` is for ids, which are of one page."""
    from matplotlib import rc_context

    target = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": creator}, **options)
    return target.getvalue()
