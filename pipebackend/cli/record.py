"""``zoneutil record``: single records, as PowerDNS would get them, and changes of those in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote

import click

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.base.errors import RequestFault
from pipebackend.cli.client import client_options
from pipebackend.cli.deferred import Deferred
from pipebackend.cli.output import as_json, json_option
from pipebackend.dnsdata import typetable, zonelines
from pipebackend.dnsdata.records import ENT, MAX_TTL, Client, Record

__all__ = ["group"]


@click.group("record", commands=Deferred(explain=["explain"]))
def group() -> None:
    """Look up, find and change records. Those of zones in the store can be changed.

    The zone is that with the longest name. Each change adds one to the serial of its SOA.

    Example: zoneutil record lookup lax.airports.aa LOC
    """


@group.command()
@click.argument("name")
@click.argument("type_", metavar="[TYPE]", default="ANY")
@client_options
@json_option
@click.pass_obj
def lookup(open_backend: Callable[[], Backend], name: str, type_: str, client: Client, as_json_: bool) -> None:
    """Show what PowerDNS is told for a question. Zone-file lines with the auth flag; exit status 1 if there are none.

    Example: zoneutil record lookup lax.airports.aa LOC
    """
    answer = open_backend().lookup(name, type_.upper(), client)
    if as_json_:
        as_json([record._asdict() | {"zone_id": answer.ident} for record in answer.records])
    else:
        for record in answer.records:
            click.echo(_line(record))
    if not answer.records:
        click.echo(f"nothing at {name} {type_.upper()}", err=True)
        raise SystemExit(1)


_ttl = click.option("--ttl", type=click.IntRange(0, MAX_TTL), help="In seconds; as the others of the name and type.")


@group.command()
@click.argument("name")
@click.argument("type_", metavar="TYPE")
@click.argument("content", nargs=-1, required=True)
@_ttl
@click.pass_obj
def add(open_backend: Callable[[], Backend], name: str, type_: str, content: tuple[str, ...], ttl: int | None) -> None:
    """Add one record. Words of the content need no quotes of the shell.

    Example: zoneutil record add www.example.org A 192.0.2.1
    """
    _demand_type("add", name, type_, content)
    _told(Operator(open_backend()).editor.add(name, type_.upper(), " ".join(content), ttl))


@group.command()
@click.argument("name")
@click.argument("type_", metavar="TYPE")
@click.argument("contents", metavar="CONTENT...", nargs=-1, required=True)
@_ttl
@click.pass_obj
def replace(
    open_backend: Callable[[], Backend], name: str, type_: str, contents: tuple[str, ...], ttl: int | None
) -> None:
    """Replace the records of one type, or add them. Each content is one word of the shell.

    Example: zoneutil record replace example.org MX "10 mx1.example.org" "20 mx2.example.org"
    """
    _demand_type("replace", name, type_, contents)
    _told(Operator(open_backend()).editor.replace(name, type_.upper(), contents, ttl))


@group.command()
@click.argument("name")
@click.argument("type_", metavar="TYPE")
@click.argument("content", nargs=-1)
@click.pass_obj
def delete(open_backend: Callable[[], Backend], name: str, type_: str, content: tuple[str, ...]) -> None:
    """Delete one record, or all of a type. Without CONTENT it is all of them.

    Example: zoneutil record delete www.example.org A 192.0.2.1
    """
    _demand_type("delete", name, type_, content)
    Operator(open_backend()).editor.remove(name, type_.upper(), " ".join(content) or None)


@group.command()
@click.argument("pattern")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="Show no more than these.")
@json_option
@click.pass_obj
def search(open_backend: Callable[[], Backend], pattern: str, most: int, as_json_: bool) -> None:
    """Find records by owner or content. In the pattern * is any text and ? one character; exit status 1 if none is
    found.

    Example: zoneutil record search "*.example.org"
    """
    found = list(open_backend().search(pattern, most + 1))
    if as_json_:
        as_json([record._asdict() | {"zone_id": ident} for ident, record in found[:most]])
    else:
        for _, record in found[:most]:
            click.echo(zonelines.zone_line(record))
    if len(found) > most:
        click.echo(f"there are more; --most {10 * most} shows more of them", err=True)
    if not found:
        click.echo(f"nothing like {pattern}", err=True)
        raise SystemExit(1)


def _demand_type(command: str, name: str, type_: str, content: Sequence[str]) -> None:
    """RequestFault where class or TTL stand before the type, as in a zone file, or name and type are swapped, or the
    zone stands before the name, as pdnsutil has it."""
    said = " ".join([name, type_, *content])[:120]
    words, ttl = _without_class([type_, *content])
    if len(words) <= len(content):
        right = _right(command, name, words[0], words[1:], ttl)
        raise RequestFault(f"{said}: write it without class, and the TTL as an option: {right}")
    if _is_type(type_):
        return
    if _is_type(name):
        raise RequestFault(f"{said}: the name comes before the type: {_right(command, type_, name, content)}")
    words, ttl = _without_class(content)
    if words and _is_type(words[0]):
        owner = name if type_ == "@" else type_ if type_.endswith(".") else f"{type_}.{name}"
        right = _right(command, owner, words[0], words[1:], ttl)
        raise RequestFault(f"{said}: the zone is left out, and the owner is the full name: {right}")


def _without_class(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """The words after a class and a TTL, and the TTL as an option."""
    ttl = ""
    while len(words) > 1 and (words[0].upper() in ("IN", "CH", "HS") or words[0].isdecimal()):
        ttl = f" --ttl {words[0]}" if words[0].isdecimal() else ttl
        words = words[1:]
    return words, ttl


def _is_type(word: str) -> bool:
    return typetable.number_of(word.upper()) is not None


def _right(command: str, owner: str, type_: str, content: Sequence[str], ttl: str = "") -> str:
    words = " ".join(["zoneutil record", command, owner, type_.upper(), *map(quote, content)])
    return words + ("" if command == "delete" else ttl)


def _told(is_changed: bool) -> None:
    if not is_changed:
        click.echo("no change: already set", err=True)


def _line(record: Record) -> str:
    if record.type == ENT:
        return f"{record.owner}.\t; empty non-terminal"
    return f"{zonelines.zone_line(record)}\t; auth={record.auth:d}" + (f" scope={record.scope}" if record.scope else "")
