"""No resolver in the world, whatever it has in its cache, sees a bogus answer; each delay is needed for that."""

from __future__ import annotations

import itertools
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipebackend.config.policies import KEYS, Policy
from pipebackend.rollover import delays, machine, parent, safety, states, turn
from pipebackend.rollover.machine import asked
from tests.unit.rollover.world import World

WAITS = (0, 7, 60, 300)
TTLS = (0, 5, 60, 3600)
ALGORITHMS = (13, 15)


def random_policy(random: Random, before: Policy | None = None) -> Policy:
    """Where there is one before, what the servers do stays as it is."""
    policy = Policy(
        "some",
        roles=KEYS[random.choice(["csk", "ksk+zsk", "csk", "ksk+zsk", "none"] if before else ["csk", "ksk+zsk"])],
        algorithm=random.choice(ALGORITHMS),
        ksk_lifetime=random.choice([0, 10_000]),
        zsk_lifetime=random.choice([0, 5000]),
        propagation_delay=random.choice(WAITS),
        server_cache=random.choice(WAITS),
        publish_safety=random.choice([0, 0, 10]),
        retire_safety=random.choice([0, 0, 10]),
        parent_ds_ttl=0,
        parent_check=("192.0.2.1",),
    )
    if before is not None:
        policy = policy._replace(propagation_delay=before.propagation_delay, server_cache=before.server_cache)
    return policy


def live_through(random: Random, events: int = 40) -> World:
    """A zone's life: mostly time that passes, sometimes something that nobody expects."""
    world = World(random, random_policy(random), *(random.choice(TTLS) for _ in range(3)))
    due = world.maintain()
    for _ in range(events):
        world.now += _time_passes(random, world.now, due)
        event = random.random()
        if event < 0.35:
            world.parent_acts(random.randrange(2))
        elif event < 0.4:
            world.change_ttl(random.choice(TTLS), random.choice(TTLS))
        elif event < 0.47:
            world.state = asked(world.state, tuple(random.sample(["csk", "ksk", "zsk"], 2)))
        elif event < 0.5:
            world.policy = random_policy(random, world.policy)
        elif event < 0.53:
            _tamper(random, world)
        due = world.maintain(crash=random.random() < 0.1)
    return world


def _time_passes(random: Random, now: int, due: int | None) -> int:
    until_due = due - now if due is not None else 100
    return max(0, random.choice([0, 1, 10, 100, 4000, until_due - 1, until_due, until_due, until_due]))


def _tamper(random: Random, world: World) -> None:
    """Somebody deletes a key that is published alone, which by itself harms nobody."""
    spare = [row for row in world.rows.values() if row.published and not row.active]
    is_signed = [key.id for key in world.state.keys if key.zone_rrsig.state != states.HIDDEN or key.ds.is_in]
    spare = [row for row in spare if row.id not in is_signed]
    if spare:
        del world.rows[random.choice(spare).id]
        world.publish()


@settings(max_examples=settings.default.max_examples // 4)  # a life takes half a second
@given(st.randoms(use_true_random=False))
def test_nobody_ever_sees_a_bogus_answer(random: Random) -> None:
    world = live_through(random)
    assert world.bogus == [], "\n".join(world.log)


def test_two_runs_in_one_second_are_two_changes() -> None:
    """The DNSKEY RRset between them was served, and some resolver has it."""
    world = live_through(Random(100_169))
    assert world.bogus == [], "\n".join(world.log)


def test_the_lives_are_eventful() -> None:
    """Rolls of all kinds come to their end in what is tried."""
    worlds = [live_through(Random(seed)) for seed in range(60)]
    said = "\n".join(line for world in worlds for line in world.log)
    for words in ("instead of ZSK", "retire KSK", "retire CSK", "do not publish yet", "remove the DS", "delete"):
        assert words in said
    assert sum("delete" in line for world in worlds for line in world.log) > 60


def _without_old_views(record: str):
    def fewer(spans):
        found = states_versions(spans)
        names = {name for name, _ in spans}
        return {frozenset(name for name, span in spans.items() if span.is_in)} if record in names else found

    states_versions = states._versions
    return fewer


def _blind(given, **nothing):
    zone, policy, ttls, now = given
    return looked(zone, policy, replace(ttls, **nothing), now)


def _forgetful(zone, policy, ttls, now):
    return looked(replace(zone, zone_ttl=0, dnskey_ttl=0, zone_horizon=0, dnskey_horizon=0), policy, ttls, now)


def _hasty(zone, seen, policy, now):
    wanted = frozenset(key.id for key in zone.keys if key.ds.is_in)
    return observed(zone, replace(seen, everywhere=wanted, anywhere=wanted, problem=""), policy, now)


def _easy(zone, seen, policy, now):
    return observed(zone, replace(seen, everywhere=seen.anywhere), policy, now)


def _easy_removal(zone, seen, policy, now):
    return observed(zone, replace(seen, anywhere=seen.everywhere), policy, now)


looked, observed = delays.looked, parent.observed
FAULTS = {
    "the zone's TTL": (turn, "looked", lambda *given: _blind(given, zone=0)),
    "the TTL of DNSKEY": (turn, "looked", lambda *given: _blind(given, dnskey=0)),
    "TTLs of before": (turn, "looked", _forgetful),
    "the caches of PowerDNS": (delays, "lag_of", lambda policy: policy.propagation_delay),
    "the propagation": (delays, "lag_of", lambda policy: policy.server_cache),
    "TTLs raised while servers lag": (delays, "_prolonged", lambda key, zone, policy: key),
    "the TTL of DS": (parent, "ds_end", lambda zone, policy, now, is_in: now),
    "a look at the parent": (turn, "observed", _hasty),
    "all servers of the parent, for a new DS": (turn, "observed", _easy),
    "all servers of the parent, for an old DS": (turn, "observed", _easy_removal),
    "old DNSKEY RRsets in caches": (states, "_versions", _without_old_views("dnskey")),
    "old signatures in caches": (states, "_versions", _without_old_views("zone_rrsig")),
    "that records turn round": (machine, "is_settled", lambda before, after: True),
    "whether a move is safe": (machine, "is_safe", lambda before, after: True),
}


@pytest.mark.parametrize("left_out", FAULTS)
def test_a_rule_that_is_left_out_is_found(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*FAULTS[left_out])
    assert any(live_through(Random(seed)).bogus for seed in range(1000)), f"without {left_out} nothing happens"


def test_without_the_algorithms_rule_validators_that_insist_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def lax(view, algorithms):
        ds, (dnskeys, key_signers), zone_signers = view
        return not ds or bool(ds & dnskeys & key_signers and dnskeys & zone_signers)

    monkeypatch.setattr(safety, "is_valid", lax)
    assert any(live_through(Random(seed)).bogus for seed in itertools.islice(itertools.count(), 1000))
