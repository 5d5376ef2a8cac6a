"""Rows of ``cryptokeys``: a zone's DNSSEC keys."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.base.values import Value
from pipebackend.store.database import faults
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = ["KeyRow", "add", "of_zone", "remove", "set_active", "set_published"]

_MAX_FLAGS = 2**16 - 1  # RFC 4034 section 2.1.1

_PUBLISHED = "k.published"
_OF_ZONE = f"""SELECT k.id, k.flags, k.active, {_PUBLISHED}, coalesce(k.content, '')
    FROM domains AS d JOIN cryptokeys AS k ON k.domain_id = d.id WHERE d.name = ? ORDER BY k.id"""
_THIS_KEY = "WHERE id = ? AND domain_id = (SELECT id FROM domains WHERE name = ?)"


class KeyRow(Value):
    """A key as the store has it: ``flags`` 256 or 257, ``content`` BIND private-key text."""

    id: int
    flags: int
    active: bool
    published: bool
    content: str

    def __repr__(self) -> str:  # a private key has no place in a log
        return f"KeyRow(id={self.id}, flags={self.flags}, active={self.active}, published={self.published}, content=…)"


def of_zone(db: Database, apex: str) -> list[KeyRow]:
    """The zone's keys in the order of their ids."""
    values = (domains.stored_name(apex),)
    try:
        found = db.rows(_OF_ZONE, values)
    except StoreFault as exc:
        if not faults.lacks_column(exc, _PUBLISHED):
            raise
        found = db.rows(_OF_ZONE.replace(_PUBLISHED, "1"), values)  # before PowerDNS 4.3 every key was
    return [_key(db, apex, *row) for row in found]


def _key(db: Database, apex: str, *row: object) -> KeyRow:
    """A key as PowerDNS reads it, NULL as no; StoreFault for numbers that it cannot read.

    Without a key of which its parent has the DS the zone would be bogus.
    """
    id_, flags, active, published, text = row
    if not (isinstance(id_, int) and domains.is_id(id_) and isinstance(flags, int) and 0 <= flags <= _MAX_FLAGS):
        raise StoreFault(
            f"store {db.path}: zone {apex or '.'}: a key has the id {id_!r} and the flags {flags!r}; ids are numbers "
            f"up to {domains.MAX_ID}, flags are 256 or 257"
        )
    return KeyRow(id_, flags, active == 1, published == 1, domains.text_of(text))


def add(db: Database, apex: str, wanted_id: int, flags: int, active: bool, published: bool, content: str) -> int:
    """Adds a key, and the zone's row if need be; the key's id."""
    with db.writing():
        domain_id = domains.ensure_for_settings(db, apex, wanted_id)
        [(key_id,)] = db.rows(
            "INSERT INTO cryptokeys (domain_id, flags, active, published, content) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (domain_id, flags, int(active), int(published), content),
        )
        return int(key_id)


def set_active(db: Database, apex: str, key_id: int, active: bool) -> bool:
    """Whether the zone has such a key, which now is active or not."""
    return _change(db, f"UPDATE cryptokeys SET active = {bool(active)} {_THIS_KEY}", apex, key_id)


def set_published(db: Database, apex: str, key_id: int, published: bool) -> bool:
    """Whether the zone has such a key, which now is published or not."""
    return _change(db, f"UPDATE cryptokeys SET published = {bool(published)} {_THIS_KEY}", apex, key_id)


def remove(db: Database, apex: str, key_id: int) -> bool:
    """Whether the zone had such a key, which now is gone."""
    return _change(db, f"DELETE FROM cryptokeys {_THIS_KEY}", apex, key_id)


def _change(db: Database, sql: str, apex: str, key_id: int) -> bool:
    # a store that has no such zone is not written to, and so not made
    if not domains.is_id(key_id) or domains.id_of(db, apex) is None:
        return False
    with db.writing():
        return db.execute(sql, (key_id, domains.stored_name(apex))).rowcount > 0
