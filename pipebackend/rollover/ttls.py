"""The TTLs that a zone is served with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipebackend.base.errors import NotListable, RequestFault
from pipebackend.dnsdata.soa import MINIMUM, soa_number
from pipebackend.rollover.delays import Ttls

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.config.policies import Policy
    from pipebackend.zones.base import Zone

__all__ = ["of_zone"]

UNLISTED = 86_400  # a zone that cannot be listed has no larger TTL than a day, or its policy says so


def of_zone(backend: Backend, apex: str, policy: Policy) -> Ttls:
    """The largest TTL of a zone and that of its DNSKEY RRset; raises RequestFault if it is not served."""
    zone = backend.zones.at(apex)
    if zone is None:
        raise RequestFault(f"zone {apex or '.'} is not served, so its TTLs are not known; see zoneutil zone check")
    soa = zone.soa()
    minimum = soa_number(soa.content, MINIMUM)  # the TTL that PowerDNS gives DNSKEY, CDS and CDNSKEY
    if minimum is None:
        raise RequestFault(f"{apex or '.'} SOA {soa.content!r} has no minimum, so the TTL of its DNSKEY is not known")
    return Ttls(max(soa.ttl, minimum, policy.max_zone_ttl or _largest(backend, zone)), minimum)


def _largest(backend: Backend, zone: Zone) -> int:
    if zone.kind == "stored":
        return backend.store.max_ttl(zone.ident)
    try:
        return max(record.ttl for record in zone.listing())
    except NotListable:
        return UNLISTED
