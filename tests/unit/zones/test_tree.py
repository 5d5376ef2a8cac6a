"""The tree of a zone: empty non-terminals, cuts, and who is authoritative."""

from __future__ import annotations

from pipebackend.dnsdata.records import ENT, Record
from pipebackend.zones.tree import Tree
from tests.making import make_tree


def auth(tree: Tree, name: str) -> dict[str, bool]:
    return {record.type: record.auth for record in tree.find(name) or ()}


def test_records_are_found_by_canonical_name_in_their_spelling() -> None:
    tree = Tree("aa", [Record("AA", "SOA", 1, "x"), Record("WwW.aA", "A", 1, "192.0.2.1")])
    assert tree.find("www.aa") == (Record("WwW.aA", "A", 1, "192.0.2.1"),)
    assert tree.find("x.aa") is None


def test_names_between_are_empty_nonterminals() -> None:
    tree = make_tree("aa", "a.b.c A 192.0.2.1")
    assert tree.find("b.c.aa") == ()
    assert tree.find("c.aa") == ()
    assert tree.find("a.aa") is None


def test_an_escaped_dot_makes_no_empty_nonterminal() -> None:
    tree = make_tree("aa", r"a\.b A 192.0.2.1")
    assert tree.find("b.aa") is None
    assert tree.find(r"a\.b.aa")


def test_a_name_with_records_and_names_below_is_no_empty_nonterminal() -> None:
    tree = make_tree("aa", "a.b A 192.0.2.1", "b TXT x")
    assert auth(tree, "b.aa") == {"TXT": True}


def test_at_a_cut_only_ds_is_authoritative_and_below_nothing() -> None:
    tree = make_tree("aa", "sub NS ns.sub.aa", "sub DS 1 8 2 00", "ns.sub A 192.0.2.1", "b TXT y")
    assert auth(tree, "sub.aa") == {"NS": False, "DS": True}
    assert auth(tree, "ns.sub.aa") == {"A": False}
    assert auth(tree, "b.aa") == {"TXT": True}
    assert tree.cuts == {"sub.aa"}
    assert tree.is_below_cut("x.y.sub.aa")
    assert not tree.is_below_cut("sub.aa")
    assert not tree.is_below_cut("xsub.aa")


def test_glue_at_the_cut_is_not_authoritative() -> None:
    assert auth(make_tree("aa", "sub NS sub.aa", "sub A 192.0.2.1"), "sub.aa") == {"NS": False, "A": False}


def test_the_apex_is_no_cut() -> None:
    tree = make_tree("aa")
    assert auth(tree, "aa") == {"SOA": True, "NS": True}
    assert tree.cuts == frozenset()
    assert not tree.is_below_cut("aa")


def test_the_root_as_a_zone() -> None:
    tree = Tree("", [Record("", "SOA", 1, "x"), Record("", "NS", 1, "a"), Record("b.com", "NS", 1, "ns.b.com")])
    assert auth(tree, "") == {"SOA": True, "NS": True}
    assert tree.find("com") == ()
    assert tree.is_below_cut("ns.b.com")
    assert not tree.is_below_cut("com")


def test_the_listing_has_all_once_and_the_soa_first() -> None:
    tree = Tree("aa", [Record("a.b.aa", "A", 1, "192.0.2.1"), Record("aa", "NS", 1, "n"), Record("aa", "SOA", 1, "x")])
    listed = list(tree.listing())
    assert listed[0].type == "SOA"
    assert sorted((record.owner, record.type) for record in listed) == [
        ("a.b.aa", "A"),
        ("aa", "NS"),
        ("aa", "SOA"),
        ("b.aa", ENT),
    ]


def test_below_a_cut_there_is_nothing_but_glue() -> None:
    tree = make_tree("aa", "s NS n.x.s.aa", "n.x.s A 192.0.2.1", "n.x.s TXT x", "a.t.s TXT x", "d.s NS n.s.aa")
    assert auth(tree, "n.x.s.aa") == {"A": False}
    assert set(tree.nodes) == {"aa", "s.aa", "n.x.s.aa"}
    assert [record.type for record in tree.listing() if record.owner.endswith("s.aa")] == ["NS", "A"]


def test_an_empty_nonterminal_that_only_unsigned_delegations_make_is_not_authoritative() -> None:
    """PowerDNS with opt-out took it for the closest encloser, which has no NSEC3: resolvers found that bogus."""
    tree = make_tree("aa", "a.lonely NS ns.x", "a.half NS ns.x", "b.half TXT x", "a.safe NS ns.x", "a.safe DS 1 8 2 00")
    assert tree.answer("lonely.aa") == (Record("lonely.aa", ENT, 0, "", auth=False),)
    assert tree.answer("half.aa") == ()
    assert tree.answer("safe.aa") == ()
    assert tree.answer("none.aa") is None
    assert tree.answer("a.lonely.aa") == tree.find("a.lonely.aa")


def test_there_are_no_empty_nonterminals_below_a_cut() -> None:
    tree = make_tree("aa", "sub NS ns.x", "a.b.sub A 192.0.2.1", "a.c A 192.0.2.1")
    assert tree.answer("b.sub.aa") is None
    assert tree.answer("c.aa") == ()


def test_below_a_dname_there_is_nothing() -> None:
    tree = make_tree("aa", "d DNAME x.aa", "a.b.d A 192.0.2.1", "s.d NS n.s.d.aa", "n.s.d A 192.0.2.1", "e TXT x")
    assert set(tree.nodes) == {"aa", "d.aa", "e.aa"}
