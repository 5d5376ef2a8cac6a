"""A database of this process alone, for rows that wait: SQLite's, which moves to a temporary file when it is large."""

from __future__ import annotations

from pipebackend.store.database.handle import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from pipebackend.store.database.interfaces import Row, Values

__all__ = ["open_scratch"]


class _Scratch:
    """See ``database.Scratch``."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        return self._handle.run(sql, values)[0]

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        return self._handle.fetch(sql, values)

    def stream(self, sql: str, values: Values = ()) -> Iterator[Row]:
        return self._handle.stream(sql, values)

    def insert(self, into: str, rows: Iterable[Values]) -> None:
        self._handle.insert(into, rows)

    def close(self) -> None:
        self._handle.disconnect()


def open_scratch(name: str) -> _Scratch:
    """``name`` is for messages."""
    import _sqlite3

    handle = Handle(name)
    handle.connection = _sqlite3.connect("", isolation_level=None)
    return _Scratch(handle)
