"""``zoneutil pdns``: the settings of PowerDNS that go with this configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

import click

from pipebackend.backend import Backend
from pipebackend.cli.output import as_json, counted, json_option
from pipebackend.doctor import advised, examination
from pipebackend.doctor.probe import Trial
from pipebackend.errors import StoreFault

__all__ = ["group"]

_MEGABYTE = 1_000_000


@click.group("pdns")
def group() -> None:
    """PowerDNS's own settings, pdns.conf: what to write, and what is wrong with it.

    Example: zoneutil pdns check
    """


@group.command()
@click.option("--protocol", type=click.Choice(advised.PROTOCOLS), default="remote", show_default=True)
@click.option("--keys-in", type=click.Choice(advised.KEEPERS), help="Keys and records in different backends.")
@click.option("--socket", metavar="PATH", default=advised.SOCKET, show_default=True, help="For remote-unix.")
@json_option
@click.pass_obj
def conf(open_backend: Callable[[], Backend], protocol: str, keys_in: str | None, socket: str, as_json_: bool) -> None:
    """Print the lines of pdns.conf that serve this configuration, each with the reason why.

    Example: zoneutil pdns conf > /etc/powerdns/pdns.d/pipebackend.conf
    """
    backend = open_backend()
    lines = advised.lines(protocol, backend.registry.config.path, _store(backend), keys_in, os.path.abspath(socket))
    if as_json_:
        as_json([asdict(line) for line in lines])
    else:
        click.echo(advised.text(lines))


@group.command()
@click.option("--config-dir", metavar="DIR", default=examination.DEFAULT_FOLDER, show_default=True)
@click.option("--config-name", metavar="NAME", default="", help="As of pdns_server: pdns-NAME.conf.")
@json_option
@click.pass_context
def check(context: click.Context, config_dir: str, config_name: str, as_json_: bool) -> None:
    """Find what is wrong with pdns.conf, then try what it starts; exit status 1 if anything would fail.

    As root it tries as the user that PowerDNS runs as.

    Example: zoneutil pdns check --config-dir /etc/powerdns
    """
    assert context.parent is not None and context.parent.parent is not None
    from pipebackend import config

    here = config.find(context.parent.parent.params["config"], os.environ)
    report = examination.examine(examination.gather(os.path.abspath(config_dir), config_name, here))
    if as_json_:
        as_json(
            {
                "config": report.path,
                "findings": [finding.as_json() for finding in report.findings],
                "trials": [asdict(trial) for trial in report.trials],
                "untried": list(report.untried),
            }
        )
    else:
        _show(report)
    if report.errors:
        raise SystemExit(1)


def _store(backend: Backend) -> str:
    try:
        return backend.store.path
    except StoreFault:  # the built-in configuration has no place for one
        return ""


def _show(report: examination.Report) -> None:
    for finding in report.findings:
        click.echo(finding.text)
    for trial in report.trials:
        _show_trial(trial)
    for line in report.untried:
        click.echo(line)
    warnings = len(report.findings) - report.errors
    click.echo(f"{report.path}: {counted(report.errors, 'error')}, {counted(warnings, 'warning')}", err=True)


def _show_trial(trial: Trial) -> None:
    if trial.greeting:
        memory = f", {trial.memory / _MEGABYTE:.0f} MB" if trial.memory else ""
        click.echo(f"{trial.title}: {trial.greeting} as {trial.user} in {trial.seconds * 1000:.0f} ms{memory}")
    for answer in trial.answers:
        click.echo(f"  {answer.zone} SOA {answer.content or 'no answer'} ({answer.seconds * 1000:.1f} ms)")
