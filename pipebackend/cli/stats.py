"""``zoneutil pdns stats``: what the server of a socket counted."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import click

from pipebackend.base import stats
from pipebackend.base.errors import BackendError
from pipebackend.cli.output import as_json, json_option, print_rows
from pipebackend.diagnosis.doctor.advised import SOCKET

__all__ = ["command"]

_PATIENCE = 5.0  # seconds
_REMOTE = b'{"method": "directBackendCmd", "parameters": {"query": "stats json"}}\n'
_PIPE = b"HELO\t5\nCMD\tstats json\n"


@click.command("stats")
@click.option("--socket", "path", metavar="PATH", default=SOCKET, show_default=True, help="Where the server listens.")
@json_option
def command(path: str, as_json_: bool) -> None:
    """Show statistics of a socket's server. Calls by method and zone, failures, the slowest, since when.

    A coprocess that PowerDNS started itself is asked with: pdnsutil backend-cmd remote stats

    Example: zoneutil pdns stats --socket /run/pipebackend/remote.sock
    """
    numbers = _asked(path)
    if as_json_:
        as_json(numbers)
        return
    click.echo(f"{numbers['processes']} processes for {int(time.time()) - numbers['started']} s, ", nl=False)
    click.echo(f"{numbers['reloads']} reloads")
    calls = sorted(numbers["calls"], key=lambda call: -call[2])
    print_rows([dict(zip(("method", "zone", "calls", "failures"), call, strict=True)) for call in calls])
    print_rows([{"slowest, ms": milliseconds, "call": call} for milliseconds, call in numbers["slowest"]])


def _asked(path: str) -> stats.Numbers:
    """The numbers, by the protocol that the server speaks: the other front end answers the first try with FAIL."""
    with _connected(path) as server, server.makefile("rb") as answers:
        try:
            server.sendall(_REMOTE)
            line = answers.readline()
            if line.startswith(b"{"):
                return _numbers(json.loads(line)["result"], path)
            while line and line != b"FAIL\n":
                line = answers.readline()
            server.sendall(_PIPE)
            answers.readline()  # the banner
            return _numbers(answers.readline(), path)
        except OSError as exc:
            raise BackendError(f"{path}: no answer: {exc}") from exc


def _connected(path: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.settimeout(_PATIENCE)
    try:
        server.connect(path)
    except OSError as exc:
        server.close()
        hint = "start one with remoteshim --listen, or name its socket with --socket"
        raise BackendError(f"{path}: no server to ask ({exc.strerror}); {hint}") from exc
    return server


def _numbers(text: Any, path: str) -> stats.Numbers:
    try:
        found = json.loads(text)
        return {key: found[key] for key in ("processes", "started", "reloads", "calls", "slowest")}
    except (ValueError, TypeError, KeyError) as exc:
        raise BackendError(f"{path}: who listens there is not a front end of this version") from exc
