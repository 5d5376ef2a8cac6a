"""Rows of ``records`` as PowerDNS's gsqlite3 reads and writes them: one owner, a whole zone, a zone's SOA.

Names are lower case without the dot at the end; MX and SRV have their first number in ``prio``; an empty non-terminal
is a row whose type is NULL; what is ``disabled`` is not there. ``cells`` has what rows of others may hold.
"""

from __future__ import annotations

from pipebackend.base.errors import RecordFault, SoaFault, StoreFault
from pipebackend.dnsdata.records import ENT, MAX_TTL, PRIORITY_TYPES, Record
from pipebackend.store.database import faults
from pipebackend.store.rows import domains
from pipebackend.store.zonedata import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from pipebackend.dnsdata.records import Plain
    from pipebackend.store.database.database import Database

    Found = TypeVar("Found")
    Row = tuple[int, str, str, int, int, str, str | None, int]
    # also of empty non-terminals
    Stored = tuple[int, str, str | None, int | None, int | None, str | None, str | None, int]
    # key of the owner as names.order_key_in, its spelling, type, ttl, prio, content
    Ordered = tuple[bytes, str, str, int, int, str]

__all__ = [
    "ADD",
    "add",
    "at",
    "examined",
    "find_soa",
    "hiding",
    "listing",
    "max_ttl",
    "plain_at",
    "remove",
    "row",
    "split",
]

_PLAIN_TYPES = frozenset(("A", "AAAA", "CNAME", "LOC", "PTR", "TXT"))  # all versions of PowerDNS read them as they are
_COLUMNS = "type, ttl, prio, content, auth"
_OCTETS = "type, ttl, prio, CAST(content AS BLOB), auth"
_AT = f"SELECT {_COLUMNS} FROM records WHERE domain_id = ? AND name = ? AND disabled = FALSE"
_SOA = f"{_AT} AND type = 'SOA'"
_SOA_BELOW = "SELECT name FROM records WHERE domain_id = ? AND name <> ? AND type = 'SOA' AND disabled = FALSE"
_HIDING = "SELECT type FROM records WHERE domain_id = ? AND name = ? AND disabled = FALSE AND type IN ('NS', 'DNAME')"
_LISTING = f"""SELECT name, {_COLUMNS} FROM records
    WHERE domain_id = ?1 AND name = ?2 AND type = 'SOA' AND disabled = FALSE
    UNION ALL SELECT * FROM (SELECT name, {_COLUMNS} FROM records WHERE domain_id = ?1 AND disabled = FALSE
    AND name IS NOT NULL AND coalesce(type, '') <> 'SOA' ORDER BY name) AS rest"""
ADD = "INSERT INTO records (domain_id, name, type, ttl, prio, content, ordername, auth)"  # not disabled by default


def at(db: Database, domain_id: int, name: str) -> list[Record] | None:
    """The records at a canonical name, None where nothing is; RecordFault for a row that no answer can carry.

    Empty at an empty non-terminal; one that only unsigned delegations make is a record, as ``Tree.answer`` has it.
    """
    values = (domain_id, domains.stored_name(name))
    try:
        found = db.rows_of_last_look(_AT, values)
    except StoreFault as exc:
        if not faults.is_of_text(exc):
            raise
        found = db.rows(_AT.replace(_COLUMNS, _OCTETS), values)
    if not found:
        return None
    real = [record for row in found if row[0] and (record := _record(name, *row)) is not None]
    return real or [Record(name, ENT, 0, "", False) for type_, *_, auth in found if not type_ and auth == 0]


def plain_at(db: Database, domain_id: int, name: str) -> list[Plain] | None:
    """The same as types, TTLs and contents, where all are authoritative and of the plainest kind: None if they are not.

    Nothing where nothing is. ``name`` is not the root.
    """
    found = []
    for type_, ttl, _, content, auth in db.rows_of_last_look(_AT, (domain_id, name)):
        if (
            type_ not in _PLAIN_TYPES
            or type(ttl) is not int
            or not 0 <= ttl <= MAX_TTL
            or type(content) is not str
            or not content[:1] > " "
            or not content.isascii()
            or not content.isprintable()
            or (auth != 1 and auth is not None)
        ):
            return None
        found.append((type_, ttl, content))
    return found


def hiding(db: Database, domain_id: int, owners: Sequence[str]) -> tuple[set[str], set[str]]:
    """Which of these canonical names have NS, and which have DNAME."""
    found: dict[str, set[str]] = {"NS": set(), "DNAME": set()}
    for owner in owners:
        for (type_,) in db.rows_of_last_look(_HIDING, (domain_id, domains.stored_name(owner))):
            found[type_].add(owner)
    return found["NS"], found["DNAME"]


def listing(db: Database, domain_id: int, apex: str) -> Iterator[Record]:
    """All the zone's records as they are at the first, which is the SOA, their owners as the zone spells them.

    Raises RecordFault as ``at``.
    """
    for record in _listed(db, domain_id, apex, _record):
        if record is not None:
            yield record


def examined(db: Database, domain_id: int, apex: str) -> Iterator[Record | RecordFault]:
    """The same without empty non-terminals, and in place of a row that cannot be served what is wrong with it."""
    from pipebackend.store.rows import cells

    for (name,) in db.rows(_SOA_BELOW, (domain_id, domains.stored_name(apex))):
        yield RecordFault(f"{cells.text(name)} SOA: it belongs to the zone's apex, and is never served below it")
    yield from _listed(db, domain_id, apex, cells.examined, with_nonterminals=False)


def find_soa(db: Database, domain_id: int, apex: str) -> Record | None:
    """The zone's SOA record, None if it has none; SoaFault if it has one that cannot be served."""
    found = db.rows_of_last_look(_SOA, (domain_id, domains.stored_name(apex)))
    try:
        made = [record for row in found if (record := _record(apex, *row)) is not None]
    except RecordFault as exc:
        raise SoaFault(f"store {db.path}: {exc}") from None
    if found and not made:
        raise SoaFault(f"store {db.path}: {apex or '.'} SOA: its ttl is not a number")
    return made[0] if made else None


def row(domain_id: int, record: Record, ordername: str | None) -> Row:
    """The row of a record; its owner is canonical, but for ``aside``, which takes a spelling."""
    prio, content = split(record.type, record.content)
    auth = int(record.auth)
    return domain_id, record.owner or ".", record.type, record.ttl, prio, content, ordername, auth


def add(db: Database, rows: Iterable[Row]) -> None:
    """Adds rows made by ``row``."""
    with db.writing():
        db.insert(ADD, rows)


def remove(db: Database, domain_id: int, name: str, type_: str) -> None:
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


def _listed(
    db: Database, domain_id: int, apex: str, made: Callable[..., Found], with_nonterminals: bool = True
) -> Iterator[Found | Record]:
    spelled = order.spellings(db, domain_id)
    for name, type_, ttl, prio, content, auth in _stream(db, (domain_id, domains.stored_name(apex))):
        owner = "" if name == "." else spelled.get(name) or name
        if type_:
            yield made(owner, type_, ttl, prio, content, auth)
        elif with_nonterminals:
            yield Record(owner, ENT, 0, "", auth is None or auth == 1)


def _stream(db: Database, values: tuple[object, ...]) -> Iterator[Sequence[Any]]:
    """The rows of a listing; those of a zone with content that is no UTF-8 as octets from there on."""
    count = 0
    try:
        for row in db.stream(_LISTING, values):
            count += 1
            yield row
    except StoreFault as exc:
        if not faults.is_of_text(exc):
            raise
        for number, row in enumerate(db.stream(_LISTING.replace(_COLUMNS, _OCTETS), values)):
            if number >= count:
                yield row


def _record(owner: str, type_: str, ttl: Any, prio: Any, content: Any, auth: Any) -> Record | None:
    """The record of a row, None if it is left out; RecordFault."""
    if (
        type(ttl) is int
        and 0 <= ttl <= MAX_TTL
        and type(content) is str
        and content[:1] > " "
        and content.isascii()
        and content.isprintable()
        and type(type_) is str
        and type_.isalnum()
        and type_.isupper()
        and type(owner) is str
        and owner.isascii()
        and owner.isprintable()
    ):
        if type_ not in PRIORITY_TYPES:
            return Record(owner, type_, ttl, content, auth is None or auth == 1)
        if type(prio) is int:
            return Record(owner, type_, ttl, f"{prio} {content}", auth is None or auth == 1)
    from pipebackend.store.rows import cells

    return cells.served(owner, type_, ttl, prio, content, auth)


def max_ttl(db: Database, domain_id: int) -> int:
    """The largest TTL of a zone's records; those that are not numbers are served with one that is not larger."""
    found = db.rows("SELECT coalesce(max(CAST(ttl AS INTEGER)), 0) FROM records WHERE domain_id = ?", (domain_id,))
    return min(max([int(ttl) for (ttl,) in found], default=0), MAX_TTL)
