"""The facade: one method for each thing that PowerDNS can ask; the front ends see nothing else of the core."""

from __future__ import annotations

import os

from pipebackend import config, lookup, names
from pipebackend.errors import NotListable, RequestFault
from pipebackend.records import Client
from pipebackend.values import Value
from pipebackend.watch import Watcher, report_refusal
from pipebackend.zones import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipebackend.lookup import Answer
    from pipebackend.records import Record
    from pipebackend.zones.base import Zone

__all__ = ["VERSION", "Backend", "DomainInfo", "open_backend"]

VERSION = "0.1.0"
COMMANDS = {
    "help": "this list",
    "version": "the version of this program",
    "zones": "the zones, with their kind, id and serial",
    "stats": "how many questions were answered since the start",
}


class DomainInfo(Value):
    """What PowerDNS calls the info of a domain; ``zone`` is canonical, ``source`` our kind of zone."""

    ident: int
    zone: str
    serial: int
    source: str
    kind: str = "native"


class Backend:
    """All that is known about zones, keys and settings, behind one method per question."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.questions = 0

    @property
    def registry(self) -> registry.Registry:
        """The zones at this moment."""
        return self._watcher.registry

    def start_watching(self) -> None:
        """Follow changes of the files from now on; for processes that stay."""
        self._watcher.start()

    def lookup(self, qname: str, qtype: str, client: Client = Client(), zone_id: int = -1) -> Answer:  # noqa: B008
        """The records for a question; raises NameFault if ``qname`` is no name."""
        self.questions += 1
        return lookup.answer(self.registry, qname, qtype, client, zone_id)

    def transfer(self, apex: str | None, zone_id: int = -1) -> tuple[int, Iterator[Record]]:
        """A zone's id and all its records, SOA first; raises NotListable with the reason."""
        zone = self.registry.by_id.get(zone_id) if apex is None else self.registry.by_apex.get(names.from_text(apex))
        if zone is None:
            raise NotListable(f"there is no zone {apex}" if apex else f"there is no zone with the id {zone_id}")
        return zone.ident, zone.listing()

    def domains(self) -> Sequence[DomainInfo]:
        """Every zone."""
        return [_info(zone) for zone in self.registry.zones]

    def domain(self, apex: str) -> DomainInfo | None:
        """One zone, None if it is not ours."""
        zone = self.registry.by_apex.get(names.from_text(apex))
        return None if zone is None else _info(zone)

    def zone_faults(self, apex: str) -> Sequence[str]:
        """What is wrong with a zone, a line each that names the place; raises RequestFault if it is not ours."""
        entry = self.registry.entry(names.from_text(apex))
        if entry is None:
            raise RequestFault(_no_zone(apex, self.registry))
        return entry.faults or (entry.zone.faults if entry.zone is not None else ())

    def zone_facts(self, apex: str) -> Mapping[str, object]:
        """What an operator wants to know of a zone; raises RequestFault if it is not ours."""
        zone = self._zone(apex)
        sizes = _sizes(zone)
        return {
            "zone": zone.apex or ".",
            "kind": zone.kind,
            "id": zone.ident,
            "serial": _serial(zone),
            "files": list(zone.sources),
            **sizes,
            "faults": len(zone.faults),
        }

    def metadata(self, apex: str) -> Mapping[str, Sequence[str]]:
        """A zone's settings by kind."""
        names.from_text(apex)
        return {}

    def search(self, pattern: str, most: int) -> Iterator[tuple[int, Record]]:
        """At most so many records, with their zone's id, whose owner or content matches; ``*`` and ``?`` stand for any."""
        from fnmatch import translate
        from itertools import islice
        from re import IGNORECASE, compile

        matches = compile(translate(pattern), IGNORECASE).match
        return islice(
            (
                (zone.ident, record)
                for zone in self.registry.zones
                for record in _listed(zone)
                if record.type and (matches(record.owner) or matches(record.content))
            ),
            most,
        )

    def command(self, text: str) -> list[str]:
        """The lines that answer a command of ``pdnsutil backend-cmd``; raises RequestFault for an unknown one."""
        word = text.strip()
        if word == "help":
            return [f"{name}: {what}" for name, what in COMMANDS.items()]
        if word == "version":
            return [f"pipebackend {VERSION}"]
        if word == "zones":
            return [
                f"{zone.apex or '.'} {zone.kind} id {zone.ident} serial {_serial(zone)}" for zone in self.registry.zones
            ]
        if word == "stats":
            return [
                f"questions {self.questions}",
                f"zones {len(self.registry.zones)}",
                f"reloads {self._watcher.reloads}",
            ]
        raise RequestFault(f"unknown command {word[:40]!r}; the commands are {', '.join(COMMANDS)}")


    def _zone(self, apex: str) -> Zone:
        zone = self.registry.by_apex.get(names.from_text(apex))
        if zone is None:
            raise RequestFault(_no_zone(apex, self.registry))
        return zone


def open_backend(given: str | None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The backend of the configuration that is found for ``given``; raises ConfigFault with every fault."""
    zones = registry.load(config.load(given, environ))
    for entry in zones.entries:
        report_refusal(entry)
    return Backend(Watcher(zones))


def _no_zone(apex: str, zones: registry.Registry) -> str:
    return f"there is no zone {apex}; the zones are {', '.join(entry.apex or '.' for entry in zones.entries)}"


def _info(zone: Zone) -> DomainInfo:
    return DomainInfo(zone.ident, zone.apex, _serial(zone), zone.kind)


def _serial(zone: Zone) -> int:
    return int(zone.soa().content.split()[2])


def _sizes(zone: Zone) -> Mapping[str, object]:
    try:
        records = [record for record in zone.listing() if record.type]
    except NotListable as exc:
        return {"names": str(exc)}
    return {"names": len({record.owner.lower() for record in records}), "records": len(records)}


def _listed(zone: Zone) -> Iterator[Record]:
    try:
        yield from zone.listing()
    except NotListable:
        return
