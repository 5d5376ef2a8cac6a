"""The facade: one method for each thing that PowerDNS can ask; the front ends see nothing else of the core."""

from __future__ import annotations

import os

from pipebackend.backend import domaininfo, lookup
from pipebackend.backend.domaininfo import DomainInfo
from pipebackend.backend.watch import Watcher, report_refusal
from pipebackend.base import ownership, stats
from pipebackend.base.errors import BackendError, NotListable, RequestFault
from pipebackend.base.stats import Stats
from pipebackend.config import configuration
from pipebackend.dnsdata import answerable, names
from pipebackend.dnsdata.answerable import VARYING
from pipebackend.dnsdata.datalines import Prepared
from pipebackend.dnsdata.records import Client
from pipebackend.zones import registry
from pipebackend.zones.served import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipebackend.backend.denial import Neighbours
    from pipebackend.backend.domainwrites import Writer
    from pipebackend.backend.keyring import Keyring
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.store import Store
    from pipebackend.store.rows.keyrows import KeyRow
    from pipebackend.store.rows.replication import StoredDomain
    from pipebackend.zones.base import Zone
    from pipebackend.zones.kinds.stored import StoredZones

__all__ = ["Backend", "DomainInfo", "open_as_owner", "open_backend"]

PATIENCE = 0.01  # seconds in which a question may get what another process, or a file, has just changed


class Backend:
    """All that is known about zones, keys and settings, behind one method per question."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._keyring: Keyring | None = None
        self._store_url = ""
        self._deny: Callable[[Zone, str, str | None], Neighbours] | None = None
        self._denied_in: object = None
        self._nsec3params: dict[str, str | None] = {}
        self._zones: Served | None = None
        self._writer: tuple[Keyring, Writer] | None = None
        self.stats = Stats()
        self._asked = -1  # the id of the zone that the last call was about

    @property
    def registry(self) -> registry.Registry:
        """The zones at this moment."""
        return self._watcher.registry

    @property
    def keyring(self) -> Keyring:
        """Keys and settings, from the store that the configuration names at this moment."""
        zones = self._watcher.registry
        if self._keyring is None or zones.store_url != self._store_url:
            self.close()  # the store that the configuration named before
            self._store_url = zones.store_url
            self._keyring = _open_keyring(zones.store_url, zones.config.folder)
        return self._keyring

    @property
    def zones(self) -> Served:
        """All zones at this moment, those of the store too."""
        current = self._watcher.registry
        if self._zones is None or self._zones.registry is not current:
            self._zones = Served(current, _stored_zones(self.keyring) if current.store_url else None)
        return self._zones

    @property
    def writer(self) -> Writer:
        """What this session writes to zones of the store; StoreFault if the configuration has no place for one."""
        keyring = self.keyring
        if self._writer is None or self._writer[0] is not keyring:
            from pipebackend.backend.domainwrites import Writer

            self._writer = (
                keyring,
                Writer(
                    keyring.store,
                    lambda apex: apex in self.registry.by_apex,
                    lambda: self.registry.powerdns.dialect,
                ),
            )
        return self._writer[1]

    def updated(self) -> Sequence[DomainInfo]:
        """Primary zones whose secondaries were not told of their serial."""
        return [domaininfo.of_row(row) for row in self.writer.updated()] if self.registry.store_url else ()

    def unfresh(self, now: int) -> Sequence[DomainInfo]:
        """Secondary zones whose refresh time is over at ``now``, in seconds since 1970."""
        return [domaininfo.of_row(row) for row in self.writer.unfresh(now)] if self.registry.store_url else ()

    def create_secondary(self, apex: str, primary: str, account: str) -> None:
        """Make an empty secondary zone, to be transferred; raises StoreFault or RequestFault."""
        self.writer.create_secondary(apex, primary, account, self.wanted_id(apex))

    def state(self) -> object:
        """The same object for as long as no answer that may be kept can have changed."""
        if self._writer is not None and self._writer[1].is_open:
            return object()  # each question is answered anew, and first writes what was fed
        return self.zones.version()

    @property
    def patience(self) -> float:
        """For how many seconds ``state`` need not be asked again; none for who writes, and must see it."""
        return PATIENCE if self._writer is None else 0.0

    def start_watching(self) -> None:
        """Follow changes of the files from now on; for processes that stay."""
        self._watcher.start()

    def close(self) -> None:
        """Let go of the store, and of a transaction that is open; the next question opens it again."""
        if self._keyring is not None and self._store_url:
            self._keyring.store.close()

    def lookup(self, qname: str, qtype: str, client: Client = Client(), zone_id: int = -1) -> Answer:  # noqa: B008
        """The records for a question; raises NameFault if ``qname`` is no name."""
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

    def prepared(self, zone_id: bytes, qname: bytes) -> bytes | None:
        """The DATA lines (ABI 3 on) that ``lookup`` would have made for ANY, if they are there; else None.

        For names in a zone of the configuration, which answers whatever else there is if PowerDNS names it.
        """
        lines = self._watcher.registry.prepared.get(zone_id)
        found = lines(qname) if lines is not None else None
        if found is not None:
            self._asked = int(zone_id)
        return found

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
        has_store = bool(self.registry.store_url)
        stored = {row.id: row for row in self.store.served_domains()} if has_store else {}
        found = [domaininfo.of_zone(zone, stored.get(zone.ident)) for zone in self.zones.all()]
        return [*found, *self.waiting()] if with_waiting else found

    def waiting(self) -> Sequence[DomainInfo]:
        """The zones of the store that have no records yet, as a secondary zone before its first transfer."""
        rows = self.store.waiting_domains() if self.registry.store_url else []
        return [domaininfo.of_row(row) for row in rows if row.apex not in self.registry.by_apex]

    def domain(self, apex: str) -> DomainInfo | None:
        """One zone, None if it is not ours; one of the store may have no records yet.

        Keys and settings alone make no zone: another of PowerDNS's backends has the records.
        """
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

    @property
    def store(self) -> Store:
        """The store that the configuration names; raises StoreFault if it has no place for one."""
        return self.keyring.store

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
        """The zone's NSEC3PARAM; known by heart until the store changes, since every random name needs it."""
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


def open_backend(given: str | None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The backend of the configuration that is found for ``given``; raises ConfigFault with every fault."""
    return _backend_of(configuration.load(given, environ))


def open_as_owner(given: str | None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The same for a process that PowerDNS starts: one of root becomes the user who owns the store's folder.

    pdnsutil and an API without ``setuid`` start us as root; the server itself runs as another user, whose files these
    are. So nothing that this user has written is ever run or parsed as root, and no file of root stands in its way.
    """
    found = configuration.load(given, environ)
    user = ownership.owner_to_become(registry.store_folder(found)) if found.path else 0
    if user:
        ownership.become_owner(user)
    return _backend_of(found)


def _backend_of(found: configuration.Config) -> Backend:
    zones = registry.load(found)
    for entry in zones.entries:
        report_refusal(entry)
    return Backend(Watcher(zones))


def _open_keyring(store_url: str, folder: str) -> Keyring:
    """Imported when the first question about keys or settings comes: not all zones are signed."""
    from pipebackend.backend.keyring import Keyring
    from pipebackend.store import open_store

    return Keyring(open_store(store_url, folder) if store_url else None)


def _stored_zones(keyring: Keyring) -> StoredZones:
    """Imported only where there is a store."""
    from pipebackend.zones.kinds.stored import StoredZones

    return StoredZones(keyring.store, PATIENCE)
