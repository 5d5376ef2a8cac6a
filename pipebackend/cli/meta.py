"""``zoneutil meta``: the settings of a zone that PowerDNS calls domain metadata."""

from __future__ import annotations

from collections.abc import Callable

import click

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.cli.output import as_json, json_option, print_rows
from pipebackend.dnsdata import metadata

__all__ = ["group"]


@click.group("meta")
def group() -> None:
    """Domain metadata: the settings of a zone.

    Example: zoneutil meta set airports.aa ALLOW-AXFR-FROM 192.0.2.0/24
    """


@group.command("list")
@click.argument("name")
@json_option
@click.pass_obj
def list_(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """List the metadata of a zone. Those that its kind of zone demands are listed, too.

    Example: zoneutil meta list airports.aa
    """
    backend = open_backend()
    found = backend.metadata(Operator(backend).own(name))
    if as_json_:
        as_json({kind: list(values) for kind, values in found.items()})
    else:
        print_rows([{"kind": kind, "value": value} for kind, values in found.items() for value in values])


@group.command()
@click.argument("name")
@click.argument("kind")
@json_option
@click.pass_obj
def get(open_backend: Callable[[], Backend], name: str, kind: str, as_json_: bool) -> None:
    """Print the values of one kind, a line each. Exit status 1 if there are none.

    Example: zoneutil meta get airports.aa ALLOW-AXFR-FROM
    """
    backend = open_backend()
    values = backend.metadata(Operator(backend).own(name)).get(kind, ())
    if not values:
        metadata.kind_of(kind)  # a misspelt kind is another error
    if as_json_:
        as_json(list(values))
    for value in () if as_json_ else values:
        click.echo(value)
    if not values:
        click.echo(f"zone {name} has no {kind}", err=True)
        raise SystemExit(1)


@group.command("set")
@click.argument("name")
@click.argument("kind")
@click.argument("values", metavar="VALUE...", nargs=-1, required=True)
@click.pass_obj
def set_(open_backend: Callable[[], Backend], name: str, kind: str, values: tuple[str, ...]) -> None:
    """Replace the values of one kind.

    Example: zoneutil meta set airports.aa ALSO-NOTIFY 192.0.2.53 [2001:db8::53]:5300
    """
    backend = open_backend()
    backend.set_metadata(Operator(backend).own(name), kind, values)


@group.command()
@click.argument("name")
@click.argument("kind")
@click.argument("value")
@click.pass_obj
def add(open_backend: Callable[[], Backend], name: str, kind: str, value: str) -> None:
    """Add a value to those of one kind.

    Example: zoneutil meta add airports.aa ALLOW-AXFR-FROM 2001:db8::/48
    """
    backend = open_backend()
    Operator(backend).add_metadata(Operator(backend).own(name), kind, value)


@group.command()
@click.argument("name")
@click.argument("kind")
@click.pass_obj
def unset(open_backend: Callable[[], Backend], name: str, kind: str) -> None:
    """Delete the values of one kind.

    Example: zoneutil meta unset airports.aa ALLOW-AXFR-FROM
    """
    backend = open_backend()
    backend.set_metadata(Operator(backend).own(name), kind, ())
