"""``zoneutil pdns``: the settings of PowerDNS that go with this configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

import click

from pipebackend.backend.backend import Backend
from pipebackend.base.errors import ConfigFault, StoreFault
from pipebackend.cli.deferred import Deferred
from pipebackend.cli.output import as_json, counted, json_option, write_whole
from pipebackend.diagnosis.doctor import advised, examination, served, server
from pipebackend.diagnosis.doctor.needs import needs
from pipebackend.diagnosis.doctor.probe import Trial

__all__ = ["group"]

_MEGABYTE = 1_000_000
_MODE = 0o644  # it holds no secret, and PowerDNS's user reads it


_server_option = click.option(
    "--pdns-server", metavar="PATH", default="", help="The server to ask; else the installed one."
)


@click.group("pdns", commands=Deferred(replay=["replay"], stats=["stats"]))
def group() -> None:
    """pdns.conf: what to write, and its faults.

    Example: zoneutil pdns check
    """


@group.command()
@click.option("--protocol", type=click.Choice(advised.PROTOCOLS), default="remote", show_default=True)
@click.option("--keys-in", type=click.Choice(advised.KEEPERS), help="Keys and records in different backends.")
@click.option("--socket", metavar="PATH", default=advised.SOCKET, show_default=True, help="For remote-unix.")
@click.option("--url", metavar="URL", default=advised.URL, show_default=True, help="For remote-http.")
@click.option("--output", metavar="FILE", help="Write it there, whole or not at all.")
@_server_option
@json_option
@click.pass_obj
def conf(
    open_backend: Callable[[], Backend],
    protocol: str,
    keys_in: str | None,
    socket: str,
    url: str,
    output: str | None,
    pdns_server: str,
    as_json_: bool,
) -> None:
    """Print the lines that pdns.conf needs. Each with the reason why.

    Also those that its zones need: for transfers, DNAME, the client's network and so on.

    Example: zoneutil pdns conf --output /etc/powerdns/pdns.d/pipebackend.conf
    """
    backend = open_backend()
    config = backend.registry.config.path
    asked = server.find([protocol.partition("-")[0]], program=pdns_server)
    needed = list(needs(served.look(config).contents))
    lines = advised.lines(protocol, config, _store(backend), keys_in, os.path.abspath(socket), needed, url)
    if as_json_:
        as_json([asdict(line) for line in lines])
    elif output is None:
        click.echo(advised.text(lines))
    else:
        try:
            write_whole(output, f"{advised.text(lines)}\n".encode(), _MODE)
        except OSError as exc:
            raise ConfigFault([f"{output} was not written: {exc.strerror}"]) from exc
    click.echo(f"for {asked.title}", err=True)
    if asked.version and config:
        click.echo(f'in {config} write, above the first [section]: powerdns = "{asked.release}"', err=True)


@group.command()
@click.option("--config-dir", metavar="DIR", default=examination.DEFAULT_FOLDER, show_default=True)
@click.option("--config-name", metavar="NAME", default="", help="As of pdns_server: pdns-NAME.conf.")
@_server_option
@json_option
@click.pass_context
def check(context: click.Context, config_dir: str, config_name: str, pdns_server: str, as_json_: bool) -> None:
    """Find faults in pdns.conf. Then tries what it starts; exit status 1 if anything would fail.

    As root it tries as the user that PowerDNS runs as.

    Example: zoneutil pdns check --config-dir /etc/powerdns
    """
    assert context.parent is not None and context.parent.parent is not None
    from pipebackend.config import configuration

    here = configuration.find(context.parent.parent.params["config"], os.environ)
    report = examination.examine(examination.gather(os.path.abspath(config_dir), config_name, here, pdns_server))
    if as_json_:
        as_json(
            {
                "config": report.path,
                "pdns_server": {"path": report.server.path, "version": report.server.release},
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
    click.echo(f"asked: {report.server.title}", err=True)
    click.echo(f"{report.path}: {counted(report.errors, 'error')}, {counted(warnings, 'warning')}", err=True)


def _show_trial(trial: Trial) -> None:
    if trial.greeting:
        memory = f", {trial.memory / _MEGABYTE:.0f} MB" if trial.memory else ""
        click.echo(f"{trial.title}: {trial.greeting} as {trial.user} in {trial.seconds * 1000:.0f} ms{memory}")
    for answer in trial.answers:
        click.echo(f"  {answer.zone} SOA {answer.content or 'no answer'} ({answer.seconds * 1000:.1f} ms)")
