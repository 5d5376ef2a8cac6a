"""NSEC or NSEC3 as the policy says; a change is made so that no server denies with names where others expect hashes.

Every answer of PowerDNS has one kind of denial with all that it needs, so that resolvers may have both (RFC 5155
section 10.4). But PowerDNS keeps metadata in a cache, and until it forgets it asks us for what it needed before: for
names where it had NSEC, which ``backend.denial`` tells from hashes; and for hashes where it had NSEC3, except in narrow
mode (rule D-6). So the way from NSEC3 to NSEC goes over narrow mode, until nobody has the metadata of before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipebackend.dnsdata import nsec3param
from pipebackend.rollover import delays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.backend.keyring import Keyring
    from pipebackend.config.policies import Policy
    from pipebackend.rollover.states import Zone

__all__ = ["Denial", "changed", "read", "write"]

PARAM = nsec3param.to_text(nsec3param.Nsec3Param())  # RFC 9276 section 3.1
_LAST_WITHOUT_NSEC3 = 5  # validators of RSASHA1 and older ones may not know NSEC3 (RFC 5155 section 2)
_LEAVING_KIND = "X-PIPEBACKEND-NSEC3-UNTIL"  # metadata: the moment from which nobody asks for hashes


@dataclass(frozen=True, slots=True)
class Denial:
    """NSEC if ``param`` is empty; ``until`` is when narrow mode may end for NSEC, None if it is no such change."""

    param: str = ""
    is_narrow: bool = False
    until: int | None = None


def changed(before: Denial, zone: Zone, policy: Policy, now: int) -> tuple[Denial, str]:
    """The denial after what is due now, and what that is, "" if nothing is."""
    if policy.nsec3 is None or not zone.keys:
        return before, ""
    if policy.nsec3:
        return _to_nsec3(before, zone)
    if not before.param:
        return before, ""
    if not before.is_narrow:
        leaving = replace(before, is_narrow=True, until=now + delays.lag_of(policy))
        return leaving, "deny with NSEC3 in narrow mode, to be followed by NSEC"
    if before.until is not None and now < before.until:
        return before, ""
    return Denial(), "deny with NSEC"


def _to_nsec3(before: Denial, zone: Zone) -> tuple[Denial, str]:
    if before.until is not None:
        return Denial(before.param), "deny with NSEC3"
    if before.param or any(key.algorithm <= _LAST_WITHOUT_NSEC3 for key in zone.keys):
        return before, ""
    return Denial(PARAM), "deny with NSEC3"


def read(keyring: Keyring, apex: str) -> Denial:
    """What the metadata of a zone say."""
    found = keyring.metadata(apex, None)
    until = found.get(_LEAVING_KIND)
    return Denial(
        next(iter(found.get("NSEC3PARAM", ())), ""),
        "1" in found.get("NSEC3NARROW", ()),
        int(until[0]) if until else None,
    )


def write(keyring: Keyring, apex: str, wanted_id: int, before: Denial, after: Denial) -> None:
    """Makes the metadata of a zone say so; nothing is written if nothing changed."""
    if before == after:
        return
    kinds: dict[str, Sequence[str]] = {
        "NSEC3PARAM": [after.param] if after.param else [],
        "NSEC3NARROW": ["1"] if after.is_narrow else [],
        _LEAVING_KIND: [] if after.until is None else [f"{after.until}"],
    }
    for kind, values in kinds.items():
        keyring.set_metadata(apex, wanted_id, kind, values)
