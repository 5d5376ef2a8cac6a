"""Zones, keys, settings and TSIG keys as rows."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.tsig import TsigKey
from pipebackend.store import DomainRow
from tests.unit.store import foreign

APEX = "example.org"
MAX_ID = 2**31 - 1


def in_database(store, sql):
    """What another program does to the database."""
    if sql.startswith("SELECT"):
        return foreign.rows(store, sql)
    foreign.execute(store, sql)
    return []


# domains


def test_a_zone_gets_the_id_that_it_wants_and_keeps_it(store, opened):
    assert store.ensure_domain(APEX, 77) == 77
    assert opened().ensure_domain(APEX, 78) == 77
    assert (store.domain_id(APEX), store.apex_of(77)) == (77, APEX)
    assert store.domains() == [DomainRow(77, APEX, "NATIVE", "", 0, 0, "")]


def test_an_id_that_is_taken_gives_the_next_that_is_free(store):
    assert [store.ensure_domain(f"zone{n}", 5) for n in range(3)] == [5, 6, 7]
    assert store.ensure_domain("before", 4) == 4
    assert store.ensure_domain("again", 4) == 8


@pytest.mark.parametrize("wanted", [0, -1, MAX_ID + 1, 2**70])
def test_an_id_that_powerdns_could_not_read_is_replaced(wanted, store):
    assert store.ensure_domain(APEX, wanted) == 1


def test_after_the_largest_id_comes_the_first_free_one(store):
    assert store.ensure_domain("one", 1) == 1
    assert store.ensure_domain("last", MAX_ID) == MAX_ID
    assert store.ensure_domain(APEX, MAX_ID) == 2


@pytest.mark.parametrize("number", [-1, 0, 3, MAX_ID + 1, 2**70])
def test_an_id_of_no_zone_has_no_name(number, store):
    store.ensure_domain(APEX, 1)
    assert store.apex_of(number) is None


def test_names_are_stored_as_powerdns_stores_them(store):
    store.ensure_domain("", 1)
    store.ensure_domain(r"a\.b.example", 2)
    assert in_database(store, "SELECT name FROM domains ORDER BY id") == [(".",), (r"a\.b.example",)]
    assert (store.domain_id(""), store.apex_of(1)) == (1, "")
    assert [row.name for row in store.domains()] == ["", r"a\.b.example"]


@pytest.mark.parametrize("store_kind", ["sqlite"])  # gpgsql's schema takes no capitals
def test_names_match_in_any_case(store):
    store.init()
    in_database(store, "INSERT INTO domains (id, name, type, master) VALUES (3, 'EXAMPLE.Org', 'SLAVE', '192.0.2.1')")
    assert store.domain_id(APEX) == 3
    assert store.apex_of(3) == APEX
    assert store.domains()[0][:4] == (3, APEX, "SLAVE", "192.0.2.1")
    assert store.ensure_domain("Example.ORG", 9) == 3


# keys


def test_keys_come_back_as_they_were_added(store):
    text = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: abc=\n"
    assert store.add_key(APEX, 5, 257, True, True, text) == 1
    assert store.add_key(APEX, 6, 256, False, False, "zsk") == 2
    assert store.add_key("other", 6, 256, True, False, "else") == 3
    assert store.keys(APEX) == [(1, 257, True, True, text), (2, 256, False, False, "zsk")]
    assert store.keys("other") == [(3, 256, True, False, "else")]
    assert store.domain_id(APEX) == 5


def test_a_key_is_changed_and_removed_by_zone_and_id(store):
    store.add_key(APEX, 5, 257, True, True, "key")
    assert store.set_key_active(APEX, 1, False)
    assert store.set_key_published(APEX, 1, False)
    assert store.keys(APEX) == [(1, 257, False, False, "key")]
    assert store.set_key_active("EXAMPLE.org", 1, True)
    assert store.set_key_active(APEX, 1, True)  # as it is already: the key exists
    assert store.keys(APEX) == [(1, 257, True, False, "key")]
    assert store.remove_key(APEX, 1)
    assert store.keys(APEX) == []
    assert not store.remove_key(APEX, 1)


@pytest.mark.parametrize(("apex", "key_id"), [(APEX, 2), (APEX, -1), (APEX, 2**70), ("other", 1), ("none", 1)])
def test_a_key_that_the_zone_does_not_have_is_not_touched(apex, key_id, store):
    store.add_key(APEX, 5, 257, True, True, "key")
    store.ensure_domain("other", 6)
    assert not store.set_key_active(apex, key_id, False)
    assert not store.set_key_published(apex, key_id, False)
    assert not store.remove_key(apex, key_id)
    assert store.keys(APEX) == [(1, 257, True, True, "key")]


def test_null_flags_are_read_as_powerdns_reads_them(store):
    store.ensure_domain(APEX, 1)
    in_database(store, "INSERT INTO cryptokeys (domain_id, flags, active, published) VALUES (1, 257, NULL, NULL)")
    assert store.keys(APEX) == [(1, 257, False, False, "")]


def test_a_private_key_is_not_shown_by_accident(store):
    store.add_key(APEX, 5, 257, True, True, "PrivateKey: secret")
    assert "secret" not in f"{store.keys(APEX)} {store.keys(APEX)[0]!r}"


def test_two_hundred_keys_of_one_zone_have_ids_of_their_own(store):
    store.begin()
    ids = [store.add_key(APEX, 5, 256, True, True, f"key {n}") for n in range(200)]
    store.commit()
    assert len(set(ids)) == 200
    assert [row.content for row in store.keys(APEX)] == [f"key {n}" for n in range(200)]


# settings


def test_settings_are_replaced_kind_by_kind_in_order(store):
    store.set_metadata(APEX, 5, "ALLOW-AXFR-FROM", ["192.0.2.0/24", "2001:db8::/32", "AUTO-NS"])
    store.set_metadata(APEX, 5, "NSEC3PARAM", ["1 0 0 -"])
    store.set_metadata(APEX, 5, "ALLOW-AXFR-FROM", ["2001:db8::/32", "192.0.2.0/24"])
    store.set_metadata("other", 6, "NSEC3PARAM", ["1 1 0 -"])
    assert store.metadata(APEX) == {
        "NSEC3PARAM": ["1 0 0 -"],
        "ALLOW-AXFR-FROM": ["2001:db8::/32", "192.0.2.0/24"],
    }
    store.set_metadata(APEX, 5, "nsec3param", [])  # PowerDNS compares kinds in any case
    assert list(store.metadata(APEX)) == ["ALLOW-AXFR-FROM"]


def test_a_setting_of_any_text_comes_back(store):
    texts = ["", "ü '); DROP TABLE domains; --", "x" * 1_000_000, "a\nb\tc", "\\x41 %s ? $1"]
    texts += ["\0"] if foreign.is_sqlite(store) else []
    store.set_metadata(APEX, 5, "X-TEXT", texts)
    assert store.metadata("EXAMPLE.ORG") == {"X-TEXT": texts}


def test_a_nul_is_refused_by_postgresql(store):
    if not foreign.is_sqlite(store):
        with pytest.raises(StoreFault, match="cannot be stored"):
            store.set_metadata(APEX, 5, "X-TEXT", ["a", "b\0"])
        assert store.metadata(APEX) == {}


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_text_that_is_no_unicode_in_the_database_is_a_fault(store):
    store.set_metadata(APEX, 5, "X-TEXT", ["good"])
    in_database(store, "UPDATE domainmetadata SET content = CAST(x'ff' AS TEXT)")
    with pytest.raises(StoreFault, match=r"zones\.db: Could not decode"):
        store.metadata(APEX)


# TSIG keys


def test_a_tsig_key_takes_the_place_of_all_others_of_its_name(store):
    store.set_tsig_key("b.key", "hmac-sha256", "b2xk")
    store.set_tsig_key("a.key", "hmac-md5", "YQ==")
    in_database(store, "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('b.key', 'hmac-md5', 'b2xk')")
    assert len(store.tsig_keys()) == 3
    store.set_tsig_key("b.key", "hmac-sha512", "bmV3")
    assert store.tsig_keys() == [TsigKey("a.key", "hmac-md5", "YQ=="), TsigKey("b.key", "hmac-sha512", "bmV3")]
    assert store.tsig_key("B.Key") == TsigKey("b.key", "hmac-sha512", "bmV3")
    assert store.tsig_key("c.key") is None


def test_a_tsig_key_is_forgotten_by_name(store):
    store.set_tsig_key("k", "hmac-sha256", "c2VjcmV0")
    assert not store.remove_tsig_key("other")
    assert store.remove_tsig_key("K")
    assert store.tsig_keys() == []
