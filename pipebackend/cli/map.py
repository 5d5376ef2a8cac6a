"""``zoneutil zone map``: where in the world a zone's names are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from pipebackend.backend.backend import Backend
from pipebackend.base.errors import BackendError
from pipebackend.cli import figures, worldmap
from pipebackend.cli.worldmap import Place
from pipebackend.dnsdata import rdata, records

__all__ = ["command", "places"]


@click.command("map")
@click.argument("name")
@click.option("-o", "--output", "path", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.pass_obj
def command(open_backend: Callable[[], Backend], name: str, path: Path) -> None:
    """Draw a zone's LOC records on a world map. The suffix of FILE decides: .svg, .png or .html.

    The page (.html) shows a name, and the text of its TXT record, under the mouse. Needs the extra "map".

    Example: zoneutil zone map airports.aa -o airports.svg
    """
    figures.demand_suffix(path)
    _, found = open_backend().transfer(name)
    shown = places(found)
    if not shown:
        raise BackendError(f"zone {name} has no LOC record, so there is nothing to draw")
    try:
        worldmap.save(shown, name.rstrip("."), path)
    except ImportError as exc:
        raise BackendError(f"maps need {exc.name}: install them with pip install 'pipebackend[map]'") from exc
    except OSError as exc:
        raise BackendError(f"-o {path}: {exc.strerror}") from exc
    click.echo(f"{path}: {len(shown)} places", err=True)


def places(found: Iterable[records.Record]) -> list[Place]:
    """The places of all LOC records, each with the text of a TXT record of the same name if there is one."""
    located = []
    texts: dict[str, str] = {}
    for record in found:
        if record.type == "LOC":
            located.append(record)
        elif record.type == "TXT":
            texts.setdefault(record.owner, _text(record.content))
    return [_place(record, texts.get(record.owner, "")) for record in located]


def _place(record: records.Record, about: str) -> Place:
    from dns.rdtypes.ANY.LOC import LOC

    location = rdata.to_rdata("LOC", record.content)
    assert isinstance(location, LOC)
    return Place(location.float_latitude, location.float_longitude, record.owner, about)


def _text(content: str) -> str:
    from dns.rdtypes.txtbase import TXTBase

    parsed = rdata.to_rdata("TXT", content)
    assert isinstance(parsed, TXTBase)
    return b"".join(parsed.strings).decode("utf-8", "replace")
