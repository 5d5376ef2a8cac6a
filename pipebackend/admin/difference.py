"""A stored zone as text that a person can edit, and what was changed in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipebackend.admin import wording
from pipebackend.admin.operator import Operator
from pipebackend.admin.rrsets import RRsets, rrsets
from pipebackend.admin.serials import is_newer, serial_of, with_serial
from pipebackend.admin.zoneimport import alias_faults
from pipebackend.base.errors import RequestFault, ZoneFault
from pipebackend.dnsdata import names, zonelines
from pipebackend.dnsdata.soa import SERIAL, soa_number
from pipebackend.dnsdata.versions import NEUTRAL
from pipebackend.zones.text import zonefile

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect

__all__ = ["Difference", "Readable", "difference", "read"]


@dataclass(frozen=True, slots=True)
class Readable:
    """A zone with its lines and the record of each, in the canonical order of names."""

    apex: str
    rrsets: RRsets
    lines: Mapping[str, Record]
    dialect: Dialect = NEUTRAL

    @property
    def text(self) -> str:
        """The zone as a zone file."""
        return "".join(f"{line}\n" for line in self.lines)


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
    return Readable(name, found, dict(_lines(found, name)), wording.dialect(backend.registry))


def difference(before: Readable, path: str) -> Difference:
    """What the file at ``path`` makes of a zone; raises ZoneFault with every error of what was changed.

    The serial is increased by one if something was changed and the serial was not.
    """
    text = zonefile.read(path, before.apex, for_store=True, dialect=before.dialect, known=before.lines)
    after = rrsets(dict.fromkeys(text.records))
    changed = {key for key in before.rrsets.keys() | after.keys() if before.rrsets.get(key) != after.get(key)}
    faults = alias_faults(text, {owner for owner, _ in changed})
    if any(type_ == "RRSIG" for _, type_ in changed & after.keys()):
        faults.append(f"{path}: it has signatures; a signed zone is imported: zoneutil zone import")
    if faults:
        raise ZoneFault(faults, text.sources)
    warnings = _bump(before, after) if changed else []
    new = dict(_lines(after, before.apex))
    gone = [f"-{line}" for line in before.lines if line not in new]
    return Difference(after, gone + [f"+{line}" for line in new if line not in before.lines], warnings)


def _bump(before: Readable, after: RRsets) -> list[str]:
    """Increases the serial where the person forgot to."""
    key = before.apex, "SOA"
    [soa] = after[key]
    old = soa_number(before.rrsets[key][0].content, SERIAL)
    if old is None:  # others wrote it, and this edit puts it right
        return []
    if serial_of(soa) == old:
        after[key] = [with_serial(soa, old + 1)]
        return []
    if is_newer(serial_of(soa), old):
        return []
    return [f"the serial goes back from {old} to {serial_of(soa)}: secondaries keep what they have until it is above"]


def _lines(found: RRsets, apex: str) -> Iterator[tuple[str, Record]]:
    def place(key: tuple[str, str]) -> tuple[bytes, bool, str]:
        owner, type_ = key
        return names.order_key(owner), type_ != "SOA", type_

    for key in sorted(found, key=place):
        for record in found[key]:
            yield zonelines.zone_line(record), record
