"""``zoneutil``: looks at and changes what the coprocesses serve."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import BackendError
from pipebackend.base.version import VERSION
from pipebackend.cli.deferred import Deferred
from pipebackend.zones.compiled import choice

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend

__all__ = ["cli", "main"]

_GROUPS = ("zone", "record", "key", "meta", "tsig", "autoprimary", "store", "pdns")


@click.group(
    commands=Deferred(**{name: [name] for name in _GROUPS}),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(VERSION, prog_name="zoneutil")
@click.option("--config", metavar="FILE", help="The configuration file; found as the coprocesses find it if left out.")
@click.pass_context
def cli(context: click.Context, config: str | None) -> None:
    """Show and change the zones behind PowerDNS.

    Example: zoneutil record lookup lax.airports.aa
    """
    context.obj = _Opener(config)


class _Opener:
    """Opens the backend when a command needs it, so that --help needs no configuration."""

    def __init__(self, config: str | None) -> None:
        self._config = config

    def __call__(self) -> Backend:
        if not click.get_current_context().command_path.endswith(" zone compile"):  # what looks starts no compiler
            choice.compile_in(choice.NEVER)
        backend = open_backend(self._config, os.environ)
        if not backend.registry.config.path:
            click.echo("zoneutil: no configuration file; this is the built-in one", err=True)
        click.get_current_context().find_root().call_on_close(backend.close)
        return backend


def main() -> None:
    """Run the command line; an error of ours is a message on stderr and exit status 1."""
    try:
        cli(prog_name="zoneutil")
    except BackendError as exc:
        click.echo(f"zoneutil: {exc}", err=True)
        sys.exit(1)
