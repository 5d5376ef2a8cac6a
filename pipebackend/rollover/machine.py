"""What is to be done with a zone's keys at a moment, and else when and what for it waits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipebackend.config.policies import Policy
from pipebackend.rollover.goals import due_at, next_goal
from pipebackend.rollover.moves import Move, after, is_settled
from pipebackend.rollover.safety import is_safe
from pipebackend.rollover.states import Zone
from pipebackend.rollover.steps import steps

__all__ = ["CDS_DELETE", "CDS_KEYS", "CDS_NONE", "CDS_RECORDS", "Plan", "cds_of", "plan"]

CDS_NONE, CDS_KEYS, CDS_RECORDS, CDS_DELETE = "", "keys", "records", "delete"


@dataclass(frozen=True, slots=True)
class Plan:
    """The move that is due, or None; then ``at`` is when there is something to do, None if only others can say.

    ``blocked`` is the next step, which would not be safe now; ``parent`` are the keys whose DS the parent is to add or
    to remove.
    """

    move: Move | None
    at: int | None = None
    blocked: str = ""
    ds_in: tuple[int, ...] = ()
    ds_out: tuple[int, ...] = ()


def plan(zone: Zone, policy: Policy, now: int) -> Plan:
    """What is due in a zone whose keys have settled at this moment."""
    ds_in = tuple(key.id for key in zone.keys if key.ds.is_open and key.ds.is_in)
    ds_out = tuple(key.id for key in zone.keys if key.ds.is_open and not key.ds.is_in)
    if now < zone.hold_until:
        reason = "somebody else changed the keys, or a run of the same second: caches must forget first"
        return Plan(None, zone.hold_until, reason, ds_in, ds_out)
    goal = next_goal(zone, policy, now)
    if goal is not None:
        return Plan(goal, ds_in=ds_in, ds_out=ds_out)
    blocked = ""
    for move in steps(zone, policy):
        later = after(zone, move, policy, now)
        if is_settled(zone, later) and is_safe(zone, later):
            return Plan(move, ds_in=ds_in, ds_out=ds_out)
        blocked = blocked or move.text
    return Plan(None, _next_moment(zone, policy, now), blocked, ds_in, ds_out)


def cds_of(zone: Zone, policy: Policy) -> str:
    """How CDS is to be published: PowerDNS makes it of all published entries (rule K-2), which may be too many."""
    published = [key for key in zone.keys if key.is_entry and key.published and not key.is_gone]
    if not policy.roles:
        return CDS_DELETE if published else CDS_NONE
    shown = [key for key in published if key.ds.is_in or key.goal == "in"]
    if not shown or not all(key.ds.is_in for key in shown):
        return CDS_NONE
    return CDS_KEYS if shown == published else CDS_RECORDS


def _next_moment(zone: Zone, policy: Policy, now: int) -> int | None:
    moments = zone.ends + [due for role in policy.roles if (due := due_at(zone, policy, role)) is not None]
    return min((moment for moment in moments if moment > now), default=None)


def asked(zone: Zone, roles: tuple[str, ...]) -> Zone:
    """The zone after a command to replace the keys of these roles."""
    return replace(zone, rolls=tuple(sorted({*zone.rolls, *roles})))
