"""``zoneutil zone``: the zones, what is in them and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.base.errors import RecordFault, RequestFault, StoreFault
from pipebackend.cli.deferred import Deferred
from pipebackend.cli.output import as_json, counted, json_option, print_rows
from pipebackend.cli.progress import Progress
from pipebackend.dnsdata import names, zonelines
from pipebackend.zones.compiled import choice, compiler, fingerprints
from pipebackend.zones.compiled.target import Target

__all__ = ["group"]

_EDITS = ("create", "delete", "edit", "import", "set-account", "set-kind", "set-primaries")


@click.group("zone", commands=Deferred(zone_edit=_EDITS, key_roll=["set-policy"], map=["map"]))
def group() -> None:
    """The zones and their settings.

    Example: zoneutil zone check airports.aa
    """


@group.command("list")
@json_option
@click.pass_obj
def list_(open_backend: Callable[[], Backend], as_json_: bool) -> None:
    """List the zones. One without a serial waits for its records, as a secondary zone before its first transfer.

    Example: zoneutil zone list
    """
    backend = open_backend()
    waiting = backend.waiting()
    rows = [
        {"zone": info.zone or ".", "kind": info.source, "id": info.ident, "serial": info.serial}
        for info in backend.domains()
    ] + [{"zone": info.zone or ".", "kind": info.source, "id": info.ident, "serial": None} for info in waiting]
    as_json(rows) if as_json_ else print_rows(rows)
    for info in waiting:
        source = f" from {', '.join(info.primaries)}" if info.primaries else ""
        click.echo(f"{info.zone or '.'}: waits for its records{source}", err=True)


@group.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """Show a zone's source, size and settings.

    Example: zoneutil zone show airports.aa
    """
    facts = Operator(open_backend()).zone_facts(name)
    if as_json_:
        as_json(facts)
        return
    width = max(map(len, facts))
    for key, value in facts.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{key.ljust(width)}  {shown}".rstrip())


@group.command()
@click.argument("name", required=False)
@json_option
@click.pass_obj
def check(open_backend: Callable[[], Backend], name: str | None, as_json_: bool) -> None:
    """Find faults in a zone, or in all zones. Exit status 1 if there are any.

    Example: zoneutil zone check airports.aa
    """
    os.environ[fingerprints.VERIFY_KEY] = "1"  # damage is a fault to name, and may not end this process
    backend = open_backend()
    apexes = [names.from_text(name)] if name else _all_apexes(backend)
    found = {apex or ".": _faults(backend, apex) for apex in apexes}
    if not name:
        found |= {row: [fault] for row, fault in Operator(backend).misnamed()}
    if as_json_:
        as_json(found)
    for apex, faults in () if as_json_ else found.items():
        for fault in faults:
            click.echo(fault)
        for note in () if faults else Operator(backend).zone_notes(apex):
            click.echo(f"note: {note}", err=True)
        click.echo(f"{apex}: {counted(len(faults), 'fault')}", err=True)
    if any(found.values()):
        raise SystemExit(1)


@group.command("compile")
@click.argument("name", required=False)
@click.pass_obj
def compile_(open_backend: Callable[[], Backend], name: str | None) -> None:
    """Compile a table or file zone now. Without NAME, all large ones; the coprocesses do it by themselves, in the
    background.

    Example: zoneutil zone compile airports.aa
    """
    choice.compile_in(choice.FOREGROUND)
    os.environ[fingerprints.VERIFY_KEY] = "1"
    backend = open_backend()
    sections = compiler.sections(backend.registry.config)
    wanted = [names.from_text(name)] if name else list(sections)
    for apex in wanted:
        zone, section = backend.registry.by_apex.get(apex), sections.get(apex)
        if zone is None or section is None or not backend.registry.config.path:
            raise RequestFault(f"there is no zone {apex or '.'} of kind table or file in a configuration file")
        target = Target.of(section, apex, zone.ident)
        if not name and not choice.is_large(target):
            continue
        settings = backend.metadata(apex)
        chain = "" if "NSEC3NARROW" in settings else next(iter(settings.get("NSEC3PARAM", ())), "")
        was_made = compiler.build_as_owner(section, apex, zone.ident, chain, _progress)
        click.echo(f"{apex or '.'}: " + (f"compiled to {target.path}" if was_made else "is compiled already"), err=True)


def _progress(what: str, count: int) -> None:
    if count:
        click.echo(f"  {what}: {count}", err=True)


@group.command()
@click.argument("name")
@click.pass_obj
def export(open_backend: Callable[[], Backend], name: str) -> None:
    """Print a zone as a zone file. What cannot be written is named, and the exit status is 1.

    Example: zoneutil zone export airports.aa > airports.aa.zone
    """
    backend = open_backend()
    dialect = backend.registry.powerdns.dialect
    faults = []
    with Progress(prints=True) as progress:
        for count, record in enumerate(Operator(backend).examined(name)):
            progress("written", count)
            try:
                if isinstance(record, RecordFault):
                    raise record
                click.echo(zonelines.zone_line(record, dialect))
            except RecordFault as exc:
                faults.append(str(exc))
    for fault in faults:
        click.echo(f"left out: {fault}", err=True)
    if faults:
        raise SystemExit(1)


@group.command()
@click.argument("name")
@click.pass_obj
def nsec(open_backend: Callable[[], Backend], name: str) -> None:
    """Use NSEC for denials: names can be listed.

    Example: zoneutil zone nsec airports.aa
    """
    Operator(open_backend()).signing(name).use_nsec()


@group.command()
@click.argument("name")
@click.option("--opt-out", is_flag=True, help="Leave insecure delegations out of the NSEC3 chain.")
@click.option("--narrow", is_flag=True, help="Make a denial for each question, so that nobody can list the names.")
@click.option("--iterations", type=int, default=0, show_default=True, help="Extra iterations; keep 0 (RFC 9276).")
@click.option("--salt", metavar="HEX", default="-", show_default="none", help="Of no use either (RFC 9276).")
@click.pass_obj
def nsec3(
    open_backend: Callable[[], Backend], name: str, opt_out: bool, narrow: bool, iterations: int, salt: str
) -> None:
    """Use NSEC3 for denials: names are hashed.

    Example: zoneutil zone nsec3 airports.aa --narrow
    """
    is_narrow = Operator(open_backend()).signing(name).use_nsec3(f"1 {opt_out:d} {iterations} {salt}", narrow)
    if is_narrow and not narrow:
        click.echo(f"zone {name} has narrow NSEC3, since the hashes of its names have no order", err=True)


def _faults(backend: Backend, apex: str) -> list[str]:
    """What is wrong with a zone; that it cannot be looked at is nothing to end the check of the others."""
    try:
        return list(Operator(backend).zone_faults(apex))
    except StoreFault as exc:
        return [str(exc)]


def _all_apexes(backend: Backend) -> list[str]:
    """Of the configuration, also what is refused, and of the store, also what cannot be served."""
    return list(dict.fromkeys([entry.apex for entry in backend.registry.entries] + Operator(backend).stored_apexes()))
