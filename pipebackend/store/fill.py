"""Writes all records of a zone with ``auth``, ``ordername``, empty non-terminals and order, in one walk over its names.

The walk is in canonical order (RFC 4034 section 6.1): a name comes after those above it, and all that is below it
follows at once. So what must be known of other names is a short stack, and every row is written once, as it stays.
"""

from __future__ import annotations

from pipebackend import names
from pipebackend.errors import StoreFault
from pipebackend.store import order, places, refusals, rrs, schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipebackend.store.order import Denial
    from pipebackend.store.rrs import Ordered
    from pipebackend.store.sqlite import Sqlite

__all__ = ["replace"]

_BATCH = 5000  # rows written at once
_SPECIAL = frozenset(("NS", "RRSIG"))  # which may make a zone cut, and no name
_LARGE = 1000  # records; from here on the triggers cost more than taking them away and making them again


def replace(db: Sqlite, domain_id: int, rows: Iterable[Ordered], count: int) -> int:
    """Puts ``count`` rows, ordered by the keys of their owners, in the place of all of the zone; those written.

    Each is written once (RFC 2181 section 5). StoreFault if there are not ``count`` of them.
    """
    with db.writing():
        denial = order.denial_of(db, domain_id)
        if denial is None:
            raise StoreFault(f"store {db.path}: the zone was deleted while records were written to it")
        order.mark(db, domain_id)  # so that nothing that is written here is noted name by name
        triggers = schema.drop_triggers_of_records(db.rows) if count > _LARGE else []
        db.execute("DELETE FROM records WHERE domain_id = ?", (domain_id,))
        db.execute("DELETE FROM pipebackend_names WHERE domain_id = ?", (domain_id,))
        db.execute("DELETE FROM pipebackend_hashes WHERE domain_id = ?", (domain_id,))
        zone = _Zone(db, domain_id, denial)
        if zone.put(rows) != count:
            raise StoreFault(f"store {db.path}: it was replaced while records were written to it; try again")
        for statement in triggers:
            db.execute(statement)
        refusals.forget(db, domain_id)
        order.note_param(db, domain_id, denial)
        if order.denial_of(db, domain_id) == denial:  # it can depend on the records of a presigned zone
            order.unmark(db, domain_id)
        return zone.written


def _each_once(rows: list[Ordered]) -> list[Ordered]:
    first: dict[tuple[str, int, str], Ordered] = {}
    for row in rows:
        first.setdefault((row[2], row[4], row[5]), row)
    return list(first.values())


class _Above:
    """A name above the one that the walk has come to: below the apex, with records or not."""

    __slots__ = ("below", "is_proven", "nonterminal")

    def __init__(self, below: bytes, nonterminal: str | None) -> None:
        self.below = below  # how the keys of all names below it start
        self.nonterminal = nonterminal  # the name, if it has no records
        self.is_proven = False  # whether the denial proves something below it, or would (RFC 5155 section 7.1)


class _Zone:
    """The walk."""

    def __init__(self, db: Sqlite, domain_id: int, denial: Denial) -> None:
        self.written = 0
        self._db, self._id, self._denial = db, domain_id, denial
        self._is_hashed, self._leaves_out_insecure = denial.is_hashed, denial.leaves_out_insecure
        self._keeps_case = denial.keeps_case
        self._apex_key = names.order_key(denial.apex)
        self._apex_end = len(self._apex_key) if denial.apex else -1  # where the label below it starts in a key
        self._is_flat = bool(denial.apex) and denial.param is None and not denial.keeps_case
        self._relative_end = -len(denial.apex) - 1
        self._above: list[_Above] = []
        self._last = b""  # how the keys of the names below the last one start
        self._cut: bytes | None = None  # how the keys of the names below the last zone cut start
        self._records: list[rrs.Stored] = []
        self._names: list[tuple[int, int, bytes, str, int]] = []
        self._hashes: list[tuple[int, str, str]] = []

    def put(self, rows: Iterable[Ordered]) -> int:
        """Writes the rows, and what follows from them; how many there were."""
        count = 0
        key: bytes | None = None
        found: list[Ordered] = []
        for count, row in enumerate(rows, 1):  # noqa: B007
            if row[0] == key:
                found.append(row)
                continue
            if key is not None:
                self._put_name(key, found)
            key, found = row[0], [row]
        if key is not None:
            self._put_name(key, found)
        self._leave(None)
        self._write()
        self._hashes.sort()
        self._db.insert(places.ADD_HASH, self._hashes)
        return count

    def _put_name(self, key: bytes, rows: list[Ordered]) -> None:
        name = rows[0][1].lower()
        if len(rows) > 1:
            rows = _each_once(rows)
        types = {row[2] for row in rows}
        if len(self._records) >= _BATCH:
            self._write()
        if self._is_flat and key.rfind(b"\x00") == self._apex_end and types.isdisjoint(_SPECIAL):
            self._put_leaf(key, name, rows)
        elif types == places.NO_NAME:
            self._put_rows(name, rows, None, 1)
        else:
            self._put_in_tree(key, name, types, rows)

    def _put_leaf(self, key: bytes, name: str, rows: list[Ordered]) -> None:
        """A name directly below the apex and no zone cut, as most of a large zone are: nothing else depends on it."""
        if self._above:
            self._leave(None)
        self._last = key + b"\x00"
        self._names.append((self._id, 0, key, name, 0))
        self._put_rows(name, rows, name[: self._relative_end], 1)

    def _put_in_tree(self, key: bytes, name: str, types: set[str], rows: list[Ordered]) -> None:
        is_apex = key == self._apex_key
        if not is_apex:
            self._descend(key, name)
        is_hidden = self._cut is not None and key.startswith(self._cut)
        is_cut = "NS" in types and not is_apex
        is_insecure = is_cut and "DS" not in types
        has_hash = not is_hidden and not (is_insecure and self._leaves_out_insecure)
        kept = places.spelling_in(self._denial.apex, rows[0][1]) if self._keeps_case else name  # as it was first
        self._names.append((self._id, int(is_hidden), key, kept, int(is_insecure)))  # a bool is bound ten times slower
        ordername = None if is_hidden else self._ordername(name, has_hash)
        if is_cut and not is_hidden:
            self._cut = key + b"\x00"
            self._put_cut(name, rows, ordername)
        else:
            self._put_rows(name, rows, ordername, int(not is_hidden))
        if has_hash and self._above:
            self._prove_above()
        self._last = key + b"\x00" if not is_apex else b""

    def _put_rows(self, name: str, rows: list[Ordered], ordername: str | None, auth: int) -> None:
        stored, ident = name or ".", self._id
        self.written += len(rows)
        for _, _, type_, ttl, prio, content in rows:
            self._records.append((ident, stored, type_, ttl, prio, content, ordername, auth))

    def _put_cut(self, name: str, rows: list[Ordered], ordername: str | None) -> None:
        """Only DS is authoritative (RFC 4035 section 2.2); PowerDNS leaves addresses out of its order."""
        for row in rows:
            type_ = row[2]
            self._put_rows(name, [row], None if type_ in ("A", "AAAA") else ordername, int(type_ == "DS"))

    def _ordername(self, name: str, has_hash: bool) -> str | None:
        ordername = self._denial.ordername(name, has_hash)
        if self._is_hashed and ordername is not None:
            self._hashes.append((self._id, ordername, name))
        return ordername

    def _descend(self, key: bytes, name: str) -> None:
        """Comes to a name below the apex: to empty non-terminals above it, away from what is not above it."""
        if self._last and key.startswith(self._last):
            self._above.append(_Above(self._last, None))
        elif self._above:
            self._leave(key)
        parent_end = key.rfind(b"\x00")
        nearest_end = len(self._above[-1].below) - 1 if self._above else self._apex_end
        if parent_end == nearest_end:
            return
        missing = []
        while parent_end > nearest_end:
            name = names.parent(name)
            missing.append(_Above(key[: parent_end + 1], name))
            parent_end = key.rfind(b"\x00", 0, parent_end)
        self._above += reversed(missing)

    def _prove_above(self) -> None:
        for level in reversed(self._above):
            if level.nonterminal is None or level.is_proven:
                return
            level.is_proven = True

    def _leave(self, key: bytes | None) -> None:
        """What is not above this key has nothing more below it."""
        above = self._above
        while above and (key is None or not key.startswith(above[-1].below)):
            level = above.pop()
            if level.nonterminal is not None:
                hashed = level.is_proven and self._is_hashed
                ordername = self._ordername(level.nonterminal, True) if hashed else None
                row = (self._id, level.nonterminal, None, None, None, None, ordername, int(level.is_proven))
                self._records.append(row)

    def _write(self) -> None:
        self._db.insert(rrs.ADD, self._records)
        self._db.insert(places.ADD_NAME, self._names)
        self._records.clear()
        self._names.clear()
