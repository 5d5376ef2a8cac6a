"""From a question to records, over the kinds of places that a name can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipebackend.backend import lookup
from pipebackend.base.errors import NameFault
from pipebackend.dnsdata.records import ENT, Client, Record
from pipebackend.zones.registry import Registry
from tests.making import TABLE_ZONE, make_watcher

PARENT = """
[[zone]]
name = "example"
kind = "table"
file = "cities.tsv"
key = "code"
soa = { mname = "ns1.example", rname = "mail.example", serial = 1 }
ns = ["ns1.example"]
records = ["cities NS ns1.cities.example", "a.b A 192.0.2.7"]
"""


@pytest.fixture
def zones(tmp_path: Path) -> Registry:
    return make_watcher(tmp_path, TABLE_ZONE + PARENT).registry


def types(zones: Registry, name: str, type_: str = "ANY", ident: int = -1) -> list[str]:
    return [record.type for record in lookup.answer(zones, name, type_, Client(), ident).records]


def test_any_gives_all_and_a_type_only_that(zones: Registry) -> None:
    assert types(zones, "lax.cities.example.") == ["TXT", "LOC"]
    assert types(zones, "lax.cities.example", "LOC") == ["LOC"]
    assert types(zones, "lax.cities.example", "AAAA") == []


def test_names_are_found_in_any_case(zones: Registry) -> None:
    assert types(zones, "LAX.CITIES.Example.") == types(zones, "lax.cities.example")
    assert types(zones, r"\076AX.cities.example", "SOA") == []
    assert types(zones, r"\076AX.cities.example") == ["TXT", "LOC"]


def test_soa_is_the_apexs_alone(zones: Registry) -> None:
    assert types(zones, "Cities.Example", "SOA") == ["SOA"]
    assert types(zones, "lax.cities.example", "SOA") == []
    assert types(zones, "b.example", "SOA") == []
    assert types(zones, "", "SOA") == []


def test_the_deepest_zone_answers(zones: Registry) -> None:
    assert types(zones, "cities.example") == ["SOA", "NS"]
    assert types(zones, "example") == ["SOA", "NS"]


def test_the_id_asks_the_parent_for_its_side_of_the_cut(zones: Registry) -> None:
    parent = zones.by_apex["example"].ident
    answer = lookup.answer(zones, "cities.example", "ANY", Client(), parent)
    assert answer.ident == parent
    assert [(record.type, record.auth) for record in answer.records] == [("NS", False)]


@pytest.mark.parametrize("ident", [-1, 0, 1, 4294967295, -(2**31)])
def test_a_foreign_id_changes_nothing(zones: Registry, ident: int) -> None:
    assert types(zones, "lax.cities.example", ident=ident) == ["TXT", "LOC"]


def test_the_id_of_a_zone_elsewhere_changes_nothing(zones: Registry) -> None:
    child = zones.by_apex["cities.example"].ident
    assert types(zones, "a.b.example", ident=child) == ["A"]


def test_an_empty_nonterminal_is_a_record_of_no_type_on_any_alone(zones: Registry) -> None:
    answer = lookup.answer(zones, "B.example", "ANY", Client())
    assert answer.records == (Record("b.example", ENT, 0, ""),)
    assert types(zones, "b.example", "A") == []


def test_nothing_is_in_no_zone(zones: Registry) -> None:
    assert lookup.answer(zones, "other", "ANY", Client()) == lookup.NOTHING
    assert lookup.answer(zones, ".", "ANY", Client()) == lookup.NOTHING
    absent = lookup.answer(zones, "xxx.cities.example", "ANY", Client())
    assert (absent.ident, absent.records) == (zones.by_apex["cities.example"].ident, ())


def test_what_is_no_name_is_a_fault(zones: Registry) -> None:
    with pytest.raises(NameFault):
        lookup.answer(zones, "a..b", "ANY", Client())


def test_an_empty_nonterminal_of_unsigned_delegations_alone_is_told_with_auth_0(tmp_path: Path) -> None:
    zones = make_watcher(tmp_path, PARENT.replace('"a.b A', '"a.ent NS ns.other.example", "a.b A')).registry
    assert lookup.answer(zones, "ent.example", "ANY", Client()).records == (Record("ent.example", ENT, 0, "", False),)
    assert types(zones, "ent.example", "A") == []
    assert lookup.answer(zones, "b.example", "ANY", Client()).records == (Record("b.example", ENT, 0, ""),)
