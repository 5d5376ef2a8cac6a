"""Puts the few names of a zone in order that were written, and those that depend on them."""

from __future__ import annotations

from pipebackend.dnsdata import names
from pipebackend.store.rows import domains
from pipebackend.store.zonedata import positions
from pipebackend.store.zonedata.positions import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipebackend.store.database.database import Database
    from pipebackend.store.zonedata.order import Denial

__all__ = ["update"]

_FACTS = f"SELECT {positions.FACTS} FROM records WHERE domain_id = ? AND name = ? AND disabled = FALSE"
_BELOW = "FROM pipebackend_places WHERE domain_id = ? AND hidden = ? AND key >= ? AND key < ?"
_SPELLED = "SELECT spelled FROM pipebackend_places WHERE domain_id = ? AND hidden IN (0, 1) AND key = ?"
_DROP_PLACE = "DELETE FROM pipebackend_places WHERE domain_id = ? AND hidden = ? AND key = ?"
_DROP_HASH = "DELETE FROM pipebackend_hashes WHERE domain_id = ? AND hash = ?"


def update(db: Database, domain_id: int, denial: Denial, written: Sequence[str]) -> None:
    """As ``whole.rebuild``, for an order that was right before the rows ``written`` changed; names as stored."""
    zone = _Zone(db, domain_id, denial)
    touched = {"" if name == "." else name for name in written}
    zone.update({name for name in touched if positions.is_name_of(name, denial.apex)})


class _Zone:
    """The zone as it is now, each name asked for once."""

    def __init__(self, db: Database, domain_id: int, denial: Denial) -> None:
        self._db, self._id, self._denial = db, domain_id, denial
        self._seen: dict[str, tuple[bool, bool, bool, bool]] = {}

    def update(self, touched: set[str]) -> None:
        moved = touched | {below for name in touched for below in self._misplaced_below(name)}
        found = [self._place(name) for name in moved if self._facts(name)[3]]
        self._write_places(moved, found)
        positions.set_rows(self._db, self._id, self._denial, found)
        positions.leave_order(self._db, self._id, moved.difference(place.name for place in found))
        bare = self._bare(moved)  # after the places are written: it asks what is below
        self._write_nonterminals(bare, found)
        if self._denial.is_hashed:
            proven = {place.name: place.has_hash(self._denial) for place in found}
            self._write_hashes(
                {name: proven.get(name, self._is_proven_above(name)) for name in {*proven, *bare, *moved}}
            )

    def _facts(self, name: str) -> tuple[bool, bool, bool, bool]:
        """Whether the name is a zone cut, has DS, hides what is below, has records at all."""
        if name not in self._seen:
            [[has_ns, has_ds, has_dname, is_name]] = self._db.rows(_FACTS, (self._id, domains.stored_name(name)))
            is_cut = has_ns == 1 and name != self._denial.apex
            self._seen[name] = is_cut, has_ds == 1, is_cut or has_dname == 1, is_name == 1
        return self._seen[name]

    def _place(self, name: str) -> Place:
        is_cut, has_ds, _, _ = self._facts(name)
        return Place(name, self._is_hidden(name), is_cut, has_ds)

    def _above(self, name: str) -> Iterable[str]:
        """The names between this one and the apex, both left out."""
        for above in names.ancestors(name) if name != self._denial.apex else ():
            if above == self._denial.apex:
                return
            yield above

    def _is_hidden(self, name: str) -> bool:
        apex = self._denial.apex
        return name != apex and (any(self._facts(above)[2] for above in self._above(name)) or self._facts(apex)[2])

    def _misplaced_below(self, name: str) -> list[str]:
        """The names below one that hides them that are not hidden, or the hidden ones below what may have hidden them.

        All of them are looked at where a DNAME at the apex is gone, which otherwise hides nothing.
        """
        hides = self._facts(name)[2]
        if name == self._denial.apex and not hides and not self._was_hidden_by_apex():
            return []
        values = (self._id, int(not hides), *positions.keys_below(name, self._denial.apex))
        rows = self._db.rows(f"SELECT key {_BELOW}", values)
        return [names.join(names.from_order_key(key), self._denial.apex) for (key,) in rows]

    def _was_hidden_by_apex(self) -> bool:
        """Whether all names below the apex are hidden."""
        return not self._is_above_names(self._denial.apex, hidden=False)

    def _is_above_names(self, name: str, *, hidden: bool, secure: bool = False) -> bool:
        values = (self._id, int(hidden), *positions.keys_below(name, self._denial.apex))
        return bool(self._db.rows(f"SELECT 1 {_BELOW}{' AND insecure = 0' if secure else ''} LIMIT 1", values))

    def _is_proven_above(self, name: str) -> bool:
        """Whether NSEC3 proves something below the name, and so the name too (RFC 5155 section 7.1)."""
        return self._is_above_names(name, hidden=False, secure=self._denial.leaves_out_insecure)

    def _bare(self, moved: Iterable[str]) -> list[str]:
        """These names and those above them, as far as they have no records."""
        candidates = {above for name in moved for above in (name, *self._above(name))} - {self._denial.apex}
        return [name for name in candidates if not self._facts(name)[3]]

    def _write_places(self, moved: Iterable[str], found: Iterable[Place]) -> None:
        keys = {name: names.order_key_in(self._denial.apex, name) for name in moved}
        spelled = {name: kept for name, key in keys.items() for (kept,) in self._db.rows(_SPELLED, (self._id, key))}
        self._db.execute_many(_DROP_PLACE, [(self._id, hidden, key) for key in keys.values() for hidden in (0, 1)])
        self._db.insert(
            positions.ADD_PLACE,
            [(self._id, int(p.is_hidden), keys[p.name], int(p.is_insecure), spelled.get(p.name)) for p in found],
        )

    def _write_nonterminals(self, bare: Iterable[str], found: Iterable[Place]) -> None:
        there, gone = [], [place.name for place in found]
        for name in bare:
            if self._is_above_names(name, hidden=False) or self._is_above_names(name, hidden=True):
                there.append((name, self._is_proven_above(name)))
            else:
                gone.append(name)
        positions.set_nonterminals(self._db, self._id, self._denial, gone, there)

    def _write_hashes(self, is_proven: dict[str, bool]) -> None:
        hashes = {name: self._denial.hash_of(name) for name in is_proven}
        add = [(self._id, hashes[name], name) for name, proven in is_proven.items() if proven]
        drop = [(self._id, hashes[name]) for name, proven in is_proven.items() if not proven]
        self._db.execute_many(_DROP_HASH, drop)
        self._db.execute_many(positions.PUT_HASH, add)
