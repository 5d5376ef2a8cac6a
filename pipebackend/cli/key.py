"""``zoneutil key``: the DNSSEC keys of a zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.cli.deferred import Deferred
from pipebackend.cli.output import as_json, counted, json_option, print_rows, yes_option

if TYPE_CHECKING:
    from pipebackend.admin.signing import Delegation, KeyFacts

__all__ = ["facts_as_json", "group", "show_keys"]

ZSK, KSK = 256, 257  # RFC 4034 section 2.1.1; a combined signing key has the flags of a KSK
_ROLLS = ("ds-seen", "maintain", "roll", "status")


@click.group("key", commands=Deferred(key_roll=_ROLLS, timeline=["timeline"]))
def group() -> None:
    """DNSSEC keys. `secure` is all that most zones need.

    Example: zoneutil key secure airports.aa
    """


def _takes_key(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that all commands about one key have."""
    return click.argument("name")(click.argument("id_", metavar="ID", type=int)(command))


@group.command("list")
@click.argument("name")
@json_option
@click.pass_obj
def list_(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """List the keys of a zone, no private parts.

    Example: zoneutil key list airports.aa
    """
    keys = Operator(open_backend()).signing(name).all_keys()
    if not keys and not as_json_:
        click.echo(f"zone {name} has no keys", err=True)
    show_keys(keys, as_json_)


@group.command()
@click.argument("name")
@click.option("--ksk", "flags", flag_value=KSK, type=int, help="A key that signs keys.")
@click.option("--zsk", "flags", flag_value=ZSK, type=int, help="A key that signs all else.")
@click.option("--csk", "flags", flag_value=KSK, type=int, default=KSK, help="A key that does both (the default).")
@click.option("--algorithm", metavar="NAME", default="ecdsap256sha256", show_default=True, help="Or its number.")
@click.option("--inactive", is_flag=True, help="Publish the key, but do not sign with it yet.")
@json_option
@click.pass_obj
def generate(
    open_backend: Callable[[], Backend], name: str, flags: int, algorithm: str, inactive: bool, as_json_: bool
) -> None:
    """Make a key. A KSK and a CSK are the same key: it is a KSK where the zone has a ZSK of the same algorithm.

    Example: zoneutil key generate airports.aa --zsk --algorithm ed25519
    """
    show_keys([Operator(open_backend()).signing(name).generate(flags, algorithm, not inactive)], as_json_, one=True)


@group.command("import")
@click.argument("name")
@click.argument("file")
@click.option("--ksk", "flags", flag_value=KSK, type=int, help="Take it as a KSK or CSK.")
@click.option("--zsk", "flags", flag_value=ZSK, type=int, help="Take it as a ZSK.")
@click.option("--algorithm", metavar="NAME", help="Of an RSA key in PEM; rsasha256 if left out.")
@click.option("--inactive", is_flag=True, help="Do not sign with it yet.")
@click.option("--unpublished", is_flag=True, help="Do not show it in the zone yet.")
@json_option
@click.pass_obj
def import_(
    open_backend: Callable[[], Backend],
    name: str,
    file: str,
    flags: int | None,
    algorithm: str | None,
    inactive: bool,
    unpublished: bool,
    as_json_: bool,
) -> None:
    """Take a key from a .private or PEM file. These come from dnssec-keygen, ldns-keygen or PowerDNS, and from Knot or
    openssl.

    Whether it is a KSK or a ZSK is read from the .key file beside it, or seen from the key tag in the name of the
    file; where there is neither, --ksk is assumed. Files of TSIG keys are for `zoneutil tsig import`.

    Example: zoneutil key import airports.aa Kairports.aa.+013+01676.private
    """
    key = Operator(open_backend()).signing(name).import_file(file, flags, not inactive, not unpublished, algorithm)
    show_keys([key], as_json_, one=True)


@group.command()
@_takes_key
@click.option("--directory", metavar="DIR", help="Write both files of the key there, as dnssec-keygen does.")
@json_option
@click.pass_obj
def export(open_backend: Callable[[], Backend], name: str, id_: int, directory: str | None, as_json_: bool) -> None:
    """Print a private key, in BIND's format. Keep it secret.

    Example: zoneutil key export airports.aa 1 --directory .
    """
    signing = Operator(open_backend()).signing(name)
    if directory is not None:
        paths = signing.export_to(id_, directory)
        as_json(paths) if as_json_ else click.echo("\n".join(paths))
        return
    key = signing.export(id_)
    if as_json_:
        as_json({"name": key.name, "private": key.private, "public": key.public})
    else:
        click.echo(key.private, nl=False)


@group.command()
@_takes_key
@json_option
@click.pass_obj
def activate(open_backend: Callable[[], Backend], name: str, id_: int, as_json_: bool) -> None:
    """Sign with a key.

    Example: zoneutil key activate airports.aa 2
    """
    show_keys([Operator(open_backend()).signing(name).set_active(id_, True)], as_json_, one=True)


@group.command()
@_takes_key
@json_option
@click.pass_obj
def deactivate(open_backend: Callable[[], Backend], name: str, id_: int, as_json_: bool) -> None:
    """Stop signing with a key.

    Example: zoneutil key deactivate airports.aa 1
    """
    signing = Operator(open_backend()).signing(name)
    show_keys([signing.set_active(id_, False)], as_json_, one=True)
    if not any(key.active for key in signing.all_keys()):
        click.echo(f"zone {name} has no active key left: {_UNSIGNED}", err=True)


@group.command()
@_takes_key
@json_option
@click.pass_obj
def publish(open_backend: Callable[[], Backend], name: str, id_: int, as_json_: bool) -> None:
    """Put a key into the DNSKEY RRset.

    Example: zoneutil key publish airports.aa 2
    """
    show_keys([Operator(open_backend()).signing(name).set_published(id_, True)], as_json_, one=True)


@group.command()
@_takes_key
@json_option
@click.pass_obj
def unpublish(open_backend: Callable[[], Backend], name: str, id_: int, as_json_: bool) -> None:
    """Remove a key from the DNSKEY RRset. It may still sign.

    Example: zoneutil key unpublish airports.aa 1
    """
    show_keys([Operator(open_backend()).signing(name).set_published(id_, False)], as_json_, one=True)


@group.command()
@_takes_key
@yes_option
@click.pass_obj
def delete(open_backend: Callable[[], Backend], name: str, id_: int, yes: bool) -> None:
    """Delete a key for good. Asks first if no active key would be left.

    Example: zoneutil key delete airports.aa 1
    """
    signing = Operator(open_backend()).signing(name)
    doomed = signing.key(id_)
    others = [key for key in signing.all_keys() if key.id != id_]
    if not yes and (not others or (doomed.active and not any(key.active for key in others))):
        last = "active key" if others else "key"
        click.confirm(f"Key {id_} is the last {last} of zone {name}: {_UNSIGNED}. Delete it?", abort=True, err=True)
    signing.delete(id_)


@group.command()
@click.argument("name")
@json_option
@click.pass_obj
def ds(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """Print the DS records for the parent zone. Exit status 1 if there is no active KSK or CSK.

    Example: zoneutil key ds airports.aa
    """
    found = Operator(open_backend()).signing(name).delegations()
    if as_json_:
        as_json([_delegation_as_json(delegation) for delegation in found])
    for delegation in () if as_json_ else found:
        click.echo(delegation.to_text())
    if not found:
        click.echo(f"zone {name} has no active KSK or CSK; zoneutil key secure {name} makes one", err=True)
        raise SystemExit(1)


@group.command()
@click.argument("name")
@json_option
@click.pass_obj
def secure(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """Sign a zone: make one key (CSK, P-256). It signs all of the zone. Denials use NSEC unless `zoneutil zone nsec3`
    was run.

    Example: zoneutil key secure airports.aa
    """
    show_keys([Operator(open_backend()).signing(name).secure()], as_json_, one=True)


@group.command()
@click.argument("name")
@yes_option
@click.pass_obj
def unsecure(open_backend: Callable[[], Backend], name: str, yes: bool) -> None:
    """Delete all keys of a zone for good. Its NSEC3 and PRESIGNED metadata go as well; asks first if it has keys.

    Example: zoneutil key unsecure airports.aa
    """
    signing = Operator(open_backend()).signing(name)
    count = len(signing.all_keys())
    if count and not yes:
        click.confirm(f"Zone {name} has {counted(count, 'key')}: {_UNSIGNED}. Delete all?", abort=True, err=True)
    signing.unsecure()


def show_keys(keys: Sequence[KeyFacts], as_json_: bool, one: bool = False) -> None:
    """Print keys without their private parts: a table or JSON, there ``one`` key without a list around it."""
    found = [facts_as_json(key) for key in keys]
    if as_json_:
        as_json(found[0] if one else found)
        return
    rows = [{**fact, "times": _times_as_text(key)} for fact, key in zip(found, keys, strict=True)]
    hidden = {"fault"} if any(key.times for key in keys) else {"fault", "times"}
    print_rows([{column: row[column] for column in row if column not in hidden} for row in rows])
    for key in keys:
        if key.fault:
            click.echo(key.fault, err=True)


def facts_as_json(key: KeyFacts) -> dict[str, object]:
    """A key as JSON has it."""
    return {
        "id": key.id,
        "role": key.role or None,
        "flags": key.flags,
        "algorithm": key.algorithm or None,
        "bits": key.bits or None,
        "tag": None if key.fault else key.tag,
        "active": key.active,
        "published": key.published,
        "times": {name: _moment_as_text(moment) for name, moment in key.times},
        "fault": key.fault or None,
    }


def _delegation_as_json(delegation: Delegation) -> dict[str, object]:
    ds = delegation.ds
    return {
        "zone": delegation.owner,
        "key": delegation.key_id,
        "tag": ds.key_tag,
        "algorithm": int(ds.algorithm),
        "digest_type": int(ds.digest_type),
        "digest": ds.digest.hex(),
    }


def _times_as_text(key: KeyFacts) -> str:
    return ", ".join(f"{name} {_moment_as_text(moment)}" for name, moment in key.times)


def _moment_as_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


_UNSIGNED = "it would be served unsigned, which resolvers refuse as long as the parent has a DS for it"
