"""Content in another text than PowerDNS's is rewritten at the first write of an older store, or by a repair."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pipebackend.store import open_store
from pipebackend.store.database.schema import OUR_TABLE
from pipebackend.store.rows import contents

OTHER = [  # as earlier releases wrote it, and as PowerDNS does
    ("DHCID", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQd WL3b/NaiUDlW2No=", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="),
    ("LOC", "1 2 0.123 N 5 54 0.000 E 4.00m", "1 2 0.123 N 5 54 0.000 E 4.00m 1.00m 10000.00m 10.00m"),
    ("LOC", "1 2 0.123 N 5 54 0.000 E 4.00m 1m 10000m 10m", "1 2 0.123 N 5 54 0.000 E 4.00m 1.00m 10000.00m 10.00m"),
    ("HTTPS", '1 . alpn="h2,h3" port=8443', "1 . alpn=h2,h3 port=8443"),
    ("NID", "10 0014:4fff:ff20:ee64", "10 0014:4FFF:FF20:EE64"),
    ("LUA", f'A "{"x" * 255}" "y"', f'A "{"x" * 255}y"'),
    ("CAA", '0 issue "ca.example"', None),
    ("SSHFP", "1 1 -", None),
    ("TYPE65534", r"\# 2 0102", None),
    ("KEY", "49152 3 3 ", None),
]


@pytest.fixture
def older(tmp_path):
    """A store of the release before the rewriting, with such content."""
    store = open_store("sqlite:zones.db", tmp_path)
    ident = store.create_domain("example", 7)
    store.close()
    with closing(sqlite3.connect(store.path)) as connection, connection:
        insert = "INSERT INTO records (domain_id, name, type, ttl, content, auth) VALUES (?, ?, ?, 60, ?, 1)"
        connection.executemany(
            insert, [(ident, f"n{n}.example", type_, old) for n, (type_, old, _) in enumerate(OTHER)]
        )
        connection.execute(f"DELETE FROM {OUR_TABLE} WHERE version >= 6")
    yield store
    store.close()


def kept(store):
    with closing(sqlite3.connect(store.path)) as connection:
        return [
            content
            for (content,) in connection.execute("SELECT content FROM records WHERE name <> 'example' ORDER BY id")
        ]


RIGHT = [new or old for _, old, new in OTHER]


def test_the_first_write_rewrites_it(older):
    assert kept(older) != RIGHT
    older.set_metadata("example", 7, "ALLOW-AXFR-FROM", ["192.0.2.1"])
    assert kept(older) == RIGHT


def test_many_are_left_to_the_repair_which_counts_them(older, monkeypatch):
    monkeypatch.setattr(contents, "_FEW", 2)
    monkeypatch.setattr(contents, "_FEW_ODD", f"{contents._ODD} LIMIT 3")
    older.init()
    assert kept(older) != RIGHT
    [fault] = [fault for fault in older.check() if "another text" in fault]
    assert "records: 6 are kept" in fault
    assert older.repair() == 6
    assert kept(older) == RIGHT
    assert older.repair() == 0
    assert not [fault for fault in older.check() if "another text" in fault]


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    store = open_store("sqlite:none.db", tmp_path)
    assert store.repair() == 0
    assert list(tmp_path.iterdir()) == []
