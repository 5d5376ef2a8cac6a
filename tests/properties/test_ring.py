"""Laws of the rings for denial, held against a sort by brute force with dnspython."""

from __future__ import annotations

import dns.dnssec
import dns.name
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.dnsdata import names
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Record
from pipebackend.zones.ring import TreeRing, hashed_members, members
from pipebackend.zones.tree import Tree

LABELS = st.sampled_from(["a", "b", "c", "*", "sub", r"\000", r"\001", r"x\.y", r"\255", "0", "aa"])
BELOW = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
TYPES = st.sampled_from(["A", "TXT", "NS", "DS", "A"])
PARAMS = st.builds(Nsec3Param, flags=st.integers(0, 1), iterations=st.integers(0, 3), salt=st.binary(max_size=8))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    apex = draw(st.sampled_from(["", "aa", "example.org", r"x\.y"]))
    rows = draw(st.lists(st.tuples(BELOW, TYPES), max_size=15))
    records = [Record(apex, "SOA", 1, "x"), Record(apex, "NS", 1, "n")]
    return Tree(apex, records + [Record(names.join(owner, apex), type_, 1, "x") for owner, type_ in rows])


def theirs(name: str) -> dns.name.Name:
    return dns.name.from_text(name or ".")


def authoritative(tree: Tree) -> set[str]:
    """RFC 4034 section 4, told in another way: owners with no NS at a name between them and the apex."""
    owners = {name for name, records in tree.nodes.items() if records}
    cuts = [theirs(name) for name in owners if name != tree.apex and any(r.type == "NS" for r in tree.nodes[name])]
    return {name for name in owners if not any(theirs(name) != cut and theirs(name).is_subdomain(cut) for cut in cuts)}


@given(trees())
def test_the_members_are_the_authoritative_names_and_the_cuts(tree: Tree) -> None:
    assert set(members(tree)) == authoritative(tree)


@given(trees())
def test_the_hashed_members_are_closed_upwards(tree: Tree) -> None:
    for opt_out in (False, True):
        found = set(hashed_members(tree, opt_out=opt_out))
        assert tree.apex in found
        assert all(names.parent(name) in found for name in found if name != tree.apex)
    everything = set(hashed_members(tree, opt_out=False))
    assert set(members(tree)) <= everything
    assert found <= everything


@given(trees())
def test_the_ring_is_one_cycle_in_canonical_order(tree: Tree) -> None:
    ring, cycle, name = TreeRing(tree), [tree.apex], tree.apex
    while (name := ring.neighbours(name)[1]) != tree.apex:
        cycle.append(name)
    assert cycle == sorted(members(tree), key=theirs)


@given(trees())
def test_before_the_after_is_the_name_itself(tree: Tree) -> None:
    ring = TreeRing(tree)
    for name in members(tree):
        before, after = ring.neighbours(name)
        assert before == name
        assert ring.neighbours(after)[0] == after


@given(trees(), BELOW)
def test_neighbours_are_those_of_a_search_by_brute_force(tree: Tree, below: str) -> None:
    name = names.join(below, tree.apex)
    ordered = sorted(members(tree), key=theirs)
    before = max(number for number, member in enumerate(ordered) if theirs(member) <= theirs(name))
    assert TreeRing(tree).neighbours(name) == (ordered[before], ordered[(before + 1) % len(ordered)])


@given(trees(), BELOW, PARAMS)
def test_hashed_neighbours_are_those_of_a_search_by_brute_force(tree: Tree, below: str, param: Nsec3Param) -> None:
    label = hash_label(names.join(below, tree.apex), param.salt, param.iterations)
    hashes = {
        dns.dnssec.nsec3_hash(member or ".", param.salt, param.iterations, "SHA1").lower(): member
        for member in hashed_members(tree, opt_out=bool(param.flags))
    }
    ordered = sorted(hashes)
    before = max((digest for digest in ordered if digest <= label), default=ordered[-1])
    after = min((digest for digest in ordered if digest > label), default=ordered[0])
    assert TreeRing(tree).hashed_neighbours(label, param) == (hashes[before], before, after)


@given(trees(), PARAMS)
def test_the_hashed_ring_is_one_cycle(tree: Tree, param: Nsec3Param) -> None:
    ring = TreeRing(tree)
    start = hash_label(tree.apex, param.salt, param.iterations)
    cycle, label = {start}, start
    while (label := ring.hashed_neighbours(label, param)[2]) != start:
        assert label not in cycle
        cycle.add(label)
    assert len(cycle) == len(set(hashed_members(tree, opt_out=bool(param.flags))))
