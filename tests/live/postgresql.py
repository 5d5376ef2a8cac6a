"""A PostgreSQL cluster for tests: in a scratch folder, on a port of 127.0.0.1, run by a user without privileges."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

from tests.live.servers import HOST, PATIENCE, RUNNING, Server, ServerFailed, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cluster", "Relay", "connected", "gpgsql_schema", "is_installed"]

_UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root
_NUMBERS = itertools.count()
_MADE: list[tuple[Cluster, str]] = []  # databases whose keys are not known yet
_KEYS: list[str] = []  # of those that were dropped
_PREFIX = "postgresql-"
# What it shares among its processes is in its own folder, and of a log of changes no more is kept than is needed
_SETTINGS = {
    "fsync": "off",
    "listen_addresses": HOST,
    "max_connections": "60",
    "dynamic_shared_memory_type": "mmap",
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
}


def _programs() -> Path | None:
    """Where Debian keeps the server's programs: those of the newest release."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def is_installed() -> bool:
    return _programs() is not None


def _remove_those_of_the_dead() -> None:
    """The folders of runs that were killed: gigabytes, in memory perhaps."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        maker = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if maker.isdigit() and not Path("/proc", maker).exists() and not _is_running(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(folder: Path) -> bool:
    try:
        pid = (folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
    except OSError:
        return False
    return Path("/proc", pid).exists()


def gpgsql_schema() -> Path:
    """The tables of PowerDNS's backend for PostgreSQL, of the release that the tests run with."""
    beside = Path(program("pdns_server")).parents[1] / "root"
    return (beside if beside.exists() else Path("/")) / "usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql"


def connected(url: str) -> Any:
    """A connection of another program to the database at an address, each of whose statements is a transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def contents_of_keys() -> Iterator[str]:
    """Private keys and TSIG secrets in the databases made since the last look."""
    while _KEYS:
        yield _KEYS.pop()
    while _MADE:
        yield from _keys_in(*_MADE.pop())


def _keys_in(cluster: Cluster, name: str) -> Iterator[str]:
    for query in ("SELECT content FROM cryptokeys", "SELECT secret FROM tsigkeys"):
        with suppress(psycopg2.Error, ValueError):  # no such table, or the cluster has ended
            yield from (str(content) for (content,) in cluster.rows(name, query))


class Relay:
    """A network between two: it passes on octets, until it is told to drop all of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.drops = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._port))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while octets := source.recv(65536):
                if not self.drops:
                    sink.sendall(octets)
            sink.close()
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            one.close()


class Cluster(Server):
    """Every local user is let in as any role; ``settings`` are lines of postgresql.conf."""

    title = "postgresql"

    def __init__(self, of: Cluster | None = None, **settings: str) -> None:
        """``of``: a standby of that cluster."""
        _remove_those_of_the_dead()
        # pytest's folders are closed to other users, and the path of a socket has 107 octets at most.
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        super().__init__(self.scratch)
        self._data = self.scratch / "data"
        self._primary = of
        self._settings = {**_SETTINGS, **settings}
        self._as_user = ["setpriv", "--pdeathsig=INT"]  # it does not outlive a run of tests that is killed
        if os.geteuid() == 0:
            user = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self.scratch, user.pw_uid, user.pw_gid)
            self._as_user += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def arguments(self) -> Sequence[str]:
        options = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.scratch)}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [*self._as_user, self._program("postgres"), "-D", str(self._data), *settings]

    def answers(self) -> bool:
        try:
            connected(self.url("postgres")).close()
        except psycopg2.Error:
            return False
        return True

    def start(self) -> None:
        """Make the cluster first, if it is not there."""
        if not self._data.exists():
            self._make()
        super().start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it at once, with its connections; with SIGKILL as in a crash."""
        if self._process is None:
            return
        if how == signal.SIGKILL:  # the server ends the others when it notices that one was killed
            for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
        self._process.send_signal(how)
        self._process.wait(PATIENCE)
        self._process = None
        RUNNING.remove(self)

    def freeze(self, how: signal.Signals = signal.SIGSTOP) -> None:
        """None of its processes does anything any more; SIGCONT ends that."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for process in (self.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, how)

    def promote(self) -> None:
        """Make the standby a primary, and wait until it is."""
        with closing(connected(self.url("postgres"))) as connection:
            connection.cursor().execute("SELECT pg_promote(true, 60)")

    def demand_passwords(self, role: str) -> None:
        """From now on that role is let in with its password alone."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {role} all scram-sha-256\n{rules.read_text()}")
        self.execute("postgres", "SELECT pg_reload_conf()")

    def url(self, database: str, user: str = "postgres", **options: str) -> str:
        """The address of a database over TCP; a busy machine is no failure."""
        query = "&".join(f"{name}={value}" for name, value in {"connect_timeout": "30", **options}.items())
        return f"postgresql://{user}@{HOST}:{self.port}/{database}?{query}"

    def new_database(self, schema: Path | None = None) -> str:
        """The address of a new database, empty or with the tables of a file."""
        name = f"store{next(_NUMBERS)}"
        _MADE.append((self, name))
        self.execute("postgres", f"CREATE DATABASE {name}")
        if schema is not None:
            self.execute(name, schema.read_text())
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """One of ``new_database``, which takes 8 MB, with the connections to it."""
        name = url.rpartition("/")[2].partition("?")[0]
        if (self, name) in _MADE:
            _MADE.remove((self, name))
            _KEYS.extend(_keys_in(self, name))
        self.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, database: str, *statements: str) -> None:
        with closing(connected(self.url(database))) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(connected(self.url(database))) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def until(self, database: str, sql: str) -> None:
        """Waits until a statement finds true."""
        deadline = time.monotonic() + PATIENCE
        while self.rows(database, sql) != [(True,)]:
            assert time.monotonic() < deadline, sql
            time.sleep(0.02)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        self._remove_shared_memory()
        shutil.rmtree(self.scratch)

    def _remove_shared_memory(self) -> None:
        """What a server that was killed has left, and only its own next start would remove."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except OSError:  # it ended by itself
            return
        if len(lines) > 6 and lines[6].split():
            subprocess.run(["ipcrm", "-m", lines[6].split()[1]], capture_output=True)

    def _make(self) -> None:
        if self._primary is None:
            words = [self._program("initdb"), "-D", str(self._data), "-A", "trust", "-U", "postgres"]
            words += ["--no-locale", "--encoding=UTF8", "--no-sync"]
        else:
            source = f"postgresql://postgres@{HOST}:{self._primary.port}/postgres"
            words = [self._program("pg_basebackup"), "-D", str(self._data), "-d", source, "-R", "--no-sync"]
            words += ["--checkpoint=fast", "--wal-method=stream"]
        done = subprocess.run(
            [*self._as_user, *words], capture_output=True, text=True, cwd=self.scratch, timeout=5 * PATIENCE
        )
        if done.returncode:
            raise ServerFailed(f"{words[0]}: {done.stdout}{done.stderr}")

    def _program(self, name: str) -> str:
        folder = _programs()
        if folder is None:
            raise ServerFailed("PostgreSQL is not installed; scripts/test installs it")
        return str(folder / name)
