"""``zoneutil tsig``: the keys with which servers and clients sign their messages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import click

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.base.errors import KeyFault
from pipebackend.cli.output import as_json, json_option, print_rows
from pipebackend.dnsdata import tsig
from pipebackend.dnsdata.tsig import TsigKey

__all__ = ["group"]


@click.group("tsig")
def group() -> None:
    """TSIG keys (RFC 8945). Servers and clients sign their messages with them.

    Example: zoneutil tsig generate transfer
    """


@group.command("list")
@json_option
@click.pass_obj
def list_(open_backend: Callable[[], Backend], as_json_: bool) -> None:
    """List the keys, without their secrets.

    Example: zoneutil tsig list
    """
    rows = [{"name": key.name, "algorithm": key.algorithm} for key in open_backend().tsig_keys()]
    as_json(rows) if as_json_ else print_rows(rows)


@group.command()
@click.argument("key")
@click.option("--algorithm", metavar="NAME", default=tsig.DEFAULT_ALGORITHM, show_default=True, help="The hash.")
@click.pass_obj
def generate(open_backend: Callable[[], Backend], key: str, algorithm: str) -> None:
    """Make a key with a random secret.

    Example: zoneutil tsig generate transfer --algorithm hmac-sha512
    """
    Operator(open_backend()).new_tsig_keys([tsig.generate(key, algorithm)])


@group.command("import")
@click.argument("words", metavar="FILE|KEY ALGORITHM", nargs=-1, required=True)
@click.pass_obj
def import_(open_backend: Callable[[], Backend], words: tuple[str, ...]) -> None:
    """Take keys of another server from a file. Or one key whose secret (Base64) comes on standard input.

    FILE has key blocks of named.conf, key: sections of knot.conf or nsd.conf, an HMAC key of dnssec-keygen or
    ldns-keygen, or lines as dig -y and pdnsutil have them; - is standard input. After KEY ALGORITHM the secret can be a
    third word, which every user of the machine can see while the command runs.

    Example: zoneutil tsig import /etc/bind/transfer.key
    """
    backend = open_backend()
    keys = _from_file(words[0]) if len(words) == 1 else [_from_words(words)]
    Operator(backend).new_tsig_keys(keys)
    for key in keys:
        click.echo(f"TSIG key {key.name} ({key.algorithm}) imported", err=True)


def _from_file(path: str) -> list[TsigKey]:
    from pipebackend.keys import tsigfiles

    if path != "-":
        return tsigfiles.load(path)
    return tsigfiles.read(sys.stdin.read(), "standard input")


def _from_words(words: Sequence[str]) -> TsigKey:
    if len(words) > 3:
        raise click.UsageError("give a FILE, or KEY ALGORITHM and the secret on standard input")
    key, algorithm, *secret = words
    if not secret and tsig.algorithm_from_text(algorithm) != "gss-tsig":
        typed = sys.stdin.isatty()
        secret = [click.prompt("Secret", hide_input=True, err=True) if typed else sys.stdin.read()]
    return tsig.checked(key, algorithm, *secret or [""])


@group.command()
@click.argument("key")
@json_option
@click.pass_obj
def export(open_backend: Callable[[], Backend], key: str, as_json_: bool) -> None:
    """Print a key with its secret. The form is that of named.conf, the tools of NSD and `dig -k FILE`; keep it secret.

    Example: zoneutil tsig export transfer > transfer.key
    """
    found = _existing(open_backend(), key)
    if as_json_:
        as_json({"name": found.name, "algorithm": found.algorithm, "secret": found.secret})
    elif not found.secret:
        raise KeyFault(f"TSIG key {found.name}: a {found.algorithm} key has no secret to export")
    else:
        click.echo(f'key "{found.name}" {{\n\talgorithm {found.algorithm};\n\tsecret "{found.secret}";\n}};')


@group.command()
@click.argument("key")
@click.pass_obj
def delete(open_backend: Callable[[], Backend], key: str) -> None:
    """Forget a key.

    Example: zoneutil tsig delete transfer
    """
    open_backend().remove_tsig_key(key)


@group.command()
@click.argument("name")
@click.argument("key")
@click.pass_obj
def allow(open_backend: Callable[[], Backend], name: str, key: str) -> None:
    """Allow transfers of a zone to a key.

    Example: zoneutil tsig allow airports.aa transfer
    """
    backend = open_backend()
    Operator(backend).add_metadata(Operator(backend).own(name), "TSIG-ALLOW-AXFR", key)


def _existing(backend: Backend, key: str) -> TsigKey:
    found = backend.tsig_key(key)
    if found is None:
        raise KeyFault(f"there is no TSIG key {key}; zoneutil tsig list names them")
    return found
