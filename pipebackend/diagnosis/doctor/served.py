"""What a configuration of ours serves: zones, which of them have keys, the files that must be readable, the store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from pipebackend.base.errors import BackendError, ConfigFault, StoreFault
from pipebackend.config import configuration, policies
from pipebackend.diagnosis.doctor import contents
from pipebackend.diagnosis.doctor.contents import Contents
from pipebackend.store import Store, open_store
from pipebackend.store.database.postgresql.standing import Standing
from pipebackend.zones import registry

__all__ = ["Served", "keys_in", "look"]


@dataclass(frozen=True, slots=True)
class Served:
    """``path`` is empty for the built-in configuration, ``store`` where the store is not a file.

    ``faults`` are those of the configuration, with which nothing is served; ``refused`` are zones left out.
    ``signed`` are zones of ours with a key, ``keys_only`` others with a key in our store (rule H-1). ``server_caches``
    are for how many seconds each policy thinks that PowerDNS keeps old keys.
    """

    path: str
    faults: Sequence[str] = ()
    zones: Sequence[str] = ()
    refused: Sequence[str] = ()
    signed: Sequence[str] = ()
    keys_only: Sequence[str] = ()
    files: Sequence[str] = ()
    store: str = ""
    store_fault: str = ""
    standing: Standing | None = None
    contents: Contents = field(default_factory=Contents)
    server_caches: Mapping[str, int] = field(default_factory=dict)


def look(path: str) -> Served:
    """The configuration at ``path``, ``""`` for the built-in one, as this user sees it."""
    try:
        zones = registry.load(configuration.read(path))
    except ConfigFault as exc:
        return Served(path, exc.faults)
    apexes = [zone.apex for zone in zones.zones]
    files = {file for zone in zones.zones for file in zone.sources} | {row[0] for e in zones.entries for row in e.files}
    refused = [entry.apex for entry in zones.entries if entry.faults]
    store, signed, fault, found, standing = "", list[str](), "", None, None
    if zones.store_url:
        try:
            with closing(open_store(zones.store_url, zones.config.folder)) as opened:
                store = "" if opened.is_remote else opened.path  # known, too, where it cannot be read
                signed = _signed(opened)
                found, standing = contents.look(zones.zones, opened), opened.standing()
        except StoreFault as exc:
            fault = str(exc)
    return Served(
        path,
        zones=apexes,
        refused=refused,
        signed=[apex for apex in signed if apex in apexes],
        keys_only=[apex for apex in signed if apex not in apexes],
        files=sorted(file for file in files if os.path.isfile(file)),
        store=store,
        store_fault=fault,
        standing=standing,
        contents=found or contents.look(zones.zones, None),
        server_caches={name: policy.server_cache for name, policy in policies.of(zones.config).items()},
    )


def keys_in(database: str) -> list[str] | None:
    """The zones with keys in a database of PowerDNS's gsqlite3; None if it cannot be read."""
    if not os.path.isfile(database):
        return None
    try:
        with closing(open_store(f"sqlite:{database}", "/")) as opened:
            return _signed(opened)
    except BackendError:
        return None


def _signed(store: Store) -> list[str]:
    return [row.name for row in store.domains() if store.keys(row.name)]
