"""Whether a change can make an answer bogus for any resolver, however old what it has in its cache."""

from __future__ import annotations

from collections.abc import Mapping

from pipebackend.rollover.states import View, Zone, views

__all__ = ["is_safe", "is_valid"]


def is_safe(before: Zone, after: Zone) -> bool:
    """Whether every combination of records that the change adds is valid; those that were possible before stay so."""
    added = views(after.keys) - views(before.keys)
    algorithms = {key.id: key.algorithm for key in after.keys}
    return all(is_valid(view, algorithms) for view in added)


def is_valid(view: View, algorithms: Mapping[int, int]) -> bool:
    """Whether a validator that insists on every algorithm accepts the combination (RFC 4035 section 2.2)."""
    ds, (dnskeys, key_signers), zone_signers = view
    if not ds:
        return True  # insecure
    anchored = {algorithms[key] for key in ds & dnskeys & key_signers}
    signed = {algorithms[key] for key in dnskeys & zone_signers}
    return {algorithms[key] for key in ds} <= anchored and {algorithms[key] for key in dnskeys} <= signed
