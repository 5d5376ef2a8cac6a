"""Rows of ``records`` as PowerDNS's gsqlite3 reads and writes them: one owner, a whole zone, a zone's SOA.

Names are lower case without the dot at the end; MX and SRV have their first number in ``prio``; an empty non-terminal
is a row whose type is NULL; what is ``disabled`` is not there.
"""

from __future__ import annotations

from pipebackend.records import ENT, Record
from pipebackend.store import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipebackend.store.sqlite import Sqlite

    Row = tuple[int, str, str, int, int, str, str | None, int]

__all__ = ["PRIORITY_TYPES", "add", "at", "clear", "find_soa", "listing", "remove", "row"]

PRIORITY_TYPES = frozenset(("MX", "SRV"))
DEFAULT_TTL = 3600  # PowerDNS's default-ttl, for rows that have none

_COLUMNS = "type, coalesce(ttl, ?1), coalesce(prio, 0), coalesce(content, ''), auth"
_LISTING = f"""SELECT name, {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND type = 'SOA' AND disabled = 0
    UNION ALL SELECT * FROM (SELECT name, {_COLUMNS} FROM records
    WHERE domain_id = ?2 AND disabled = 0 AND name IS NOT NULL AND type IS NOT 'SOA' ORDER BY name)"""
_ADD = """INSERT INTO records (domain_id, name, type, ttl, prio, content, disabled, ordername, auth)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)"""


def at(db: Sqlite, domain_id: int, name: str) -> list[Record] | None:
    """The records at a canonical name; none at an empty non-terminal, None where nothing is."""
    found = db.rows(
        f"SELECT {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND disabled = 0",
        (DEFAULT_TTL, domain_id, domains.stored_name(name)),
    )
    return [_record(name, *row) for row in found if row[0]] if found else None


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


def clear(db: Sqlite, domain_id: int) -> None:
    """Takes all records of the zone away."""
    with db.writing():
        db.execute("DELETE FROM records WHERE domain_id = ?", (domain_id,))


def _record(owner: str, type_: str | None, ttl: int, prio: int, content: str, auth: int | None) -> Record:
    if type_ in PRIORITY_TYPES:
        content = f"{prio} {content}"
    return Record(owner, type_ or ENT, ttl, content, auth is None or auth == 1)
