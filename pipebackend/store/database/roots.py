"""Root at a store that another user may replace: SQLite then works as that user.

SQLite trusts what lies beside a database: a journal that somebody puts there names a file, which SQLite removes when it
has rolled the journal back, and the database may be a link. What root makes would be root's, too, and lock the others
out.
"""

from __future__ import annotations

from pipebackend.base.ownership import Acting, user_of_place
from pipebackend.store.database.handle import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pipebackend.store.database.interfaces import Row, Values

__all__ = ["RootsHandle", "handle_at"]


def handle_at(path: str) -> Handle:
    """The connection to SQLite's file at ``path``."""
    user = user_of_place(path)
    return RootsHandle(path, user) if user else Handle(path)


class RootsHandle(Handle):
    """See ``Handle``; each step that touches a file is made as ``user``."""

    __slots__ = ("acting",)

    def __init__(self, path: str, user: int) -> None:
        super().__init__(path)
        self.acting = Acting(user)

    def is_made(self) -> bool:
        """See ``Handle``."""
        with self.acting:
            return super().is_made()

    def prepare_for_writing(self) -> None:
        """See ``Handle``."""
        with self.acting:
            super().prepare_for_writing()

    def disconnect(self) -> None:
        """See ``Handle``."""
        with self.acting:
            super().disconnect()

    def run(self, sql: str, values: Values = ()) -> tuple[sqlite3.Cursor, list[Row]]:
        """See ``Handle``."""
        with self.acting:
            return super().run(sql, values)

    def run_many(self, sql: str, values: Iterable[Values]) -> None:
        """See ``Handle``."""
        with self.acting:
            super().run_many(sql, values)

    def first_rows(self, connection: sqlite3.Connection, sql: str, values: Values) -> tuple[sqlite3.Cursor, list[Row]]:
        """See ``Handle``."""
        with self.acting:
            return super().first_rows(connection, sql, values)

    def next_rows(self, cursor: sqlite3.Cursor) -> list[Row]:
        """See ``Handle``."""
        with self.acting:
            return super().next_rows(cursor)
