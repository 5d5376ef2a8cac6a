"""The rings for denial: who is on them and who are neighbours."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.zones.ring import TreeRing, hashed_members, members
from tests.making import make_tree

TREE = make_tree(
    "aa",
    "b TXT x",
    "x.y.d TXT x",
    "sub NS ns.sub.aa",
    "ns.sub A 192.0.2.1",
    "signed NS ns.other",
    "signed DS 1 8 2 00",
    "deep.only NS ns.other",
    "* TXT wild",
)


def test_names_with_authority_and_cuts_are_on_the_nsec_ring() -> None:
    """RFC 4034 section 4: no empty non-terminals, no glue."""
    assert sorted(members(TREE)) == ["*.aa", "aa", "b.aa", "deep.only.aa", "signed.aa", "sub.aa", "x.y.d.aa"]


def test_empty_nonterminals_are_on_the_nsec3_ring() -> None:
    """RFC 5155 section 7.1."""
    extra = set(hashed_members(TREE, opt_out=False)) - set(members(TREE))
    assert extra == {"y.d.aa", "d.aa", "only.aa"}


def test_opt_out_leaves_insecure_delegations_and_what_only_they_make_out() -> None:
    left_out = set(hashed_members(TREE, opt_out=False)) - set(hashed_members(TREE, opt_out=True))
    assert left_out == {"sub.aa", "deep.only.aa", "only.aa"}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("aa", "aa", "*.aa"),
        ("a.aa", "*.aa", "b.aa"),
        ("b.aa", "b.aa", "x.y.d.aa"),
        ("x.b.aa", "b.aa", "x.y.d.aa"),
        ("d.aa", "b.aa", "x.y.d.aa"),
        ("sub.aa", "sub.aa", "aa"),
        ("ns.sub.aa", "sub.aa", "aa"),
        ("zzz.aa", "sub.aa", "aa"),
        (r"\000.aa", "aa", "*.aa"),
    ],
)
def test_neighbours(name: str, before: str, after: str) -> None:
    assert TreeRing(TREE).neighbours(name) == (before, after)


def test_neighbours_are_spelled_as_the_zone_has_them() -> None:
    """PowerDNS signs the next name as it is spelled in a transfer; the same name here gives the same signature."""
    ring = TreeRing(make_tree("aa", "MiXed TXT x", "x.MIXED TXT x"))
    assert ring.neighbours("mixed.aa") == ("MiXed.aa", "x.MIXED.aa")
    assert ring.neighbours("z.aa") == ("x.MIXED.aa", "aa")


def test_a_zone_of_the_apex_alone_is_its_own_neighbour() -> None:
    ring = TreeRing(make_tree("aa"))
    label = hash_label("aa", b"", 0)
    assert ring.neighbours("x.aa") == ("aa", "aa")
    assert ring.hashed_neighbours("0" * 32, Nsec3Param()) == ("aa", label, label)
    assert ring.hashed_neighbours(label, Nsec3Param()) == ("aa", label, label)


def test_the_hash_of_a_member_is_its_own_before() -> None:
    ring, param = TreeRing(TREE), Nsec3Param(salt=b"\xab", iterations=2)
    for name in hashed_members(TREE, opt_out=False):
        label = hash_label(name, b"\xab", 2)
        assert ring.hashed_neighbours(label, param)[:2] == (name, label)


def test_other_parameters_give_another_ring() -> None:
    ring = TreeRing(TREE)
    first = ring.hashed_neighbours("0" * 32, Nsec3Param())
    salted = ring.hashed_neighbours("0" * 32, Nsec3Param(salt=b"x"))
    opted = {ring.hashed_neighbours(hash_label("sub.aa", b"", 0), Nsec3Param(flags=flags))[0] for flags in (0, 1)}
    assert first != salted
    assert ring.hashed_neighbours("0" * 32, Nsec3Param()) == first
    assert "sub.aa" in opted
    assert len(opted) == 2
