"""Rows of ``records`` as PowerDNS's gsqlite3 reads and writes them: one owner, a whole zone, a zone's SOA.

Names are lower case without the dot at the end; MX and SRV have their first number in ``prio``; an empty non-terminal
is a row whose type is NULL; what is ``disabled`` is not there.
"""

from __future__ import annotations

from pipebackend.records import ENT, Record
from pipebackend.store import domains, order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipebackend.store.sqlite import Sqlite

    Row = tuple[int, str, str, int, int, str, str | None, int]
    # also of empty non-terminals
    Stored = tuple[int, str, str | None, int | None, int | None, str | None, str | None, int]
    # key of the owner as names.order_key_in, its spelling, type, ttl, prio, content
    Ordered = tuple[bytes, str, str, int, int, str]

__all__ = [
    "ADD",
    "PRIORITY_TYPES",
    "add",
    "at",
    "find_soa",
    "listing",
    "remove",
    "row",
    "split",
]

PRIORITY_TYPES = frozenset(("MX", "SRV"))
DEFAULT_TTL = 3600  # PowerDNS's default-ttl, for rows that have none

_COLUMNS = "type, coalesce(ttl, ?1), coalesce(prio, 0), coalesce(content, ''), auth"
_AT = f"SELECT {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND disabled = 0"
_LISTING = f"""SELECT name, {_COLUMNS} FROM records WHERE domain_id = ?2 AND name = ?3 AND type = 'SOA' AND disabled = 0
    UNION ALL SELECT * FROM (SELECT name, {_COLUMNS} FROM records
    WHERE domain_id = ?2 AND disabled = 0 AND name IS NOT NULL AND type IS NOT 'SOA' ORDER BY name)"""
ADD = "INSERT INTO records (domain_id, name, type, ttl, prio, content, ordername, auth)"  # not disabled by default


def at(db: Sqlite, domain_id: int, name: str) -> list[Record] | None:
    """The records at a canonical name, None where nothing is.

    Empty at an empty non-terminal; one that only unsigned delegations make is a record, as ``Tree.answer`` has it.
    """
    found = db.rows_of_last_look(_AT, (DEFAULT_TTL, domain_id, domains.stored_name(name)))
    if not found:
        return None
    real = [_record(name, *row) for row in found if row[0]]
    return real or [record for record in (_record(name, *row) for row in found) if not record.auth]


def listing(db: Sqlite, domain_id: int, apex: str) -> Iterator[Record]:
    """All the zone's records as they are at the first, which is the SOA, their owners as the zone spells them."""
    spelled = order.spellings(db, domain_id)
    found = db.stream(_LISTING, (DEFAULT_TTL, domain_id, domains.stored_name(apex)))
    return (_record("" if name == "." else spelled.get(name) or name, *row) for name, *row in found)


def find_soa(db: Sqlite, domain_id: int, apex: str) -> Record | None:
    """The zone's SOA record, None if it has none."""
    return next((record for record in at(db, domain_id, apex) or () if record.type == "SOA"), None)


def row(domain_id: int, record: Record, ordername: str | None) -> Row:
    """The row of a record; its owner is canonical, but for ``aside``, which takes a spelling."""
    prio, content = split(record.type, record.content)
    auth = int(record.auth)
    return domain_id, record.owner or ".", record.type, record.ttl, prio, content, ordername, auth


def add(db: Sqlite, rows: Iterable[Row]) -> None:
    """Adds rows made by ``row``."""
    with db.writing():
        db.insert(ADD, rows)


def remove(db: Sqlite, domain_id: int, name: str, type_: str) -> None:
    """Takes the records of one type away from a canonical name; of all types for ANY."""
    with db.writing():
        values = (domain_id, domains.stored_name(name))
        if type_ == "ANY":
            db.execute("DELETE FROM records WHERE domain_id = ? AND name = ?", values)
        else:
            db.execute("DELETE FROM records WHERE domain_id = ? AND name = ? AND type = ?", (*values, type_))


def split(type_: str, content: str) -> tuple[int, str]:
    """The columns ``prio`` and ``content`` of a record."""
    if type_ not in PRIORITY_TYPES:
        return 0, content
    first, _, rest = content.partition(" ")
    return int(first), rest


def _record(owner: str, type_: str | None, ttl: int, prio: int, content: str, auth: int | None) -> Record:
    if not type_:
        return Record(owner, ENT, 0, "", auth is None or auth == 1)
    if type_ in PRIORITY_TYPES:
        content = f"{prio} {content}"
    return Record(owner, type_, ttl, content, auth is None or auth == 1)
