"""A connection to SQLite's file that follows the file: it may appear, vanish or be replaced at any time."""

from __future__ import annotations

import os
import time

from pipebackend.base.errors import StoreFault
from pipebackend.store.database import faults, files, schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipebackend.store.database.interfaces import Row, Values

__all__ = ["Handle"]

RETRY_SECONDS = 0.01
STREAMED_ROWS = 500
INSERTED_ROWS = 250  # of less than a hundred columns: SQLite takes 32,766 values

# Without rights to its directory, or on a full disk, SQLite cannot make the files beside a store that has a log.
_CANNOT_SHARE = frozenset(("CANTOPEN", "READONLY", "FULL", "IOERR"))


class Handle:
    """The file at ``path``: opened when there is one to read, made by ``prepare_for_writing``; StoreFault."""

    kind = 0  # ``database.SQLITE``
    __slots__ = ("_identity", "_is_made", "_is_prepared", "_is_snapshot", "connection", "opened", "path")

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self.opened = 0  # how often
        self.connection: sqlite3.Connection | None = None
        self._identity: tuple[int, ...] | None = None
        self._is_made = self._is_prepared = self._is_snapshot = False

    def is_made(self) -> bool:
        """Whether there is a store to read from now."""
        if self.is_in_transaction():
            return True
        self._follow()
        if self.connection is not None and not self._is_made:
            self._is_made = schema.is_made(schema.checked(self.fetch, self.path)[0])
        return self._is_made

    def is_open(self) -> bool:
        """Whether there was a store to read from at the last look."""
        return self._is_made and self.connection is not None

    def is_gone(self) -> bool:
        """Whether the file is missing, or empty as a full disk leaves it: SQLite finds no tables in it."""
        try:
            return os.stat(self.path).st_size == 0
        except OSError:
            return True

    def has_table(self, name: str) -> bool:
        """Whether there is such a table."""
        return bool(self.fetch("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)))

    def keep_ids_apart(self, table: str, taken: int) -> None:
        """Nothing: SQLite's next id is above all that there are."""

    def without_triggers(self) -> Callable[[], None]:
        """Our triggers on ``records`` are dropped, and made again by the function that is returned."""
        from pipebackend.store.database import migrations

        statements = migrations.drop_triggers_of_records(self.fetch)

        def make() -> None:
            for statement in statements:
                self.run(statement)

        return make

    def content_version(self) -> int:
        """A number that differs if another process has changed anything since."""
        return int(self.fetch("PRAGMA data_version")[0][0])

    def wait_for_writers(self, milliseconds: int | None) -> None:
        """How long a write waits for those before it; None for as long as usual."""
        if self.is_made():
            self.fetch(f"PRAGMA busy_timeout = {faults.BUSY_SECONDS * 1000 if milliseconds is None else milliseconds}")

    def begin(self, looks_up_zones: bool) -> None:
        """Takes the write lock, and makes the tables that are missing."""
        self.prepare_for_writing()
        if not looks_up_zones:
            self.run("PRAGMA foreign_keys = OFF")
        self.run("BEGIN IMMEDIATE")
        if not schema.is_current(self.fetch, self.path):
            from pipebackend.store.database import migrations

            migrations.bring_up_to_date(self.fetch, self.path)

    def begin_reading(self) -> None:
        """What is read from now on is of one moment, until ``undo``."""
        self.run("BEGIN")

    def keep(self) -> None:
        """Commits."""
        self.run("COMMIT")

    def undo(self, looks_up_zones: bool) -> None:
        """Ends a transaction that is open without keeping it."""
        if self.is_in_transaction():
            self.run("ROLLBACK")
        if not looks_up_zones and self.connection is not None:
            self.run("PRAGMA foreign_keys = ON")

    def scratch(self) -> None:
        """None: temporary tables are made in the database itself."""

    def is_in_transaction(self) -> bool:
        """Whether a transaction holds the write lock; until it ends the file is not followed."""
        return self.connection is not None and self.connection.in_transaction

    def prepare_for_writing(self) -> None:
        """Makes the file if need be, and gives it a write-ahead log, so that readers wait for nobody."""
        self._follow()
        if self._is_prepared:
            return
        if self._is_snapshot:
            self.disconnect()
            self._connect_shared()
        files.check_place(self.path)
        if self.connection is None:
            files.make(self.path)
            self._follow()
        schema.checked(self.fetch, self.path)  # before the file of somebody else is changed
        self._use_log()
        self._is_prepared = True

    def disconnect(self) -> None:
        """Lets go of the file, and of a transaction that is open."""
        if self.connection is not None:
            self.connection.close()
        self.connection = self._identity = None
        self._is_made = self._is_prepared = self._is_snapshot = False

    def run(self, sql: str, values: Values = ()) -> tuple[sqlite3.Cursor, list[Row]]:
        """One statement: its cursor for what it changed, and all its rows."""
        import _sqlite3  # without the rest of sqlite3, which imports datetime and makes each start 1 ms longer

        if self.connection is None:
            raise StoreFault(f"store {self.path}: it vanished; try again")
        try:
            cursor = self.connection.execute(sql, values)
            return cursor, cursor.fetchall()
        except (_sqlite3.Error, *faults.OTHERS) as exc:
            raise faults.of(self.path, exc) from exc

    def run_many(self, sql: str, values: Iterable[Values]) -> None:
        """One changing statement for each of ``values``."""
        import _sqlite3

        if self.connection is None:
            raise StoreFault(f"store {self.path}: it vanished; try again")
        try:
            self.connection.executemany(sql, values)
        except (_sqlite3.Error, *faults.OTHERS) as exc:
            raise faults.of(self.path, exc) from exc

    def insert(self, into: str, rows: Iterable[Values]) -> None:
        """``INSERT INTO table (columns)`` with these rows, many in a statement: one for each takes twice as long."""
        from itertools import chain, islice

        todo = iter(rows)
        sql, count = "", 0
        while part := list(islice(todo, INSERTED_ROWS)):
            if len(part) != count:
                count = len(part)
                row = f"({', '.join('?' * len(part[0]))})"
                sql = f"{into} VALUES {', '.join([row] * count)}"
            self.run(sql, tuple(chain.from_iterable(part)))

    def insert_columns(self, table: str, columns: Mapping[str, Sequence[object]]) -> None:
        """Rows of a table, column by column; a value that all have in common is not bound for each."""
        from itertools import chain

        first, *others = columns
        same = [name for name in others if columns[name].count(columns[name][0]) == len(columns[name])]
        differing = [first, *(name for name in others if name not in same)]
        selected = ", ".join((*(f"column{number}" for number in range(1, len(differing) + 1)), *"?" * len(same)))
        into = f"INSERT INTO {table} ({', '.join((*differing, *same))}) SELECT {selected} FROM"
        row = f"({', '.join('?' * len(differing))})"
        fixed = [columns[name][0] for name in same]
        for start in range(0, len(columns[first]), INSERTED_ROWS):
            part = [columns[name][start : start + INSERTED_ROWS] for name in differing]
            rows = ", ".join([row] * len(part[0]))
            self.run(f"{into} (VALUES {rows})", (*fixed, *chain.from_iterable(zip(*part, strict=True))))

    def stream(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """The rows of one statement as they were at the first of them, few of them in memory at a time."""
        import _sqlite3

        if self.connection is None:
            raise StoreFault(f"store {self.path}: it vanished; try again")
        try:
            cursor, rows = self.first_rows(self.connection, sql, values)
            while rows:
                yield from rows
                rows = self.next_rows(cursor)
        except (_sqlite3.Error, *faults.OTHERS) as exc:
            raise faults.of(self.path, exc) from exc

    def first_rows(self, connection: sqlite3.Connection, sql: str, values: Values) -> tuple[sqlite3.Cursor, list[Row]]:
        """The first rows of ``stream``, and where the next ones come from."""
        cursor = connection.execute(sql, values)
        return cursor, self.next_rows(cursor)

    def next_rows(self, cursor: sqlite3.Cursor) -> list[Row]:
        """See ``first_rows``; none at the end."""
        return cursor.fetchmany(STREAMED_ROWS)

    def fetch(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows of one statement."""
        return self.run(sql, values)[1]

    def fetch_many(self, sql: str, values: Values = ()) -> list[Row]:
        """The same of one that may take long."""
        return self.run(sql, values)[1]

    def _follow(self) -> None:
        """Opens what is at ``path`` now, unless it is open; lets go of what is not there any more."""
        identity = files.identity(self.path)
        if identity is not None and self._is_snapshot:
            identity = files.snapshot_identity(self.path)
        if self.connection is not None and identity != self._identity:
            self.disconnect()
        if self.connection is None and identity is not None:
            self._connect()

    def _connect(self) -> None:
        try:
            self._connect_shared()
        except StoreFault as exc:
            if faults.code(exc) not in _CANNOT_SHARE or files.log_size(self.path):
                raise
            self._connect_snapshot()

    def _connect_shared(self) -> None:
        import _sqlite3

        self._identity = files.identity(self.path)
        try:
            self.connection = _connected(self.path, "mode=rw")
        except (_sqlite3.Error, *faults.OTHERS) as exc:
            raise faults.of(self.path, exc) from exc
        self.opened += 1

    def _connect_snapshot(self) -> None:
        """Without a log nobody is writing: what is there can be read as it is until something changes."""
        import _sqlite3

        self._identity = files.snapshot_identity(self.path)
        try:
            self.connection = _connected(self.path, "mode=ro&immutable=1")
        except (_sqlite3.Error, *faults.OTHERS) as exc:
            raise faults.of(self.path, exc) from exc
        self._is_snapshot = True
        self.opened += 1

    def _use_log(self) -> None:
        # SQLite does not wait by itself when two processes switch a new file at the same time
        deadline = time.monotonic() + faults.BUSY_SECONDS
        while True:
            try:
                self.fetch("PRAGMA journal_mode = WAL")
                return
            except StoreFault as exc:
                if faults.code(exc) not in ("BUSY", "LOCKED") or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)


def _connected(path: str, options: str) -> sqlite3.Connection:
    import _sqlite3

    connection = _sqlite3.connect(files.uri(path, options), uri=True, timeout=faults.BUSY_SECONDS, isolation_level=None)
    try:
        # No mmap_size: it saves 4 % of a question in a store of a million names, for hundreds of MB in each process
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # reads the file for the first time
    except BaseException:
        connection.close()
        raise
    return connection
