"""Zone files (RFC 1035 section 5) as records, each with the line that wrote it, and every error of the file at once.

Octets outside ASCII stand for themselves, as in BIND and PowerDNS, and not for IDNA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata.versions import NEUTRAL
from pipebackend.zones.text.reading import Reading
from pipebackend.zones.text.zonetext import ZoneText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.zones.text.entries import Found
    from pipebackend.zones.text.reading import Progress, Stream
    from pipebackend.zones.text.zonetext import Lines

__all__ = ["read"]

# PowerDNS makes these itself, also those of a presigned zone save the signatures; a second set would break its answers.
_MADE_BY_POWERDNS = frozenset(("NSEC", "NSEC3", "NSEC3PARAM", "RRSIG"))
_MADE_FOR_PRESIGNED = _MADE_BY_POWERDNS - {"RRSIG"}  # rule S-2


def read(
    path: str,
    origin: str,
    *,
    for_store: bool = False,
    with_signatures: bool = False,
    progress: Progress | None = None,
    stream: Stream | None = None,
    dialect: Dialect = NEUTRAL,
    known: Mapping[str, Record] | None = None,
) -> ZoneText:
    """The zone file at ``path`` for the zone ``origin``, as spelled; raises ZoneFault with every error.

    Errors are what makes a record unreadable, a file that cannot be read or includes itself, and an SOA that is
    missing, double or not at the apex, as for named-checkzone. Records outside the zone are left out, as in BIND; so
    are NSEC, NSEC3, NSEC3PARAM and RRSIG, which PowerDNS makes. What PowerDNS's own bind backend serves, though named
    would refuse the zone (no NS at the apex, CNAME beside other data), is read as it is.

    ``with_signatures`` keeps the RRSIGs, for a zone that stays signed as it is. ``for_store`` does, too, and takes
    records outside the zone for errors, as pdnsutil load-zone does. ``progress`` is told each few hundred lines how
    many records there are so far. ``stream`` is given the records as they are read, up to the first error; the result
    has none of them then. What it raises goes through. ``dialect`` is that of the PowerDNS for which it is read.
    Lines that are ``known`` stand for these records, whatever may be wrong with them.
    """
    leaves_out = _MADE_FOR_PRESIGNED if for_store or with_signatures else _MADE_BY_POWERDNS
    reading = Reading(origin, leaves_out, progress, stream, dialect, known or {})
    reading.include(path)
    reading.hand_over()
    found = reading.found
    faults = found.faults + _soa_faults(found.soas, found.lines, origin.lower())
    if not faults and not found.soas:
        faults = [_without_soa(path, origin, found)]
    if for_store and len(found.lines):
        faults += found.left_out
    if faults:
        raise ZoneFault(faults, found.sources)
    made = found.made_by_powerdns
    for type_, count in () if with_signatures and found.has_signatures else sorted(made.items()):
        found.left_out.append(f"{path}: {count} {type_} records are left out: PowerDNS makes them itself")
    [(soa, _)] = found.soas
    return ZoneText(
        found.records,
        soa,
        found.lines,
        found.sources,
        found.left_out,
        nsec3=sorted(found.nsec3),
        has_chain=bool(made["NSEC"] or made["NSEC3"]),
        odd=found.odd,
    )


def _without_soa(path: str, origin: str, found: Found) -> str:
    if not len(found.lines) and found.left_out:
        place, _, rest = found.left_out[0].partition(": ")
        return (
            f"{place}: {rest.partition(' ')[0]} and all other names of the file are outside of the zone "
            f"{origin or '.'}: it is the file of another zone"
        )
    return f"{path}: the zone {origin or '.'} has no SOA record; add one, with @ as its owner"


def _soa_faults(soas: Sequence[tuple[Record, int]], lines: Lines, apex: str) -> list[str]:
    faults, first = [], ""
    for record, index in soas:
        if record.owner.lower() != apex:
            faults.append(f"{lines[index]}: SOA at {record.owner}; it belongs at the zone's name {apex or '.'}")
        elif first:
            faults.append(f"{lines[index]}: a second SOA; the first is at {first}")
        else:
            first = lines[index]
    return faults
