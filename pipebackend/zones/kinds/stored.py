"""Stored zones: the records are in the store, and any process may change them at any time.

A zone object lives until the store changes, so what it knows by heart is never old. A zone that others wrote, and left
with wrong ``auth``, order or empty non-terminals, is put right before the first answer, a large one before the first
that needs its order; in memory where the store cannot be written.
"""

from __future__ import annotations

from time import monotonic

from pipebackend.base import logs
from pipebackend.base.errors import SoaFault, StoreFault
from pipebackend.dnsdata import names
from pipebackend.dnsdata.occlusion import DNAME, GLUE, NS, Hiding, marked
from pipebackend.dnsdata.records import ENT, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Client, Plain
    from pipebackend.store import Store
    from pipebackend.zones.base import Ring
    from pipebackend.zones.ring import TreeRing
    from pipebackend.zones.tree import Tree

__all__ = ["StoredZone", "StoredZones"]

_FEW = 200  # zones whose names are remembered; most stores have only keys
_MAX_KEPT = 10_000  # zones, those that are not there included; a flood of random names must not fill the memory


class StoredZone:
    """One zone of the store."""

    kind = "stored"
    dynamic = False
    narrow = False
    sources: Sequence[str] = ()
    faults: Sequence[str] = ()

    def __init__(self, store: Store, ident: int, apex: str, soa: Record) -> None:
        self.apex = apex
        self.ident = ident
        self._store = store
        self._soa = soa
        self._tree: Tree | None = None
        self._waits_for_order = store.is_stale(ident)
        if self._waits_for_order and not store.takes_long_to_rectify(ident):
            self._put_right()
        self._ring: Ring | None = None
        self._hiders: dict[str, str] = {}  # the name above → what hides those directly below it

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        if self._tree is not None:
            return self._tree.answer(name)
        found = self._store.records_at(self.ident, name)
        if found and name != self.apex:
            for record in found:  # all() over a generator takes four times as long
                if not record.auth:
                    return self._reached(name, found)
        return found

    def plain(self, name: str) -> Sequence[Plain] | None:
        """What ``find`` has at a canonical name below the apex, where that is plain; nothing where nothing is, or None.

        None says that only ``find`` can tell.
        """
        return self._store.plain_at(self.ident, name) if self._tree is None else None

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return self._soa

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        if self._tree is not None:
            yield from self._tree.listing()
            return
        has_dname = self._store.owner_of(self.ident, DNAME, -1) is not None
        last = above = ""
        for record in self._store.listing(self.ident, self.apex):
            is_free = record.auth or (record.type in GLUE and not has_dname)
            if not is_free and record.owner != last:
                last = record.owner
                above = self._hidden_by(last.lower())
            if is_free or not above or (above == NS and record.type in GLUE):
                yield record

    def ring(self) -> Ring:
        """See ``zones.base.Zone``."""
        if self._waits_for_order:
            self._put_right()
        if self._ring is None:
            self._ring = _StoredRing(self._store, self) if self._tree is None else _in_memory(self._tree)
        return self._ring

    def tree(self) -> Tree:
        """The whole zone in memory."""
        from pipebackend.zones.tree import Tree

        records = [record for record in self._store.listing(self.ident, self.apex) if record.type != ENT]
        return Tree(self.apex, (r for r in records if names.is_below(r.owner, self.apex)))

    def _reached(self, name: str, found: Sequence[Record]) -> Sequence[Record] | None:
        """What questions may reach of records that are not authoritative, all of them where nothing hides the name."""
        above = self._hidden_by(name)
        if above:
            for record in found:
                if record.auth or above != NS or record.type not in GLUE:
                    return marked(found, is_apex=False, above=above) or None
        return found  # a cut, or glue as it is kept

    def _hidden_by(self, name: str) -> str:
        """What hides the name, as ``Hiding.above``; it depends on the names above alone, which many have in common."""
        parent = names.parent(name)
        known = self._hiders.get(parent)
        if known is None:
            above = [one for one in names.ancestors(name) if names.is_below(one, self.apex)]
            known = Hiding(self.apex, *self._store.hiding(self.ident, above)).above(name)
            if len(self._hiders) >= _MAX_KEPT:
                self._hiders.clear()
            self._hiders[parent] = known
        return known

    def _put_right(self) -> None:
        key = f"rectify {self.ident}"
        try:
            self._store.rectify_soon(self.ident)
            logs.forget(key)
        except StoreFault as exc:
            logs.once(key, f"zone {self.apex or '.'}: put in order in memory, since it cannot be in the store: {exc}")
            self._tree = self.tree()
        self._waits_for_order = False


class _StoredRing:
    """The zone's names in the order that the store keeps."""

    def __init__(self, store: Store, zone: StoredZone) -> None:
        self._store = store
        self._zone = zone
        self._in_memory: TreeRing | None = None

    def neighbours(self, name: str) -> tuple[str, str]:
        """See ``zones.base.Ring``."""
        found = self._store.neighbours(self._zone.ident, name, self._zone.apex)
        return found if found is not None else self._memory().neighbours(name)

    def hashed_neighbours(self, label: str, param: Nsec3Param) -> tuple[str, str, str]:
        """See ``zones.base.Ring``; hashes of other parameters than the zone's are made in memory."""
        found = self._store.hashed_neighbours(self._zone.ident, label, param)
        return found if found is not None else self._memory().hashed_neighbours(label, param)

    def _memory(self) -> TreeRing:
        if self._in_memory is None:
            self._in_memory = _in_memory(self._zone.tree())
        return self._in_memory


def _in_memory(tree: Tree) -> TreeRing:
    """The ring of a zone whose order the store does not keep; few need the module."""
    from pipebackend.zones.ring import TreeRing

    return TreeRing(tree)


class StoredZones:
    """The zones of a store, each found when it is asked for."""

    def __init__(self, store: Store, patience: float = 0.0) -> None:
        """``patience``: seconds in which a change by another process may go unseen, since looking takes 7 µs."""
        self._store = store
        self._patience = patience
        self._next_look = 0.0
        self._own_changes = -1
        self._seen = self._version = -1
        self._apexes: frozenset[str] | None = frozenset()  # None if they are many
        self._by_apex: dict[str, StoredZone | None] = {}
        self._apex_by_id: dict[int, str | None] = {}

    def by_apex(self, apex: str) -> StoredZone | None:
        """The zone of this canonical name, None if the store has no SOA for it; StoreFault."""
        self._forget_old()
        return self._at(apex)

    def zone_of(self, name: str, zone_id: int) -> StoredZone | None:
        """The zone with this id if the canonical name is in it, else the one with the longest name; StoreFault."""
        self._forget_old()
        if self._apexes is not None and not self._apexes:
            return None
        zone = self._with_id(zone_id)
        if zone is not None and names.is_below(name, zone.apex):
            return zone
        zone = self._at(name)
        above = iter(names.ancestors(name))
        while zone is None:
            apex = next(above, None)
            if apex is None:
                return None
            zone = self._at(apex)
        return zone

    def by_id(self, ident: int) -> StoredZone | None:
        """The zone of this id, None if the store has no SOA for it; StoreFault."""
        self._forget_old()
        return self._with_id(ident)

    def all(self) -> list[StoredZone]:
        """All that can be served; StoreFault if the store cannot be read."""
        wrong = {name for name, _ in self._store.misnamed()}
        apexes = [row.apex for row in self._store.served_domains() if row.apex not in wrong]
        return [zone for zone in map(self._if_served, apexes) if zone is not None]

    def version(self) -> int:
        """Differs from what it was if any process may have changed anything; StoreFault."""
        now = monotonic()
        if now >= self._next_look or self._store.own_changes != self._own_changes:
            self._seen = self._store.data_version()
            self._own_changes = self._store.own_changes
            self._next_look = now + self._patience
        return self._seen

    def _at(self, apex: str) -> StoredZone | None:
        if self._apexes is not None and apex not in self._apexes:
            return None
        try:
            return self._by_apex[apex]
        except KeyError:
            zone = self._by_apex[apex] = self._found(apex, self._store.domain_id(apex))
            return zone

    def _if_served(self, apex: str) -> StoredZone | None:
        """The zone; one whose SOA is unusable is in the way of itself alone."""
        try:
            return self.by_apex(apex)
        except SoaFault as exc:
            logs.once(f"soa {apex}", str(exc))
            return None

    def _with_id(self, ident: int) -> StoredZone | None:
        try:
            apex = self._apex_by_id[ident]
        except KeyError:
            apex = self._apex_by_id[ident] = self._store.apex_of(ident)
        return None if apex is None else self._at(apex)

    def _forget_old(self) -> None:
        version = self.version()
        if version != self._version or len(self._by_apex) + len(self._apex_by_id) > _MAX_KEPT:
            self._by_apex.clear()
            self._apex_by_id.clear()
            apexes = self._store.served_apexes(_FEW + 1)
            self._apexes = frozenset(apexes) if len(apexes) <= _FEW else None
            self._version = version

    def _found(self, apex: str, ident: int | None) -> StoredZone | None:
        if ident is None:
            return None
        soa = self._store.soa(ident, apex)
        return None if soa is None else StoredZone(self._store, ident, apex, soa)
