"""The part of the store's public face that is asked for records of zones and their order, and writes them."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.store.part import Part
from pipebackend.store.rows import domains, rrs
from pipebackend.store.zonedata import order, rectify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pipebackend.base.errors import RecordFault
    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Plain, Record
    from pipebackend.store.rows.refusals import Refusal
    from pipebackend.store.zonedata.fill import Filling
    from pipebackend.store.zonedata.order import Denial

__all__ = ["Records"]

_LARGE = 1000  # records


class Records(Part):
    """Records of zones, and the order of their names."""

    __slots__ = ()

    def max_ttl(self, domain_id: int) -> int:
        """The largest TTL of a zone's records."""
        return rrs.max_ttl(self._db, domain_id)

    def records_at(self, domain_id: int, name: str) -> list[Record] | None:
        """The records at a canonical name; none at an empty non-terminal, None where nothing is."""
        return rrs.at(self._db, domain_id, name)

    def plain_at(self, domain_id: int, name: str) -> list[Plain] | None:
        """The same where all of them are plain, None where they are not; see ``rrs.plain_at``."""
        return rrs.plain_at(self._db, domain_id, name)

    def hiding(self, domain_id: int, owners: Sequence[str]) -> tuple[set[str], set[str]]:
        """Which of these canonical names have NS, and which have DNAME."""
        return rrs.hiding(self._db, domain_id, owners)

    def soa(self, domain_id: int, apex: str) -> Record | None:
        """The zone's SOA record, None if it has none."""
        return rrs.find_soa(self._db, domain_id, apex)

    def listing(self, domain_id: int, apex: str) -> Iterator[Record]:
        """All records of the zone and its empty non-terminals, as they are at the first, which is the SOA."""
        return rrs.listing(self._db, domain_id, apex)

    def examined(self, domain_id: int, apex: str) -> Iterator[Record | RecordFault]:
        """All records of the zone; in place of a row that cannot be served, what is wrong with it."""
        return rrs.examined(self._db, domain_id, apex)

    def add_records(self, rows: Iterable[rrs.Row]) -> None:
        """Adds rows made by ``store.rrs.row``; the zone is stale until the commit."""
        rrs.add(self._db, rows)

    def remove_rrset(self, domain_id: int, name: str, type_: str) -> None:
        """Takes the records of a type away from a canonical name, all of them for ANY."""
        rrs.remove(self._db, domain_id, name, type_)

    def set_aside(self, rows: Iterable[rrs.Row]) -> None:
        """Keeps rows made by ``store.rrs.row`` for ``replace_records``; until then no other process has to wait."""
        from pipebackend.store.zonedata import staged

        staged.add(self._db, rows)

    def forget_set_aside(self) -> None:
        """Drops what was set aside."""
        from pipebackend.store.zonedata import staged

        staged.forget(self._db)

    def replace_records(self, domain_id: int, count: int) -> None:
        """Puts the ``count`` rows that were set aside in place of all records of the zone, in order."""
        from pipebackend.store.zonedata import columns, fill, staged

        apex = domains.apex_of(self._db, domain_id) or ""
        if count > 0:
            staged.check_nonterminals(self._db, apex, count)
        rows = staged.in_order(self._db, apex)
        try:
            with fill.replacing(self._db, domain_id, is_large=count > _LARGE) as zone:
                for block in columns.of_rows(rows):
                    zone.put(block)
                if zone.taken != count:
                    raise StoreFault(
                        f"store {self._db.path}: it was replaced while records were written to it; try again"
                    )
        finally:
            rows.close()  # SQLite lets nobody read after an error as of a full disk while a statement is going on
        staged.forget(self._db)

    def fill(self, domain_id: int, records: Sequence[Record], progress: Callable[[int], None]) -> int:
        """Puts these records, each once, in place of all records of the zone, in order; how many were written.

        Their owners are in the zone, and content is in PowerDNS's form. ``progress`` is told of each few hundred.
        """
        from pipebackend.store.zonedata import columns

        with self.filling(domain_id, is_large=len(records) > _LARGE) as zone:
            for block in columns.of_records(domains.apex_of(self._db, domain_id) or "", records, progress):
                zone.put(block)
        return zone.written

    def without_lookups(self) -> AbstractContextManager[None]:
        """A block around transactions that only write records of zones that are there, which is quicker."""
        from pipebackend.store.zonedata import fill

        return fill.without_lookups(self._db)

    def filling(self, domain_id: int, *, is_large: bool) -> AbstractContextManager[Filling]:
        """A block in which records, of ascending names, are put in place of all records of the zone.

        ``is_large`` for about a thousand records or more.
        """
        from pipebackend.store.zonedata import fill

        return fill.replacing(self._db, domain_id, is_large=is_large)

    def note_refusal(self, domain_id: int, moment: int, reasons: Sequence[str]) -> None:
        """Keeps why a zone was not replaced, until its records are written; StoreFault where another is writing."""
        from pipebackend.store.rows import refusals

        self._db.impatiently(lambda: refusals.note(self._db, domain_id, moment, reasons))

    def refusal(self, domain_id: int) -> Refusal | None:
        """Why the zone was last not replaced; None if its records were written since."""
        from pipebackend.store.rows import refusals

        return refusals.find(self._db, domain_id)

    def denial(self, domain_id: int) -> Denial | None:
        """How the zone denies names, None if there is no such zone."""
        return order.denial_of(self._db, domain_id)

    def is_stale(self, domain_id: int) -> bool:
        """Whether the zone's records were written by somebody who did not care for auth, order and non-terminals."""
        return order.is_stale(self._db, domain_id)

    def rectify(self, domain_id: int) -> None:
        """Makes auth, ordername, empty non-terminals and order of a zone right if it ``is_stale``."""
        rectify.one(self._db, domain_id)

    def rectify_soon(self, domain_id: int) -> None:
        """The same, but StoreFault where another process is writing: a question does not wait for it."""
        self._db.impatiently(lambda: rectify.one(self._db, domain_id))

    def takes_long_to_rectify(self, domain_id: int) -> bool:
        """Whether it would be longer than a question can wait."""
        return rectify.takes_long(self._db, domain_id)

    def neighbours(self, domain_id: int, name: str, apex: str) -> tuple[str, str] | None:
        """See ``zones.base.Ring``; None if the zone has no order."""
        return order.neighbours(self._db, domain_id, name, apex)

    def hashed_neighbours(self, domain_id: int, label: str, param: Nsec3Param) -> tuple[str, str, str] | None:
        """See ``zones.base.Ring``; None if the zone's hashes are not of these parameters."""
        return order.hashed_neighbours(self._db, domain_id, label, param)
