"""``zoneutil record explain``: what PowerDNS asks for a question, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click

from pipebackend import explain
from pipebackend.backend import Backend
from pipebackend.cli.output import as_json, json_option

__all__ = ["command"]


@click.command("explain")
@click.argument("name")
@click.argument("type_", metavar="TYPE")
@click.option("--dnssec", is_flag=True, help="For a client that wants signatures, as dig +dnssec.")
@json_option
@click.pass_obj
def command(open_backend: Callable[[], Backend], name: str, type_: str, dnssec: bool, as_json_: bool) -> None:
    """Show the calls that PowerDNS makes for a question and our answer to each.

    As with its caches empty; settings and keys it asks for once.

    Example: zoneutil record explain lax.airports.aa LOC --dnssec
    """
    calls = explain.explain(open_backend(), name, type_.upper(), dnssec)
    if as_json_:
        as_json([asdict(call) for call in calls])
        return
    for number, call in enumerate(calls, 1):
        click.echo(f"{number:2}. " + click.style(call.text, bold=True))
        for line in call.answer or ["nothing"]:
            click.echo(f"      {line}")
