"""A stored zone answers as the same records do in memory, whoever wrote them and in whatever steps."""

from __future__ import annotations

import sqlite3
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipebackend.dnsdata import names
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param, from_text
from pipebackend.dnsdata.records import ENT, Client, Record
from pipebackend.store import open_store
from pipebackend.store.rows import rrs
from pipebackend.store.zonedata import columns
from pipebackend.zones.kinds.stored import StoredZones
from pipebackend.zones.ring import TreeRing
from pipebackend.zones.tree import Tree

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")
CONTENTS = {
    "A": "192.0.2.1",
    "TXT": '"x"',
    "NS": "ns1.example.net",
    "DS": "1 8 2 00",
    "DNAME": "x.example.net",
    "MX": "10 mail.example.net",
    "SRV": "1 2 3 srv.example.net",
}

# few labels, so that names lie below each other, and those whose order as text is wrong
label = st.sampled_from([b"a", b"b", b"*", b" ", b"\x00", b"\x01", b".", b"\\", b"-", b"a b", b"\xff", b"a\x00", b"_"])
owners = st.lists(label, min_size=0, max_size=4).map(lambda found: names.join(names.from_labels(found), APEX))
types = st.sampled_from(list(CONTENTS))
rrsets = st.dictionaries(
    st.tuples(owners, types).filter(lambda pair: pair[0] != APEX or pair[1] != "DS"), st.just(None), max_size=12
)
params = st.sampled_from([None, "1 0 0 -", "1 1 0 -", "1 1 2 ab"])
edits = st.lists(st.tuples(st.lists(st.tuples(owners, types), max_size=4), params, st.booleans()), max_size=4)


def record(pair):
    return Record(pair[0], pair[1], 60, CONTENTS[pair[1]])


def tree_of(pairs):
    return Tree(APEX, [SOA, *map(record, pairs)])


def assert_same(zone, tree, param):
    """All answers about the names that there are and about some that there are not."""
    asked = {*tree.nodes, *(names.join(left, name) for name in tree.nodes for left in ("0", "\\000", "zz"))}
    for name in asked:
        found, expected = zone.find(name, Client()), tree.answer(name)
        assert (found is None) == (expected is None), name
        if param is not None and not param.opt_out and tree.find(name) == () and not tree.is_below_cut(name):
            assert not found, name  # all empty non-terminals have an NSEC3 then
        else:
            assert sorted(found or ()) == sorted(expected or ()), name
    assert sorted(r for r in zone.listing() if r.type) == sorted(r for r in tree.listing() if r.type)
    assert next(r.owner for r in zone.listing()) == APEX
    assert sorted(r.owner for r in zone.listing() if r.type == ENT) == sorted(
        r.owner for r in tree.listing() if r.type == ENT
    )
    ring, expected_ring = zone.ring(), TreeRing(tree)
    for name in asked:
        assert ring.neighbours(name) == expected_ring.neighbours(name), name
    for kind in {param or Nsec3Param(), Nsec3Param(flags=1)}:
        for name in asked:
            digest = hash_label(name, kind.salt, kind.iterations)
            assert ring.hashed_neighbours(digest, kind) == expected_ring.hashed_neighbours(digest, kind), name


def assert_columns(path, tree, param):
    """``ordername`` is on the rows of the names on the chain alone; the order tables are what a rebuild makes."""
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT * FROM pipebackend_stale").fetchall() == []
    ordered = {name for (name,) in connection.execute("SELECT name FROM records WHERE ordername IS NOT NULL")}
    if param is None:
        expected = {name for name, rows in tree.nodes.items() if rows and not tree.is_below_cut(name)}
        assert ordered <= expected
        assert expected - ordered <= tree.cuts  # a cut that has no rows but NS and addresses
    kept = order_tables(connection)
    connection.execute("INSERT INTO pipebackend_stale SELECT id, '' FROM domains")
    connection.commit()
    connection.close()
    return kept


def order_tables(connection):
    return [
        connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("pipebackend_places", "pipebackend_hashes", "pipebackend_orders")
    ] + [
        connection.execute(
            "SELECT name, type, content, ttl, prio, ordername, auth FROM records ORDER BY name, type"
        ).fetchall()
    ]


@settings(max_examples=60)
@given(rrsets, edits)
def test_a_stored_zone_equals_the_tree_after_each_edit(rrsets, edits):
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite:zones.db", folder)
        ident = store.create_domain(APEX, 7)
        store._db.connection().execute("PRAGMA synchronous = OFF")  # the disk is not what is tested here
        store.begin()
        store.set_aside(rrs.row(ident, one, None) for one in (SOA, *map(record, rrsets)))
        store.replace_records(ident, 1 + len(rrsets))
        store.commit()
        zones, present, param = StoredZones(store), set(rrsets), None
        assert_same(zones.by_apex(APEX), tree_of(present), param)
        for changes, text, by_others in edits:
            param = from_text(text) if text else None
            if by_others:
                edit_as_others_do(store.path, ident, changes, present, text)
            else:
                edit(store, ident, changes, present, text)
            present ^= set(changes)
            assert_same(zones.by_apex(APEX), tree_of(present), param)
        kept = assert_columns(store.path, tree_of(present), param)
        store.rectify(ident)
        connection = sqlite3.connect(store.path)
        assert order_tables(connection) == kept
        connection.close()
        store.close()


SIGNATURE = "A 13 3 60 20300101000000 20200101000000 1 example.org AAAA"
settings_of_denial = st.sampled_from(
    [{}, *({"NSEC3PARAM": [text]} for text in ("1 0 0 -", "1 1 0 -")), {"NSEC3PARAM": ["1 1 2 ab"], "PRESIGNED": ["1"]},
     {"NSEC3PARAM": ["1 0 0 -"], "NSEC3NARROW": ["1"]}]
)  # fmt: skip


@settings(max_examples=100)
@given(rrsets, rrsets, st.lists(owners, max_size=3), settings_of_denial, st.booleans(), st.sampled_from([1, 2, 500]))
def test_a_zone_written_at_once_has_the_rows_and_the_order_of_one_put_in_order(
    old, new, signed, settings, at_once, rows
):
    records = [SOA, *map(record, new), *(Record(owner, "RRSIG", 60, SIGNATURE) for owner in signed)]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            columns, "_ROWS", rows
        )  # names directly below the apex go another way when they are among themselves
        store = open_store("sqlite:zones.db", folder)
        ident = store.create_domain(APEX, 7)
        store._db.connection().execute("PRAGMA synchronous = OFF")
        store.fill(ident, [SOA, *map(record, old)], lambda count: None)
        store.begin()
        for kind, values in settings.items():
            store.set_metadata(APEX, ident, kind, values)
        if at_once:
            assert store.fill(ident, records, lambda count: None) == len(set(records))
        else:
            store.set_aside(rrs.row(ident, one, None) for one in dict.fromkeys(records))
            store.replace_records(ident, len(set(records)))
        store.commit()
        connection = sqlite3.connect(store.path)
        written = order_tables(connection)
        connection.execute("INSERT INTO pipebackend_stale (domain_id, name) VALUES (?, '')", (ident,))
        connection.execute("UPDATE records SET auth = 1, ordername = NULL")
        connection.commit()
        store.rectify(ident)
        assert order_tables(connection) == written
        connection.close()
        store.close()


def edit(store, ident, changes, present, text):
    """Takes away what is there and adds what is not."""
    store.begin()
    for pair in set(changes):
        if pair in present:
            store.remove_rrset(ident, *pair)
        else:
            store.add_records([rrs.row(ident, record(pair), None)])
    store.set_metadata(APEX, ident, "NSEC3PARAM", [text] if text else [])
    assert store.commit()
    assert not store.is_stale(ident)


def edit_as_others_do(path, ident, changes, present, text):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    for name, type_ in set(changes):
        if (name, type_) in present:
            connection.execute("DELETE FROM records WHERE name = ? AND type = ?", (name, type_))
        else:
            first, _, rest = CONTENTS[type_].partition(" ")
            prio, content = (first, rest) if type_ in ("MX", "SRV") else (0, CONTENTS[type_])
            connection.execute(
                "INSERT INTO records (domain_id, name, type, content, ttl, prio) VALUES (?, ?, ?, ?, 60, ?)",
                (ident, name, type_, content, prio),
            )
    connection.execute("DELETE FROM domainmetadata WHERE kind = 'NSEC3PARAM'")
    if text:
        connection.execute(
            "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, 'NSEC3PARAM', ?)", (ident, text)
        )
    connection.commit()
    connection.close()
