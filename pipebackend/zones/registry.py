"""The zones of a configuration: name → zone, id → zone, and loading them again when files change."""

from __future__ import annotations

import os
import time
from binascii import crc32

from pipebackend.base import logs
from pipebackend.base.errors import ConfigFault, StoreFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.config.configuration import Section
from pipebackend.dnsdata import names, versions
from pipebackend.dnsdata.versions import UNKNOWN
from pipebackend.zones.compiled import choice
from pipebackend.zones.compiled.fingerprints import is_settled
from pipebackend.zones.compiled.fingerprints import of as fingerprint
from pipebackend.zones.compiled.target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping, Sequence
    from typing import Any

    from pipebackend.config.configuration import Config
    from pipebackend.dnsdata.versions import Version
    from pipebackend.zones.base import Zone
    from pipebackend.zones.compiled.fingerprints import Fingerprint

    Loader = Callable[[Section, str, int], Zone | None]

__all__ = ["Entry", "Registry", "fingerprint", "load", "store_folder", "wanted_id"]

KINDS = ("custom", "file", "ranges", "table")
DEFAULT_STORE = "sqlite:zones.db"  # beside the configuration; the built-in one has no place of its own, so no store
DEFAULT_MAX_LOSS = 50  # percent of a table's names; of a table alone, but known without importing its module
# Above the ids that a database hands out, and short: an id is in every record
_FIRST_ID, _IDS = 10_000, 90_000


class Entry(Value):
    """One zone of the configuration, with what it was made from.

    ``files`` is how its files looked, ``settled`` that they stayed so while they were read; ``faults`` says why
    they are refused: the zone is then served as it was before, or left out (None) if there is no before.
    """

    apex: str
    zone: Zone | None
    table: Mapping[str, Any]
    files: Fingerprint
    settled: bool
    faults: tuple[str, ...] = ()


class Registry:
    """All zones at one moment; never changed, a reload makes a new one."""

    def __init__(
        self,
        config: Config,
        entries: Sequence[Entry],
        files: Fingerprint,
        store_url: str,
        powerdns: Version = UNKNOWN,
    ) -> None:
        """``powerdns`` is the version that the configuration names."""
        self.config = config
        self.powerdns = powerdns
        self.store_url = store_url
        self.entries = tuple(entries)
        self.files = files
        self.zones = tuple(entry.zone for entry in entries if entry.zone is not None)
        self.by_apex = {zone.apex: zone for zone in self.zones}
        self.by_id = {zone.ident: zone for zone in self.zones}

    def entry(self, apex: str) -> Entry | None:
        """The zone of that name with its sources, None if the configuration has no such zone."""
        return next((entry for entry in self.entries if entry.apex == apex), None)

    def zone_of(self, name: str, zone_id: int = -1) -> Zone | None:
        """The zone that answers for a canonical name.

        PowerDNS's id decides between zones inside each other, so that a parent is asked for its delegation; ids of
        other backends arrive too (rule H-1), so it counts only where the name is in that zone.
        """
        zone = self.by_id.get(zone_id)
        if zone is not None and names.is_below(name, zone.apex):
            return zone
        zone = self.by_apex.get(name)
        if zone is not None:
            return zone
        for above in names.ancestors(name) if self.by_apex else ():
            zone = self.by_apex.get(above)
            if zone is not None:
                return zone
        return None

    def is_stale(self) -> bool:
        """Whether the configuration or a zone's file changed since it was read."""
        return fingerprint([self.config.path]) != self.files or any(not _is_fresh(entry) for entry in self.entries)


def load(config: Config, previous: Registry | None = None, files: Fingerprint | None = None) -> Registry:
    """The zones of a configuration; raises ConfigFault with every fault of it.

    Zones of ``previous`` that did not change are kept; a zone whose source is faulty is kept too, or left out.
    ``files`` is how the configuration file looked when it was read, now if left out.
    """
    files = fingerprint([config.path]) if files is None else files
    same_config = previous is not None and previous.files == files  # its time is in the serials
    faults: list[str] = []
    root = Section(config, config.table, "", faults)
    store_url = _store_url(root)
    powerdns = _powerdns(root)
    root.text("trace", "")  # read by ``launch``; for all processes, and so it stands above the zones
    root.boolean("trace_full", False)
    sections = root.sections("zone")
    known_policies = _policy_names(root)
    root.finish()
    stored = _stored_ids(store_url, config.folder) if sections and not faults else {}
    entries: list[Entry] = []
    seen: dict[str, Section] = {}
    for section in sections:
        apex, kind = _checked_head(section, seen, known_policies)
        if not kind:
            continue
        before = previous.entry(apex) if previous is not None else None
        if before is not None and same_config and _is_fresh(before):
            entries.append(before)
        else:
            taken = {entry.zone.ident for entry in entries if entry.zone is not None} | set(stored.values())
            ident = stored.get(apex) or wanted_id(apex, taken)
            entries.append(_loaded(section, kind, apex, ident, before))
    if faults:
        raise ConfigFault(faults)
    return Registry(config, entries, files, store_url, powerdns)


def _checked_head(section: Section, seen: dict[str, Section], known_policies: Container[str]) -> tuple[str, str]:
    """The apex and the kind of one section, "" for a kind that is not there; faults are noted in the section.

    ``seen`` gets the section by its apex, if that is a name.
    """
    known = len(section.faults)
    apex = section.name("name").lower()
    is_named = len(section.faults) == known
    kind = section.text("kind")
    policy = section.text("policy", "")
    if policy and policy not in known_policies:
        section.fault("policy", f"there is no [[policy]] with the name {policy[:40]!r}")
    if kind and kind not in KINDS:
        section.fault("kind", f"must be one of {', '.join(KINDS)}, not {kind!r}")
        return apex, ""
    if is_named and seen.setdefault(apex, section) is not section:
        section.fault("name", f"there is a zone {apex or '.'} already, in {seen[apex].place()}")
    return apex, kind


def _loaded(section: Section, kind: str, apex: str, ident: int, before: Entry | None) -> Entry:
    """The zone of one section, read now; faults of the configuration are noted in the section."""
    started, known = time.time_ns(), len(section.faults)
    target = Target.of(section, apex, ident) if kind in choice.KINDS else None
    followed = fingerprint(choice.followed(target)) if target else ()  # first: it may come about meanwhile
    served = before.zone if before is not None else None
    try:
        zone = choice.served(target, served, lambda: _read_later(section, kind, apex, ident)) if target else None
        if zone is None:
            zone = _loader(kind)(section, apex, ident)
            section.finish()
        if before is not None and before.table == section.table and len(section.faults) > known:
            raise ZoneFault(section.faults[known:])  # the file is gone: no fault of the configuration
        if kind == "table" and zone is not None and served is not None:
            _check_loss(zone, served, section.table.get("max_loss"))
    except ZoneFault as exc:
        del section.faults[known:]
        sources = exc.sources or [os.path.join(section.config.folder, str(section.table.get("file", "")))]
        files = fingerprint(sources) + followed
        return Entry(apex, served, section.table, files, _has_settled(files, started, before), exc.faults)
    files = fingerprint(zone.sources if zone is not None else ()) + followed
    return Entry(apex, zone, section.table, files, _has_settled(files, started, before))


def _check_loss(zone: Zone, before: Zone, most: object) -> None:
    """ZoneFault if a changed table has lost so many names that it looks like a failed export."""
    most = most if isinstance(most, int) else DEFAULT_MAX_LOSS
    size, was = getattr(zone, "size", 0), getattr(before, "size", 0)
    if size * 100 < was * (100 - most):
        raise ZoneFault(
            [
                f"{zone.sources[0]}: has {size} names, where there were {was}: more than max_loss = {most} percent are "
                "gone; if that is meant, set max_loss = 100 for this change"
            ],
            zone.sources,
        )


def _read_later(section: Section, kind: str, apex: str, ident: int) -> Zone:
    """The zone of a section in memory; raises ZoneFault, also for faults of the section."""
    known = len(section.faults)
    section.text("kind")
    section.text("policy", "")
    zone = _loader(kind)(section, apex, ident)
    section.finish()
    if zone is None or len(section.faults) > known:
        raise ZoneFault(section.faults[known:])
    return zone


def _has_settled(files: Fingerprint, started: int, before: Entry | None) -> bool:
    """Whether the files stayed as they were while they were read; where clocks disagree, two equal looks say so."""
    return is_settled(files, started) or (before is not None and before.files == files)


def _is_fresh(entry: Entry) -> bool:
    return entry.settled and fingerprint(path for path, *_ in entry.files) == entry.files


def _loader(kind: str) -> Loader:
    if kind == "custom":
        from pipebackend.zones.kinds import custom

        return custom.load
    if kind == "file":
        from pipebackend.zones.kinds import file

        return file.load
    if kind == "ranges":
        from pipebackend.zones.kinds import ranges

        return ranges.load
    from pipebackend.zones.kinds import table

    return table.load


def wanted_id(apex: str, taken: Collection[int] = ()) -> int:
    """An id that all processes give a zone without asking each other, until the store has one for it."""
    ident = _FIRST_ID + crc32(apex.encode()) % _IDS
    while ident in taken:
        ident += 1
    return ident


def store_folder(config: Config) -> str:
    """The folder of the store's file, or of the configuration where that names none."""
    section = config.table.get("store")
    url = str(section.get("url", DEFAULT_STORE)) if isinstance(section, dict) else DEFAULT_STORE
    path = url.removeprefix("sqlite:") if url.startswith("sqlite:") else ""
    return os.path.dirname(os.path.join(config.folder, path))


def _powerdns(root: Section) -> Version:
    text = root.text("powerdns", "")
    found = versions.of(text)
    if found is None:
        root.fault("powerdns", f"must be a version of PowerDNS from 4.7 on, as 4.9, not {text[:40]!r}")
    return found or UNKNOWN


def _policy_names(root: Section) -> Collection[str]:
    """The names of the policies for keys, which only the maintainer of keys uses."""
    if not root.has("policy"):
        root.sections("policy")
        return ()
    from pipebackend.config import policies

    return policies.read(root)


def _store_url(root: Section) -> str:
    section = root.section("store")
    url = section.text("url", DEFAULT_STORE if root.config.path else "")
    section.finish()
    if url:
        from pipebackend.store import open_store

        try:
            open_store(url, root.config.folder)
        except StoreFault as exc:
            section.fault("url", str(exc))
    return url


def _stored_ids(url: str, folder: str) -> dict[str, int]:
    """The ids that zones have in the store; none while it cannot be read: the next call reports that."""
    if not url:
        return {}
    from pipebackend.store import open_store

    store = open_store(url, folder)
    try:
        return {row.name: row.id for row in store.domains()}
    except StoreFault as exc:
        logs.error(str(exc))
        return {}
    finally:
        store.close()
