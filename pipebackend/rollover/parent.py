"""What the parent's answers mean for the DS of a zone's keys."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipebackend.config.policies import Policy
from pipebackend.rollover.delays import ds_end
from pipebackend.rollover.states import OMNIPRESENT, RUMOURED, UNRETENTIVE, Key, Span, Zone

__all__ = ["Seen", "confirmed", "observed"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The DS of a zone at the servers of its parent: keys whose DS all of them have, and those that any has.

    ``ttl`` is that of the DS RRset; with a ``problem``, as a server that does not answer, nothing is certain.
    """

    everywhere: frozenset[int] = frozenset()
    anywhere: frozenset[int] = frozenset()
    ttl: int = 0
    problem: str = ""


def observed(zone: Zone, seen: Seen, policy: Policy, now: int) -> Zone:
    """The zone after a look at the parent."""
    zone = replace(zone, parent=seen.problem, ds_ttl=max(seen.ttl, zone.ds_ttl))
    keys = tuple(replace(key, ds=_observed(key, zone, seen, policy, now)) for key in zone.keys)
    return replace(zone, keys=keys)


def confirmed(zone: Zone, policy: Policy, now: int) -> Zone:
    """The zone after an operator said that the parent has done what it was asked for."""
    wanted = frozenset(key.id for key in zone.keys if key.ds.is_in)
    return observed(zone, Seen(wanted, wanted), policy, now)


def _observed(key: Key, zone: Zone, seen: Seen, policy: Policy, now: int) -> Span:
    span = key.ds
    if key.id in seen.anywhere and not span.is_in and span.state != UNRETENTIVE:
        return Span(RUMOURED, now, None)  # nobody here asked for it
    if seen.problem:
        return span
    if span.state == RUMOURED:
        return _waited_for(span, key.id in seen.everywhere, ds_end(zone, policy, now, True))
    if span.state == UNRETENTIVE:
        return _waited_for(span, key.id not in seen.anywhere, ds_end(zone, policy, now, False))
    if span.state == OMNIPRESENT and key.id not in seen.everywhere:
        return Span(RUMOURED, now, None)  # the parent took it back, or one of its servers did
    return span


def _waited_for(span: Span, is_so: bool, end: int) -> Span:
    """The wait begins when it is first seen, and again if it is not so any more."""
    if not is_so:
        return replace(span, until=None)
    return span if span.until is not None else replace(span, until=end)
