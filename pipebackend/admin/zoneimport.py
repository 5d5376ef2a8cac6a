"""A zone file becomes a zone of the store, whole or not at all.

A file with RRSIG records is a zone that was signed elsewhere: it is served with those signatures (rule S-1), and
PowerDNS makes NSEC or NSEC3 of the file's parameters itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipebackend.admin import wording
from pipebackend.admin.inorder import NotInOrder, Stream
from pipebackend.admin.operator import Operator
from pipebackend.admin.serials import is_newer, serial_of
from pipebackend.base import garbage
from pipebackend.base.errors import MetadataFault, RequestFault, ZoneFault
from pipebackend.dnsdata import coexistence, nsec3param
from pipebackend.zones.text import presigned, zonefile

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.zones.text.zonetext import ZoneText

__all__ = ["Imported", "alias_faults", "import_file"]

Progress = Callable[[str, int], None]

_LARGE = 1 << 20  # octets; a smaller file is read in a moment
_ALIASES = ("CNAME", "DNAME")
_SIGNED_KINDS = ("PRESIGNED", "NSEC3PARAM", "NSEC3NARROW")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done: ``nsec3`` are the parameters of a signed file, "" for NSEC; ``left_out`` says why."""

    records: int
    serial: int
    is_signed: bool
    nsec3: str
    left_out: Sequence[str]


def import_file(backend: Backend, apex: str, path: str, progress: Progress) -> Imported:
    """Puts the records of a zone file in place of those of a zone, which is made (native) if there is none.

    Raises ZoneFault with every error of the file, or another BackendError; then nothing was changed.
    """
    with garbage.uncollected():  # it takes a fifth of the time
        return _import(backend, apex, path, progress)


def _import(backend: Backend, apex: str, path: str, progress: Progress) -> Imported:
    name = Operator(backend).editor.importable(apex)
    before = backend.domain(name)
    serial = before.serial if before is not None else 0
    if _is_large(path):
        try:
            return _import_in_order(backend, name, path, serial, progress)
        except NotInOrder:
            pass
    dialect = wording.dialect(backend.registry)
    text = zonefile.read(path, name, for_store=True, progress=lambda count: progress("read", count), dialect=dialect)
    faults = alias_faults(text)
    nsec3 = _nsec3_of(text, path, faults)
    if faults:
        raise ZoneFault(faults, text.sources)
    signed = any(record.type == "RRSIG" for record in text.records)
    if signed and backend.keys(name):
        raise RequestFault(
            f"{path} is signed, but zone {name or '.'} has keys of its own; import the unsigned file, "
            f"or remove the keys: zoneutil key unsecure {name or '.'}"
        )
    settings = _settings(backend, name, signed, nsec3)
    count = Operator(backend).editor.replace_all(
        name, backend.wanted_id(name), text.records, settings, lambda count: progress("written", count)
    )
    return Imported(count, serial_of(text.soa), signed, nsec3, _left_out(text, serial))


def _import_in_order(backend: Backend, apex: str, path: str, serial: int, progress: Progress) -> Imported:
    """The same while the file is read, which is quicker and takes little memory; NotInOrder if it cannot be done so."""
    settings = _settings(backend, apex, signed=False, nsec3="")
    with Operator(backend).editor.replacing(apex, backend.wanted_id(apex), settings) as zone:
        stream = Stream(apex, zone.put)
        text = zonefile.read(
            path,
            apex,
            for_store=True,
            progress=lambda count: progress("written", count),
            stream=stream,
            dialect=wording.dialect(backend.registry),
        )
        if text.nsec3:
            raise NotInOrder
        stream.finish()
    return Imported(zone.written, serial_of(text.soa), False, "", _left_out(text, serial))


def _is_large(path: str) -> bool:
    try:
        return os.path.getsize(path) >= _LARGE
    except OSError:
        return False


def _left_out(text: ZoneText, serial: int) -> list[str]:
    """Notes on what was read, in place of a zone with this serial."""
    now = serial_of(text.soa)
    notes = [*text.left_out, *text.odd]
    if serial and not is_newer(now, serial):
        notes.append(
            f"serial {now} is not above {serial}, which was served so far: secondaries keep what they have until it is"
        )
    return notes


def alias_faults(text: ZoneText, changed: Collection[str] | None = None) -> list[str]:
    """CNAMEs with other data beside them (RFC 1034 section 3.6.2) and names with two CNAMEs or DNAMEs, which PowerDNS
    would serve all the same; with ``changed``, of these names alone."""
    aliases = {record.owner.lower() for record in text.records if record.type in _ALIASES}
    if changed is not None:
        aliases &= set(changed)
    found: dict[str, list[int]] = {}
    for index, record in enumerate(text.records if aliases else ()):
        if record.owner.lower() in aliases:
            found.setdefault(record.owner.lower(), []).append(index)
    return [fault for owner, indices in found.items() for fault in _alias_fault(text, owner, indices)]


def _alias_fault(text: ZoneText, owner: str, indices: Sequence[int]) -> Iterator[str]:
    others = coexistence.beside_cname(text.records[index].type for index in indices)
    for type_ in _ALIASES:
        aliases = [index for index in indices if text.records[index].type == type_]
        if others and type_ == "CNAME":
            yield f"{text.lines[aliases[0]]}: {owner} has a CNAME beside {', '.join(others)} (RFC 1034 section 3.6.2)"
        rule = coexistence.more_than_one(type_, [text.records[index].content for index in aliases])
        if rule:
            yield f"{text.lines[aliases[1]]}: {owner} has more than one {type_} ({rule})"


def _nsec3_of(text: ZoneText, path: str, faults: list[str]) -> str:
    """The NSEC3PARAM of the zone, "" for NSEC."""
    try:
        param = presigned.parameters(text.nsec3)
    except MetadataFault as exc:
        faults.append(f"{path}: {exc}")
        return ""
    return nsec3param.to_text(param) if param is not None else ""


def _settings(backend: Backend, apex: str, signed: bool, nsec3: str) -> dict[str, Sequence[str]]:
    """The metadata that change with the import, by kind."""
    if signed:
        return {"PRESIGNED": ["1"], "NSEC3PARAM": [nsec3] if nsec3 else [], "NSEC3NARROW": []}
    was_signed = "1" in backend.metadata(apex).get("PRESIGNED", ())
    return {kind: [] for kind in _SIGNED_KINDS} if was_signed else {}
