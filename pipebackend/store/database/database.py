"""Statements and transactions on one database that other processes use at the same time, of either kind.

PowerDNS runs several of us at once on one store, and one of them may keep a transaction open while the others
read (rules L-7, T-4). So, in SQLite with its write-ahead log as in PostgreSQL:

- Readers see the last commit and wait for nobody.
- A transaction takes the write lock with its first write. Until then it holds nothing, and it never has an old
  snapshot that could not be upgraded any more.
- Reads outside of a transaction end at once; a commit of another process is seen by the next read.

``handle`` and ``postgresql`` are the two connections below, with the same methods.
"""

from __future__ import annotations

from pipebackend.base.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from pipebackend.store.database.interfaces import Connection, Cursor, Row, Scratch, Values

__all__ = ["POSTGRESQL", "SQLITE", "Database"]

SQLITE, POSTGRESQL = 0, 1  # where a statement is not the same for both, it is a pair, in this order
MOMENT = 50  # milliseconds


class Database:
    """The database at ``path``: opened by the first read, made by the first write. Belongs to one thread.

    Every method raises StoreFault when it cannot be used, with its name and what to do.
    """

    __slots__ = (
        "_begun",
        "_depth",
        "_failed",
        "_handle",
        "_seen",
        "changes",
        "in_transaction",
        "kind",
        "looks_up_zones",
        "path",
    )

    def __init__(self, handle: Connection) -> None:
        self._handle = handle
        self.path = handle.path
        self.kind = handle.kind  # SQLITE or POSTGRESQL
        self.in_transaction = False  # begin() was called and neither commit() nor abort()
        self.looks_up_zones = True  # whether SQLite looks for the zone of each row; read when the lock is taken
        self._begun = False  # the write lock was taken
        self._failed = False
        self._depth = 0  # blocks of writing() inside each other
        self.changes = 0  # by this object, and those of others that it has seen
        self._seen: tuple[int, Hashable] = (0, 0)

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """All rows of a reading statement; none while there is no store."""
        return self._handle.fetch(sql, values) if self._handle.is_made() else []

    def rows_of_last_look(self, sql: str, values: Values = ()) -> list[Row]:
        """As ``rows``, of the file that ``change_count`` met: one look at it for each question is enough."""
        return self._handle.fetch(sql, values) if self._handle.is_open() else self.rows(sql, values)

    def rows_of_many(self, sql: str, values: Values = ()) -> list[Row]:
        """As ``rows``, of a statement that looks at a whole table, which may take long."""
        return self._handle.fetch_many(sql, values) if self._handle.is_made() else []

    def has_table(self, name: str) -> bool:
        """Whether there is such a table: not in a store that only others have written to, or an older version."""
        return self._handle.is_made() and self._handle.has_table(name)

    def is_made(self) -> bool:
        """Whether there is a store to read from."""
        return self._handle.is_made()

    def is_gone(self) -> bool:
        """Whether the store is missing, or has no tables."""
        return self._handle.is_gone()

    def keep_ids_apart(self, table: str, taken: int) -> None:
        """The id ``taken`` was chosen by us: the database is not to give it to another row; inside ``writing()``."""
        self._handle.keep_ids_apart(table, taken)

    def without_triggers(self) -> Callable[[], None]:
        """Until the function that is returned is called, our triggers on ``records`` do nothing in this transaction."""
        return self._handle.without_triggers()

    def scratch(self) -> Scratch:
        """Where this process may keep a table of its own, until ``close``."""
        return self._handle.scratch() or self

    def stream(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """The rows of a statement that has many, all as they were at the first; none while there is no store."""
        return self._handle.stream(sql, values) if self._handle.is_made() else iter(())

    def execute(self, sql: str, values: Values = ()) -> Cursor:
        """One changing statement; only inside ``with db.writing()``."""
        return self._handle.run(sql, values)[0]

    def execute_many(self, sql: str, values: Iterable[Values]) -> None:
        """One changing statement for each of ``values``; only inside ``with db.writing()``."""
        self._handle.run_many(sql, values)

    def insert(self, into: str, rows: Iterable[Values]) -> None:
        """Rows for ``INSERT INTO table (columns)``; only inside ``with db.writing()``."""
        self._handle.insert(into, rows)

    def insert_columns(self, table: str, columns: Mapping[str, Sequence[object]]) -> None:
        """Rows of a table, column by column; only inside ``with db.writing()``."""
        self._handle.insert_columns(table, columns)

    def writing(self) -> _Writing:
        """``with db.writing():`` all of the block or nothing of it is kept.

        Inside ``begin()`` … ``commit()`` the block is a part of that transaction, which an error in it spoils.
        """
        return _Writing(self)

    def reading(self) -> _Reading:
        """``with db.reading():`` what the block reads is of one moment; nothing may be written in it."""
        return _Reading(self)

    def impatiently(self, write: Callable[[], None]) -> None:
        """Calls ``write``, but StoreFault when another process goes on writing for a moment."""
        self._handle.wait_for_writers(MOMENT)
        try:
            write()
        finally:
            self._handle.wait_for_writers(None)

    def begin(self) -> None:
        """Starts a transaction over many calls; it holds no lock until its first write."""
        if self.in_transaction:
            raise StoreFault(f"store {self.path}: a transaction is open already; commit or abort it first")
        self.in_transaction = True

    def commit(self) -> bool:
        """Keeps the transaction's writes; False if none was started. After StoreFault nothing of it was kept."""
        if not self.in_transaction:
            return False
        is_lost = self._is_lost()
        self.in_transaction = False
        if is_lost:
            self._undo()
            raise StoreFault(f"store {self.path}: a write of this transaction failed, so nothing of it was kept")
        self._keep()
        return True

    def abort(self) -> bool:
        """Forgets the transaction's writes; False if none was started."""
        if not self.in_transaction:
            return False
        self.in_transaction = False
        self._undo()
        return True

    def change_count(self) -> int:
        """A number that differs from its last value if any process may have changed anything since."""
        is_made = self._handle.is_made()
        seen = (self._handle.opened, self._handle.content_version() if is_made else 0)
        if seen != self._seen:
            self._seen = seen
            self.changes += 1
        return self.changes

    def connection(self) -> Any:
        """The driver's open connection, for upkeep; StoreFault if there is no store."""
        connection = getattr(self._handle, "connection", None) if self._handle.is_made() else None
        if connection is None:
            raise StoreFault(f"store {self.path}: there is none yet; the first write makes it")
        return connection

    def close(self) -> None:
        """Lets go of the database; an open transaction is forgotten. The next call opens it again."""
        self.in_transaction = False
        self._undo()
        self._handle.disconnect()

    def _is_lost(self) -> bool:
        """Whether the transaction cannot be kept: the database gives one up after some errors, also of a read."""
        return self._failed or (self._begun and not self._handle.is_in_transaction())

    def _enter(self) -> None:
        if self.in_transaction and self._is_lost():
            raise StoreFault(f"store {self.path}: an earlier write of this transaction failed; abort it")
        if not self._handle.is_in_transaction():
            try:
                self._take_lock()
            except BaseException:
                self._undo()
                raise
        self._depth += 1

    def _take_lock(self) -> None:
        self._handle.begin(self.looks_up_zones)
        self._begun = True

    def _leave(self, is_good: bool) -> None:
        self._depth -= 1
        self.changes += 1
        if not is_good:
            self._undo()
        elif not self._depth and not self.in_transaction:
            self._keep()

    def _keep(self) -> None:
        try:
            if self._handle.is_in_transaction():
                self._handle.keep()
        finally:
            self._undo()  # a commit that failed leaves its transaction open

    def _undo(self) -> None:
        """Back to what was committed; a transaction over many calls has then failed until it is ended."""
        self._failed = self.in_transaction
        self.changes += self._begun
        self._begun = False
        self._handle.undo(self.looks_up_zones)


class _Reading:
    """The block of ``Database.reading``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def __enter__(self) -> None:
        if self._db.in_transaction:
            raise StoreFault(f"store {self._db.path}: commit or abort the open transaction first")
        if self._db.is_made():
            self._db._handle.begin_reading()

    def __exit__(self, *_: object) -> None:
        self._db._handle.undo(True)


class _Writing:
    """The block of ``Database.writing``; ``contextlib`` would be imported at start for it."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def __enter__(self) -> Database:
        self._db._enter()
        return self._db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._db._leave(kind is None)
