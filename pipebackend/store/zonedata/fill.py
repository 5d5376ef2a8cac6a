"""Writes all records of a zone with ``auth``, ``ordername``, empty non-terminals and order, in one walk over its names.

The walk is in canonical order (RFC 4034 section 6.1): a name comes after those above it, and all that is below it
follows at once. So what must be known of other names is a short stack, and every row is written once, as it stays.
"""

from __future__ import annotations

from contextlib import contextmanager

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata import names
from pipebackend.dnsdata.occlusion import DNAME, GLUE, hider
from pipebackend.store.rows import domains, refusals, rrs
from pipebackend.store.zonedata import order, positions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.store.database.database import Database
    from pipebackend.store.rows.rrs import Ordered
    from pipebackend.store.zonedata.columns import Block
    from pipebackend.store.zonedata.order import Denial

__all__ = ["MAX_NONTERMINALS", "NONTERMINALS_EACH", "Filling", "replacing", "too_many_nonterminals", "without_lookups"]

_BATCH = 5000  # rows written at once
# PowerDNS's own bound (max-ent-entries), and what the longest names that people have may need: those of ip6.arpa.
# Without one 20,000 names of 118 labels become a gigabyte, and who sends them need not be trusted.
MAX_NONTERMINALS, NONTERMINALS_EACH = 100_000, 20


@contextmanager
def without_lookups(db: Database) -> Iterator[None]:
    """A block whose transactions only write rows of zones that are there, and delete no zone.

    SQLite does not look for the zone of each row then, and needs no journal of each statement, for none can fail: that
    is a third of the time.
    """
    db.looks_up_zones = False
    try:
        yield
    finally:
        db.looks_up_zones = True


@contextmanager
def replacing(db: Database, domain_id: int, *, is_large: bool) -> Iterator[Filling]:
    """A block in which records are put in place of all of the zone; StoreFault.

    ``is_large``: a thousand records or more, for which the triggers cost more than taking them away and making them
    again.
    """
    with db.writing():
        denial = order.denial_of(db, domain_id)
        if denial is None:
            raise StoreFault(f"store {db.path}: the zone was deleted while records were written to it")
        order.mark(db, domain_id)  # so that nothing that is written here is noted name by name
        restore = db.without_triggers() if is_large else None
        db.execute("DELETE FROM records WHERE domain_id = ?", (domain_id,))
        db.execute("DELETE FROM pipebackend_places WHERE domain_id = ?", (domain_id,))
        db.execute("DELETE FROM pipebackend_hashes WHERE domain_id = ?", (domain_id,))
        filling = Filling(db, domain_id, denial)
        yield filling
        filling.finish()
        if restore is not None:
            restore()
        refusals.forget(db, domain_id)
        domains.claim(db, domain_id)
        order.note_param(db, domain_id, denial)
        if order.denial_of(db, domain_id) == denial:  # it can depend on the records of a presigned zone
            order.unmark(db, domain_id)


def too_many_nonterminals(apex: str, count: int) -> StoreFault:
    """The fault of a zone with so many, or more."""
    return StoreFault(
        f"zone {apex or '.'}: {count} empty non-terminals are more than a zone may have: {MAX_NONTERMINALS}, and "
        f"{NONTERMINALS_EACH} for each record; nothing was changed"
    )


def _is_flat(block: Block) -> bool:
    """Whether all names are directly below the apex, and no record is there twice; of signatures there are none."""
    if not all(block.keys) or b"\x00" in b"".join(block.keys) or "RRSIG" in block.types:
        return False
    count = len(block.keys)
    if len(set(block.keys)) == count or len(set(zip(block.keys, block.types, strict=True))) == count:  # quicker
        return True
    return len(set(zip(block.keys, block.types, block.contents, strict=True))) == count


def _keys_of(type_: str, block: Block) -> set[bytes]:
    """The keys of the names that have such a record."""
    return {key for key, found in zip(block.keys, block.types, strict=True) if found == type_}


def _mark_cuts(cuts: set[bytes], block: Block, ordernames: list[str | None], auths: list[int]) -> None:
    """As ``Filling._put_cut``, in columns."""
    for row, (key, type_) in enumerate(zip(block.keys, block.types, strict=True)):
        if key in cuts:
            auths[row] = int(type_ == "DS")
            if type_ in GLUE:
                ordernames[row] = None


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


class Filling:
    """The walk: blocks are put in order, then it is finished. Counts the records ``taken`` and those ``written``."""

    def __init__(self, db: Database, domain_id: int, denial: Denial) -> None:
        self.taken = self.written = self._nonterminals = 0
        self._db, self._id, self._denial = db, domain_id, denial
        self._is_hashed, self._leaves_out_insecure = denial.is_hashed, denial.leaves_out_insecure
        self._keeps_case = denial.keeps_case
        self._is_flat = bool(denial.apex) and denial.param is None and not denial.keeps_case
        self._relative_end = -len(denial.apex) - 1
        self._above: list[_Above] = []
        self._last = b""  # how the keys of the names below the last one start
        self._hidden: bytes | None = None  # how the keys of the names below the last zone cut or DNAME start
        self._records: list[rrs.Stored] = []
        self._places: list[tuple[int, int, bytearray, int, str | None]] = []
        self._hashes: list[tuple[int, str, str]] = []

    def put(self, block: Block) -> None:
        """Writes a block, each record once (RFC 2181 section 5), and what follows from it."""
        self.taken += len(block.keys)
        if self._is_flat and _is_flat(block):
            self._put_flat(block)
            return
        last = -1
        rows = list(zip(*block, strict=True))
        keys = block.keys
        for index in range(1, len(rows) + 1):
            if index == len(rows) or keys[index] != keys[index - 1]:
                self._put_name(keys[index - 1], rows[last + 1 : index])
                last = index - 1

    def finish(self) -> None:
        """Writes what can be said only when all names are known."""
        self._leave(None)
        self._write()
        self._hashes.sort()
        self._db.insert(positions.ADD_HASH, self._hashes)

    def _put_flat(self, block: Block) -> None:
        """Names directly below the apex, as most of a large zone are: nothing depends on them but what is below."""
        self._leave(None)
        self._last = block.keys[-1] + b"\x00"
        count, end = len(block.keys), self._relative_end
        owners = "\n".join(block.owners).lower().split("\n")
        ordernames: list[str | None] = [owner[:end] for owner in owners]
        auths = [1] * count
        insecure = dict.fromkeys(block.keys, 0)
        if "NS" in block.types:
            cuts = _keys_of("NS", block)
            insecure |= dict.fromkeys(cuts - _keys_of("DS", block), 1)
            _mark_cuts(cuts, block, ordernames, auths)
        if block.keys[-1] in _keys_of("NS", block) | _keys_of(DNAME, block):
            self._hidden = self._last
        records: dict[str, Sequence[object]] = {"name": owners, "type": block.types, "content": block.contents}
        records |= {"ttl": block.ttls, "prio": block.prios, "ordername": ordernames, "auth": auths}
        self._db.insert_columns("records", records | {"domain_id": [self._id] * count})
        placed: dict[str, Sequence[object]] = {"key": [*map(bytearray, insecure)], "insecure": [*insecure.values()]}
        same = {"domain_id": [self._id] * len(insecure), "hidden": [0] * len(insecure)}
        self._db.insert_columns(positions.TABLE, placed | same)
        self.written += count

    def _put_name(self, key: bytes, rows: list[Ordered]) -> None:
        name = rows[0][1].lower()
        if len(rows) > 1:
            rows = _each_once(rows)
        types = {row[2] for row in rows}
        if len(self._records) >= _BATCH:
            self._write()
        if types == positions.NO_NAME:
            self._put_rows(name, rows, None, 1)
        else:
            self._put_in_tree(key, name, types, rows)

    def _put_in_tree(self, key: bytes, name: str, types: set[str], rows: list[Ordered]) -> None:
        is_apex = not key
        if not is_apex:
            self._descend(key, name)
        is_hidden = self._hidden is not None and key.startswith(self._hidden)
        is_cut = "NS" in types and not is_apex
        is_insecure = is_cut and "DS" not in types
        has_hash = not is_hidden and not (is_insecure and self._leaves_out_insecure)
        spelled = positions.spelling_in(self._denial.apex, rows[0][1]) if self._keeps_case else name  # as it was first
        kept = spelled if spelled != name else None
        # int and bytearray: bool and bytes are bound ten times slower
        self._places.append((self._id, int(is_hidden), bytearray(key), int(is_insecure), kept))
        ordername = None if is_hidden else self._ordername(name, has_hash)
        if not is_hidden and hider(types, is_apex=is_apex):
            self._hidden = key + b"\x00" if key else b""
            self._is_flat = self._is_flat and not is_apex
        if is_cut and not is_hidden:
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
            self._put_rows(name, [row], None if type_ in GLUE else ordername, int(type_ == "DS"))

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
        nearest_end = len(self._above[-1].below) - 1 if self._above else -1
        if parent_end == nearest_end:
            return
        missing: list[_Above] = []
        while parent_end > nearest_end:
            name = names.parent(name)
            missing.append(_Above(key[: parent_end + 1], name))
            parent_end = key.rfind(b"\x00", 0, parent_end)
        self._above += reversed(missing)
        self._nonterminals += len(missing)
        if self._nonterminals > MAX_NONTERMINALS + NONTERMINALS_EACH * self.taken:
            raise too_many_nonterminals(self._denial.apex, self._nonterminals)

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
        self._db.insert(positions.ADD_PLACE, self._places)
        self._records.clear()
        self._places.clear()
