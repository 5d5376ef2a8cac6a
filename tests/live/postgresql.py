"""A PostgreSQL cluster for tests: in a scratch folder, on a port of 127.0.0.1, run by a user without privileges."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

from tests.live.servers import HOST, PATIENCE, RUNNING, Server, ServerFailed, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Cluster", "connected", "gpgsql_schema", "is_installed"]

_UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root
_NUMBERS = itertools.count()
_MADE: list[tuple[Cluster, str]] = []  # databases whose keys are not known yet


def _programs() -> Path | None:
    """Where Debian keeps the server's programs: those of the newest release."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def is_installed() -> bool:
    return _programs() is not None


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
    while _MADE:
        cluster, name = _MADE.pop()
        for query in ("SELECT content FROM cryptokeys", "SELECT secret FROM tsigkeys"):
            with suppress(psycopg2.Error, ValueError):  # no such table, or the cluster has ended
                yield from (str(content) for (content,) in cluster.rows(name, query))


class Cluster(Server):
    """Every local user is let in as any role; ``settings`` are lines of postgresql.conf."""

    title = "postgresql"

    def __init__(self, of: Cluster | None = None, **settings: str) -> None:
        """``of``: a standby of that cluster."""
        # pytest's folders are closed to other users, and the path of a socket has 107 octets at most.
        self.scratch = Path(tempfile.mkdtemp(prefix="postgresql-"))
        super().__init__(self.scratch)
        self._data = self.scratch / "data"
        self._primary = of
        self._settings = {"fsync": "off", "listen_addresses": HOST, "max_connections": "60", **settings}
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self.scratch, user.pw_uid, user.pw_gid)
            self._as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

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
        shutil.rmtree(self.scratch)

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
