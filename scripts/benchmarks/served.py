"""PowerDNS servers to compare: the same zones behind our coprocesses, the limit in C, the peer, its own backends."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dns.exception import DNSException

from scripts.benchmarks import made, overhttp
from scripts.benchmarks.limit import pipe_rules, remote_rules
from scripts.benchmarks.responders import REMOTE, command_of, peer_command, write_rules
from tests.live.servers import PATIENCE, PdnsServer, ServerFailed, pipe_config, remote_config

if TYPE_CHECKING:
    from contextlib import ExitStack

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["DEFAULT_CACHES", "MODES", "PLAIN", "Zones", "apex_of", "make_database", "start"]

PLAIN = "bench"
MODES: dict[str, tuple[str, ...]] = {"nsec": (), "nsec3": ("1 0 0 -",), "narrow": ("1 0 0 -", "narrow")}  # for pdnsutil
DEFAULT_CACHES = {  # PowerDNS's own values; the servers of tests have none (rule C-1)
    "cache-ttl": "20",
    "query-cache-ttl": "20",
    "negquery-cache-ttl": "60",
    "zone-cache-refresh-interval": "300",
    "dnssec-key-cache-ttl": "30",
    "zone-metadata-cache-ttl": "60",
}
_QUIET = {"loglevel": "3"}
_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


def make_database(path: Path) -> None:
    """An empty database of PowerDNS's own schema for gsqlite3."""
    with sqlite3.connect(path) as db:
        db.executescript(_SCHEMA.read_text())
    db.close()


def apex_of(mode: str) -> str:
    """The zone of that mode."""
    return f"{mode}.example"


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of all servers, one for each mode; our configuration, the zone files, the rules of the limit."""

    folder: Path
    config: Path
    count: int
    rules: dict[str, Path]

    @classmethod
    def make(cls, setup: Setup, run: Run) -> Zones:
        """Write all sources and sign ours; the rules repeat what our coprocess says."""
        count = setup.scale.served_names
        folder = setup.new_path("served")
        apexes = [apex_of(mode) for mode in (PLAIN, *MODES)]
        config = made.make_several(folder, "table", count, apexes)[0].config
        for mode in MODES:
            made.sign(config, apex_of(mode), mode)
        for apex in apexes:
            made.write_zone_file(folder / f"{apex}.zone", apex, count)
        made.write_peer_data(folder / "peer.json", apexes, count)
        rules = {}
        if setup.native is None:
            run.skip("the limit", "there is no C compiler (cc)")
        else:
            rules["PIPE"] = write_rules(folder / "pipe.rules", pipe_rules(config, apexes))
            for title, documented in (("REMOTE", False), ("documented", True)):
                rules[title] = write_rules(folder / f"{title}.rules", remote_rules(config, apexes, documented))
        return cls(folder, config, count, rules)


def start(setup: Setup, zones: Zones, running: ExitStack, title: str, signed: bool, caches: bool) -> PdnsServer | None:
    """The server of that title, until ``running`` ends; None if this machine lacks what it needs.

    Titles are "ours PIPE", "C unix", "gsqlite3", with "REMOTE" followed by the timeout in milliseconds and with a
    number of distributor threads after a comma where that is not PowerDNS's default.
    """
    who, _, threads = title.partition(", distributor-threads=")
    folder = setup.new_path("server")
    settings = _settings(setup, zones, running, who, signed, folder)
    if settings is None:
        return None
    settings = {**_QUIET, **(DEFAULT_CACHES if caches else {}), **settings}
    if "pipe-command" in settings:
        settings["zone-cache-refresh-interval"] = "0"
    if threads:
        settings["distributor-threads"] = threads
    server = PdnsServer(settings, folder)
    if who in ("gsqlite3", "lmdb", "bind"):
        _fill(server, zones, who, signed)
    try:
        return running.enter_context(server)
    except DNSException as exc:  # somebody else answered the first question
        server.stop()
        raise ServerFailed(f"{title} did not start: {exc}") from exc


def _settings(
    setup: Setup, zones: Zones, running: ExitStack, who: str, signed: bool, folder: Path
) -> dict[str, str] | None:
    side, _, way = who.partition(" ")
    way, _, timeout = way.partition(" timeout=")
    if side in ("gsqlite3", "lmdb", "bind"):
        return _own_backend(zones, side, folder)
    if side == "ours" and way == "REMOTE":
        return remote_config(zones.config, int(timeout), signed)
    if side == "ours" and way == "PIPE":
        return pipe_config(zones.config)
    command = _command(setup, zones, side, way)
    if command is None:
        return None
    if way == "unix":
        return _unix(running, command, folder, signed)
    if way == "HTTP":
        return _http(running, command, signed)
    if way == "PIPE":
        return {"launch": "pipe", "pipe-command": " ".join(command), "pipe-abi-version": "3"}
    return {
        "launch": "remote",
        "remote-connection-string": f"pipe:command={' '.join(command)},timeout={timeout}",
        "remote-dnssec": "yes" if signed else "no",
    }


def _command(setup: Setup, zones: Zones, side: str, way: str) -> list[str] | None:
    """The coprocess of that side; None if this machine lacks what it needs."""
    if side == "ours":
        return command_of(REMOTE, zones.config)
    if side == "peer":
        command = peer_command(REMOTE, zones.folder / "peer.json")
        return command and [*command[:-2], way.lower(), command[-1]]
    if not zones.rules or setup.native is None:
        return None
    rules = zones.rules["documented" if side == "documented" else "PIPE" if way == "PIPE" else "REMOTE"]
    return [str(setup.native.constant), str(rules)]


def _unix(running: ExitStack, command: list[str], folder: Path, signed: bool) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "socket"
    is_ours = "--config" in command
    process = subprocess.Popen([*command, "--listen", f"unix:{path}"] if is_ours else [*command, str(path)])
    running.callback(process.wait, PATIENCE)
    running.callback(process.terminate)
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"{process.args!r} does not listen")
        time.sleep(0.02)
    return {
        "launch": "remote",
        "remote-connection-string": f"unix:path={path},timeout=2000",
        "remote-dnssec": "yes" if signed else "no",
    }


def _http(running: ExitStack, command: list[str], signed: bool) -> dict[str, str]:
    url = overhttp.listening(running, command)
    return {
        "launch": "remote",
        "remote-connection-string": f"http:url={url},post=1,post_json=1,timeout=2000",
        "remote-dnssec": "yes" if signed else "no",
    }


def _own_backend(zones: Zones, which: str, folder: Path) -> dict[str, str] | None:
    folder.mkdir(parents=True, exist_ok=True)
    if which == "gsqlite3":
        return {"launch": which, "gsqlite3-database": str(folder / "pdns.db"), "gsqlite3-dnssec": "yes"}
    if which == "lmdb":
        return {"launch": which, "lmdb-filename": str(folder / "pdns.lmdb")}
    stanzas = [
        f'zone "{apex_of(mode)}" {{ type native; file "{zones.folder}/{apex_of(mode)}.zone"; }};\n'
        for mode in (PLAIN, *MODES)
    ]
    (folder / "named.conf").write_text("".join(stanzas))
    config, keys = folder / "named.conf", folder / "keys.db"
    return {"launch": which, "bind-config": str(config), "bind-dnssec-db": str(keys)}


def _fill(server: PdnsServer, zones: Zones, which: str, signed: bool) -> None:
    """Load the zones and sign them, with PowerDNS's own tool."""
    if which == "gsqlite3":
        make_database(server.folder.parent / "pdns.db")
    elif which == "bind":
        server.said("create-bind-db", str(server.folder.parent / "keys.db"))
    for mode, nsec3 in {PLAIN: (), **MODES}.items():
        apex = apex_of(mode)
        if which != "bind":
            server.said("load-zone", apex, str(zones.folder / f"{apex}.zone"))
        if signed and mode != PLAIN:
            server.said("secure-zone", apex)
            if nsec3:
                server.said("set-nsec3", apex, *nsec3)
        if which != "bind":
            server.said("rectify-zone", apex)
