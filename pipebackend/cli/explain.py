"""``zoneutil record explain``: what PowerDNS asks for a question, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click

from pipebackend.backend.backend import Backend
from pipebackend.cli.client import client_options
from pipebackend.cli.output import as_json, json_option
from pipebackend.diagnosis import explain
from pipebackend.dnsdata.records import Client

__all__ = ["command"]


@click.command("explain")
@click.argument("name")
@click.argument("type_", metavar="TYPE")
@click.option("--dnssec", is_flag=True, help="For a client that wants signatures, as dig +dnssec.")
@client_options
@json_option
@click.pass_obj
def command(
    open_backend: Callable[[], Backend], name: str, type_: str, dnssec: bool, client: Client, as_json_: bool
) -> None:
    """Show PowerDNS's calls for a question.

    With our answer to each, as with its caches empty; settings and keys it asks for once. A call that fails is the last
    one, and the exit status is then 1.

    Example: zoneutil record explain lax.airports.aa LOC --dnssec
    """
    calls, is_answered = explain.explain(open_backend(), name, type_.upper(), dnssec, client)
    if as_json_:
        as_json([asdict(call) for call in calls])
    for number, call in () if as_json_ else enumerate(calls, 1):
        click.echo(f"{number:2}. " + click.style(call.text, bold=True))
        for line in call.answer or ["nothing"]:
            click.echo(f"      {line}")
    if not is_answered:
        raise SystemExit(1)
