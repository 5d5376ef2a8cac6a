"""``zoneutil store``: the database that holds keys and settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import click

from pipebackend.backend.backend import Backend
from pipebackend.cli.key import facts_as_json, show_keys
from pipebackend.cli.output import as_json, counted, json_option, print_rows
from pipebackend.cli.progress import Progress
from pipebackend.dnsdata.versions import UNKNOWN
from pipebackend.store import open_store

if TYPE_CHECKING:
    from pipebackend.admin.inventory import StoredZone

__all__ = ["group"]


@click.group("store")
def group() -> None:
    """The database with keys and stored zones.

    Example: zoneutil store backup zones-2026-11-22.db
    """


@group.command()
@click.pass_obj
def init(open_backend: Callable[[], Backend]) -> None:
    """Make the store, or upgrade an older one. The first write does so, too. Prints its path.

    Example: zoneutil store init
    """
    store = open_backend().store
    store.init()
    click.echo(store.path)


@group.command()
@click.option("--repair", is_flag=True, help="Rewrite content in PowerDNS's own text.")
@json_option
@click.pass_obj
def check(open_backend: Callable[[], Backend], repair: bool, as_json_: bool) -> None:
    """Find faults in the store. In the file, its rows, and the keys and metadata in it; exit status 1 if there are
    any.

    Also in owners, modes and links of what the configuration names: itself, zone files, tables, compiled zones; and in
    those of the folders above the store, where others could put another one in its place.

    Example: zoneutil store check
    """
    from pipebackend.admin import inventory
    from pipebackend.base import ownership
    from pipebackend.zones.compiled import choice

    backend = open_backend()
    store, zones = backend.store, backend.registry
    if repair:
        dialect = None if zones.powerdns is UNKNOWN else zones.powerdns.dialect
        click.echo(f"{store.path}: {counted(store.repair(dialect), 'record')} rewritten", err=True)
    named = dict.fromkeys((zones.config.path, *(row[0] for entry in zones.entries for row in entry.files)))
    faults = [*choice.misplaced(zones.config.folder), *inventory.faults(store)]
    faults += dict.fromkeys(fault for path in filter(None, named) if (fault := ownership.open_to_all(path)))
    if as_json_:
        as_json({"store": store.path, "faults": faults})
    else:
        for fault in faults:
            click.echo(fault)
        click.echo(f"{store.path}: {counted(len(faults), 'fault')}", err=True)
    if faults:
        raise SystemExit(1)


@group.command()
@click.argument("file")
@click.pass_obj
def backup(open_backend: Callable[[], Backend], file: str) -> None:
    """Copy the store to a new file, while in use. Keep the copy secret: the private keys are in it.

    Example: zoneutil store backup zones-2026-11-22.db
    """
    open_backend().store.backup(file)


@group.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> None:
    """Copy a store to an empty one of either kind.

    Both are written as url in the configuration: sqlite:PATH or postgresql://… All of it is copied, with ids, or
    nothing; while it runs, nobody else should write to either of them.

    Example: zoneutil store copy sqlite:zones.db postgresql://pdns@db.example/pdns
    """
    with closing(open_store(source, os.getcwd())) as old, closing(open_store(target, os.getcwd())) as new:
        with Progress() as progress:
            old.copy_to(new, lambda table, count: progress(f"of {table} copied", count))
        click.echo(f"{old.path}: {counted(len(new.domains()), 'zone')} copied to {new.path}", err=True)


@group.command()
@json_option
@click.pass_obj
def dump(open_backend: Callable[[], Backend], as_json_: bool) -> None:
    """Print what is in the store, no secrets. Zones with their keys and metadata, and TSIG keys.

    Example: zoneutil store dump --json
    """
    from pipebackend.admin import inventory

    store = open_backend().store
    zones = inventory.zones(store)
    tsig_keys: list[dict[str, object]] = [{"name": key.name, "algorithm": key.algorithm} for key in store.tsig_keys()]
    if as_json_:
        as_json({"store": store.path, "zones": [_zone_as_json(zone) for zone in zones], "tsig_keys": tsig_keys})
        return
    for zone in zones:
        click.secho(f"zone {zone.apex or '.'} id {zone.id} type {zone.type}", bold=True)
        show_keys(zone.keys, False)
        print_rows([{"kind": kind, "value": value} for kind, values in zone.settings.items() for value in values])
        click.echo()
    if tsig_keys:
        click.secho("TSIG keys", bold=True)
        print_rows(tsig_keys)


def _zone_as_json(zone: StoredZone) -> dict[str, object]:
    return {
        "zone": zone.apex or ".",
        "id": zone.id,
        "type": zone.type,
        "keys": [facts_as_json(key) for key in zone.keys],
        "settings": zone.settings,
    }
