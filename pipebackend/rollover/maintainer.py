"""The hand that moves: reads keys, TTLs and the parent, and writes what the machine says, all or nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipebackend.base.errors import RequestFault, StoreFault
from pipebackend.config import policies
from pipebackend.config.policies import BY_HAND
from pipebackend.dnsdata import names
from pipebackend.rollover import clock, goals, machine, parent, stored, ttls
from pipebackend.rollover.forecast import Forecast, forecast
from pipebackend.rollover.keyhand import KeyHand
from pipebackend.rollover.machine import Plan
from pipebackend.rollover.states import Zone
from pipebackend.rollover.turn import advanced, begun

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.config.policies import Policy
    from pipebackend.rollover.delays import Ttls
    from pipebackend.rollover.parent import Seen

__all__ = ["POLICY_KIND", "Maintainer", "Report"]

POLICY_KIND = "X-PIPEBACKEND-POLICY"  # the metadata that names the policy of a stored zone


@dataclass(frozen=True, slots=True)
class Report:
    """A zone after a look at it: its keys, what was done or would be, and what comes next.

    ``now`` is the moment of the look on the clock of ``clock.py``; ``wall`` the time of day then.
    """

    apex: str
    policy: Policy
    zone: Zone
    plan: Plan
    now: int
    wall: int
    done: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()  # roles that a command wants replaced, which they are already

    @property
    def waited(self) -> int:
        """For how many seconds the parent is waited for; 0 if it is not."""
        return max([self.now - key.ds.since for key in self.zone.keys if key.ds.is_open], default=0)

    @property
    def is_late(self) -> bool:
        """Whether the parent is waited for longer than the policy has patience."""
        return self.waited > self.policy.parent_patience


class Maintainer:
    """Keeps the keys of the zones that have a policy; raises a BackendError with the reason if it cannot."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._policies = policies.of(backend.registry.config)

    def zones(self) -> Iterator[tuple[str, str]]:
        """The zones that have a policy, and its name; what the configuration says of a zone wins."""
        registry = self._backend.registry
        named = {entry.apex: str(entry.table["policy"]) for entry in registry.entries if entry.table.get("policy")}
        if registry.store_url:
            for apex, name in self._backend.store.zones_with(POLICY_KIND):
                named.setdefault(apex, name)
        return iter(sorted(named.items()))

    def policy(self, apex: str) -> Policy:
        """The policy of a zone; raises RequestFault if it has none."""
        name = self._name_of(apex)
        if name is None:
            hint = "zoneutil zone set-policy gives it one, or policy = … in its [[zone]]"
            raise RequestFault(f"zone {apex or '.'} has no policy for its keys; {hint}")
        return self.named(apex, name)

    def _name_of(self, apex: str) -> str | None:
        """The name of one zone's policy, as in ``zones``."""
        registry = self._backend.registry
        configured = [entry.table.get("policy") for entry in registry.entries if entry.apex == apex]
        named = [str(name) for name in configured if name]
        if not named and registry.store_url:
            named = self._backend.store.metadata(apex).get(POLICY_KIND, [])
        return next(iter(named), None)

    def named(self, apex: str, name: str) -> Policy:
        """The policy with this name; raises RequestFault if the configuration has none."""
        if name not in self._policies:
            known = ", ".join(self._policies) or "none"
            raise RequestFault(
                f"zone {apex or '.'}: there is no [[policy]] {name!r} in the configuration; known: {known}"
            )
        return self._policies[name]

    def set_policy(self, text: str, name: str | None) -> None:
        """Gives a stored zone a policy, or takes it away."""
        apex = names.from_text(text)
        if any(entry.apex == apex for entry in self._backend.registry.entries):
            raise RequestFault(f"zone {apex} is one of the configuration: write policy = … in its [[zone]]")
        if name is not None:
            self.named(apex, name)
        self._backend.keyring.set_metadata(
            apex, self._backend.wanted_id(apex), POLICY_KIND, () if name is None else (name,)
        )

    def look(self, text: str, *, roles: tuple[str, ...] = ()) -> Report:
        """What a run would do now; nothing is written. ``roles`` are keys that are to be replaced, too."""
        apex = names.from_text(text)
        given, found, seen = self._before(apex)
        return self._turn(apex, given, found, seen, KeyHand(self._backend, apex), roles)

    def remembered(self, apex: str) -> Report | None:
        """What the last run left, at this moment, without a look at the zone or its parent; None before the first."""
        zone, policy, wall = self.known(apex), self.policy(apex), int(time.time())
        if not zone.last:
            return None
        now = self._now(wall)
        zone = zone.settled(now)
        policy = policy._replace(algorithm=zone.algorithm or policy.algorithm)
        return Report(apex, policy, zone, machine.plan(zone, policy, now), now, wall)

    def foreseen(self, text: str, ahead: int) -> tuple[Report, Forecast]:
        """The zone as it is now, and what is to come in so many seconds; nothing is written."""
        apex = names.from_text(text)
        given, found, seen = self._before(apex)
        report = self._turn(apex, given, found, seen, KeyHand(self._backend, apex), run=False)
        return report, forecast(report.zone, report.policy, report.now, report.now + ahead)

    def maintain(self, text: str, *, roles: tuple[str, ...] = (), algorithm: int = 0, run: bool = True) -> Report:
        """Does what is due; with ``run`` False a command is only noted for the next run."""
        apex = names.from_text(text)
        given, found, seen = self._before(apex)
        with self._backend.keyring.locked():
            hand = KeyHand(self._backend, apex, writes=True)
            report = self._turn(apex, given, found, seen, hand, roles, algorithm, run)
            hand.publish_cds(report.zone, report.policy)
            self._save(report)
        return report

    def confirm(self, text: str) -> Report:
        """Notes that an operator has seen the parent do what it was asked for."""
        apex = names.from_text(text)
        given = self.policy(apex)
        found = ttls.of_zone(self._backend, apex, given)
        with self._backend.keyring.locked():
            hand = KeyHand(self._backend, apex, writes=True)
            if not any(key.ds.is_open for key in self.known(apex).keys):
                hint = f"zoneutil key status {apex or '.'} tells when the parent is asked"
                raise RequestFault(f"zone {apex or '.'}: the parent is not asked for a change of its DS now; {hint}")
            report = self._turn(apex, given, found, None, hand, run=False, is_confirmed=True)
            self._save(report)
        return report

    def _before(self, apex: str) -> tuple[Policy, Ttls, Seen | None]:
        """What takes time, and so is done before the store is locked."""
        policy = self.policy(apex)
        if "1" in self._backend.keyring.metadata(apex, self._backend.zones.at(apex)).get("PRESIGNED", ()):
            raise RequestFault(f"zone {apex or '.'} is PRESIGNED: signed elsewhere, so keys of here would not be used")
        found = ttls.of_zone(self._backend, apex, policy)
        if policy.parent_check == BY_HAND:
            return policy, found, None
        from pipebackend.rollover import parentservers

        return policy, found, parentservers.look(apex, policy.parent_check, KeyHand(self._backend, apex).dnskeys())

    def _turn(
        self,
        apex: str,
        policy: Policy,
        found: Ttls,
        seen: Seen | None,
        hand: KeyHand,
        roles: tuple[str, ...] = (),
        algorithm: int = 0,
        run: bool = True,
        is_confirmed: bool = False,
    ) -> Report:
        wall = int(time.time())
        now, zone = self._now(wall), self.known(apex)
        zone = replace(zone, algorithm=algorithm or zone.algorithm)
        policy = policy._replace(algorithm=zone.algorithm or policy.algorithm)
        zone = begun(zone, hand.found(), found, seen, policy, now)
        if is_confirmed:
            zone = parent.confirmed(zone, policy, now)
        ignored = tuple(role for role in roles if goals.is_rolling(zone, role))
        zone = machine.asked(zone, tuple(role for role in roles if role in policy.roles and role not in ignored))
        if not run:
            return Report(apex, policy, zone, machine.plan(zone, policy, now), now, wall, ignored=ignored)
        later, moves, plan = advanced(zone, policy, now, hand.make)
        hand.apply(later)
        done, until = hand.deny(later, policy, now)
        if until is not None:
            plan = replace(plan, at=min(until, plan.at or until))
        return Report(apex, policy, later, plan, now, wall, [move.text for move in moves] + done, ignored)

    def known(self, apex: str) -> Zone:
        """What the store has of a zone."""
        rollovers = self._backend.store.rollovers
        return stored.read(rollovers.zone(apex), rollovers.keys(apex))

    def _now(self, wall: int) -> int:
        return clock.moment(self._backend.store.rollovers.looks(), _uptime(), wall)

    def _save(self, report: Report) -> None:
        here = _uptime()
        zone, keys = stored.written(report.zone)
        self._backend.store.ensure_domain(report.apex, self._backend.wanted_id(report.apex))
        self._backend.store.rollovers.save(report.apex, zone, keys)
        self._backend.store.rollovers.note_look(here.boot, here.seconds, report.now)


def _uptime() -> clock.Uptime:
    try:
        return clock.uptime()
    except OSError as exc:
        raise StoreFault(f"keys are not rolled over: how long this system runs is not known: {exc}") from None
