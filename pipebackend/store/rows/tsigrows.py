"""Rows of ``tsigkeys``: the keys that sign transfers and updates (RFC 8945), for all zones."""

from __future__ import annotations

from pipebackend.dnsdata.tsig import TsigKey
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = ["all_keys", "get", "remove", "replace"]

# PowerDNS's schema lets a name have a key for each algorithm; PowerDNS takes the first by its index
_COLUMNS = "SELECT name, algorithm, coalesce(secret, '') FROM tsigkeys"


def get(db: Database, name: str) -> TsigKey | None:
    """The key of this name."""
    stored = domains.stored_name(name)
    for row in db.rows(f"{_COLUMNS} WHERE name = ? ORDER BY algorithm LIMIT 1", (stored,)):
        return _key(*row)
    return None


def all_keys(db: Database) -> list[TsigKey]:
    """All keys in the order of their names."""
    return [_key(*row) for row in db.rows(f"{_COLUMNS} WHERE name IS NOT NULL ORDER BY name, algorithm")]


def replace(db: Database, name: str, algorithm: str, secret: str) -> None:
    """Keeps a key in place of all others of this name: a message names its key by the name alone."""
    stored = domains.stored_name(name)
    with db.writing():
        db.execute("DELETE FROM tsigkeys WHERE name = ?", (stored,))
        db.execute(
            "INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)", (stored, algorithm.lower(), secret)
        )


def remove(db: Database, name: str) -> bool:
    """Whether there was a key of this name, which now is gone."""
    if get(db, name) is None:
        return False
    with db.writing():
        return db.execute("DELETE FROM tsigkeys WHERE name = ?", (domains.stored_name(name),)).rowcount > 0


def _key(name: str, algorithm: str | None, secret: str) -> TsigKey:
    return TsigKey(name.lower(), (algorithm or "").lower(), secret)
