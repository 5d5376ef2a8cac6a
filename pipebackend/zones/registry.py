"""The zones of a configuration: name → zone, id → zone, and loading them anew when files change."""

from __future__ import annotations

import os
import time
from binascii import crc32

from pipebackend import logs, names
from pipebackend.config import Section
from pipebackend.errors import ConfigFault, ZoneFault
from pipebackend.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from pipebackend.config import Config
    from pipebackend.zones.base import Zone

    Loader = Callable[[Section, str, int], Zone | None]
    Fingerprint = tuple[tuple[str, int, int, int], ...]

__all__ = ["Entry", "Registry", "fingerprint", "load"]

KINDS = ("table",)
_FIRST_ID, _IDS = (
    10_000,
    90_000,
)  # above the ids that a database hands out, and short: an id is in every record
_CLOCK_GRAIN = 10_000_000  # nanoseconds: a file's time comes from the kernel's coarse clock


class Entry(Value):
    """A zone with what it was made from: the table of its configuration and how its files looked."""

    zone: Zone
    table: Mapping[str, Any]
    files: Fingerprint


class Registry:
    """All zones at one moment; never changed, a reload makes a new one."""

    def __init__(self, config: Config, entries: Sequence[Entry], files: Fingerprint) -> None:
        self.config = config
        self.entries = tuple(entries)
        self.files = files
        self.by_apex = {entry.zone.apex: entry.zone for entry in entries}
        self.by_id = {entry.zone.ident: entry.zone for entry in entries}

    @property
    def zones(self) -> Sequence[Zone]:
        """The zones in the order of the configuration."""
        return [entry.zone for entry in self.entries]

    def zone_of(self, name: str, zone_id: int = -1) -> Zone | None:
        """The zone that answers for a canonical name.

        PowerDNS's id decides between zones inside each other, so that a parent is asked for its delegation; ids of
        other backends arrive too (PROTOCOL.md 5), so it counts only where the name is in that zone.
        """
        zone = self.by_id.get(zone_id)
        if zone is not None and names.is_below(name, zone.apex):
            return zone
        zone = self.by_apex.get(name)
        if zone is not None:
            return zone
        for above in names.ancestors(name):
            zone = self.by_apex.get(above)
            if zone is not None:
                return zone
        return None

    def is_stale(self) -> bool:
        """Whether the configuration or a zone's file changed since it was read."""
        return fingerprint([self.config.path]) != self.files or any(
            fingerprint(entry.zone.sources) != entry.files for entry in self.entries
        )


def load(config: Config, previous: Registry | None = None, files: Fingerprint | None = None) -> Registry:
    """The zones of a configuration; raises ConfigFault with every fault of it.

    Zones of ``previous`` that did not change are kept. A zone whose source is faulty is served as it was before,
    or left out if there is no before; the log says so. ``files`` is how the configuration file looked when it was
    read, now if left out.
    """
    files = fingerprint([config.path]) if files is None else files
    faults: list[str] = []
    root = Section(config, config.table, "", faults)
    sections = root.sections("zone")
    root.finish()
    entries: list[Entry] = []
    seen: dict[str, str] = {}
    for section in sections:
        apex = section.name("name").lower()
        kind = section.text("kind")
        if kind and kind not in KINDS:
            section.fault("kind", f"must be one of {', '.join(KINDS)}, not {kind!r}")
            continue
        if apex in seen and section.has("name"):
            section.fault("name", f"{apex} is already the name of {seen[apex]}")
        seen.setdefault(apex, section.path)
        ident = _ident(apex, [entry.zone.ident for entry in entries])
        entry = _entry(section, kind, apex, ident, _previous(previous, apex)) if kind else None
        if entry is not None:
            entries.append(entry)
    if faults:
        raise ConfigFault(faults)
    return Registry(config, entries, files)


def fingerprint(paths: Iterable[str]) -> Fingerprint:
    """How the files look: changes when one is written, replaced or removed."""
    found = []
    for path in paths:
        if not path:
            continue
        try:
            stat = os.stat(path)
            found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append((path, 0, -1, 0))
    return tuple(found)


def _entry(section: Section, kind: str, apex: str, ident: int, before: Entry | None) -> Entry | None:
    """The zone of one section, loaded if it or its files changed; None if it is left out or faults were noted."""
    files = fingerprint(before.zone.sources) if before is not None else ()
    unchanged = before is not None and before.table == section.table
    if before is not None and unchanged and before.files == files:
        return before
    started, known = time.time_ns(), len(section.faults)
    try:
        zone = _loader(kind)(section, apex, ident)
        section.finish()
        if unchanged and len(section.faults) > known:  # the file is gone: no fault of the configuration
            raise ZoneFault(section.faults[known:])
    except ZoneFault as exc:
        del section.faults[known:]
        logs.error(str(exc))
        if before is None:
            logs.error(f"zone {apex} is left out until its file is mended")
            return None
        logs.error(f"zone {apex} is served as it was before")
        return before._replace(table=section.table, files=files)
    if zone is None or len(section.faults) > known:
        return None
    return Entry(zone, section.table, _settled(fingerprint(zone.sources), started))


def _settled(files: Fingerprint, started: int) -> Fingerprint:
    """``files``, or nothing, which makes the zone stale, if one was written while the zone was loaded from it."""
    return () if any(changed > started - _CLOCK_GRAIN for _, changed, _, _ in files) else files


def _loader(kind: str) -> Loader:
    from pipebackend.zones import table

    return table.load


def _previous(registry: Registry | None, apex: str) -> Entry | None:
    for entry in registry.entries if registry is not None else ():
        if entry.zone.apex == apex:
            return entry
    return None


def _ident(apex: str, taken: Sequence[int]) -> int:
    """An id that all processes give this zone without asking each other."""
    ident = _FIRST_ID + crc32(apex.encode()) % _IDS
    while ident in taken:
        ident += 1
    return ident
