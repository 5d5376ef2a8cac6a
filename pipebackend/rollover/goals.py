"""Which keys a zone is to have: keys to make, and keys to withdraw once these are in use."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.config.policies import Policy
from pipebackend.rollover.moves import Move, New
from pipebackend.rollover.states import Key, Zone

__all__ = ["NAMES", "due_at", "is_rolling", "next_goal", "wanted"]

NAMES = {"csk": "CSK", "ksk": "KSK", "zsk": "ZSK"}


def wanted(zone: Zone, policy: Policy, role: str) -> list[Key]:
    """The keys that do what the policy wants of this role, and are to stay."""
    return [
        key
        for key in zone.keys
        if not key.is_gone and key.goal == "in" and key.role == role and key.algorithm == policy.algorithm
    ]


def due_at(zone: Zone, policy: Policy, role: str) -> int | None:
    """When the newest key of a role has served its time; None if only a command replaces it."""
    keys = wanted(zone, policy, role)
    lifetime = policy.lifetime(role)
    return max(key.made for key in keys) + lifetime if keys and lifetime else None


def next_goal(zone: Zone, policy: Policy, now: int) -> Move | None:
    """The keys that are to be made now, and those that are to go for them; None if all is as the policy wants it."""
    new = tuple(New(role, policy.algorithm) for role in policy.roles if _is_needed(zone, policy, role, now))
    leaving = frozenset(_leaving(zone, policy, [one.role for one in new]))
    if not new and not leaving:
        return None
    names = " and ".join(NAMES[one.role] for one in new)
    gone = ", ".join(str(zone.key(key).tag) for key in sorted(leaving))
    text = f"make a new {names}" if new else "the policy has no use for"
    return Move(f"{text}, to follow {gone}" if new and gone else f"{text} {gone}".rstrip(), make=new, retire=leaving)


def _is_needed(zone: Zone, policy: Policy, role: str, now: int) -> bool:
    if not wanted(zone, policy, role):
        return True
    due = due_at(zone, policy, role)
    is_asked = role in zone.rolls or (due is not None and due <= now)
    return is_asked and not is_rolling(zone, role)


def is_rolling(zone: Zone, role: str) -> bool:
    """One after the other: the key that comes must be in use before the next may follow it."""
    return any(key.role == role and key.goal == "out" for key in zone.keys)


def _leaving(zone: Zone, policy: Policy, made: list[str]) -> Iterator[int]:
    """Keys of a role that gets a new one, and those that fit the policy in nothing."""
    for key in zone.keys:
        fits = key.role in policy.roles and key.algorithm == policy.algorithm
        if not key.is_gone and key.goal == "in" and (key.role in made or not fits):
            yield key.id
