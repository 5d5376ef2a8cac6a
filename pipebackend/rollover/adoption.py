"""Keys that are there already, and those that somebody else changed, are taken as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipebackend.config.policies import Policy
from pipebackend.rollover.moves import shown
from pipebackend.rollover.states import Key, Zone

__all__ = ["Found", "adopted"]


@dataclass(frozen=True, slots=True)
class Found:
    """A key as PowerDNS has it."""

    id: int
    tag: int
    algorithm: int
    is_sep: bool
    active: bool
    published: bool


def adopted(zone: Zone, found: Iterable[Found], policy: Policy, now: int) -> Zone:
    """The zone with the keys as they are; what differs from what was known is taken for a change of this moment.

    Caches may then have records that the states do not tell of, so that nothing is done until they are over.
    """
    rows = {row.id: row for row in found}
    known = {key.id: key for key in zone.keys if key.id in rows and key.tag == rows[key.id].tag}
    if known.keys() == rows.keys() and all(_is_same(key, rows) for key in zone.keys):
        return zone
    ghost = min([0, *(key.id for key in zone.keys)])
    keys = []
    for key in zone.keys:
        if key.id not in known and not key.is_gone:
            ghost -= 1  # another key may have its id by now
            key = replace(key, id=ghost, is_gone=True, active=False, published=False, goal="out")
        elif key.id in known:
            key = replace(key, active=rows[key.id].active, published=rows[key.id].published)
        keys.append(key)
    keys += [_taken(row, _role(row, rows.values(), policy), now) for row in rows.values() if row.id not in known]
    hold = zone.hold_until
    if zone.keys:
        hold = max(zone.zone_horizon, zone.dnskey_horizon) + max(policy.publish_safety, policy.retire_safety)
    return replace(zone, keys=shown(tuple(keys), zone, policy, now), hold_until=hold)


def _is_same(key: Key, rows: Mapping[int, Found]) -> bool:
    row = rows.get(key.id)
    return key.is_gone or (row is not None and (key.active, key.published) == (row.active, row.published))


def _taken(row: Found, role: str, now: int) -> Key:
    return Key(row.id, row.tag, row.algorithm, role, row.is_sep, row.active, row.published, made=now)


def _role(row: Found, rows: Iterable[Found], policy: Policy) -> str:
    """What PowerDNS calls it (rule of ``states.served``); of a key that does not sign, what the policy has use for."""
    same = [one for one in rows if one.algorithm == row.algorithm and one.active]
    if {one.is_sep for one in same} == {True, False} or (not row.active and "ksk" in policy.roles):
        return "ksk" if row.is_sep else "zsk"
    return "csk"
