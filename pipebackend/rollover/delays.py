"""How long caches may hold what is not served any more (RFC 7583 section 3.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipebackend.config.policies import Policy
from pipebackend.rollover.states import RECORDS, RUMOURED, Key, Span, Zone

__all__ = ["Ttls", "ds_end", "end_of", "looked"]

ROUNDING = 2  # a TTL of one second lasts nearly two, and clocks of other machines tick at other moments


@dataclass(frozen=True, slots=True)
class Ttls:
    """The largest TTL of the zone, negative answers included, and that of its DNSKEY RRset."""

    zone: int
    dnskey: int


def looked(zone: Zone, policy: Policy, ttls: Ttls, now: int) -> Zone:
    """The zone with the TTLs that are served now.

    Those of the look before were served until now, for all we know. A TTL that was raised while servers still answered
    with old keys counts for records that have just come or gone, too.
    """
    lag = lag_of(policy)
    zone_ttl, dnskey_ttl = max(ttls.zone, zone.zone_ttl), max(ttls.dnskey, zone.dnskey_ttl)
    seen = replace(
        zone,
        last=now,
        zone_ttl=ttls.zone,
        dnskey_ttl=ttls.dnskey,
        zone_horizon=max(zone.zone_horizon, now + lag + zone_ttl),
        dnskey_horizon=max(zone.dnskey_horizon, now + lag + dnskey_ttl),
    )
    return replace(seen, keys=tuple(_prolonged(key, seen, policy) for key in zone.keys))


def lag_of(policy: Policy) -> int:
    """How long after a write some server may answer as before it."""
    return policy.server_cache + policy.propagation_delay + ROUNDING


def end_of(zone: Zone, policy: Policy, record: str, is_in: bool) -> int:
    """When all caches agree about a record that comes or goes at the zone's last look."""
    horizon = zone.zone_horizon if record == "zone_rrsig" else zone.dnskey_horizon
    return horizon + _safety(policy, is_in)


def ds_end(zone: Zone, policy: Policy, now: int, is_in: bool) -> int:
    """When all caches agree about a DS that all servers of the parent agree about now."""
    return now + max(policy.parent_ds_ttl, zone.ds_ttl) + ROUNDING + _safety(policy, is_in)


def _safety(policy: Policy, is_in: bool) -> int:
    return policy.publish_safety if is_in else policy.retire_safety


def _prolonged(key: Key, zone: Zone, policy: Policy) -> Key:
    longer: dict[str, Any] = {}
    for record in RECORDS[:3]:
        span: Span = getattr(key, record)
        if span.end is not None:
            ttl = zone.zone_ttl if record == "zone_rrsig" else zone.dnskey_ttl
            least = span.since + lag_of(policy) + ttl + _safety(policy, span.state == RUMOURED)
            longer[record] = replace(span, until=max(span.end, least))
    return replace(key, **longer) if longer else key
