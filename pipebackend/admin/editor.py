"""What an operator does with zones of the store and their records; what PowerDNS writes goes to ``writer``.

A change increases the SOA's serial by one, unless it brings a higher serial itself; a change that changes nothing does
not. Each is one transaction, with other writers kept out from its first read on. Nothing here is imported while
questions are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipebackend.admin import wording
from pipebackend.admin.newzone import (
    DEFAULT_TTL,
    checked_account,
    checked_primaries,
    demand_primaries_fit,
    first_records,
)
from pipebackend.admin.rrsets import RRsets, rrsets
from pipebackend.admin.serials import is_newer, serial_of, with_serial
from pipebackend.base.errors import RecordFault, RequestFault
from pipebackend.dnsdata import names, records, typetable
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.soa import SERIAL, soa_number
from pipebackend.store.rows import rrs

if TYPE_CHECKING:
    from pipebackend.backend.domainwrites import Writer
    from pipebackend.backend.keyring import Keyring
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store.zonedata.fill import Filling
    from pipebackend.zones.base import Zone
    from pipebackend.zones.served import Served

__all__ = [
    "KINDS",
    "ZoneEditor",
]


KINDS = {"native": "NATIVE", "primary": "MASTER", "secondary": "SLAVE"}  # and the words of PowerDNS's schema


class ZoneEditor:
    """Changes zones of the store; every method raises a BackendError with the reason, and has then changed nothing."""

    def __init__(self, keyring: Keyring, writer: Writer, zones: Served) -> None:
        self._keyring = keyring
        self._store = keyring.store
        self._writer = writer
        self._zones = zones

    def create(
        self, apex: str, wanted_id: int, kind: str, primaries: Sequence[str], nameservers: Sequence[str], serial: int
    ) -> Sequence[Record]:
        """Makes a zone and returns its records: SOA and NS, none for a secondary, which has them from its primary.

        ``kind`` is one of KINDS. Without ``nameservers`` the zone has one, ns1 below its name.
        """
        name = self._not_configured(apex)
        demand_primaries_fit(name, kind, primaries)
        if kind == "secondary" and nameservers:
            raise RequestFault(f"zone {name or '.'}: a secondary zone has the name servers that its primary sends")
        addresses = checked_primaries(name, primaries)
        made = [] if kind == "secondary" else first_records(name, nameservers, serial)
        with self._keyring.locked():
            ident = self._store.create_domain(name, wanted_id, KINDS[kind], addresses)
            self._store.add_records([rrs.row(ident, record, None) for record in made])
            if made:  # else a change by PowerDNS's API keeps the serial; its own creation of zones sets it too
                self._keyring.set_metadata(name, ident, "SOA-EDIT-API", ["DEFAULT"])
        return made

    def delete(self, apex: str) -> None:
        """Forgets a zone with its records, keys and settings."""
        name = self._stored(apex)
        self._store.delete_domain(name)

    def set_kind(self, apex: str, kind: str) -> None:
        """Makes a zone native, primary or secondary; one that is secondary needs primaries first."""
        name = self._stored(apex)
        domain = self._store.domain(name)
        if kind == "secondary" and domain is not None and not domain.primaries:
            raise RequestFault(f"zone {name or '.'} has no primary yet: zoneutil zone set-primaries {name} ADDRESS")
        self._store.set_kind(name, KINDS[kind])

    def set_primaries(self, apex: str, primaries: Sequence[str]) -> None:
        """Says where a secondary zone is fetched from: addresses, with or without port."""
        name = self._stored(apex)
        self._store.set_primaries(name, checked_primaries(name, primaries))

    def set_account(self, apex: str, account: str) -> None:
        """Says whose zone it is, in the operator's words; nobody's if empty."""
        name = self._stored(apex)
        self._store.set_account(name, checked_account(account))

    def demand_stored(self, apex: str) -> None:
        """RequestFault for a zone that is not in the store, with where to change it."""
        self._stored(apex)

    def zone_of(self, name: str) -> Zone:
        """The zone of the longest name that holds ``name``, if its records may be changed here."""
        zone = self._zones.zone_of(names.from_text(name))
        if zone is None:
            raise RequestFault(f"{name} is in no zone that is served here; create it first: zoneutil zone create")
        self.demand_editable(zone.apex)
        return zone

    def demand_editable(self, apex: str) -> None:
        """RequestFault for a zone whose records come from elsewhere, with where to change them."""
        name = self._stored(apex)
        domain = self._store.domain(name)
        if domain is not None and domain.kind == "SLAVE":
            raise RequestFault(
                f"zone {name or '.'} is secondary: change it at its primary {', '.join(domain.primaries)}, "
                f"or make it your own: zoneutil zone set-kind {name or '.'} native"
            )

    def is_presigned(self, apex: str) -> bool:
        """Whether the zone brings its signatures along."""
        return "1" in self._keyring.metadata(apex, None).get("PRESIGNED", ())

    def add(self, name: str, type_: str, content: str, ttl: int | None) -> bool:
        """Adds a record; False if it is there already. Its RRset has one ttl: this one, else the one it has."""
        record = self._record(name, type_, content, ttl)
        if type_ == "SOA":
            raise RequestFault(f"{name} SOA: a zone has one: zoneutil record replace {name} SOA {record.content!r}")

        def added(known: Sequence[Record]) -> Sequence[Record]:
            lifetime = record.ttl if ttl is not None or not known else known[0].ttl
            there = [old._replace(ttl=lifetime) for old in known]
            is_new = record.content not in [old.content for old in known]
            return [*there, record._replace(ttl=lifetime)] if is_new else there

        return self._change(record.owner, record.type, added)

    def replace(self, name: str, type_: str, contents: Sequence[str], ttl: int | None) -> bool:
        """Puts records in place of those of a type; False if they are there already."""
        new = [self._record(name, type_, content, ttl) for content in contents]

        def replaced(known: Sequence[Record]) -> Sequence[Record]:
            lifetime = known[0].ttl if ttl is None and known else new[0].ttl
            return [record._replace(ttl=lifetime) for record in new]

        return self._change(name, new[0].type, replaced)

    def remove(self, name: str, type_: str, content: str | None) -> None:
        """Takes a record away, or without ``content`` all of a type."""
        wanted = None
        if content is None:
            type_ = (
                typetable.type_of(number, self._dialect)
                if (number := typetable.number_of(type_)) is not None
                else type_
            )
        else:
            _, type_, _, wanted, _, _ = self._record(name, type_, content, None)

        def remaining(known: Sequence[Record]) -> Sequence[Record]:
            left = [record for record in known if wanted is not None and record.content != wanted]
            if len(left) == len(known):
                raise RequestFault(f"there is no {name} {type_}{'' if wanted is None else ' ' + wanted}")
            return left

        self._change(name, type_, remaining)

    def apply(self, apex: str, before: RRsets, after: RRsets) -> None:
        """Makes RRsets of a zone what they are in ``after``; RequestFault if they are no more as in ``before``."""
        name = self._stored(apex)
        zone = self.zone_of(name)
        with self._editing(zone):
            if self.rrsets(name) != before:
                raise RequestFault(f"zone {name or '.'} was changed by somebody else meanwhile; nothing was changed")
            for owner, type_ in before.keys() | after.keys():
                new = after.get((owner, type_), [])
                if new != before.get((owner, type_), []):
                    self._writer.replace_rrset(zone.ident, owner, type_, new)

    def rrsets(self, apex: str) -> RRsets:
        """The records of a zone, in the words of the PowerDNS that the configuration names; without those of a type
        that there is not, as URL, for which a zone file has no line."""
        zone = self.zone_of(apex)
        found = self._store.listing(zone.ident, zone.apex)
        return rrsets(self._worded(record) for record in found if typetable.number_of(record.type) is not None)

    def importable(self, apex: str) -> str:
        """The canonical name of a zone that can be filled from a file, there already or not."""
        name = self._not_configured(apex)
        if self._store.domain_id(name) is not None:
            self.demand_editable(name)
        return name

    def replace_all(
        self,
        apex: str,
        wanted_id: int,
        new: Sequence[Record],
        settings: Mapping[str, Sequence[str]],
        progress: Callable[[int], None],
    ) -> int:
        """Puts records in place of all of a zone, which is made if there is none, and settings; counts them.

        The records are as the reader of zone files leaves them. ``progress`` is told how many were written so far.
        """
        name = self.importable(apex)
        with self._store.without_lookups(), self._keyring.locked():
            return self._store.fill(self._prepared(name, wanted_id, settings), new, progress)

    @contextmanager
    def replacing(self, apex: str, wanted_id: int, settings: Mapping[str, Sequence[str]]) -> Iterator[Filling]:
        """The same, in a block in which many records are put while they are read, in the order of their owners."""
        name = self.importable(apex)
        with self._store.without_lookups(), self._keyring.locked():
            ident = self._prepared(name, wanted_id, settings)
            with self._store.filling(ident, is_large=True) as zone:
                yield zone

    def _prepared(self, apex: str, wanted_id: int, settings: Mapping[str, Sequence[str]]) -> int:
        ident = self._store.ensure_domain(apex, wanted_id)
        for kind, values in settings.items():
            self._keyring.set_metadata(apex, ident, kind, values)
        return ident

    def _change(self, name: str, type_: str, change: Callable[[Sequence[Record]], Sequence[Record]]) -> bool:
        zone = self.zone_of(name)
        owner = names.from_text(name)
        if self.is_presigned(zone.apex):
            raise RequestFault(
                f"zone {zone.apex or '.'} is presigned: change it where it is signed and import it again"
            )
        with self._editing(zone):
            there = [self._worded(record) for record in self._store.records_at(zone.ident, owner) or ()]
            known = [record for record in there if record.type == type_]
            new = change(known)
            if sorted(new) == sorted(known):
                return False
            soa = self._store.soa(zone.ident, zone.apex)
            self._writer.replace_rrset(zone.ident, owner, type_, new)
            if soa is not None and (type_ != "SOA" or (len(new) == 1 and soa_number(soa.content, SERIAL) is not None)):
                self._increase(zone, soa)
        return True

    def _increase(self, zone: Zone, soa: Record) -> None:
        self._writer.flush()
        now = self._store.soa(zone.ident, zone.apex)
        if now is not None and not is_newer(serial_of(now), serial_of(soa)):
            newer = with_serial(now, serial_of(soa) + 1)
            self._writer.replace_rrset(zone.ident, zone.apex, "SOA", [newer])

    @property
    def _dialect(self) -> Dialect:
        return self._zones.registry.powerdns.dialect

    def _record(self, name: str, type_: str, content: str, ttl: int | None) -> Record:
        try:
            own_type, checked = records.checked(type_, content)
        except RecordFault as exc:
            raise RecordFault(f"{name} {type_}: {exc}") from None
        record = Record(names.from_text(name), own_type, DEFAULT_TTL if ttl is None else ttl, checked)
        return self._worded(record)

    def _worded(self, record: Record) -> Record:
        return wording.own(self._zones.registry, record)

    def _not_configured(self, apex: str) -> str:
        name = names.from_text(apex)
        entry = self._zones.registry.entry(name)
        if entry is not None or name in self._zones.registry.by_apex:
            sources = entry.zone.sources if entry is not None and entry.zone is not None else ()
            where = " or ".join([self._zones.registry.config.path, *sources])
            raise RequestFault(f"zone {name or '.'} is made from the configuration: change it in {where}")
        return name

    def _stored(self, apex: str) -> str:
        name = self._not_configured(apex)
        if self._store.domain_id(name) is None:
            raise RequestFault(f"there is no zone {name or '.'} in the store; create it first: zoneutil zone create")
        return name

    @contextmanager
    def _editing(self, zone: Zone) -> Iterator[None]:
        """A transaction in place, all of the block or nothing of it."""
        self._writer.start(zone.apex, -1)
        try:
            self._keyring.lock()
            yield
            self._writer.commit()
        except BaseException:
            self._writer.abort()
            raise
