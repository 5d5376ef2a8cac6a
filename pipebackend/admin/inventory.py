"""What is in the store, without its secrets, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipebackend.admin.signing import KeyFacts, described
from pipebackend.base.errors import KeyFault, MetadataFault
from pipebackend.dnsdata import metadata
from pipebackend.store import Store

__all__ = ["StoredZone", "faults", "zones"]


@dataclass(frozen=True, slots=True)
class StoredZone:
    """What the store holds for one zone, which need not be ours (rule H-1); ``apex`` is canonical."""

    id: int
    apex: str
    type: str
    keys: Sequence[KeyFacts]
    settings: dict[str, list[str]]


def zones(store: Store) -> list[StoredZone]:
    """Every zone that the store knows, in the order of their ids."""
    return [
        StoredZone(row.id, row.name, row.type, described(row.name, store.keys(row.name)), store.metadata(row.name))
        for row in store.domains()
    ]


def faults(store: Store) -> list[str]:
    """A line for each thing that is wrong: with the file, its rows, the keys and the settings in them."""
    found = store.check()
    if not found:  # else the rows may not be readable
        found += (fault for zone in zones(store) for fault in _zone_faults(store, zone))
    return found


def _zone_faults(store: Store, zone: StoredZone) -> Iterator[str]:
    for key in zone.keys:
        if key.fault:
            yield key.fault
    for kind, values in zone.settings.items():
        try:
            metadata.checked(kind, values, tsig_key_exists=lambda name: store.tsig_key(name) is not None)
        except (KeyFault, MetadataFault) as exc:
            yield f"zone {zone.apex or '.'}: {exc}"
