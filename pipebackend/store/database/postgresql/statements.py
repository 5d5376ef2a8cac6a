"""Statements and values as PostgreSQL takes them.

The statements of ``rows`` and ``zonedata`` have SQLite's marks for values, ``?`` or ``?1``. All values are given as
text, so that a column's own type reads them: 0 and 1 are numbers in SQLite and booleans here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipebackend.store.database.interfaces import Values

__all__ = ["Statement", "copied", "text_of"]

_SPECIAL = "\\\n\r\t"
_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Statement:
    """One statement: for a single use, and for one that the server prepares."""

    __slots__ = ("_order", "count", "execution", "is_query", "name", "numbered", "sql", "text", "uses")

    def __init__(self, sql: str) -> None:
        first, *others = sql.split("?")
        self._order: list[int] = []
        plain, numbered = [first.replace("%", "%%")], [first]
        for position, piece in enumerate(others):
            digits = len(piece) - len(piece.lstrip("0123456789"))
            index = int(piece[:digits]) - 1 if digits else position
            self._order.append(index)
            plain.append(piece[digits:].replace("%", "%%"))
            numbered.append(f"{index + 1}{piece[digits:]}")
        self.sql = sql
        self.text = "%s".join(plain)
        self.numbered = "$".join(numbered)
        self.count = max(self._order, default=-1) + 1
        self.is_query = sql.startswith("SELECT")
        self.uses = 0
        self.name = self.execution = ""  # under which it is prepared, and how it is called then

    def prepared_as(self, name: str) -> None:
        """The server knows it by this name until the connection ends."""
        marks = ", ".join(["%s"] * self.count)
        self.name, self.execution = name, f"EXECUTE {name} ({marks})" if marks else f"EXECUTE {name}"

    def ordered(self, values: Sequence[object]) -> list[object]:
        """The values, one for each mark."""
        return [values[index] for index in self._order]


def text_of(values: Values, octets: Callable[[object], object]) -> list[object]:
    """The values as text, or octets."""
    return [
        str(int(value)) if isinstance(value, int) else octets(value) if isinstance(value, bytes | bytearray) else value
        for value in values
    ]


def copied(rows: Iterable[Sequence[object]]) -> str:
    """The rows as COPY takes them (text format)."""
    return "".join(["\t".join(map(_cell, row)) + "\n" for row in rows])


def _cell(value: object) -> str:
    if type(value) is str:
        return value.translate(_ESCAPED) if any(letter in value for letter in _SPECIAL) else value
    if value is None:
        return "\\N"
    if isinstance(value, bytes | bytearray):
        return f"\\\\x{value.hex()}"
    return str(int(value)) if isinstance(value, bool) else str(value)
