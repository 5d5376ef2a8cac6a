"""nsec3 of a policy: how a zone denies names follows it, and never by a step that a server's caches would break."""

from __future__ import annotations

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.config.policies import Policy
from pipebackend.rollover.denial import PARAM, Denial, changed
from pipebackend.rollover.states import Key, Zone
from tests.unit.rollover.test_maintainer import LAG, ZONE, maintain, signed

SIGNED = Zone((Key(1, 1, 13, "csk", True, True, True),))
NSEC, BROAD, NARROW = Denial(), Denial("1 0 0 -"), Denial("1 0 0 -", is_narrow=True)
WAIT = Policy("x").server_cache + Policy("x").propagation_delay + 2
LEAVING = Denial("1 0 0 -", is_narrow=True, until=1000 + WAIT)


@pytest.mark.parametrize(
    ("before", "nsec3", "after"),
    [
        (NSEC, True, BROAD),
        (BROAD, True, BROAD),
        (NARROW, True, NARROW),
        (Denial("1 1 0 ab"), True, Denial("1 1 0 ab")),
        (LEAVING, True, BROAD),
        (NSEC, False, NSEC),
        (BROAD, False, LEAVING),
        (NARROW, False, NSEC),
        (LEAVING, False, LEAVING),
        (NSEC, None, NSEC),
        (NARROW, None, NARROW),
    ],
)
def test_changes(before: Denial, nsec3: bool | None, after: Denial) -> None:
    found, text = changed(before, SIGNED, Policy("x", nsec3=nsec3), 1000)
    assert found == after
    assert bool(text) == (found != before)


def test_names_are_denied_with_nsec_when_nobody_asks_for_hashes() -> None:
    policy = Policy("x", nsec3=False)
    assert LEAVING.until is not None
    assert changed(LEAVING, SIGNED, policy, LEAVING.until - 1) == (LEAVING, "")
    assert changed(LEAVING, SIGNED, policy, LEAVING.until) == (NSEC, "deny with NSEC")


def test_a_zone_without_keys_stays_as_it_is() -> None:
    assert changed(NSEC, Zone(), Policy("x", nsec3=True), 1000) == (NSEC, "")


def test_validators_that_know_only_rsasha1_get_nsec() -> None:
    """RFC 5155 section 2: they take a zone with NSEC3 and this algorithm for bogus."""
    both = Zone((*SIGNED.keys, Key(2, 2, 5, "csk", True, True, True)))
    assert changed(NSEC, both, Policy("x", nsec3=True), 1000) == (NSEC, "")


def metadata(zoneutil, kind: str) -> list[str]:
    return zoneutil("meta", "get", ZONE, kind, "--json").json


def test_a_zone_is_signed_with_nsec3_from_the_start(zoneutil, passing) -> None:
    zoneutil.good("zone", "set-policy", ZONE, "hashed")
    assert f"{ZONE}: would deny with NSEC3" in zoneutil.good("key", "status", ZONE).out
    assert metadata(zoneutil, "NSEC3PARAM") == []
    assert "deny with NSEC3" in maintain(zoneutil)["done"]
    assert metadata(zoneutil, "NSEC3PARAM") == [PARAM]
    assert maintain(zoneutil)["done"] == []


def test_from_nsec3_to_nsec_it_waits_in_narrow_mode(zoneutil, passing) -> None:
    zoneutil.good("zone", "set-policy", ZONE, "hashed")
    signed(zoneutil, passing)
    zoneutil.good("zone", "set-policy", ZONE, "plain")
    assert "deny with NSEC3 in narrow mode, to be followed by NSEC" in maintain(zoneutil)["done"]
    assert (metadata(zoneutil, "NSEC3PARAM"), metadata(zoneutil, "NSEC3NARROW")) == ([PARAM], ["1"])
    passing.passes(LAG - 1)
    assert maintain(zoneutil)["done"] == []
    passing.passes(1)
    assert maintain(zoneutil)["done"] == ["deny with NSEC"]
    assert "NSEC3" not in zoneutil.good("meta", "list", ZONE).out


def test_a_server_that_still_has_nsec_is_answered_with_names(zoneutil, passing) -> None:
    """Its metadata are in its cache; with an error it would answer SERVFAIL for all names that are not there."""
    zoneutil.good("zone", "set-policy", ZONE, "hashed")
    signed(zoneutil, passing)
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    try:
        zone = backend.zones.at(ZONE)
        assert zone is not None
        asked_by_name, _ = backend.neighbours(zone.ident, "nothere.")
        asked_by_hash, _ = backend.neighbours(zone.ident, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.")
    finally:
        backend.close()
    assert (asked_by_name.before, asked_by_name.after, asked_by_name.unhashed) == ("", "ns1", "")
    assert len(asked_by_hash.before.rstrip(".")) == 32
