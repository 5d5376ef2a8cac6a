"""What zone cuts and DNAMEs hide."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata.occlusion import Hiding, hider, is_hidden, marked, uppermost
from pipebackend.dnsdata.records import Record

CUTS, DNAMES = ("sub.aa", "low.sub.aa", "x.d.aa", "aa"), ("d.aa", "e.sub.aa")


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("aa", ""),
        ("sub.aa", ""),
        ("d.aa", ""),
        ("xsub.aa", ""),
        ("a.sub.aa", "NS"),
        ("low.sub.aa", "NS"),
        ("a.low.sub.aa", "NS"),
        ("a.e.sub.aa", "NS"),  # the DNAME is below the cut, and so nobody sees it
        ("a.d.aa", "DNAME"),
        ("a.x.d.aa", "DNAME"),  # and so is this cut
    ],
)
def test_the_uppermost_owner_above_a_name_hides_it(name: str, above: str) -> None:
    hiding = Hiding("aa", CUTS, DNAMES)
    assert hiding.above(name) == above
    assert hiding.hides(name) == bool(above)


def test_a_dname_at_the_apex_hides_all_below_and_ns_there_does_not() -> None:
    records = [Record("AA", "DNAME", 1, "bb"), Record("AA", "NS", 1, "ns.bb"), Record("s.aa", "NS", 1, "ns.bb")]
    hiding = Hiding.of("aa", records)
    assert (hiding.hides_all, hiding.above("s.aa"), hiding.above("aa")) == (True, "DNAME", "")
    assert not Hiding("aa", ["aa"], []).hides_all


def test_names_above_the_apex_hide_nothing() -> None:
    assert uppermost("a.b.aa", "b.aa", {"aa", ""}) is None
    assert not is_hidden("a.b.aa", "b.aa", {"aa", ""})
    assert is_hidden("com", "", {""})


def test_the_type_that_hides() -> None:
    assert hider(["NS", "DNAME"], is_apex=False) == "NS"
    assert hider(["NS", "DNAME"], is_apex=True) == "DNAME"
    assert hider(["NS", "A"], is_apex=True) == hider(["A"], is_apex=False) == ""


def test_what_is_left_of_the_records_at_a_name() -> None:
    found = [Record("a.aa", type_, 1, "x") for type_ in ("A", "AAAA", "TXT", "DS", "NS")]
    assert marked(found, is_apex=False, above="DNAME") == ()
    assert marked(found, is_apex=False, above="NS") == tuple(one._replace(auth=False) for one in found[:2])
    assert [one.type for one in marked(found, is_apex=False, above="") if one.auth] == ["DS"]
    assert marked(found, is_apex=True, above="") == tuple(found)
