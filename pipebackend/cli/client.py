"""``--client`` and ``--subnet``: who asks, for the zones whose answers depend on it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import click

from pipebackend.dnsdata.records import Client

__all__ = ["client_options"]


def client_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the two options and hands it ``client``, as PowerDNS would write it."""

    @click.option("--client", "address", metavar="ADDRESS", callback=_checked, help="As if asked from this address.")
    @click.option("--subnet", metavar="CIDR", callback=_checked, help="As if it sent this subnet (ECS, RFC 7871).")
    @functools.wraps(command)
    def with_client(*words: Any, address: str, subnet: str, **more: Any) -> None:
        command(*words, client=_client(address, subnet), **more)

    return with_client


def _checked(context: click.Context, option: click.Parameter, text: str | None) -> str:
    try:
        if text is None:
            return ""
        return str(ip_network(text, strict=False) if option.name == "subnet" else ip_address(text))
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


def _client(address: str, subnet: str) -> Client:
    """PowerDNS takes the client's own address for a subnet that was not sent."""
    if not address:
        return Client("", "", subnet)
    return Client(address, "", subnet or str(ip_network(address)))
