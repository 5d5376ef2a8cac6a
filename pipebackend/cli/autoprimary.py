"""``zoneutil autoprimary``: servers that may make secondary zones here by announcing them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import click

from pipebackend.admin.newzone import checked_account
from pipebackend.backend.backend import Backend
from pipebackend.base.errors import RequestFault
from pipebackend.cli.output import as_json, json_option, print_rows
from pipebackend.dnsdata import names
from pipebackend.store.rows.autoprimaries import Autoprimary

__all__ = ["group"]


@click.group("autoprimary")
def group() -> None:
    """Autoprimaries: servers that may add zones. Their NOTIFY for an unknown zone makes it a secondary zone here.

    PowerDNS needs secondary=yes and autosecondary=yes.

    Example: zoneutil autoprimary add 192.0.2.1 ns1.example.net
    """


@group.command("list")
@json_option
@click.pass_obj
def list_(open_backend: Callable[[], Backend], as_json_: bool) -> None:
    """List the autoprimaries.

    Example: zoneutil autoprimary list
    """
    rows = [row._asdict() for row in open_backend().store.autoprimaries()]
    as_json(rows) if as_json_ else print_rows(rows)


@group.command()
@click.argument("address")
@click.argument("nameserver")
@click.option("--account", metavar="TEXT", default="", help="The account of the zones that it makes.")
@click.pass_obj
def add(open_backend: Callable[[], Backend], address: str, nameserver: str, account: str) -> None:
    """Accept new secondary zones from a server. Their NS records must name NAMESERVER.

    Example: zoneutil autoprimary add 192.0.2.1 ns1.example.net --account customers
    """
    row = Autoprimary(_address(address), names.from_text(nameserver), checked_account(account))
    if not open_backend().store.add_autoprimary(row):
        raise RequestFault(f"there is an autoprimary {row.address} {row.nameserver} already; remove it first")


@group.command()
@click.argument("address")
@click.argument("nameserver", required=False)
@click.pass_obj
def remove(open_backend: Callable[[], Backend], address: str, nameserver: str | None) -> None:
    """Accept no more new zones from a server. Those that it made stay.

    Example: zoneutil autoprimary remove 192.0.2.1
    """
    server = None if nameserver is None else names.from_text(nameserver)
    if not open_backend().store.remove_autoprimary(_address(address), server):
        known = " ".join(word for word in (_address(address), server) if word)
        raise RequestFault(f"there is no autoprimary {known}; zoneutil autoprimary list shows them")


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise RequestFault(
            f"ADDRESS {text[:60]!r} is not an IP address; write one as 192.0.2.1 or 2001:db8::1"
        ) from None
