"""One turn of the maintainer without its hands: what is known and seen goes in, what is to be written comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pipebackend.config.policies import Policy
from pipebackend.rollover.adoption import Found, adopted
from pipebackend.rollover.delays import Ttls, looked
from pipebackend.rollover.machine import Plan, plan
from pipebackend.rollover.moves import Move, New, after
from pipebackend.rollover.parent import Seen, observed
from pipebackend.rollover.states import Key, Zone

__all__ = ["advanced", "begun"]

MAX_MOVES = 50  # in one turn; a few are usual

Maker = Callable[[New], Found]


def begun(zone: Zone, found: Iterable[Found], ttls: Ttls, seen: Seen | None, policy: Policy, now: int) -> Zone:
    """The zone at this moment, with all that is seen of it; ``seen`` is None where nobody looked at the parent."""
    # Another change of the same second would seem to be one with it: what was served between them would be forgotten
    if any(span.is_moving and span.since == now for key in zone.keys for span in key.served_spans):
        zone = replace(zone, hold_until=max(zone.hold_until, now + 1))
    zone = looked(zone, policy, ttls, now).settled(now)
    zone = adopted(zone, found, policy, now)
    return observed(zone, seen, policy, now).settled(now) if seen is not None else zone


def advanced(zone: Zone, policy: Policy, now: int, make: Maker) -> tuple[Zone, list[Move], Plan]:
    """The zone after all moves that are due, these, and what comes next; ``make`` makes a key, off at first."""
    done: list[Move] = []
    while (found := plan(zone, policy, now)).move is not None and len(done) < MAX_MOVES:
        done.append(found.move)
        zone = _applied(zone, found.move, policy, now, make)
    return zone, done, found


def _applied(zone: Zone, move: Move, policy: Policy, now: int, make: Maker) -> Zone:
    new = [(one, make(one)) for one in move.make]
    rolls = tuple(role for role in zone.rolls if role not in {one.role for one in move.make})
    keys = (Key(row.id, row.tag, row.algorithm, one.role, row.is_sep, made=now) for one, row in new)
    later = after(zone, move, policy, now)
    return replace(later, keys=(*later.keys, *keys), rolls=rolls)
