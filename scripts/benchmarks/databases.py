"""Part i: the store in PostgreSQL beside PowerDNS's gpgsql, with the same data on the same server."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks import made
from scripts.benchmarks.endtoend import Flood, flooded
from scripts.benchmarks.figures import AT_LEAST, AT_MOST, Goal
from scripts.benchmarks.made import Zone
from scripts.benchmarks.processes import CROWD, bare_megabytes, megabytes_after
from scripts.benchmarks.responders import PIPE, REMOTE, Responder, command_of, pinned, preferred
from scripts.benchmarks.roundtrip import DENIAL, NXDOMAIN, RANDOM, micro, zone_id
from scripts.benchmarks.served import DEFAULT_CACHES, apex_of
from tests.live.postgresql import Cluster, gpgsql_schema, is_installed
from tests.live.servers import PdnsServer, pipe_config, program, remote_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["measure"]

GPGSQL = "gpgsql"
_MODE = "postgresql"
APEX = apex_of(_MODE)
_LIMIT = 1200  # seconds
_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "off"}


@dataclass(frozen=True, slots=True)
class _Database:
    """One with a zone of ``count`` names; our configuration and gpgsql's settings for it."""

    count: int
    config: Path
    gpgsql: dict[str, str]

    @property
    def zone(self) -> Zone:
        return Zone("stored", APEX, self.count, self.config)


def measure(setup: Setup, run: Run) -> None:
    """Import, round trips and whole servers at each size; memory at the largest."""
    if not is_installed() or not gpgsql_schema().exists():
        run.skip("part i", "not installed: postgresql, pdns-backend-pgsql")
        return
    with Cluster(**_SETTINGS) as cluster:
        databases = [_imported(setup, run, cluster, size) for size in setup.scale.database_sizes]
        _measure_round_trips(setup, run, databases)
        for database in databases:
            _measure_servers(setup, run, database)
        _measure_memory(run, databases[-1])


def _database(setup: Setup, cluster: Cluster, size: int) -> _Database:
    """An empty one, over the server's Unix socket for both."""
    name = cluster.new_database().rpartition("/")[2].partition("?")[0]
    folder = setup.new_path("postgresql")
    folder.mkdir()
    config = folder / "pipebackend.toml"
    config.write_text(
        f'[store]\nurl = "postgresql:///{name}?host={cluster.scratch}&port={cluster.port}&user=postgres"\n'
    )
    settings = {"launch": GPGSQL, "gpgsql-host": str(cluster.scratch), "gpgsql-port": str(cluster.port)}
    return _Database(size, config, {**settings, "gpgsql-dbname": name, "gpgsql-user": "postgres"})


def _imported(setup: Setup, run: Run, cluster: Cluster, size: int) -> _Database:
    """A zone by our import, beside the same by ``pdnsutil load-zone`` into a database of its own."""
    file = setup.new_path("zone")
    made.write_addresses(file, APEX, size)
    own, loaded, both = [], [], []
    for _ in range(setup.scale.database_imports):
        database, theirs = _database(setup, cluster, size), _database(setup, cluster, size)
        zoneutil = [f"{sys.prefix}/bin/zoneutil", "--config", str(database.config)]
        _seconds([*zoneutil, "store", "init"])
        own.append(_seconds([*zoneutil, "zone", "import", APEX, str(file)]))
        cluster.execute(theirs.gpgsql["gpgsql-dbname"], gpgsql_schema().read_text())
        folder = setup.new_path(GPGSQL)
        folder.mkdir()
        lines = [f"{name}={value}\n" for name, value in {**theirs.gpgsql, "gpgsql-dnssec": "yes"}.items()]
        (folder / "pdns.conf").write_text("".join(lines))
        pdnsutil = [program("pdnsutil"), f"--config-dir={folder}"]
        loaded.append(_seconds([*pdnsutil, "load-zone", APEX, str(file)]))
        both.append(loaded[-1] + _seconds([*pdnsutil, "rectify-zone", APEX]))
        cluster.execute("postgres", f"DROP DATABASE {theirs.gpgsql['gpgsql-dbname']}")
    what = f"zone import into PostgreSQL, {size:,} names"
    goals = [Goal(AT_MOST, 1)] if size == max(setup.scale.database_sizes) else []
    run.add("i", what, "s", own, loaded, "pdnsutil load-zone, gpgsql", goals=goals, size=size)
    run.add("i", what, "s", own, both, "load-zone and rectify-zone", size=size)
    return database


def _measure_round_trips(setup: Setup, run: Run, databases: Sequence[_Database]) -> None:
    """What one answer of a coprocess takes, at each size beside the smallest."""
    seconds: dict[tuple[str, int], list[float]] = {}
    with pinned([setup.cpu]), ExitStack() as running:
        for protocol, case in ((PIPE, RANDOM), (PIPE, NXDOMAIN), (REMOTE, DENIAL)):
            for database in databases:
                each = min(setup.scale.questions, database.count // (setup.scale.rounds + 1))  # each name once
                command = command_of(protocol, database.config)
                responder = running.enter_context(Responder(protocol, command, setup.native)).greet()
                ident = zone_id(responder, APEX)
                file = setup.new_path("questions")
                wanted = (setup.scale.rounds + 1) * each
                file.write_bytes(b"".join(case.requests(database.zone, protocol, ident, wanted)))
                found = [responder.seconds(file, n * each, each) for n in range(setup.scale.rounds + 1)]
                seconds[case.title, database.count] = micro(found[1:])
    small = databases[0].count
    for (title, count), found in seconds.items():
        goals = [Goal(AT_MOST, 1.5)] if count > small else []
        what = f"one answer, {title}: {count:,} names"
        run.add("i", what, "µs", found, seconds[title, small], f"{small:,} names", goals=goals, size=count)


def _measure_servers(setup: Setup, run: Run, database: _Database) -> None:
    """Questions per second of whole servers, all on the same database."""
    size = f"{database.count:,} names"
    positive = Flood(f"PostgreSQL, unsigned positive, caches off, {size}", _MODE, True, False, False, ())
    _flood(setup, run, database, positive, {})
    made.sign(database.config, APEX, "nsec")
    absent = Flood(f"PostgreSQL, NSEC NXDOMAIN, default caches, {size}", _MODE, False, True, True, ())
    _flood(setup, run, database, absent, DEFAULT_CACHES)


def _flood(setup: Setup, run: Run, database: _Database, flood: Flood, caches: dict[str, str]) -> None:
    dnssec = "yes" if flood.signed else "no"
    wanted = {
        GPGSQL: {**database.gpgsql, "gpgsql-dnssec": dnssec},
        "ours REMOTE timeout=0": remote_config(database.config, 0, flood.signed),
    }
    if not flood.signed:
        wanted["ours PIPE"] = pipe_config(database.config)
    with preferred(), ExitStack() as running:
        servers = {}
        for title, settings in wanted.items():
            own = {"zone-cache-refresh-interval": "0"} if "pipe-command" in settings else {}
            server = PdnsServer({"loglevel": "3", **caches, **settings, **own}, setup.new_path("server"))
            servers[title] = running.enter_context(server)
        speeds = flooded(setup, database.count, run, flood, servers)
    for title in speeds:
        if title != GPGSQL and GPGSQL in speeds:
            goals = [Goal(AT_LEAST, 0.6)] if title == "ours PIPE" else []  # which answers where nothing is signed
            run.add("i", f"{title}: {flood.title}", "q/s", speeds[title], speeds[GPGSQL], GPGSQL, goals=goals)


def _measure_memory(run: Run, database: _Database) -> None:
    names = list(database.zone.names(min(1000, database.count), 6, in_mixed_case=False))
    bare = bare_megabytes()
    with ExitStack() as running:
        crowd = [
            running.enter_context(Responder(PIPE, command_of(PIPE, database.config))).greet() for _ in range(CROWD)
        ]
        found = megabytes_after(names, PIPE, crowd)
    run.add("i", "memory per process, PIPE on PostgreSQL", "MB", [found], [bare], f"{CROWD} waiting Pythons")


def _seconds(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_LIMIT)
    return time.perf_counter() - begin
