"""What the parts of the store's public face have in common: the database."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = ["Part"]


class Part:
    """One part; ``Store`` is all of them, on one database."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db
