"""Rows of records: what is written is what gsqlite3 reads, and what it wrote is read."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.records import ENT, Record
from pipebackend.store.rows import rrs
from tests.unit.store.foreign import execute_many

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")


@pytest.fixture
def ident(store):
    return store.create_domain(APEX, 7)


def write(store, *rows):
    """Rows as another program writes them."""
    execute_many(
        store,
        "INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, auth) "
        "VALUES (7, ?, ?, ?, ?, ?, ?, ?)",
        ((*row[:5], bool(row[5]), None if row[6] is None else bool(row[6])) for row in rows),
    )


def test_rows_of_others_are_read_as_powerdns_reads_them(store, ident):
    write(
        store,
        ("mx.example.org", "MX", "mail.example.org", None, 10, 0, 1),
        ("srv.example.org", "SRV", "0 2 3 t.example.org", 60, None, 0, None),
        ("glue.example.org", "A", "192.0.2.1", 60, 0, 0, 0),
        ("off.example.org", "A", "192.0.2.1", 60, 0, 1, 1),
        ("ent.example.org", None, None, None, None, 0, 1),
        ("unsigned.example.org", None, None, None, None, 0, 0),
        ("old.example.org", "", "", None, None, 0, 1),
    )
    assert store.records_at(ident, "mx.example.org") == [Record("mx.example.org", "MX", 3600, "10 mail.example.org")]
    assert store.records_at(ident, "srv.example.org") == [Record("srv.example.org", "SRV", 60, "0 2 3 t.example.org")]
    assert store.records_at(ident, "glue.example.org") == [Record("glue.example.org", "A", 60, "192.0.2.1", auth=False)]
    assert store.records_at(ident, "off.example.org") is None
    assert store.records_at(ident, "ent.example.org") == []
    assert store.records_at(ident, "old.example.org") == []
    assert store.records_at(ident, "unsigned.example.org") == [Record("unsigned.example.org", ENT, 0, "", False)]
    assert store.records_at(ident, "nothing.example.org") is None


def test_a_listing_starts_with_the_soa_and_is_of_one_moment(store, ident, opened):
    write(store, *((f"a{n}.example.org", "A", "192.0.2.1", 60, 0, 0, 1) for n in range(2000)))
    store.add_records([rrs.row(ident, SOA, "")])
    listing = store.listing(ident, APEX)
    assert next(listing) == SOA
    other = opened()
    other.delete_domain(APEX)
    assert len(list(listing)) == 2000
    assert list(store.listing(ident, APEX)) == []


def test_names_of_other_zones_are_not_found(store, ident):
    store.create_domain("example.net", 8)
    write(store, ("www.example.org", "A", "192.0.2.1", 60, 0, 0, 1))
    assert store.records_at(8, "www.example.org") is None


def test_the_root_zone_is_stored_under_a_dot(store):
    store.create_domain("", 9)
    store.add_records([rrs.row(9, SOA._replace(owner=""), "")])
    assert store.soa(9, "") == SOA._replace(owner="")
    assert [record.owner for record in store.listing(9, "")] == [""]
    [domain] = store.served_domains()
    assert (domain.apex, domain.serial, domain.refresh) == ("", 1, 2)


def test_an_rrset_is_removed_and_the_others_stay(store, ident):
    rows = [Record("w.example.org", type_, 60, text) for type_, text in (("A", "192.0.2.1"), ("TXT", '"x"'))]
    store.add_records(rrs.row(ident, record, None) for record in rows)
    store.remove_rrset(ident, "w.example.org", "A")
    assert store.records_at(ident, "w.example.org") == rows[1:]
    store.remove_rrset(ident, "w.example.org", "ANY")
    assert store.records_at(ident, "w.example.org") is None


def test_rows_set_aside_that_are_gone_are_no_empty_zone(store, ident):
    store.add_records([rrs.row(ident, SOA, "")])
    store.set_aside([rrs.row(ident, SOA._replace(ttl=1), "")])
    store.forget_set_aside()
    with pytest.raises(StoreFault, match="try again"):
        store.replace_records(ident, 1)
    assert store.soa(ident, APEX) == SOA


def test_what_is_set_aside_locks_nothing(store, ident, opened):
    store.begin()
    store.set_aside([rrs.row(ident, SOA, "")])
    opened().add_key(APEX, 7, 257, True, True, "key")
    store.replace_records(ident, 1)
    assert store.commit()
    assert store.soa(ident, APEX) == SOA


def test_a_zone_is_made_and_kept_book_of(store):
    ident = store.create_domain("slave.example", 5, "SLAVE", ["192.0.2.1", "[2001:db8::1]:5300"], "me")
    domain = store.domain("slave.example")
    assert domain.kind == "SLAVE"
    assert domain.primaries == ("192.0.2.1", "[2001:db8::1]:5300")
    assert (domain.account, domain.has_soa, domain.serial) == ("me", False, 0)
    assert store.set_kind("slave.example", "MASTER")
    assert store.set_primaries("slave.example", [])
    assert store.domain("slave.example")[2:4] == ("MASTER", ())
    assert store.delete_domain("slave.example")
    assert store.domain("slave.example") is None
    assert not store.delete_domain("slave.example")
    assert not store.set_kind("slave.example", "NATIVE")
    assert not store.set_notified(ident, 1)
    with pytest.raises(StoreFault, match="NATIVE, MASTER, SLAVE"):
        store.set_kind("slave.example", "secondary")
    with pytest.raises(StoreFault, match="name fewer"):
        store.create_domain("slave.example", 5, "SLAVE", ["2001:db8::1"] * 20)


def test_a_zone_with_records_is_not_made_again(store, ident):
    store.add_records([rrs.row(ident, SOA, "")])
    with pytest.raises(StoreFault, match="is there already"):
        store.create_domain(APEX, 8)


def test_secondaries_are_unfresh_when_their_refresh_time_is_over(store):
    ident = store.create_domain(APEX, 7, "SLAVE", ["192.0.2.1"])
    assert [domain.apex for domain in store.unfresh_domains(1000)] == [APEX]
    store.add_records([rrs.row(ident, SOA, "")])
    store.set_fresh(ident, 1000)
    assert store.unfresh_domains(1002) == []
    assert [domain.last_check for domain in store.unfresh_domains(1003)] == [1000]
    store.set_stale(ident)
    assert [domain.last_check for domain in store.unfresh_domains(1001)] == [0]


def test_primaries_are_updated_until_their_serial_was_notified(store):
    ident = store.create_domain(APEX, 7, "MASTER")
    assert store.updated_domains() == []
    store.add_records([rrs.row(ident, SOA, "")])
    assert [(domain.serial, domain.notified_serial) for domain in store.updated_domains()] == [(1, 0)]
    store.set_notified(ident, 1)
    assert store.updated_domains() == []
