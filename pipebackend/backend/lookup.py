"""From a question to records: which zone answers, and what is there."""

from __future__ import annotations

from pipebackend.base.errors import NotListable
from pipebackend.base.values import Value
from pipebackend.dnsdata import datalines, names
from pipebackend.dnsdata.datalines import Prepared
from pipebackend.dnsdata.records import ENT, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipebackend.dnsdata.records import Client, Fields
    from pipebackend.zones.base import Zone
    from pipebackend.zones.registry import Registry
    from pipebackend.zones.served import Served

    Zones = Registry | Served

__all__ = ["NOTHING", "Answer", "answer", "in_zone", "search"]

_MAX_FOUND = 2**31 - 1  # what PowerDNS may ask for; itertools takes no number of more than 63 bits


class Answer(Value):
    """The records of one answer and their zone's id; ``keep`` says that the same question gives the same again."""

    ident: int
    records: Sequence[Record]
    keep: bool = True

    def fields(self) -> Iterable[Fields]:
        """What the fields of the records are, without making records of what is prepared."""
        return datalines.fields(self.records.lines) if isinstance(self.records, Prepared) else self.records


NOTHING = Answer(-1, ())


def answer(zones: Zones, qname: str, qtype: str, client: Client, zone_id: int = -1) -> Answer:
    """What PowerDNS gets for one question; raises NameFault if ``qname`` is not a name."""
    name = names.from_text(qname)
    if qtype == "SOA":
        return _start_of_authority(zones, name)
    zone = zones.zone_of(name, zone_id)
    return NOTHING if zone is None else in_zone(zone, name, qtype, client)


def in_zone(zone: Zone, name: str, qtype: str, client: Client) -> Answer:
    """The answer from a zone for a canonical name in it, to a question not for the SOA."""
    found = zone.find(name, client)
    if found is None:
        return Answer(zone.ident, (), not zone.dynamic)
    if not found:
        return _empty_nonterminal(zone, name, qtype)
    if qtype != "ANY":
        found = [record for record in found if record.type == qtype]
    return Answer(zone.ident, found, not zone.dynamic)


def _start_of_authority(zones: Zones, name: str) -> Answer:
    """Only ever the SOA: any other record would make PowerDNS throw the backend away (rule R-13)."""
    zone = zones.zone_of(name)
    return NOTHING if zone is None or zone.apex != name else Answer(zone.ident, (zone.soa(),), not zone.dynamic)


def _empty_nonterminal(zone: Zone, name: str, qtype: str) -> Answer:
    """NODATA instead of NXDOMAIN (RFC 4592 section 2.2.2): PowerDNS wants a record for it, on ANY alone."""
    records = (Record(name, ENT, 0, ""),) if qtype == "ANY" else ()
    return Answer(zone.ident, records, not zone.dynamic)


def search(zones: Iterable[Zone], pattern: str, most: int) -> Iterator[tuple[int, Record]]:
    """Records whose owner or content matches a pattern with ``*`` and ``?``, at most so many, and their zones' ids."""
    from itertools import islice

    from pipebackend.dnsdata import wildcards

    matches = wildcards.matcher(pattern)
    found = (
        (zone.ident, record)
        for zone in zones
        for record in _listed(zone)
        if record.type and (matches(record.owner) or matches(record.content))
    )
    return islice(found, min(max(most, 0), _MAX_FOUND))


def _listed(zone: Zone) -> Iterator[Record]:
    try:
        yield from zone.listing()
    except NotListable:
        return
