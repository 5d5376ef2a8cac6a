"""What is to come if nobody interferes, the parent follows at once, and each run comes when something is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipebackend.config.policies import Policy
from pipebackend.rollover.adoption import Found
from pipebackend.rollover.delays import Ttls, looked
from pipebackend.rollover.moves import New
from pipebackend.rollover.parent import confirmed
from pipebackend.rollover.states import HIDDEN, RECORDS, Zone
from pipebackend.rollover.turn import advanced

__all__ = ["Bar", "Forecast", "forecast", "next_step"]

MAX_TURNS = 2000
FAR = 200 * 365 * 86_400  # seconds, more than any lifetime


@dataclass(frozen=True, slots=True)
class Bar:
    """A state of one record of a key, from one moment to another."""

    key_id: int
    record: str
    state: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The states of all keys, names of these, and what is done when."""

    names: dict[int, str]
    bars: list[Bar]
    steps: list[tuple[int, str]]


def forecast(zone: Zone, policy: Policy, now: int, end: int, most: int = MAX_TURNS) -> Forecast:
    """From ``now``, at which the zone was looked at, until ``end``, or until there are ``most`` steps."""
    maker = _Maker(zone)
    moments: list[tuple[int, Zone]] = []
    steps: list[tuple[int, str]] = []
    names: dict[int, str] = {}
    for _ in range(MAX_TURNS):
        zone = looked(zone, policy, Ttls(zone.zone_ttl, zone.dnskey_ttl), now).settled(now)
        zone, done, plan = advanced(zone, policy, now, maker)
        zone = confirmed(zone, policy, now)
        steps += [(now, move.text) for move in done]
        names |= {key.id: f"{key.role.upper()} {key.tag if key.tag > 0 else f'new {-key.tag}'}" for key in zone.keys}
        moments.append((now, zone))
        due = [moment for moment in (plan.at, *zone.ends) if moment is not None and moment > now]
        if not due or min(due) >= end or len(steps) >= most:
            break
        now = min(due)
    return Forecast(names, list(_bars(moments, end)), [(at, _named(text)) for at, text in steps])


def next_step(zone: Zone, policy: Policy, now: int) -> tuple[int, str] | None:
    """The first step after now, and when it comes; None if only a command or somebody else brings one."""
    steps = forecast(zone, policy, now, now + FAR, most=1).steps
    return steps[0] if steps else None


class _Maker:
    """Keys that nobody makes; their tags are negative numbers."""

    def __init__(self, zone: Zone) -> None:
        self._id = max([0, *(key.id for key in zone.keys)])
        self._made = 0

    def __call__(self, new: New) -> Found:
        self._id, self._made = self._id + 1, self._made + 1
        return Found(self._id, -self._made, new.algorithm, new.role != "zsk", False, False)


def _named(text: str) -> str:
    return text.replace(" -", " new ")


def _bars(moments: list[tuple[int, Zone]], end: int) -> Iterator[Bar]:
    """One bar for each stretch in which a record stays in a state; a known past is drawn from where it began."""
    first = moments[0][0]
    open_: dict[tuple[int, str], tuple[str, int]] = {}
    for now, zone in [*moments, (end, Zone())]:
        states = {(key.id, record): getattr(key, record) for key in zone.keys for record in RECORDS}
        for name in {*open_, *states}:
            state = states[name].state if name in states else HIDDEN
            was, start = open_.get(name, (HIDDEN, now))
            if state == was:
                continue
            if was != HIDDEN:
                yield Bar(*name, was, start, now)
            since = states[name].since if now == first and name in states else now
            open_[name] = state, since
