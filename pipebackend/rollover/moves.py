"""A change of keys as one value, and the zone after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipebackend.config.policies import Policy
from pipebackend.rollover import delays
from pipebackend.rollover.states import HIDDEN, OMNIPRESENT, RECORDS, Key, Span, Zone, served

__all__ = ["Move", "New", "after", "is_settled", "shown"]


@dataclass(frozen=True, slots=True)
class New:
    """A key to be made; it is neither published nor active at first."""

    role: str
    algorithm: int


@dataclass(frozen=True, slots=True)
class Move:
    """What is done at once: all or nothing of it is kept.

    ``flags`` are the new ``active`` and ``published`` of keys by id. ``ds_in`` and ``ds_out`` are keys whose DS the
    parent is asked for from now on, or no longer.
    """

    text: str
    flags: Mapping[int, tuple[bool, bool]] = field(default_factory=dict)
    make: tuple[New, ...] = ()
    retire: frozenset[int] = frozenset()
    ds_in: frozenset[int] = frozenset()
    ds_out: frozenset[int] = frozenset()
    withhold: frozenset[int] = frozenset()
    forget: frozenset[int] = frozenset()


def after(zone: Zone, move: Move, policy: Policy, now: int) -> Zone:
    """The zone right after a move; keys to be made are not in it."""
    keys = tuple(_flagged(key, move, now) for key in zone.keys if key.id not in move.forget)
    return replace(zone, keys=shown(keys, zone, policy, now))


def shown(keys: tuple[Key, ...], zone: Zone, policy: Policy, now: int) -> tuple[Key, ...]:
    """The keys with the states that follow from their flags at this moment."""
    is_served = served(keys)

    def moved(key: Key) -> Key:
        spans: dict[str, Any] = {
            record: _moved(key, record, zone, policy, now)
            for record in RECORDS[:3]
            if getattr(key, record).is_in != (key.id in getattr(is_served, record))
        }
        return replace(key, **spans) if spans else key

    return tuple(map(moved, keys))


def is_settled(before: Zone, later: Zone) -> bool:
    """Whether no record turns round while caches still differ about it: its state would forget what they have."""
    old = {key.id: key for key in before.keys}
    return all(
        getattr(old[key.id], record).is_in == getattr(key, record).is_in
        or getattr(old[key.id], record).state in (HIDDEN, OMNIPRESENT)
        for key in later.keys
        for record in RECORDS[:3]
    )


def _moved(key: Key, record: str, zone: Zone, policy: Policy, now: int) -> Span:
    span: Span = getattr(key, record)
    is_in = not span.is_in
    return span.moved(is_in, now, delays.end_of(zone, policy, record, is_in))


def _flagged(key: Key, move: Move, now: int) -> Key:
    if key.id not in move.flags.keys() | move.retire | move.ds_in | move.ds_out | move.withhold:
        return key
    active, published = move.flags.get(key.id, (key.active, key.published))
    ds = key.ds
    if key.id in move.ds_in | move.ds_out:
        ds = ds.moved(key.id in move.ds_in, now, None)
    return replace(
        key,
        active=active,
        published=published,
        goal="out" if key.id in move.retire else key.goal,
        is_withheld=key.is_withheld or key.id in move.withhold,
        ds=ds,
    )
