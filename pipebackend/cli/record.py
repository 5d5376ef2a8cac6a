"""``zoneutil record``: single records, as PowerDNS would get them."""

from __future__ import annotations

from collections.abc import Callable

import click

from pipebackend import rdata
from pipebackend.backend import Backend
from pipebackend.cli.output import as_json, json_option
from pipebackend.records import ENT, Record

__all__ = ["group"]


@click.group("record")
def group() -> None:
    """Records, as PowerDNS would get them.

    Example: zoneutil record lookup lax.airports.aa LOC
    """


@group.command()
@click.argument("name")
@click.argument("type_", metavar="[TYPE]", default="ANY")
@json_option
@click.pass_obj
def lookup(open_backend: Callable[[], Backend], name: str, type_: str, as_json_: bool) -> None:
    """Show what PowerDNS is told for a question, as zone-file lines with the auth flag; exit status 1 for nothing.

    Example: zoneutil record lookup lax.airports.aa LOC
    """
    answer = open_backend().lookup(name, type_.upper())
    if as_json_:
        as_json([record._asdict() | {"zone_id": answer.ident} for record in answer.records])
    else:
        for record in answer.records:
            click.echo(_line(record))
    if not answer.records:
        click.echo(f"nothing at {name} {type_.upper()}", err=True)
        raise SystemExit(1)


def _line(record: Record) -> str:
    if record.type == ENT:
        return f"{record.owner}.\t; empty non-terminal"
    return f"{rdata.zone_line(record)}\t; auth={record.auth:d}"
