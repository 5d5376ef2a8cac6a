"""zoneutil meta: settings are listed, replaced, added and unset; wrong ones are refused and change nothing."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from pipebackend.admin.signing import Signing
from pipebackend.backend.keyring import Keyring
from pipebackend.base.errors import MetadataFault
from pipebackend.dnsdata.metadata import KINDS
from pipebackend.store import open_store

ZONE = "cities.example"


def settings(zoneutil):
    return zoneutil.good("meta", "list", ZONE, "--json").json


def test_a_zone_starts_without_settings(zoneutil):
    assert settings(zoneutil) == {}
    assert zoneutil.good("meta", "list", ZONE).out == ""
    assert not zoneutil.store.exists()


def test_set_replaces_add_adds_and_unset_deletes(zoneutil):
    zoneutil.good("meta", "set", ZONE, "ALLOW-AXFR-FROM", "192.0.2.1", "AUTO-NS")
    assert settings(zoneutil) == {"ALLOW-AXFR-FROM": ["192.0.2.1/32", "AUTO-NS"]}
    zoneutil.good("meta", "add", ZONE, "ALLOW-AXFR-FROM", "2001:DB8::/48")
    zoneutil.good("meta", "add", ZONE, "ALLOW-AXFR-FROM", "auto-ns")  # is there already
    assert settings(zoneutil) == {"ALLOW-AXFR-FROM": ["192.0.2.1/32", "AUTO-NS", "2001:db8::/48"]}
    zoneutil.good("meta", "set", ZONE, "ALLOW-AXFR-FROM", "198.51.100.0/24")
    assert settings(zoneutil) == {"ALLOW-AXFR-FROM": ["198.51.100.0/24"]}
    zoneutil.good("meta", "unset", ZONE, "ALLOW-AXFR-FROM")
    assert settings(zoneutil) == {}


def test_the_table_has_a_line_for_each_value(zoneutil):
    zoneutil.good("meta", "set", ZONE, "ALSO-NOTIFY", "192.0.2.1", "[2001:db8::1]:5300")
    zoneutil.good("meta", "set", ZONE, "X-NOTE", "two  words ü")
    assert zoneutil.good("meta", "list", ZONE).out.splitlines() == [
        "kind         value",
        "ALSO-NOTIFY  192.0.2.1",
        "ALSO-NOTIFY  [2001:db8::1]:5300",
        "X-NOTE       two  words ü",
    ]


def test_get_prints_a_line_for_each_value(zoneutil):
    zoneutil.good("meta", "set", ZONE, "ALSO-NOTIFY", "192.0.2.1", "192.0.2.2")
    assert zoneutil.good("meta", "get", "Cities.Example.", "ALSO-NOTIFY").out == "192.0.2.1\n192.0.2.2\n"
    assert zoneutil.good("meta", "get", ZONE, "ALSO-NOTIFY", "--json").json == ["192.0.2.1", "192.0.2.2"]


def test_get_of_nothing_is_status_1(zoneutil):
    assert zoneutil.refused("meta", "get", ZONE, "ALSO-NOTIFY") == f"zone {ZONE} has no ALSO-NOTIFY\n"
    assert zoneutil("meta", "get", ZONE, "ALSO-NOTIFY", "--json")[:2] == (1, "[]\n")


@pytest.mark.parametrize("kind", ["ALSO-NOTFY", "also-notify", "X-", ""])
@pytest.mark.parametrize("words", [("get",), ("set", "1"), ("add", "1"), ("unset",)])
def test_kinds_that_powerdns_does_not_know_are_refused(zoneutil, kind, words):
    assert "metadata kind" in zoneutil.refused("meta", words[0], ZONE, kind, *words[1:])


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("NSEC3PARAM", "1 0 0", "has 3 fields"),
        ("NSEC3PARAM", "1 0 500 -", "500 iterations"),
        ("ALLOW-AXFR-FROM", "everybody", "not a network"),
        ("TSIG-ALLOW-AXFR", "nobody", "no TSIG key 'nobody'"),
        ("PRESIGNED", "yes", "neither 1 nor 0"),
        ("X-NOTE", "x" * 1_000_000, "1000000 octets; at most 65536"),
        ("X-NOTE", "a\0b", "NUL"),
        ("X-NOTE", "a\udcff", "not UTF-8"),
    ],
)
@pytest.mark.parametrize("command", ["set", "add"])
def test_wrong_values_are_refused_and_the_zone_is_named(zoneutil, command, kind, value, why):
    zoneutil.good("meta", "set", ZONE, "X-NOTE", "as before")
    message = zoneutil.refused("meta", command, ZONE, kind, value)
    assert message.startswith(f"zoneutil: zone {ZONE}: {kind}: ")
    assert why in message
    assert len(message) < 300


def test_one_wrong_value_among_many_keeps_all_out(zoneutil):
    assert "not a network" in zoneutil.refused("meta", "set", ZONE, "ALLOW-AXFR-FROM", "192.0.2.0/24", "nonsense")


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.single])
def test_kinds_of_one_value_hold_one(zoneutil, kind):
    assert "holds one value, not 2" in zoneutil.refused("meta", "set", ZONE, kind, "1", "0")


def test_a_second_value_is_not_added_to_a_kind_of_one(zoneutil):
    zoneutil.good("meta", "set", ZONE, "SOA-EDIT", "EPOCH")
    assert "holds one value" in zoneutil.refused("meta", "add", ZONE, "SOA-EDIT", "NONE")


@pytest.mark.parametrize(
    "words", [("list",), ("get", "X-A"), ("set", "X-A", "1"), ("add", "X-A", "1"), ("unset", "X-A")]
)
@pytest.mark.parametrize("zone", ["other.example", "a/b", ".."])
def test_zones_that_are_not_ours_are_refused(zoneutil, words, zone):
    command, *rest = words
    message = zoneutil.refused("meta", command, zone, *rest)
    assert f"there is no zone {zone}" in message or "empty label" in message


def test_values_added_at_the_same_time_are_all_kept(zoneutil, tmp_path):
    """Reading and writing back is one step, which other processes wait for."""

    def add(value):
        store = open_store("sqlite:zones.db", tmp_path)
        for n in range(5):
            Keyring(store).add_metadata(ZONE, 7, "X-NOTE", f"{value} {n}")
        store.close()

    threads = [threading.Thread(target=add, args=(value,)) for value in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(settings(zoneutil)["X-NOTE"]) == sorted(f"{value} {n}" for value in range(6) for n in range(5))


@pytest.mark.parametrize(
    ("words", "param", "narrow"),
    [
        ((), "1 0 0 -", None),
        (("--opt-out",), "1 1 0 -", None),
        (("--narrow",), "1 0 0 -", ["1"]),
        (("--opt-out", "--narrow", "--iterations", 5, "--salt", "ABcd"), "1 1 5 abcd", ["1"]),
    ],
)
def test_nsec3_is_set_and_nsec_takes_it_back(zoneutil, words, param, narrow):
    zoneutil.good("zone", "nsec3", ZONE, "--narrow")  # what was there before does not stay
    zoneutil.good("zone", "nsec3", ZONE, *words)
    assert settings(zoneutil) == {"NSEC3PARAM": [param]} | ({"NSEC3NARROW": narrow} if narrow else {})
    zoneutil.good("zone", "nsec", ZONE)
    assert settings(zoneutil) == {}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--iterations", "101"), "PowerDNS stops at 100"),
        (("--iterations", "-1"), "not a number"),
        (("--salt", "xyz"), "is not hex"),
        (("--salt", "ab cd"), "5 fields"),
        (("--salt", "ab" * 256), "256 octets"),
        (("--salt", ""), "3 fields"),
    ],
)
def test_wrong_nsec3_parameters_are_refused(zoneutil, words, why):
    zoneutil.good("zone", "nsec3", ZONE, "--narrow", "--opt-out")
    assert why in zoneutil.refused("zone", "nsec3", ZONE, *words)


RANGES = """
[[zone]]
name = "dyn.example.net"
kind = "ranges"
ranges = ["2001:db8::/48"]
soa = { mname = "ns1.example.net", rname = "hostmaster.example.net" }
ns = ["ns1.example.net"]
"""


def test_a_zone_of_computed_names_has_narrow_nsec3_whatever_was_said(zoneutil):
    zoneutil.extend(RANGES)
    assert "narrow NSEC3, since" in zoneutil.good("zone", "nsec3", "dyn.example.net").err
    found = zoneutil.good("meta", "list", "dyn.example.net", "--json").json
    assert found == {"NSEC3PARAM": ["1 0 0 -"], "NSEC3NARROW": ["1"]}
    assert zoneutil.good("zone", "nsec3", "dyn.example.net", "--narrow").err == ""
    zoneutil.good("zone", "nsec", "dyn.example.net")
    assert zoneutil.good("meta", "list", "dyn.example.net", "--json").json == {}


class Unlisted:
    """A zone that cannot list its names."""

    narrow = True

    @staticmethod
    def ring():
        return None


def test_a_zone_that_cannot_list_its_names_never_has_nsec(zoneutil):
    with closing(open_store("sqlite:zones.db", zoneutil.folder)) as store:
        signing = Signing(Keyring(store), "any.example", 7, Unlisted())
        with pytest.raises(MetadataFault, match=r"zone any\.example cannot list its names"):
            signing.use_nsec()
        assert signing.use_nsec3("1 0 0 -", narrow=False)
