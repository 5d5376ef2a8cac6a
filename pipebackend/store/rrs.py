"""Rows of ``records`` as PowerDNS's gsqlite3 reads and writes them: one owner, a whole zone, a zone's SOA.

Names are lower case without the dot at the end; MX and SRV have their first number in ``prio``; an empty non-terminal
is a row whose type is NULL; what is ``disabled`` is not there.
"""

from __future__ import annotations

from pipebackend.errors import StoreFault
from pipebackend.records import ENT, Record
from pipebackend.store import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipebackend.store.sqlite import Sqlite

    Row = tuple[int, str, str, int, int, str, str | None, int]

__all__ = [
    "PRIORITY_TYPES",
    "add",
    "at",
    "find_soa",
    "forget_set_aside",
    "listing",
    "remove",
    "replace",
    "row",
    "set_aside",
]

PRIORITY_TYPES = frozenset(("MX", "SRV"))
DEFAULT_TTL = 3600  # PowerDNS's default-ttl, for rows that have none

_COLUMNS = "type, coalesce(ttl, ?1), coalesce(prio, 0), coalesce(content, ''), auth"
_LISTING = f"""SELECT name, {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND type = 'SOA' AND disabled = 0
    UNION ALL SELECT * FROM (SELECT name, {_COLUMNS} FROM records
    WHERE domain_id = ?2 AND disabled = 0 AND name IS NOT NULL AND type IS NOT 'SOA' ORDER BY name)"""
_ADDED = "domain_id, name, type, ttl, prio, content, ordername, auth"
_ADD = f"INSERT INTO records ({_ADDED}, disabled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"
_ASIDE = "pipebackend_aside"
_TAKE = f"INSERT INTO records ({_ADDED}, disabled) SELECT *, 0 FROM {_ASIDE} WHERE domain_id = ? ORDER BY name, type"
_REPLACE_CACHE_KIB = 131_072


def at(db: Sqlite, domain_id: int, name: str) -> list[Record] | None:
    """The records at a canonical name, None where nothing is.

    Empty at an empty non-terminal; one that only unsigned delegations make is a record, as ``Tree.answer`` has it.
    """
    found = db.rows(
        f"SELECT {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND disabled = 0",
        (DEFAULT_TTL, domain_id, domains.stored_name(name)),
    )
    if not found:
        return None
    real = [_record(name, *row) for row in found if row[0]]
    return real or [record for record in (_record(name, *row) for row in found) if not record.auth]


def listing(db: Sqlite, domain_id: int, apex: str) -> Iterator[Record]:
    """All the zone's records as they are at the first, which is the SOA."""
    found = db.stream(_LISTING, (DEFAULT_TTL, domain_id, domains.stored_name(apex)))
    return (_record("" if name == "." else name, *row) for name, *row in found)


def find_soa(db: Sqlite, domain_id: int, apex: str) -> Record | None:
    """The zone's SOA record, None if it has none."""
    return next((record for record in at(db, domain_id, apex) or () if record.type == "SOA"), None)


def row(domain_id: int, record: Record, ordername: str | None) -> Row:
    """The row of a record with a canonical owner."""
    prio, content = 0, record.content
    if record.type in PRIORITY_TYPES:
        first, _, content = content.partition(" ")
        prio = int(first)
    auth = int(record.auth)
    return domain_id, domains.stored_name(record.owner), record.type, record.ttl, prio, content, ordername, auth


def add(db: Sqlite, rows: Iterable[Row]) -> None:
    """Adds rows made by ``row``."""
    with db.writing():
        db.execute_many(_ADD, rows)


def remove(db: Sqlite, domain_id: int, name: str, type_: str) -> None:
    """Takes the records of one type away from a canonical name; of all types for ANY."""
    with db.writing():
        values = (domain_id, domains.stored_name(name))
        if type_ == "ANY":
            db.execute("DELETE FROM records WHERE domain_id = ? AND name = ?", values)
        else:
            db.execute("DELETE FROM records WHERE domain_id = ? AND name = ? AND type = ?", (*values, type_))


def set_aside(db: Sqlite, rows: Iterable[Row]) -> None:
    """Keeps rows made by ``row`` in a temporary table of this process, where they lock nothing, for ``replace``."""
    db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {_ASIDE} ({_ADDED})")
    db.execute("SAVEPOINT aside")  # else each row would be a transaction
    db.execute_many(f"INSERT INTO temp.{_ASIDE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.execute("RELEASE aside")


def forget_set_aside(db: Sqlite) -> None:
    """Drops what was set aside."""
    db.rows(f"DROP TABLE IF EXISTS temp.{_ASIDE}")


def replace(db: Sqlite, domain_id: int, count: int) -> None:
    """Puts the ``count`` rows that were set aside in the place of all records of the zone.

    In the order of the names: each index then grows at its end instead of all over.
    """
    with db.writing():
        db.execute(f"PRAGMA cache_size = -{_REPLACE_CACHE_KIB}")  # pages that do not fit are written again and again
        db.execute("DELETE FROM records WHERE domain_id = ?", (domain_id,))
        db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {_ASIDE} ({_ADDED})")
        cursor = db.execute(_TAKE, (domain_id,))
        if cursor.rowcount != count:
            raise StoreFault(f"store {db.path}: it was replaced while records were written to it; try again")
    forget_set_aside(db)


def _record(owner: str, type_: str | None, ttl: int, prio: int, content: str, auth: int | None) -> Record:
    if not type_:
        return Record(owner, ENT, 0, "", auth is None or auth == 1)
    if type_ in PRIORITY_TYPES:
        content = f"{prio} {content}"
    return Record(owner, type_, ttl, content, auth is None or auth == 1)
