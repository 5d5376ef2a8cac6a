"""A stored zone as text that a person can edit, and what was changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipebackend.admin.operator import Operator
from pipebackend.admin.rrsets import RRsets, rrsets
from pipebackend.admin.serials import is_newer, serial_of, with_serial
from pipebackend.admin.zoneimport import alias_faults
from pipebackend.base.errors import RequestFault, ZoneFault
from pipebackend.dnsdata import names, zonelines
from pipebackend.dnsdata.versions import NEUTRAL
from pipebackend.zones.text import zonefile

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.dnsdata.versions import Dialect

__all__ = ["Difference", "Readable", "difference", "read"]


@dataclass(frozen=True, slots=True)
class Readable:
    """A zone with its text, in the canonical order of names."""

    apex: str
    rrsets: RRsets
    text: str
    dialect: Dialect = NEUTRAL


@dataclass(frozen=True, slots=True)
class Difference:
    """The new RRsets, the lines that are gone (``-``) and new (``+``), none if nothing is; and what may surprise."""

    rrsets: RRsets
    lines: Sequence[str]
    warnings: Sequence[str]


def read(backend: Backend, apex: str) -> Readable:
    """A zone to be edited; raises RequestFault with where to change it if it is not here."""
    Operator(backend).editor.demand_editable(apex)
    name = names.from_text(apex)
    if Operator(backend).editor.is_presigned(name):
        raise RequestFault(f"zone {name or '.'} is presigned: change it where it is signed and import it again")
    found = Operator(backend).editor.rrsets(name)
    text = "".join(f"{line}\n" for line in _lines(found, name))
    return Readable(name, found, text, backend.registry.powerdns.dialect)


def difference(before: Readable, path: str) -> Difference:
    """What the file at ``path`` makes of a zone; raises ZoneFault with every error.

    The serial is increased by one if something was changed and the serial was not.
    """
    text = zonefile.read(path, before.apex, for_store=True, dialect=before.dialect)
    faults = alias_faults(text)
    if any(record.type == "RRSIG" for record in text.records):
        faults.append(f"{path}: it has signatures; a signed zone is imported: zoneutil zone import")
    if faults:
        raise ZoneFault(faults, text.sources)
    after = rrsets(dict.fromkeys(text.records))
    warnings = [] if after == before.rrsets else _bump(before, after)
    old, new = set(_lines(before.rrsets, before.apex)), set(_lines(after, before.apex))
    gone = [f"-{line}" for line in _lines(before.rrsets, before.apex) if line not in new]
    return Difference(after, gone + [f"+{line}" for line in _lines(after, before.apex) if line not in old], warnings)


def _bump(before: Readable, after: RRsets) -> list[str]:
    """Increases the serial where the person forgot to."""
    key = before.apex, "SOA"
    [soa] = after[key]
    old = serial_of(before.rrsets[key][0])
    if serial_of(soa) == old:
        after[key] = [with_serial(soa, old + 1)]
        return []
    if is_newer(serial_of(soa), old):
        return []
    return [f"the serial goes back from {old} to {serial_of(soa)}: secondaries keep what they have until it is above"]


def _lines(found: RRsets, apex: str) -> list[str]:
    def place(key: tuple[str, str]) -> tuple[bytes, bool, str]:
        owner, type_ = key
        return names.order_key(owner), type_ != "SOA", type_

    return [zonelines.zone_line(record) for key in sorted(found, key=place) for record in found[key]]
