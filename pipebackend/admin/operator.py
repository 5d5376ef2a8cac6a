"""What an operator does, by zoneutil and by backend-cmd: zones examined, their faults, and changes to them."""

from __future__ import annotations

from pipebackend.backend import domaininfo
from pipebackend.base.errors import NotListable, RecordFault, RequestFault
from pipebackend.dnsdata import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipebackend.admin.editor import ZoneEditor
    from pipebackend.admin.signing import Signing
    from pipebackend.backend.backend import Backend
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.zones import registry
    from pipebackend.zones.base import Zone

__all__ = ["Operator"]


class Operator:
    """What PowerDNS never asks, over the same zones, keys and settings."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def examined(self, apex: str) -> Iterator[Record | RecordFault]:
        """A zone's records, SOA first; in place of one that cannot be served, what is wrong with it."""
        _, records = self.backend.transfer(apex)
        zone = self.backend.zones.at(names.from_text(apex))
        if zone is not None and zone.kind == "stored":
            return self.backend.store.examined(zone.ident, zone.apex)
        return (record for record in records if record.type)

    def stored_apexes(self) -> list[str]:
        """The zones of the store that have an SOA, served or not."""
        wrong = {name for name, _ in self.misnamed()}
        rows = self.backend.store.served_domains() if self.backend.registry.store_url else []
        return [row.apex for row in rows if row.apex not in wrong]

    def misnamed(self) -> list[tuple[str, str]]:
        """The zones of the store that nobody finds by their name, and why."""
        return self.backend.store.misnamed() if self.backend.registry.store_url else []

    def zone_faults(self, apex: str) -> Sequence[str]:
        """What is wrong with a zone, a line each that names the place; raises RequestFault if it is not ours."""
        name = names.from_text(apex)
        entry = self.backend.registry.entry(name)
        if entry is None:
            return self._stored_faults(name)
        if entry.faults or entry.zone is None:
            return entry.faults
        damage: Sequence[str] = getattr(entry.zone, "damage", tuple)()  # of a compiled file: each octet is looked at
        return [*damage, *entry.zone.faults, *self._unanswered(entry.zone)]

    def _unanswered(self, zone: Zone) -> Sequence[str]:
        """Records that this PowerDNS cannot be given; a compiled zone has them among its faults."""
        if zone.dynamic or hasattr(zone, "lines"):
            return ()
        from pipebackend.zones import contentcheck

        try:
            return list(contentcheck.unanswered(zone.apex, zone.listing(), self.backend.registry.powerdns))
        except NotListable:
            return ()

    def zone_notes(self, apex: str) -> Sequence[str]:
        """What is no fault of a zone and yet needs a setting of PowerDNS, a line each."""
        from pipebackend.zones import dnames

        zone = self.backend.zones.at(names.from_text(apex))
        if zone is None:
            return ()
        owners = dnames.written_owners(zone)
        is_signed = bool(owners) and bool(self.backend.registry.store_url) and bool(self.backend.keys(apex or "."))
        return [dnames.advice(zone.apex, owner, is_signed=is_signed) for owner in owners]

    def zone_facts(self, apex: str) -> Mapping[str, object]:
        """What an operator wants to know of a zone; raises RequestFault if it is not ours."""
        name = names.from_text(apex)
        zone = self.backend.zones.at(name)
        row = self.backend._row(name, zone)
        stored = {} if row is None else domaininfo.stored_facts(row)
        if zone is None and row is not None:
            return {"zone": name or ".", "kind": "stored", "id": row.id, **stored, "state": "waits for its records"}
        zone = self._zone(apex)
        return {
            "zone": zone.apex or ".",
            "kind": zone.kind,
            "id": zone.ident,
            "serial": domaininfo.serial_of(zone),
            **stored,
            "files": list(zone.sources),
            **_sizes(zone),
            "faults": len(zone.faults),
        }

    def add_metadata(self, apex: str, kind: str, value: str) -> None:
        """Add a value to a zone's settings of one kind; raises MetadataFault or StoreFault."""
        self.backend.keyring.add_metadata(names.from_text(apex), self.backend.wanted_id(apex), kind, value)

    def own(self, apex: str) -> str:
        """The canonical name of a zone of ours, also one whose source is refused; raises RequestFault for others."""
        name = names.from_text(apex)
        is_configured = name in self.backend.registry.by_apex or self.backend.registry.entry(name) is not None
        if not is_configured and self.backend.domain(name) is None:
            hint = "PowerDNS's other backends have their keys and settings by pdnsutil"
            raise RequestFault(f"{_no_zone(apex, self.backend.registry)}; {hint}")
        return name

    def signing(self, apex: str) -> Signing:
        """What an operator can do with the keys and the denial of a zone of ours; raises RequestFault for others."""
        from pipebackend.admin.signing import Signing

        name = self.own(apex)
        return Signing(self.backend.keyring, name, self.backend.wanted_id(name), self.backend.zones.at(name))

    @property
    def editor(self) -> ZoneEditor:
        """What an operator does with zones of the store; raises StoreFault if there is no place for one."""
        from pipebackend.admin.editor import ZoneEditor

        return ZoneEditor(self.backend.keyring, self.backend.writer, self.backend.zones)

    def new_tsig_keys(self, keys: Sequence[TsigKey]) -> None:
        """Keep TSIG keys of names that are not taken, all or none; raises KeyFault or StoreFault."""
        self.backend.keyring.new_tsig_keys(keys)

    def _stored_faults(self, apex: str) -> Sequence[str]:
        info = self.backend.domain(apex)
        if info is None:
            raise RequestFault(_no_zone(apex, self.backend.registry))
        from pipebackend.zones import contentcheck, zonecheck

        zone, is_secondary = self.backend.zones.at(apex), info.kind == "SLAVE"
        refusal = self.backend.store.refusal(info.ident)
        found = []
        if refusal is not None:
            found = zonecheck.refused(apex, refusal, is_secondary=is_secondary, is_served=zone is not None)
        if zone is None:
            where = f"; it is fetched from {', '.join(info.primaries)}" if is_secondary else ""
            return [f"{apex or '.'}: the zone has no records yet{where}", *found]
        rows = list(self.examined(apex))
        found += [f"{zone.apex or '.'}: {row}" for row in rows if isinstance(row, RecordFault)]
        good = [row for row in rows if not isinstance(row, RecordFault)]
        odd = contentcheck.check(zone.apex, good, self.backend.registry.powerdns)
        return [*found, *zonecheck.check(zone.apex, good), *odd]

    def _zone(self, apex: str) -> Zone:
        zone = self.backend.zones.at(names.from_text(apex))
        if zone is None:
            raise RequestFault(_no_zone(apex, self.backend.registry))
        return zone


def _no_zone(apex: str, zones: registry.Registry) -> str:
    known = ", ".join(entry.apex or "." for entry in zones.entries)
    return f"there is no zone {apex}; " + (f"the zones are {known}" if known else "see zoneutil zone list")


def _sizes(zone: Zone) -> Mapping[str, object]:
    try:
        records = [record for record in zone.listing() if record.type]
    except NotListable as exc:
        return {"names": str(exc)}
    return {"names": len({record.owner.lower() for record in records}), "records": len(records)}
