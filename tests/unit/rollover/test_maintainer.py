"""zoneutil key status, maintain, roll, ds-seen and zone set-policy, on a real store."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest

from pipebackend.store import open_store
from pipebackend.store.database import faults
from pipebackend.store.database.postgresql import handle
from pipebackend.store.rows.rollovers import Rollovers

ZONE = "example.org"
DAY = 86_400
LAG = 80 + 300 + 2  # the policy's defaults
SAFETY = 3600


@pytest.fixture
def url(store_url):
    """Of either kind."""
    return store_url


def maintain(zoneutil) -> Any:
    [report] = zoneutil.good("key", "maintain", "--json").json
    return report


def roles(report: Any) -> list[tuple[str, str]]:
    return [(key["role"], key["goal"]) for key in report["keys"]]


def signed(zoneutil, passing) -> Any:
    """The zone with its first keys in use and the parent's DS confirmed."""
    maintain(zoneutil)
    passing.passes(LAG + 3600 + SAFETY)
    maintain(zoneutil)
    zoneutil.good("key", "ds-seen", ZONE)
    passing.passes(2 * DAY)
    return maintain(zoneutil)


def test_status_tells_what_would_be_done_and_does_nothing(zoneutil) -> None:
    before = zoneutil.contents()
    done = zoneutil.good("key", "status", ZONE)
    assert f"{ZONE}: would make a new KSK and ZSK" in done.out
    assert zoneutil.contents() == before
    dry = zoneutil.good("key", "maintain", "--dry-run")
    assert f"{ZONE}: would make a new KSK and ZSK" in dry.out
    assert zoneutil.contents() == before


def test_a_zone_is_signed_and_its_ds_asked_for_when_all_caches_have_its_signatures(zoneutil, passing) -> None:
    first = maintain(zoneutil)
    assert [key["active"] and key["published"] for key in first["keys"]] == [True, True]
    assert first["ds_wanted"] == []
    assert "PUBLISH-CDS" not in zoneutil.good("meta", "list", ZONE).out
    passing.passes(LAG + 3600 + SAFETY - 1)
    assert maintain(zoneutil)["ds_wanted"] == []
    passing.passes(1)
    ksk = first["keys"][0]["tag"]
    assert maintain(zoneutil)["ds_wanted"] == [ksk]
    assert "PUBLISH-CDS" in zoneutil.good("meta", "list", ZONE).out


def test_status_says_what_comes_next_and_when(zoneutil, passing) -> None:
    fresh = zoneutil.good("key", "status", ZONE).out
    assert f"{ZONE}: would sign with KSK (new) and ZSK (new)" in fresh
    ksk = maintain(zoneutil)["keys"][0]["tag"]
    assert f"{ZONE}: next: ask the parent for the DS of KSK {ksk}, at 2027-01-15T" in (
        zoneutil.good("key", "status", ZONE).out
    )
    passing.passes(LAG + 3600 + SAFETY)
    maintain(zoneutil)
    zoneutil.good("key", "ds-seen", ZONE)
    passing.passes(2 * DAY)
    zsk = maintain(zoneutil)["keys"][1]["tag"]
    assert f"{ZONE}: next: make a new ZSK, to follow {zsk}, at 2027-04-15T" in zoneutil.good("key", "status", ZONE).out


def test_a_key_that_is_being_replaced_is_not_replaced_twice(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    again = zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    assert f"{ZONE}: the ZSK is being replaced already" in again.out
    made = set()
    for _ in range(20):
        passing.passes(DAY)
        made |= {key["tag"] for key in maintain(zoneutil)["keys"] if key["role"] == "ZSK"}
    assert len(made) <= 2


def test_a_ds_is_not_confirmed_before_it_is_asked_for(zoneutil, passing) -> None:
    maintain(zoneutil)
    assert "the parent is not asked for a change of its DS now" in zoneutil.refused("key", "ds-seen", ZONE)


def test_a_zone_that_is_signed_elsewhere_gets_no_keys(zoneutil) -> None:
    zoneutil.good("meta", "set", ZONE, "PRESIGNED", "1")
    before = zoneutil.contents()
    assert "is PRESIGNED" in zoneutil.refused("key", "status", ZONE)
    assert "is PRESIGNED" in zoneutil.refused("key", "maintain")
    assert zoneutil.contents() == before


def test_a_zsk_rolls_over_when_its_lifetime_is_over(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    passing.passes(90 * DAY)
    report = maintain(zoneutil)
    assert roles(report) == [("KSK", "in"), ("ZSK", "out"), ("ZSK", "in")]
    assert [(key["active"], key["published"]) for key in report["keys"]] == [(True, True), (True, True), (False, True)]
    passing.passes(LAG + 300 + SAFETY)  # the TTL of DNSKEY is the SOA's minimum
    report = maintain(zoneutil)
    assert [(key["active"], key["published"]) for key in report["keys"]] == [(True, True), (False, True), (True, True)]
    passing.passes(LAG + 3600 + SAFETY)
    maintain(zoneutil)
    passing.passes(LAG + 300 + SAFETY)
    assert roles(maintain(zoneutil)) == [("KSK", "in"), ("ZSK", "in")]


def test_a_ksk_waits_for_the_parent(zoneutil, passing) -> None:
    old = signed(zoneutil, passing)["keys"][0]["tag"]
    zoneutil.good("key", "roll", ZONE, "--ksk", "--now")
    passing.passes(DAY)
    report = maintain(zoneutil)
    [new] = report["ds_wanted"]
    assert [key["published"] for key in report["keys"]] == [True, True, True]
    assert new != old
    passing.passes(8 * DAY)
    late = zoneutil("key", "maintain")
    assert late.status == 3
    assert f"waits for the parent to have the DS of {new}, for 8 d 0 h: TOO LONG" in late.err
    zoneutil.good("key", "ds-seen", ZONE)
    passing.passes(2 * DAY)
    report = maintain(zoneutil)
    assert report["ds_unwanted"] == [old]
    assert zoneutil.good("key", "list", ZONE, "--json").json[0]["active"] is False
    zoneutil.good("key", "ds-seen", ZONE)
    passing.passes(2 * DAY)
    assert [key["tag"] for key in maintain(zoneutil)["keys"] if key["role"] == "KSK"] == [new]


def test_an_algorithm_rolls_over_with_signatures_first(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--algorithm", "ed25519", "--now")
    states = []
    for _ in range(40):
        passing.passes(DAY)
        report = maintain(zoneutil)
        if report["ds_wanted"] or report["ds_unwanted"]:
            zoneutil.good("key", "ds-seen", ZONE)
        states.append({(key["algorithm"], key["active"], key["published"]) for key in report["keys"]})
    keys = zoneutil.good("key", "list", ZONE, "--json").json
    assert {key["algorithm"] for key in keys} == {"ed25519"}
    assert len(keys) == 2
    assert {(13, True, True), (15, True, True)} in states
    assert any((13, True, False) in one for one in states), "the old keys sign after they were unpublished"


def test_where_one_key_is_to_have_no_cds_those_of_the_others_are_records(zoneutil, passing) -> None:
    """PowerDNS would make CDS of the old key, too, which still signs the DNSKEY RRset."""
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--algorithm", "ed25519", "--now")
    for _ in range(40):
        passing.passes(DAY)
        report = maintain(zoneutil)
        if report["ds_unwanted"]:
            break
        if report["ds_wanted"]:
            zoneutil.good("key", "ds-seen", ZONE)
    [old] = report["ds_unwanted"]
    assert "PUBLISH-CDS" not in zoneutil.good("meta", "list", ZONE).out
    [new] = [key["tag"] for key in report["keys"] if key["role"] == "KSK" and key["tag"] != old]
    lines = zoneutil.good("zone", "export", ZONE).out.splitlines()
    [cds] = [line for line in lines if "\tCDS\t" in line or " CDS " in line]
    assert f"{new} 15 2 " in cds
    assert cds.split()[1] == "300", "the SOA's minimum: a larger TTL would prolong all waits"
    assert sum("CDNSKEY" in line for line in lines) == 1
    zoneutil.good("key", "ds-seen", ZONE)
    for _ in range(5):
        passing.passes(2 * DAY)
        maintain(zoneutil)
    assert "CDS" not in zoneutil.good("zone", "export", ZONE).out
    assert zoneutil.good("meta", "get", ZONE, "PUBLISH-CDS").out.split()[-1] == "2"


def test_a_zone_goes_insecure(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("zone", "set-policy", ZONE, "unsigned")
    assert maintain(zoneutil)["ds_unwanted"]
    assert zoneutil.good("meta", "get", ZONE, "PUBLISH-CDS").out.split()[-1] == "0"
    passing.passes(30 * DAY)
    assert len(zoneutil.good("key", "list", ZONE, "--json").json) == 2
    zoneutil.good("key", "ds-seen", ZONE)
    for _ in range(3):
        passing.passes(2 * DAY)
        maintain(zoneutil)
    assert zoneutil.good("key", "list", ZONE, "--json").json == []
    assert "PUBLISH-CDS" not in zoneutil.good("meta", "list", ZONE).out


def test_existing_keys_are_adopted(zoneutil, passing) -> None:
    zoneutil.good("zone", "set-policy", ZONE, "one key")
    key = zoneutil.good("key", "secure", ZONE, "--json").json
    report = maintain(zoneutil)
    assert [(one["id"], one["role"], one["goal"]) for one in report["keys"]] == [(key["id"], "CSK", "in")]
    assert report["done"] == []


def test_a_clock_that_jumps_shortens_no_delay(zoneutil, passing) -> None:
    maintain(zoneutil)
    for jump in (365 * DAY, -2 * 365 * DAY):
        passing.wall += jump
        passing.seconds += 1
        assert maintain(zoneutil)["done"] == []


def test_a_machine_that_starts_again_does_not_know_how_much_time_passed(zoneutil, passing) -> None:
    maintain(zoneutil)
    passing.boot, passing.seconds = "second", 10
    passing.wall += DAY
    assert maintain(zoneutil)["done"] == []
    passing.passes(LAG + 3600 + SAFETY)
    assert maintain(zoneutil)["ds_wanted"]


@pytest.mark.parametrize("change", ["deactivate", "unpublish"])
def test_a_key_that_is_changed_by_hand_stops_all_until_caches_forget(zoneutil, passing, change) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    new = maintain(zoneutil)["keys"][-1]["id"]
    zoneutil.good("key", "activate" if change == "deactivate" else "unpublish", ZONE, new)
    done = zoneutil.good("key", "maintain")
    assert "somebody else changed the keys" in done.err
    for _ in range(10):
        passing.passes(DAY)
        maintain(zoneutil)
    assert len(zoneutil.good("key", "list", ZONE, "--json").json) == 2


def test_a_key_that_is_deleted_by_hand_is_replaced(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    zoneutil.good("key", "delete", ZONE, maintain(zoneutil)["keys"][-1]["id"])
    for _ in range(10):
        passing.passes(DAY)
        report = maintain(zoneutil)
    assert roles(report) == [("KSK", "in"), ("ZSK", "in")]


def test_a_policy_that_changes_in_the_middle(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    zoneutil.good("zone", "set-policy", ZONE, "one key")
    for _ in range(20):
        passing.passes(DAY)
        report = maintain(zoneutil)
        if report["ds_wanted"] or report["ds_unwanted"]:
            zoneutil.good("key", "ds-seen", ZONE)
    assert roles(report) == [("CSK", "in")]


def test_a_ttl_that_is_raised_is_waited_for(zoneutil, passing) -> None:
    signed(zoneutil, passing)
    zoneutil.good("key", "roll", ZONE, "--zsk", "--now")
    passing.passes(LAG + 300 + SAFETY)
    zoneutil.good("record", "add", "www.example.org", "A", "192.0.2.1", "--ttl", 10 * DAY)
    maintain(zoneutil)
    passing.passes(9 * DAY)
    assert len([key for key in maintain(zoneutil)["keys"] if key["role"] == "ZSK"]) == 2
    passing.passes(DAY + LAG + SAFETY)
    maintain(zoneutil)
    assert [key["published"] for key in zoneutil.good("key", "list", ZONE, "--json").json] == [True, False, True]


def test_what_fails_half_way_has_changed_nothing(zoneutil, passing, monkeypatch) -> None:
    """A crash between the keys and where they stand would lose one of both."""
    before = zoneutil.contents()

    def broken(self, *_):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(Rollovers, "save", broken)
        with pytest.raises(sqlite3.OperationalError):
            zoneutil("key", "maintain")
    assert zoneutil.contents() == before
    assert [key["role"] for key in maintain(zoneutil)["keys"]] == ["KSK", "ZSK"]


def test_a_store_that_another_writes_to_is_said(zoneutil, passing, monkeypatch) -> None:
    monkeypatch.setattr(faults, "BUSY_SECONDS", 0)
    monkeypatch.setattr(handle, "LOCK_MILLISECONDS", 1)
    before = zoneutil.contents()
    with contextlib.closing(open_store(zoneutil.url, zoneutil.folder)) as other:
        other.begin()
        other.set_tsig_key("k", "hmac-sha256", "c2VjcmV0")
        done = zoneutil("key", "maintain")
        other.abort()
    assert done.status == 1
    assert "another process has been writing" in done.err
    assert zoneutil.contents() == before


def test_refusals(zoneutil) -> None:
    assert "there is no [[policy]] 'other' in the configuration" in zoneutil.refused(
        "zone", "set-policy", ZONE, "other"
    )
    assert "has no policy" in zoneutil.refused("key", "status", "cities.example")
    assert "write policy = … in its [[zone]]" in zoneutil.refused("zone", "set-policy", "cities.example", "usual")
    assert "use one of rsasha256" in zoneutil.refused("key", "roll", ZONE, "--algorithm", "rsasha1")
    zoneutil.good("zone", "set-policy", ZONE, "-")
    assert "has no policy" in zoneutil.refused("key", "maintain", ZONE)
