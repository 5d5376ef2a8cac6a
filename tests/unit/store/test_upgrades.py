"""A store of an earlier version is served, and brought up to date by the first write."""

from __future__ import annotations

import sqlite3

import pytest

from pipebackend.dnsdata.records import Record
from pipebackend.store.database import schema
from pipebackend.store.rows import rrs

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")
NAMES_OF_VERSION_2 = """INSERT INTO pipebackend_names (domain_id, hidden, key, name, insecure) VALUES
    (7, 0, x'6f7267006578616d706c65', 'example.org', 0),
    (7, 0, x'6f7267006578616d706c650061', 'a.example.org', 0),
    (7, 0, x'6f7267006578616d706c6500777777', 'WWW.example.org', 0)"""


@pytest.fixture
def version_2(tmp_path, monkeypatch):
    """A store with a presigned zone that spells a name with capitals."""
    path = tmp_path / "zones.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr(schema, "_MIGRATIONS", schema._MIGRATIONS[:2])
    monkeypatch.setattr(schema, "VERSION", 2)
    schema.bring_up_to_date(lambda sql, values: connection.execute(sql, values).fetchall(), str(path))
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
