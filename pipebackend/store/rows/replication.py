"""The rows of zones for replication: made and deleted, primaries, and which serials were fetched and announced."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.base.values import Value
from pipebackend.dnsdata.soa import REFRESH, SERIAL, soa_number
from pipebackend.store.database import schema
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.store.database.database import Database

__all__ = [
    "StoredDomain",
    "all_served",
    "all_waiting",
    "create",
    "delete",
    "find",
    "is_here",
    "served_apexes",
    "set_account",
    "set_checked",
    "set_kind",
    "set_notified",
    "set_primaries",
    "unfresh",
    "updated",
]

KINDS = ("NATIVE", "MASTER", "SLAVE")  # the words of the column ``type``
_ALL_OF_THEM = 2**62  # records
MAX_MASTER_CHARS = 128  # the column ``master`` of PowerDNS's schema

_CONTENT = "CAST(r.content AS BLOB)", "r.content"  # in SQLite it may be any octets
_SELECT = """SELECT d.id, d.name, {cells}, {content}
    FROM domains AS d {join} records AS r
    ON r.domain_id = d.id AND r.name = d.name AND r.type = 'SOA' AND r.disabled = FALSE"""
_KINDS = tuple(zip(domains.CELLS, _CONTENT, strict=True))
_ALL = tuple(_SELECT.format(join="LEFT JOIN", cells=cells, content=content) for cells, content in _KINDS)
_SERVED = tuple(_SELECT.format(join="JOIN", cells=cells, content=content) for cells, content in _KINDS)


class StoredDomain(Value):
    """A zone and its SOA's numbers, which are 0 while it has none.

    ``kind`` is NATIVE, MASTER or SLAVE; ``primaries`` are addresses, ``ip`` or ``ip:port``; ``last_check`` is in
    seconds since 1970, 0 after a transfer that failed; ``notified_serial`` is the last that the secondaries were told.
    """

    id: int
    apex: str
    kind: str
    primaries: tuple[str, ...]
    notified_serial: int
    last_check: int
    account: str
    serial: int
    refresh: int
    has_soa: bool

    @property
    def role(self) -> str:
        """``kind`` in the words of today (RFC 9499 section 7)."""
        return {"MASTER": "primary", "SLAVE": "secondary"}.get(self.kind, self.kind.lower())


def find(db: Database, apex: str) -> StoredDomain | None:
    """The zone of this name, None if there is no such row."""
    return next(_domains(db, f"{_ALL[db.kind]} WHERE d.name = ?", (domains.stored_name(apex),)), None)


def all_served(db: Database) -> list[StoredDomain]:
    """The zones that have an SOA, in the order of their ids."""
    return list(_domains(db, f"{_SERVED[db.kind]} ORDER BY d.id", ()))


def all_waiting(db: Database) -> list[StoredDomain]:
    """The zones that are to have records here and have no SOA yet, as before their first transfer."""
    of_others = domains.settings_only(db)
    waiting = _domains(db, f"{_ALL[db.kind]} WHERE r.content IS NULL ORDER BY d.id", ())
    return [zone for zone in waiting if zone.id not in of_others]


def is_here(db: Database, domain: StoredDomain) -> bool:
    """Whether the zone's records are here, or are to be, rather than only keys and settings."""
    return domain.has_soa or domain.id not in domains.settings_only(db)


def served_apexes(db: Database, most: int) -> list[str]:
    """The names of at most so many zones that have an SOA."""
    found = db.rows(
        "SELECT d.name FROM domains AS d WHERE EXISTS (SELECT 1 FROM records AS r WHERE r.domain_id = d.id "
        "AND r.name = d.name AND r.type = 'SOA' AND r.disabled = FALSE) LIMIT ?",
        (most,),
    )
    return [schema.apex_from(name) for (name,) in found if isinstance(name, str)]


def owner_of(db: Database, domain_id: int, type_: str, most: int) -> str | None:
    """The owner of a record of that type among the first so many of a zone."""
    found = db.rows(
        "SELECT name FROM (SELECT name, type FROM records WHERE domain_id = ? AND disabled = FALSE LIMIT ?) AS first "
        "WHERE type = ? LIMIT 1",
        (domain_id, most if most >= 0 else _ALL_OF_THEM, type_),
    )
    return next((name for (name,) in found), None)


def unfresh(db: Database, now: int) -> list[StoredDomain]:
    """The secondary zones whose refresh time (RFC 1035 section 3.3.13) is over; those without SOA at once."""
    condition = "d.type = 'SLAVE' AND coalesce(d.last_check, 0) < ?"
    found = _domains(db, f"{_ALL[db.kind]} WHERE {condition} ORDER BY d.id", (now,))
    return [domain for domain in found if domain.last_check + domain.refresh < now]


def updated(db: Database) -> list[StoredDomain]:
    """The primary zones whose serial the secondaries were not told (rule T-6)."""
    found = _domains(db, f"{_SERVED[db.kind]} WHERE d.type = 'MASTER' ORDER BY d.id", ())
    return [domain for domain in found if domain.serial != domain.notified_serial]


def create(db: Database, apex: str, wanted_id: int, kind: str, primaries: Sequence[str], account: str) -> int:
    """Makes a zone without records and returns its id; takes over a row that only keys or settings had. StoreFault."""
    _check_kind(db, kind)
    with db.writing():
        known = find(db, apex)
        if known is not None and known.has_soa:
            raise StoreFault(
                f"store {db.path}: zone {apex or '.'} is there already; delete it first, or import into it"
            )
        domain_id = domains.ensure(db, apex, wanted_id)
        domains.claim(db, domain_id)
        values = (kind, _master(apex, primaries), account or None, domain_id)
        db.execute("UPDATE domains SET type = ?, master = ?, account = ? WHERE id = ?", values)
        return domain_id


def delete(db: Database, apex: str) -> bool:
    """Forgets the zone with its records, keys and settings; False if there is none."""
    if domains.id_of(db, apex) is None:
        return False
    with db.writing():  # the rest goes with it: ON DELETE CASCADE
        return db.execute("DELETE FROM domains WHERE name = ?", (domains.stored_name(apex),)).rowcount > 0


def set_kind(db: Database, apex: str, kind: str) -> bool:
    """Makes the zone NATIVE, MASTER or SLAVE; False if there is none."""
    _check_kind(db, kind)
    return _set(db, "type = ?", kind, domains.id_of(db, apex))


def set_primaries(db: Database, apex: str, primaries: Sequence[str]) -> bool:
    """Where a secondary zone is fetched from; False if there is no such zone."""
    return _set(db, "master = ?", _master(apex, primaries), domains.id_of(db, apex))


def set_notified(db: Database, domain_id: int, serial: int) -> bool:
    """The secondaries were told of this serial; False if there is no such zone."""
    return _set(db, "notified_serial = ?", serial, domain_id)


def set_checked(db: Database, domain_id: int, moment: int) -> bool:
    """When the primary was last asked, in seconds since 1970; 0 asks it again at once. False if no such zone."""
    return _set(db, "last_check = ?", moment, domain_id)


def set_account(db: Database, apex: str, account: str) -> bool:
    """Whose zone it is, in the operator's words; False if there is no such zone."""
    return _set(db, "account = ?", account or None, domains.id_of(db, apex))


def _set(db: Database, assignment: str, value: object, domain_id: int | None) -> bool:
    if domain_id is None or domains.apex_of(db, domain_id) is None:
        return False
    with db.writing():
        return db.execute(f"UPDATE domains SET {assignment} WHERE id = ?", (value, domain_id)).rowcount > 0


def _check_kind(db: Database, kind: str) -> None:
    if kind not in KINDS:
        raise StoreFault(f"store {db.path}: the kind of a zone is one of {', '.join(KINDS)}, not {kind[:20]!r}")


def _master(apex: str, primaries: Sequence[str]) -> str | None:
    master = ",".join(primaries)
    if len(master) > MAX_MASTER_CHARS:
        raise StoreFault(
            f"zone {apex or '.'}: its primaries take {len(master)} characters of {MAX_MASTER_CHARS}; name fewer"
        )
    return master or None


def _domains(db: Database, sql: str, values: tuple[object, ...]) -> Iterator[StoredDomain]:
    last = None
    for id_, name, *cells, soa in db.rows_of_many(sql, values):
        # A second SOA, or what is no name or number, written by others or damaged
        if id_ == last or not domains.is_id(id_) or not isinstance(name, str):
            continue
        last = id_
        kind, master, last_check, notified, account = domains.read_cells(*cells)
        content = soa.decode("latin-1") if isinstance(soa, bytes) else soa or ""
        serial, refresh = soa_number(content, SERIAL) or 0, soa_number(content, REFRESH) or 0
        yield StoredDomain(
            id_,
            schema.apex_from(name),
            kind.upper(),
            tuple(master.replace(",", " ").replace(";", " ").split()),
            notified,
            last_check,
            account,
            serial,
            refresh,
            soa is not None,
        )
