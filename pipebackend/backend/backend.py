"""The facade: one method for each thing that PowerDNS can ask; the front ends see nothing else of the core."""

from __future__ import annotations

from pipebackend.backend import lookup
from pipebackend.backend.sources import Sources
from pipebackend.backend.watch import Watcher
from pipebackend.base import stats
from pipebackend.base.errors import BackendError, NotListable, RequestFault
from pipebackend.base.stats import Stats
from pipebackend.dnsdata import answerable, names
from pipebackend.dnsdata.answerable import VARYING
from pipebackend.dnsdata.datalines import Prepared
from pipebackend.dnsdata.records import Client
from pipebackend.zones import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipebackend.backend.denial import Neighbours
    from pipebackend.backend.domaininfo import DomainInfo
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.store.rows.keyrows import KeyRow
    from pipebackend.store.rows.replication import StoredDomain
    from pipebackend.zones.base import Zone

__all__ = ["Backend"]


class Backend(Sources):
    """All that is known about zones, keys and metadata, behind one method per question."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._deny: Callable[[Zone, str, str | None], Neighbours] | None = None
        self._denied_in: object = None
        self._nsec3params: dict[str, str | None] = {}
        self.stats = Stats()
        self._asked = -1  # the id of the zone that the last call was about

    def updated(self) -> Sequence[DomainInfo]:
        """Primary zones whose secondaries were not told of their serial."""
        from pipebackend.backend import domaininfo

        return [domaininfo.of_row(row) for row in self.writer.updated()] if self.registry.store_url else ()

    def unfresh(self, now: int) -> Sequence[DomainInfo]:
        """Secondary zones whose refresh time is over at ``now``, in seconds since 1970."""
        from pipebackend.backend import domaininfo

        return [domaininfo.of_row(row) for row in self.writer.unfresh(now)] if self.registry.store_url else ()

    def create_secondary(self, apex: str, primary: str, account: str) -> None:
        """Make an empty secondary zone, to be transferred; raises StoreFault or RequestFault."""
        self.writer.create_secondary(apex, primary, account, self.wanted_id(apex))

    def lookup(self, qname: str, qtype: str, client: Client = Client(), zone_id: int = -1) -> Answer:  # noqa: B008
        """The records for a question; raises NameFault if ``qname`` is not a name."""
        if self._writer is not None:
            if qtype == "SOA" and self._writer[1].will_refuse(names.from_text(qname)):
                return lookup.NOTHING  # the last question before a commit to which PowerDNS listens (docs/writes.md)
            self._writer[1].flush()
        try:
            answer = lookup.answer(self.zones, qname, "ANY" if qtype in VARYING else qtype, client, zone_id)
        except Exception:  # of any kind, for the edge to answer: it counts as a failure of its zone
            self._asked = self._failing(qname, zone_id)
            raise
        self._asked = answer.ident
        return self._worded(answer, qtype)

    def _worded(self, answer: Answer, qtype: str) -> Answer:
        if not isinstance(answer.records, Prepared):
            for record in answer.records:
                if record[1] in VARYING:
                    return self._in_its_words(answer, qtype)
        return answer if qtype not in VARYING else self._in_its_words(answer, qtype)

    def _in_its_words(self, answer: Answer, qtype: str) -> Answer:
        """The answer as the PowerDNS that asks reads it."""
        return answer._replace(records=answerable.at_name(self.registry.powerdns, answer.records, qtype))

    def _failing(self, qname: str, zone_id: int) -> int:
        """The id of the zone in which a lookup failed; -1 if not even that is known."""
        try:
            zone = self.zones.zone_of(names.from_text(qname), zone_id)
        except BackendError:
            return -1
        return -1 if zone is None else zone.ident

    def answer_at(self, zone: Zone, name: str) -> Answer:
        """What ``lookup`` gives for all records at a canonical name, if the question is for this zone."""
        return self._worded(lookup.in_zone(zone, name, "ANY", Client()), "ANY")

    def tally_of(self, zone: Zone) -> list[int]:
        """Where lookups in a zone are counted, and those that failed."""
        return self.stats.tally("lookup", zone.ident, self._zone_name)

    def transfer(
        self, apex: str | None, zone_id: int = -1, *, with_occluded: bool = False
    ) -> tuple[int, Iterator[Record]]:
        """A zone's id and all its records, SOA first; raises NotListable with the reason.

        Those that no question reaches are only told of a stored zone, to ``with_occluded``: one who edits it.
        """
        zone = self.zones.with_id(zone_id) if apex is None else self.zones.at(names.from_text(apex))
        if zone is None:
            raise NotListable(f"there is no zone {apex}" if apex else f"there is no zone with the id {zone_id}")
        self._asked = zone.ident
        if with_occluded and zone.kind == "stored":
            return zone.ident, self.store.listing(zone.ident, zone.apex)
        return zone.ident, zone.listing()

    def as_read(self, records: Iterable[Record]) -> Iterator[Record]:
        """Records in the words of the PowerDNS that is told; without those that it cannot read."""
        return answerable.all_of(self.registry.powerdns, records)

    def domains(self, with_waiting: bool = False) -> Sequence[DomainInfo]:
        """Every zone; also those of the store that have no records yet if ``with_waiting``."""
        from pipebackend.backend import domaininfo

        has_store = bool(self.registry.store_url)
        stored = {row.id: row for row in self.store.served_domains()} if has_store else {}
        found = [domaininfo.of_zone(zone, stored.get(zone.ident)) for zone in self.zones.all()]
        return [*found, *self.waiting()] if with_waiting else found

    def waiting(self) -> Sequence[DomainInfo]:
        """The zones of the store that have no records yet, as a secondary zone before its first transfer."""
        from pipebackend.backend import domaininfo

        rows = self.store.waiting_domains() if self.registry.store_url else []
        return [domaininfo.of_row(row) for row in rows if row.apex not in self.registry.by_apex]

    def domain(self, apex: str) -> DomainInfo | None:
        """One zone, None if it is not ours; one of the store may have no records yet.

        Keys and settings alone make no zone: another of PowerDNS's backends has the records.
        """
        from pipebackend.backend import domaininfo

        name = names.from_text(apex)
        zone = self.zones.at(name)
        row = self._row(name, zone)
        if zone is None:
            return domaininfo.of_row(row) if row is not None else None
        return domaininfo.of_zone(zone, row)

    def _row(self, apex: str, zone: Zone | None) -> StoredDomain | None:
        """What the store has of a zone whose records are or are to be there."""
        if not self.registry.store_url or (zone is not None and zone.kind != "stored"):
            return None
        row = self.store.domain(apex)
        return row if row is not None and (zone is not None or self.store.is_here(row)) else None

    def neighbours(self, zone_id: int, qname: str) -> tuple[Neighbours, bool]:
        """The names before and after a relative name, or hash, and whether the same question gives the same again.

        Raises a BackendError rather than deny falsely.
        """
        zone = self.zones.with_id(zone_id)
        if zone is None:
            raise RequestFault(f"there is no zone with the id {zone_id}")
        self._asked = zone_id
        if self._deny is None:  # not all zones are signed
            from pipebackend.backend.denial import neighbours

            self._deny = neighbours
        found = self._deny(zone, qname, self._nsec3param(zone))
        return found, not zone.dynamic and zone.apex in self._nsec3params

    def metadata(self, apex: str) -> Mapping[str, Sequence[str]]:
        """A zone's settings by kind."""
        name = names.from_text(apex)
        zone = self.zones.at(name)
        self._asked = zone.ident if zone is not None else -1
        return self.keyring.metadata(name, zone)

    def set_metadata(self, apex: str, kind: str, values: Sequence[str]) -> None:
        """Replace a zone's settings of one kind; raises MetadataFault or StoreFault."""
        self.keyring.set_metadata(names.from_text(apex), self.wanted_id(apex), kind, values)

    def wanted_id(self, apex: str) -> int:
        """The id that a zone has, or would get."""
        name = names.from_text(apex)
        zone = self.zones.at(name)
        return zone.ident if zone is not None else registry.wanted_id(name, self.registry.by_id)

    def keys(self, apex: str) -> Sequence[KeyRow]:
        """A zone's DNSSEC keys."""
        return self.keyring.keys(names.from_text(apex))

    def add_key(self, apex: str, flags: int, active: bool, published: bool, content: str) -> int:
        """Keep a key and return its id; raises KeyFault or StoreFault."""
        return self.keyring.add_key(names.from_text(apex), self.wanted_id(apex), flags, active, published, content)

    def set_key_active(self, apex: str, key_id: int, active: bool) -> None:
        """Let a key sign, or not; raises KeyFault or StoreFault."""
        self.keyring.set_key_active(names.from_text(apex), key_id, active)

    def set_key_published(self, apex: str, key_id: int, published: bool) -> None:
        """Show a key in the DNSKEY RRset, or not; raises KeyFault or StoreFault."""
        self.keyring.set_key_published(names.from_text(apex), key_id, published)

    def remove_key(self, apex: str, key_id: int) -> None:
        """Forget a key; raises KeyFault or StoreFault."""
        self.keyring.remove_key(names.from_text(apex), key_id)

    def tsig_keys(self) -> Sequence[TsigKey]:
        """All TSIG keys."""
        return self.keyring.tsig_keys()

    def tsig_key(self, name: str) -> TsigKey | None:
        """One TSIG key."""
        return self.keyring.tsig_key(name)

    def set_tsig_key(self, name: str, algorithm: str, secret: str) -> None:
        """Keep a TSIG key; raises KeyFault or StoreFault."""
        self.keyring.set_tsig_key(name, algorithm, secret)

    def remove_tsig_key(self, name: str) -> None:
        """Forget a TSIG key; raises KeyFault or StoreFault."""
        self.keyring.remove_tsig_key(name)

    def search(self, pattern: str, most: int) -> Iterator[tuple[int, Record]]:
        """At most so many records whose owner or content matches ``pattern``, which may hold ``*`` and ``?``."""
        return lookup.search(self.zones.all(), pattern, most)

    def is_steady(self, apex: str) -> bool:
        """Whether the keys or settings of a zone that were asked for last stay so while ``state`` is the same."""
        zone = self.zones.at(names.from_text(apex))
        return not self.keyring.is_cut_off and (zone is None or not zone.dynamic)

    def tally(self, method: str) -> list[int]:
        """Where to count the last call and its failure."""
        zone_id, self._asked = self._asked, -1
        return self.stats.tally(method, zone_id, self._zone_name)

    def numbers(self) -> stats.Numbers:
        """What this process counted."""
        return self.stats.numbers(self._watcher.reloads)

    def all_numbers(self) -> stats.Numbers:
        """What all processes that serve the same socket counted."""
        return stats.added([self.numbers(), *self.stats.others()])

    def _zone_name(self, zone_id: int) -> str:
        zone = self.zones.with_id(zone_id) if zone_id >= 0 else None
        return "-" if zone is None else zone.apex or "."

    def _nsec3param(self, zone: Zone) -> str | None:
        """The zone's NSEC3PARAM; remembered until the store changes, since every random name needs it."""
        state = self.state()
        if state is not self._denied_in:
            self._denied_in = state
            self._nsec3params.clear()
        if zone.apex in self._nsec3params:
            return self._nsec3params[zone.apex]
        found = self.keyring.metadata(zone.apex, zone).get("NSEC3PARAM")
        param = found[0] if found else None
        if not self.keyring.is_cut_off:
            self._nsec3params[zone.apex] = param
        return param
