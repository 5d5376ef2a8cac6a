"""``zoneutil pdns replay``: a recorded trace against the present configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

import click

from pipebackend.backend.backend import Backend
from pipebackend.cli.output import as_json, counted, json_option
from pipebackend.diagnosis import replay

__all__ = ["command"]


@click.command("replay")
@click.argument("trace", metavar="FILE")
@click.option("--writes", is_flag=True, help="Ask also what changes the store of this configuration.")
@click.option("--ignore-serial", is_flag=True, help="Answers that differ in a serial alone are the same.")
@json_option
@click.pass_obj
def command(open_backend: Callable[[], Backend], trace: str, writes: bool, ignore_serial: bool, as_json_: bool) -> None:
    """Ask the calls of a trace again.

    FILE was written with --trace FILE --trace-full. Calls whose secrets were not recorded are left out.

    Example: zoneutil pdns replay /var/lib/pipebackend/trace
    """
    path = open_backend().registry.config.path
    outcome = replay.replay(trace, os.path.abspath(path) if path else "", writes, ignore_serial)
    if as_json_:
        as_json(asdict(outcome))
    for difference in () if as_json_ else outcome.differences:
        click.echo(difference.request)
        for sign, text, colour in (("-", difference.was, "red"), ("+", difference.now, "green")):
            for line in text.splitlines():
                click.echo(click.style(f"{sign} {line}", fg=colour))
    left_out = [
        text
        for number, text in (
            (outcome.writing, "that change the store"),
            (outcome.secret, "whose secrets were not recorded"),
        )
        if number
    ]
    numbers = f"{counted(outcome.asked, 'call')}, {counted(len(outcome.differences), 'difference')}"
    skipped = f"; left out: {outcome.writing + outcome.secret}, {' and '.join(left_out)}" if left_out else ""
    click.echo(f"{trace}: {numbers}{skipped}", err=True)
    if outcome.differences:
        raise SystemExit(1)
