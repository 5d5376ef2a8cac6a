"""``zoneutil zone create|delete|set-kind|set-primaries|import|edit``: zones of the store."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

import click

from pipebackend.admin import difference
from pipebackend.admin.difference import Difference
from pipebackend.admin.editor import KINDS
from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.base.errors import BackendError, RequestFault
from pipebackend.cli.output import as_json, counted, json_option, yes_option
from pipebackend.cli.progress import Progress

__all__ = ["create", "delete", "edit", "import_", "set_account", "set_kind", "set_primaries"]

_FIRST_SERIAL = "%Y%m%d01"  # RFC 1912 section 2.2; a zone that is made again has a higher serial than the old one
_kind = click.Choice(list(KINDS))


@click.command()
@click.argument("name")
@click.option("--kind", type=_kind, default="native", show_default=True, help="Who else serves the zone.")
@click.option("--primary", "primaries", metavar="ADDRESS", multiple=True, help="Where a secondary zone comes from.")
@click.option("--ns", "nameservers", metavar="HOST", multiple=True, help="A name server; ns1.NAME if left out.")
@click.pass_obj
def create(
    open_backend: Callable[[], Backend],
    name: str,
    kind: str,
    primaries: tuple[str, ...],
    nameservers: tuple[str, ...],
) -> None:
    """Make a zone with SOA and NS records. A secondary zone is empty until PowerDNS has fetched it.

    Example: zoneutil zone create example.org --ns ns1.example.net --ns ns2.example.net
    """
    backend = open_backend()
    serial = int(time.strftime(_FIRST_SERIAL, time.gmtime()))
    made = Operator(backend).editor.create(name, backend.wanted_id(name), kind, primaries, nameservers, serial)
    click.echo(f"zone {name} created with {counted(len(made), 'record')}", err=True)
    for fault in Operator(backend).zone_faults(name) if made else ():
        click.echo(f"still to do: {fault}", err=True)


@click.command()
@click.argument("name")
@yes_option
@click.pass_obj
def delete(open_backend: Callable[[], Backend], name: str, yes: bool) -> None:
    """Delete a zone, its keys and its metadata.

    Example: zoneutil zone delete example.org --yes
    """
    backend = open_backend()
    Operator(backend).editor.demand_stored(name)
    keys = len(backend.keys(name))
    if not yes:
        click.confirm(f"Delete zone {name} with its records and {counted(keys, 'key')}?", abort=True)
    Operator(backend).editor.delete(name)


@click.command("set-kind")
@click.argument("name")
@click.argument("kind", type=_kind)
@click.pass_obj
def set_kind(open_backend: Callable[[], Backend], name: str, kind: str) -> None:
    """Make a zone native, primary or secondary.

    Example: zoneutil zone set-kind example.org primary
    """
    Operator(open_backend()).editor.set_kind(name, kind)


@click.command("set-primaries")
@click.argument("name")
@click.argument("primaries", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def set_primaries(open_backend: Callable[[], Backend], name: str, primaries: tuple[str, ...]) -> None:
    """Set the primaries of a secondary zone.

    Example: zoneutil zone set-primaries example.org 192.0.2.1 [2001:db8::1]:5300
    """
    Operator(open_backend()).editor.set_primaries(name, primaries)


@click.command("set-account")
@click.argument("name")
@click.argument("account")
@click.pass_obj
def set_account(open_backend: Callable[[], Backend], name: str, account: str) -> None:
    """Set the account of a zone; "" removes it.

    Example: zoneutil zone set-account example.org customers
    """
    Operator(open_backend()).editor.set_account(name, account)


@click.command("import")
@click.argument("name")
@click.argument("file")
@json_option
@click.pass_obj
def import_(open_backend: Callable[[], Backend], name: str, file: str, as_json_: bool) -> None:
    """Replace a zone's records by a zone file. A zone that is not there is made, as native; a signed file stays
    signed.

    Example: zoneutil zone import example.org example.org.zone
    """
    from pipebackend.admin import zoneimport

    with Progress() as progress:
        done = zoneimport.import_file(open_backend(), name, file, progress)
    denial = f", denies with {f'NSEC3 {done.nsec3}' if done.nsec3 else 'NSEC'}" if done.is_signed else ""
    if as_json_:
        facts = {"zone": name, "records": done.records, "serial": done.serial}
        as_json(facts | {"presigned": done.is_signed, "nsec3param": done.nsec3, "warnings": list(done.left_out)})
        return
    for line in done.left_out:
        click.echo(line, err=True)
    signed = f"; it is signed{denial}" if done.is_signed else ""
    click.echo(f"zone {name}: {counted(done.records, 'record')} imported, serial {done.serial}{signed}", err=True)


@click.command()
@click.argument("name")
@yes_option
@click.pass_obj
def edit(open_backend: Callable[[], Backend], name: str, yes: bool) -> None:
    """Edit a zone as a zone file. Uses $VISUAL or $EDITOR; the change is checked, shown, and made if you say so.

    Example: zoneutil zone edit example.org
    """
    backend = open_backend()
    before = difference.read(backend, name)
    descriptor, path = tempfile.mkstemp(prefix="zoneutil-", suffix=".zone")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(before.text)
    try:
        found = _edited(before, path)
        if found.lines:
            for line in found.lines:
                click.secho(line, fg="red" if line.startswith("-") else "green")
            for warning in found.warnings:
                click.echo(warning, err=True)
            if not yes:
                click.confirm("Make this change?", abort=True)
            Operator(backend).editor.apply(before.apex, before.rrsets, found.rrsets)
        else:
            click.echo("nothing was changed", err=True)
    except (BackendError, click.Abort) as exc:
        reason = f"{exc}\n" if str(exc) else ""
        raise RequestFault(f"{reason}zone {name} is as it was; what you wrote is in {path}") from None
    os.unlink(path)


def _edited(before: difference.Readable, path: str) -> Difference:
    """What the editor leaves behind, as often as it has errors and the person wants to fix them."""
    while True:
        click.edit(filename=path)
        try:
            return difference.difference(before, path)
        except BackendError as exc:
            click.echo(str(exc), err=True)
            if not click.confirm("Edit again?", default=True):
                raise click.Abort from None
