"""A store of an earlier version is served, and brought up to date by the first write."""

from __future__ import annotations

import sqlite3

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata import names
from pipebackend.dnsdata.records import Client, Record
from pipebackend.store.database import migrations, schema
from pipebackend.store.rows import rrs
from pipebackend.zones.kinds.stored import StoredZones

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")
NAMES_OF_VERSION_2 = """INSERT INTO pipebackend_names (domain_id, hidden, key, name, insecure) VALUES
    (7, 0, x'6f7267006578616d706c65', 'example.org', 0),
    (7, 0, x'6f7267006578616d706c650061', 'a.example.org', 0),
    (7, 0, x'6f7267006578616d706c6500777777', 'WWW.example.org', 0)"""


@pytest.fixture
def store_kind():
    return "sqlite"


def test_each_migration_is_counted():
    assert len(migrations._ALL) == schema.VERSION


@pytest.fixture
def version_2(tmp_path, monkeypatch):
    """A store with a presigned zone that spells a name with capitals."""
    path = tmp_path / "zones.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr(migrations, "_ALL", migrations._ALL[:2])
    migrations.bring_up_to_date(lambda sql, values: connection.execute(sql, values).fetchall(), str(path))
    monkeypatch.undo()
    connection.execute("INSERT INTO domains (id, name, type) VALUES (7, 'example.org', 'NATIVE')")
    connection.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES (7, 'PRESIGNED', '1')")
    for owner, type_, content in (
        (APEX, "SOA", SOA.content),
        (f"a.{APEX}", "A", "192.0.2.1"),
        (f"www.{APEX}", "A", "192.0.2.1"),
    ):
        connection.execute(
            "INSERT INTO records (domain_id, name, type, content, ttl) VALUES (7, ?, ?, ?, 60)",
            (owner, type_, content),
        )
    connection.execute(NAMES_OF_VERSION_2)
    connection.execute("DELETE FROM pipebackend_stale")
    connection.execute("INSERT INTO pipebackend_orders (domain_id, param) VALUES (7, '')")
    connection.commit()
    connection.close()
    path.chmod(0o600)


def test_the_order_of_version_2_is_made_again_and_keeps_the_spelling(version_2, store):
    assert store.is_stale(7), "until its first write"
    store.rectify(7)
    assert not store.is_stale(7)
    assert store.neighbours(7, APEX, APEX) == (APEX, f"a.{APEX}")
    assert store.neighbours(7, f"a.{APEX}", APEX) == (f"a.{APEX}", f"WWW.{APEX}")
    assert store.check() == []


def test_a_store_of_version_2_can_be_written_and_a_zone_of_it_deleted(version_2, store):
    store.add_records([rrs.row(7, Record(f"b.{APEX}", "A", 60, "192.0.2.2"), None)])
    store.rectify(7)
    assert store.neighbours(7, f"b.{APEX}", APEX) == (f"b.{APEX}", f"WWW.{APEX}")
    store.delete_domain(APEX)
    connection = sqlite3.connect(store.path)
    assert connection.execute("SELECT count(*) FROM pipebackend_places").fetchone() == (0,)
    connection.close()


@pytest.fixture
def version_6(tmp_path, monkeypatch):
    """A store in order, as the version before names below a DNAME were hidden left it; another zone has no DNAME."""
    path = tmp_path / "zones.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr(migrations, "_ALL", migrations._ALL[:6])
    migrations.bring_up_to_date(lambda sql, values: connection.execute(sql, values).fetchall(), str(path))
    monkeypatch.undo()
    for ident, apex in ((7, APEX), (8, "example.net")):
        connection.execute("INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')", (ident, apex))
        for owner, type_, content in (
            (apex, "SOA", SOA.content),
            (f"d.{apex}", "DNAME" if ident == 7 else "TXT", "a.example.com" if ident == 7 else '"x"'),
            (f"x.d.{apex}", "A", "192.0.2.1"),
        ):
            row = (ident, owner, type_, content)
            connection.execute(
                "INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (?, ?, ?, ?, 60, 1)", row
            )
            key = names.order_key_in(apex, owner)
            connection.execute("INSERT INTO pipebackend_places VALUES (?, 0, ?, 0, NULL)", (ident, key))
        connection.execute("INSERT INTO pipebackend_orders (domain_id, param) VALUES (?, '')", (ident,))
    connection.execute("DELETE FROM pipebackend_stale")
    connection.commit()
    connection.close()
    path.chmod(0o600)


def test_names_below_a_dname_of_version_6_leave_their_zone_at_the_first_write(version_6, store):
    assert store.neighbours(7, f"d.{APEX}", APEX) == (f"d.{APEX}", f"x.d.{APEX}"), "as it was left"
    store.set_account("example.net", "somebody")
    assert [store.is_stale(ident) for ident in (7, 8)] == [True, False]
    zones = StoredZones(store)
    assert zones.by_apex(APEX).find(f"x.d.{APEX}", Client()) is None
    assert zones.by_apex("example.net").find("x.d.example.net", Client())
    assert not store.is_stale(7)
    assert store.neighbours(7, f"d.{APEX}", APEX) == (f"d.{APEX}", APEX)
    assert store.neighbours(8, "d.example.net", "example.net") == ("d.example.net", "x.d.example.net")
    assert store.check() == []


def test_keys_of_a_schema_before_powerdns_4_3_are_published(store):
    store.add_key(APEX, 7, 257, True, True, "key")
    connection = sqlite3.connect(store.path)
    connection.execute("ALTER TABLE cryptokeys DROP COLUMN published")
    connection.close()
    [key] = store.keys(APEX)
    assert (key.flags, key.active, key.published, key.content) == (257, True, True, "key")
    with pytest.raises(StoreFault, match=r"no such column: published.*; apply the schema upgrades that PowerDNS ships"):
        store.set_key_published(APEX, key.id, False)
