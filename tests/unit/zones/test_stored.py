"""Stored zones: found at any moment as the store has them, put right when others wrote, beside the configured ones."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Client, Record
from pipebackend.store import open_store
from pipebackend.store.rows import rrs
from pipebackend.store.zonedata import rectify
from pipebackend.zones.kinds.stored import StoredZones
from pipebackend.zones.served import Served
from tests.making import make_watcher

APEX = "example.org"


def soa(apex=APEX, serial=1):
    return Record(apex, "SOA", 60, f"ns1.example.org hostmaster.example.org {serial} 2 3 4 5")


def make_zone(store, apex=APEX, ident=7, *records):
    ident = store.create_domain(apex, ident)
    store.begin()
    store.add_records(rrs.row(ident, record, None) for record in (soa(apex), *records))
    store.commit()
    return ident


def write_as_others(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


INSERT_NAME = (
    "INSERT INTO records (domain_id, name, type, content, ttl) VALUES (7, '{}.example.org', 'A', '192.0.2.1', 60)"
)


@pytest.fixture
def store(tmp_path):
    store = open_store("sqlite:zones.db", tmp_path)
    yield store
    store.close()


@pytest.fixture
def zones(store):
    return StoredZones(store)


def test_a_store_that_is_not_there_has_no_zones(zones):
    assert zones.by_apex(APEX) is None
    assert zones.by_id(7) is None
    assert zones.zone_of("www.example.org", -1) is None
    assert zones.all() == []


def test_zones_appear_change_and_vanish_as_others_commit_them(store, zones, tmp_path):
    assert zones.by_apex(APEX) is None
    other = open_store("sqlite:zones.db", tmp_path)
    make_zone(other)
    assert zones.by_apex(APEX).soa() == soa()
    assert zones.by_id(7).apex == APEX
    other.begin()
    other.remove_rrset(7, APEX, "SOA")
    other.add_records([rrs.row(7, soa(serial=2), None)])
    assert zones.by_apex(APEX).soa() == soa()
    other.commit()
    assert zones.by_apex(APEX).soa() == soa(serial=2)
    other.delete_domain(APEX)
    assert zones.by_apex(APEX) is None
    other.close()


def test_a_zone_that_has_only_keys_is_no_stored_zone(store, zones):
    store.add_key("configured.example", 5, 257, True, True, "key")
    assert zones.by_apex("configured.example") is None
    assert zones.all() == []


def test_the_zone_with_the_longest_name_answers_unless_the_id_says_otherwise(store, zones):
    make_zone(store)
    make_zone(store, "sub.example.org", 8)
    assert zones.zone_of("www.sub.example.org", -1).ident == 8
    assert zones.zone_of("sub.example.org", 7).ident == 7
    assert zones.zone_of("www.example.org", 8).ident == 7
    assert zones.zone_of("example.net", 7) is None


def test_many_zones_are_found_too(store, zones):
    store.begin()
    for number in range(300):
        ident = store.create_domain(f"z{number}.example", 100 + number)
        store.add_records([rrs.row(ident, soa(f"z{number}.example"), "")])
    store.commit()
    assert zones.zone_of("www.z299.example", -1).ident == 399
    assert zones.zone_of("www.z300.example", -1) is None
    assert len(zones.all()) == 300


def test_what_others_wrote_is_put_right_before_the_first_answer(store, zones):
    make_zone(store)
    write_as_others(store.path, INSERT_NAME.format("a.ent"))
    zone = zones.by_apex(APEX)
    assert zone.find("ent.example.org", Client()) == []
    assert zone.ring().neighbours("zz.example.org") == ("a.ent.example.org", APEX)
    assert not store.is_stale(7)


def test_it_is_put_right_in_memory_while_another_process_writes(store, zones, tmp_path, capfd):
    make_zone(store)
    write_as_others(store.path, INSERT_NAME.format("a.ent"))
    other = open_store("sqlite:zones.db", tmp_path)
    other.begin()
    other.set_metadata(APEX, 7, "X-LOCKED", ["1"])
    zone = zones.by_apex(APEX)
    assert zone.find("ent.example.org", Client()) == ()
    assert [record.owner for record in zone.listing()] == [APEX, "a.ent.example.org", "ent.example.org"]
    assert zone.ring().neighbours("zz.example.org") == ("a.ent.example.org", APEX)
    assert "in memory" in capfd.readouterr().err
    other.commit()
    zones.by_apex(APEX)
    assert not store.is_stale(7)
    other.close()


def test_a_large_zone_that_others_wrote_waits_until_its_order_is_asked_for(store, zones, monkeypatch):
    monkeypatch.setattr(rectify, "LARGE", 5)
    make_zone(store, APEX, 7, *(Record(f"h{n}.example.org", "A", 60, "192.0.2.1") for n in range(9)))
    write_as_others(store.path, "INSERT INTO domainmetadata (domain_id, kind) VALUES (7, 'NSEC3NARROW')")
    zone = zones.by_apex(APEX)
    assert len(list(zone.listing())) == 10
    assert store.is_stale(7)
    assert zone.ring().neighbours("h3.example.org") == ("h3.example.org", "h4.example.org")
    assert not store.is_stale(7)


def test_hashes_of_other_parameters_are_made_in_memory(store, zones):
    make_zone(store)
    digest = hash_label(APEX, b"", 5)
    found = zones.by_apex(APEX).ring().hashed_neighbours("0" * 32, Nsec3Param(iterations=5))
    assert found == (APEX, digest, digest)


@pytest.fixture
def served(tmp_path, store, zones):
    """A configured zone cities.example, and one that is named by the test in the store."""
    return Served(make_watcher(tmp_path).registry, zones)


def test_configured_and_stored_zones_answer_together(store, served):
    before = served.version()
    make_zone(store)
    assert served.version() != before
    assert served.zone_of("www.example.org").kind == "stored"
    assert served.zone_of("lax.cities.example").kind == "table"
    assert served.at(APEX) is served.with_id(7)
    assert [zone.kind for zone in served.all()] == ["table", "stored"]
    assert served.zone_of("example.net") is None


def test_the_longest_name_wins_between_them(store, served):
    make_zone(store, "sub.cities.example", 7)
    make_zone(store, "example", 8)
    configured = served.at("cities.example").ident
    assert served.zone_of("a.sub.cities.example").ident == 7
    assert served.zone_of("a.cities.example").ident == configured
    assert served.zone_of("sub.cities.example", configured).ident == configured
    assert served.zone_of("cities.example", 8).ident == 8


def test_a_configured_zone_hides_a_stored_one_of_the_same_name(store, served):
    ident = make_zone(store, "cities.example", 7)
    assert served.at("cities.example").kind == "table"
    assert served.zone_of("lax.cities.example").kind == "table"
    assert served.with_id(ident) is None
    assert [zone.kind for zone in served.all()] == ["table"]


def test_a_broken_store_is_in_the_way_of_stored_zones_alone(store, served, capfd):
    with open(store.path, "w", encoding="ascii") as file:
        file.write("no database" * 100)
    os.chmod(store.path, 0o600)
    assert served.zone_of("lax.cities.example").kind == "table"
    assert "zones of the store are not served" in capfd.readouterr().err
    assert served.version() == served.version()
    with pytest.raises(StoreFault, match="not an SQLite database"):
        served.zone_of("www.example.org")


def test_a_configuration_without_store_has_its_own_zones(tmp_path):
    served = Served(make_watcher(tmp_path).registry, None)
    assert served.zone_of("lax.cities.example").kind == "table"
    assert served.at(APEX) is served.with_id(7) is None
    assert len(served.all()) == 1
    assert served.version() == served.version()


def test_a_patient_process_sees_a_change_soon_and_a_writing_one_at_once(store, tmp_path):
    """Looking for a change costs as much as an answer, so a process that only answers does not look each time."""
    store.init()
    patient, exact = StoredZones(store, 3600.0), StoredZones(store)
    before = patient.version(), exact.version()
    assert before == (patient.version(), exact.version())
    with closing(open_store("sqlite:zones.db", tmp_path)) as other:
        other.create_domain("new.example", 7)
    assert patient.version() == before[0]
    assert exact.version() != before[1]
    store.create_domain("own.example", 8)
    assert patient.version() != before[0]
