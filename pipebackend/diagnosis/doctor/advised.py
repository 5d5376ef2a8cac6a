"""The lines of pdns.conf for a configuration of ours, each with the reason why it is there."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipebackend.base.errors import ConfigFault
from pipebackend.diagnosis.doctor.needs import NOT_OVER_PIPE, Need

__all__ = ["BIND_CONFIG", "KEEPERS", "PROTOCOLS", "SOCKET", "URL", "Line", "installed", "lines", "text"]

PROTOCOLS = ("remote", "pipe", "remote-unix", "remote-http")
KEEPERS = ("gsqlite3", "bind-hybrid")
SOCKET = "/run/pipebackend/remote.sock"
URL = "http://127.0.0.1:8053/dns"
BIND_CONFIG = "/etc/powerdns/named.conf"
_SPLITS = {"remote": ", ", "pipe": " ", "remote-unix": ",", "remote-http": ","}


@dataclass(frozen=True, slots=True)
class Line:
    """One setting and why."""

    name: str
    value: str
    why: str


def lines(
    protocol: str,
    config: str,
    store: str,
    keys_in: str | None = None,
    socket: str = SOCKET,
    needed: Iterable[Need] = (),
    url: str = URL,
) -> list[Line]:
    """The settings in the order in which they are read best; raises ConfigFault if PowerDNS could not read them.

    ``config`` is the absolute path of the configuration, ``""`` for the built-in one; ``store`` that of its database;
    ``needed`` is what its zones need.
    """
    if keys_in and protocol == "pipe":
        raise ConfigFault(["PowerDNS's pipe backend cannot sign; leave --keys-in out, or take --protocol remote"])
    if keys_in == "gsqlite3" and "://" in store:
        raise ConfigFault(
            [f"the store is not a file of SQLite: {store}; launch=gpgsql can serve it (docs/postgresql.md)"]
        )
    if keys_in == "gsqlite3" and not store:
        raise ConfigFault(["the built-in configuration has no store; write one with a [store] and name it by --config"])
    if protocol == "pipe":
        return [*_pipe(config), *_zones(need for need in needed if need.name not in NOT_OVER_PIPE)]
    return [*_launch(keys_in, store), *_remote(protocol, config, socket, url), *_zones(needed)]


def _zones(needed: Iterable[Need]) -> Iterator[Line]:
    for need in needed:
        yield Line(need.name, need.value, f"Zone {need.reason}")


def text(found: Sequence[Line]) -> str:
    """As pdns.conf has it."""
    return "\n".join(f"# {line.why}\n{line.name}={line.value}" for line in found)


def installed(program: str) -> str:
    """The absolute path of one of our commands; raises ConfigFault if it is not installed."""
    beside = (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))
    path = shutil.which(program, path=os.pathsep.join(beside)) or shutil.which(program)
    if path is None:
        raise ConfigFault([f"the command {program} is not installed beside {sys.executable}; install it with pip"])
    return os.path.abspath(path)


def _launch(keys_in: str | None, store: str) -> Iterator[Line]:
    if keys_in == "gsqlite3":
        yield Line("launch", "gsqlite3,remote", "Keys and settings come from the first, records from the second")
        yield Line("gsqlite3-database", store, "Our store has PowerDNS's own tables; zoneutil store init makes it")
        yield Line("gsqlite3-dnssec", "yes", "Without it PowerDNS does not look for keys there")
    elif keys_in == "bind-hybrid":
        yield Line("launch", "bind,remote", "Records come from BIND's files, keys and settings from our store")
        yield Line("bind-config", BIND_CONFIG, "The zones of BIND")
        yield Line("bind-hybrid", "yes", "So that bind leaves keys and settings to the next backend")
    else:
        yield Line("launch", "remote", "PowerDNS asks a program, in JSON")


def _remote(protocol: str, config: str, socket: str, url: str) -> Iterator[Line]:
    if protocol == "remote-http":
        server = f"{installed('remoteshim')} --listen {url}" + (f" --config {config}" if config else "")
        value = f"http:url={_whole(protocol, url)},post=1,post_json=1,timeout=2000"
        why = f"The server must run first: {server}"
    elif protocol == "remote-unix":
        server = f"{installed('remoteshim')} --listen unix:{socket}" + (f" --config {config}" if config else "")
        value = f"unix:path={_whole(protocol, socket)},timeout=2000"
        why = f"The server must run first: {server}"
    else:
        options = [f"command={_whole(protocol, installed('remoteshim'))}", "timeout=2000"]
        options += [f"config={_whole('remote-unix', config)}"] if config else []
        value = f"pipe:{','.join(options)}"
        why = "The program that PowerDNS starts; it waits 2000 ms for an answer"
    yield Line("remote-connection-string", value, why)
    yield Line("remote-dnssec", "yes", "Without it PowerDNS does not ask for keys, and zones stay unsigned")


def _pipe(config: str) -> Iterator[Line]:
    command = _whole("pipe", installed("pipebackend")) + (f" --config {_whole('pipe', config)}" if config else "")
    yield Line("launch", "pipe", "PowerDNS asks a program, in lines; this cannot sign zones, remote can")
    yield Line("pipe-command", command, "The program that PowerDNS starts")
    yield Line("pipe-abi-version", "5", "By default it is 1, which does not tell which client asks")
    yield Line("pipe-timeout", "2000", "Milliseconds until PowerDNS kills a program that does not answer")
    yield Line("zone-cache-refresh-interval", "0", "PowerDNS does not start with its zone cache and pipe together")


def _whole(protocol: str, path: str) -> str:
    """A path that PowerDNS will not split: it knows no quotes."""
    for sign in _SPLITS[protocol]:
        if sign in path:
            raise ConfigFault(
                [f"{path} has {sign!r}, where PowerDNS splits the setting; move it, or name a link to it"]
            )
    if "#" in path and path[path.find("#") - 1].isspace():
        raise ConfigFault([f"{path} has ' #', which begins a comment in pdns.conf; move it, or name a link to it"])
    return path
