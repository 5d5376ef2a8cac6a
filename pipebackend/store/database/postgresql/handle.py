"""The store in PostgreSQL, with the methods that ``database.handle`` has for SQLite."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.postgresql import address, faults, schema
from pipebackend.store.database.postgresql.connection import (
    ANSWER_SECONDS,
    IDLE,
    IN_TRANSACTION,
    WITH_SECRETS,
    Connection,
)
from pipebackend.store.database.postgresql.statements import copied, copied_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from pipebackend.store.database.interfaces import Row, Scratch, Values

__all__ = ["Postgres"]

LOCK_MILLISECONDS = 10_000  # ``faults.BUSY_SECONDS``
_STREAMED_ROWS = 2000
_COPIED_ROWS = 5000
_FEW_ROWS = 20  # for which COPY is not quicker
_SENT_TOGETHER = 200
_IS_MADE = f"SELECT to_regclass('domains') IS NOT NULL, to_regclass('{schema.OUR_TABLE}') IS NOT NULL"
_COUNT = """ANALYZE (SKIP_LOCKED) domains, records (domain_id, name, type, ordername, disabled),
    pipebackend_places (domain_id, hidden), pipebackend_hashes (domain_id)"""
_NEXT_ID = """SELECT setval(ids, ?) FROM (SELECT pg_get_serial_sequence(?, 'id')::regclass AS ids) AS found
    WHERE ids IS NOT NULL AND coalesce(pg_sequence_last_value(ids), 0) < ?"""


class Postgres:
    """The store at an address; StoreFault from every method that cannot do its work."""

    kind = 1  # ``database.POSTGRESQL``
    __slots__ = ("_cursors", "_has_tables_of", "_lock", "_scratch", "_server", "_tables", "path")

    def __init__(self, url: str) -> None:
        self._server = Connection(url)
        self.path = self._server.path
        self._has_tables_of = -1  # the connection that was seen to have tables
        self._tables: set[str] = set()  # that are known to be there
        self._cursors = 0
        self._lock = LOCK_MILLISECONDS
        self._scratch: Scratch | None = None

    @property
    def opened(self) -> int:
        """How often a connection was made."""
        return self._server.opened

    @property
    def connection(self) -> Any:
        """The driver's connection, None if there is none."""
        return self._server.raw

    def is_made(self) -> bool:
        """Whether there are tables to read from."""
        server = self._server
        if server.state() == IN_TRANSACTION:
            return True
        server.open()
        if self._has_tables_of != server.opened:
            [(is_made, has_ours)] = self.fetch(_IS_MADE)
            if has_ours:
                schema.checked_version(self.fetch, self.path)
            if not is_made:
                return False
            self._has_tables_of = server.opened
        return True

    def is_open(self) -> bool:
        """Whether there was a store to read from at the last look."""
        return self._has_tables_of == self._server.opened

    def is_gone(self) -> bool:
        """Whether there is a database without tables."""
        return not self.is_made()

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open that can be kept."""
        return self._server.state() == IN_TRANSACTION

    def fetch(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows of one statement."""
        return self._server.read(sql, values, ANSWER_SECONDS)

    def fetch_many(self, sql: str, values: Values = ()) -> list[Row]:
        """The same of one that may take long."""
        return self._server.read(sql, values)

    def run(self, sql: str, values: Values = ()) -> tuple[Any, list[Row]]:
        """One statement: its cursor for what it changed, and all its rows."""
        return self._server.execute(sql, values)

    def run_many(self, sql: str, values: Iterable[Values]) -> None:
        """One changing statement for each of ``values``."""
        todo = list(values)
        for start in range(0, len(todo), _SENT_TOGETHER):
            self._server.many(sql, todo[start : start + _SENT_TOGETHER])

    def stream(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """The rows of one statement as they were at the first of them, few of them in memory at a time.

        All of them are, behind a pooler.
        """
        server = self._server
        if server.is_pooled:
            yield from self.fetch_many(sql, values)
            return
        self._cursors = self._cursors % 100 + 1
        name, hold = f"pipebackend_{self._cursors}", "" if self.is_in_transaction() else "WITH HOLD "
        server.read(f"DECLARE {name} CURSOR {hold}FOR {sql}", values)
        opened = server.opened
        try:
            while server.opened == opened and (rows := server.execute(f"FETCH {_STREAMED_ROWS} FROM {name}")[1]):
                yield from rows
            if server.opened != opened:
                raise StoreFault(f"store {self.path}: the connection was lost while a zone was read; try again")
        finally:
            if server.opened == opened and server.state() in (IDLE, IN_TRANSACTION):
                server.execute(f"CLOSE {name}")

    def insert(self, into: str, rows: Iterable[Values]) -> None:
        """``INSERT INTO table (columns)`` with these rows; by COPY if they are many, or secret: no log has them."""
        from itertools import islice

        todo = iter(rows)
        while part := list(islice(todo, _COPIED_ROWS)):
            if len(part) < _FEW_ROWS and not into.startswith(WITH_SECRETS):
                self.run_many(f"{into} VALUES ({', '.join('?' * len(part[0]))})", part)
            else:
                self._server.copy(into.removeprefix("INSERT INTO "), copied(part))

    def insert_columns(self, table: str, columns: Mapping[str, Sequence[object]]) -> None:
        """Rows of a table, column by column."""
        self._server.copy(f"{table} ({', '.join(columns)})", copied_columns(columns.values()))

    def has_table(self, name: str) -> bool:
        """Whether there is such a table, which then is never taken away."""
        if name not in self._tables and self.fetch("SELECT to_regclass(?) IS NOT NULL", (name,)) == [(True,)]:
            self._tables.add(name)
        return name in self._tables

    def keep_ids_apart(self, table: str, taken: int) -> None:
        """The table's sequence gives later ids than this one."""
        self.run(_NEXT_ID, (taken, table, taken))

    def without_triggers(self) -> Callable[[], None]:
        """Our triggers on ``records`` do nothing in this transaction, until the function is called.

        It also counts what there is now, for the plans of all processes; a role that does not own the tables does not.
        """
        self.run("SET LOCAL pipebackend.filling = '1'")

        def restore() -> None:
            self.run("SET LOCAL pipebackend.filling = '0'")
            self.run(_COUNT)

        return restore

    def content_version(self) -> str:
        """Which transactions of the server are seen: it differs after each that wrote anything, on a standby too."""
        return str(self.fetch("SELECT txid_current_snapshot()::text")[0][0])

    def wait_for_writers(self, milliseconds: int | None) -> None:
        """How long a write waits for those before it; None for as long as usual."""
        self._lock = LOCK_MILLISECONDS if milliseconds is None else milliseconds

    def begin(self, looks_up_zones: bool) -> None:
        """Takes the write lock, then what is seen from now on stays so; makes the tables that are missing."""
        server = self._server
        for is_last in (False, True):
            try:
                server.open()
                self._take_lock()
                if schema.checked_version(self.fetch, self.path) == schema.VERSION:
                    return
            except StoreFault as exc:
                state, was_lost = faults.code(exc), server.state() is None
                self.undo(True)
                if is_last or isinstance(exc.__cause__, faults.Late):
                    raise
                if state in faults.READ_ONLY and address.hosts(server.options) > 1:
                    server.open(target_session_attrs="read-write")  # another host, for all that follows
                    continue
                if was_lost and server.options:
                    continue
                if state != "42P01":
                    raise
            self.undo(True)
            self._make_tables()
        raise StoreFault(f"store {self.path}: its tables could not be brought up to date; try again")

    def begin_reading(self) -> None:
        """What is read from now on is of one moment, until ``undo``."""
        self._server.open()
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def keep(self) -> None:
        """Commits; StoreFault if it was not kept, or if that is not known."""
        try:
            cursor, _ = self.run("COMMIT")
        except StoreFault as exc:
            if self._server.state() is not None:
                raise
            raise StoreFault(f"{exc}; whether this last write was kept is not known: look before trying again") from exc
        if cursor.statusmessage != "COMMIT":  # PostgreSQL's way to say that it could not
            raise StoreFault(f"store {self.path}: a write of this transaction failed, so nothing of it was kept")

    def undo(self, looks_up_zones: bool) -> None:
        """Ends a transaction that is open without keeping it; with the connection, if that fails."""
        if self._server.state() in (IDLE, None):
            return
        try:
            self._server.execute("ROLLBACK", (), self._server.seconds())
        except StoreFault:
            self._server.drop()

    def scratch(self) -> Scratch:
        """A database of this process alone: temporary tables would be lost with the connection, or behind a pooler."""
        if self._scratch is None:
            from pipebackend.store.database.scratch import open_scratch

            self._scratch = open_scratch(self.path)
        return self._scratch

    def disconnect(self) -> None:
        """Gives the connection back, and forgets a transaction that is open."""
        self._server.drop()
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def _take_lock(self) -> None:
        sql = f"BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = {self._lock}; {schema.LOCK}"
        self._server.execute(sql, (), self._lock / 1000 + self._server.seconds())

    def _make_tables(self) -> None:
        self.run(f"BEGIN; SET LOCAL lock_timeout = {LOCK_MILLISECONDS}; SELECT pg_advisory_xact_lock(7092, 1)")
        try:
            schema.bring_up_to_date(lambda sql, values: self.run(sql, values)[1], self.path)
            self.keep()
        except BaseException:
            self.undo(True)
            raise
