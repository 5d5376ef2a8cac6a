"""Why a zone was not replaced is kept until somebody writes its SOA."""

from __future__ import annotations

import time

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.records import Record
from pipebackend.store.rows import rrs
from pipebackend.store.rows.refusals import Refusal
from tests.unit.store import foreign

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")
REFUSAL = Refusal(1795643413, ("two things", "are wrong"))
OLDER = (
    "DROP TABLE pipebackend_refusals",
    "DROP TRIGGER pipebackend_records_insert_soa",
    "DROP TRIGGER pipebackend_refusals_delete",
    "DROP TABLE pipebackend_settings_only",
    "DROP TRIGGER pipebackend_records_insert_first_soa",
    "DROP TRIGGER pipebackend_settings_only_delete",
    "DELETE FROM pipebackend_schema WHERE version > 3",
)
OF_POWERDNS = (
    *OLDER[:6],
    "DROP TRIGGER pipebackend_domains_delete",
    *(
        f"DROP TRIGGER pipebackend_{table}_{event}"
        for table in ("records", "metadata")
        for event in ("insert_new", "delete_old", "update_old", "update_new")
    ),
    *(f"DROP TABLE pipebackend_{table}" for table in ("places", "hashes", "orders", "stale", "schema")),
)


@pytest.fixture
def ident(store):
    return store.create_domain(APEX, 7)


def execute(store, *statements):
    foreign.execute(store, *statements, foreign_keys=True)


def a(number):
    return Record(f"h{number}.{APEX}", "A", 60, "192.0.2.1")


def test_the_last_refusal_is_kept_and_seen_by_others(store, ident, opened):
    assert store.refusal(ident) is None
    store.note_refusal(ident, 1, ["older"])
    store.note_refusal(ident, *REFUSAL)
    assert opened().refusal(ident) == REFUSAL
    assert store.refusal(ident + 1) is None


def test_a_store_that_nobody_has_made_has_none(store):
    assert store.refusal(7) is None


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("statements", [OLDER, OF_POWERDNS], ids=["older", "of PowerDNS"])
def test_a_store_without_the_table_gets_it_by_the_first_write(store, ident, opened, statements):
    store.close()
    execute(store, *statements)
    reader, writer = opened(), opened()
    assert reader.refusal(ident) is None
    writer.note_refusal(ident, *REFUSAL)
    assert reader.refusal(ident) == REFUSAL
    writer.fill(ident, [SOA], lambda count: None)
    assert reader.refusal(ident) is None


def edited(store, ident):
    store.begin()
    store.add_records([rrs.row(ident, SOA, None)])
    store.commit()


def by_another_program(store, ident):
    execute(store, f"INSERT INTO records (domain_id, name, type, content) VALUES ({ident}, '{APEX}', 'SOA', 'a b 1')")


WRITERS = {
    "import": lambda store, ident: store.fill(ident, [SOA], lambda count: None),
    "large import": lambda store, ident: store.fill(ident, [SOA, *map(a, range(2000))], lambda count: None),
    "transfer": lambda store, ident: (store.set_aside([rrs.row(ident, SOA, None)]), store.replace_records(ident, 1)),
    "emptied": lambda store, ident: store.replace_records(ident, 0),
    "edited": edited,
    "another program": by_another_program,
    "deleted": lambda store, ident: store.delete_domain(APEX),
    "deleted by another program": lambda store, ident: execute(store, f"DELETE FROM domains WHERE id = {ident}"),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
def test_it_is_forgotten_with_the_next_change(store, ident, write):
    other = store.create_domain("example.net", 8)
    for one in (ident, other):
        store.note_refusal(one, *REFUSAL)
    write(store, ident)
    assert store.refusal(ident) is None
    assert store.refusal(other) == REFUSAL


def test_it_stays_when_a_change_is_aborted(store, ident):
    store.note_refusal(ident, *REFUSAL)
    store.begin()
    store.set_aside([rrs.row(ident, SOA, None)])
    store.replace_records(ident, 1)
    assert store.refusal(ident) is None
    store.abort()
    assert store.refusal(ident) == REFUSAL


def test_keys_and_settings_and_the_book_do_not_change_the_zone(store, ident):
    store.note_refusal(ident, *REFUSAL)
    store.add_key(APEX, 7, 257, True, True, "key")
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 0 0 -"])
    store.set_fresh(ident, 5)
    assert store.refusal(ident) == REFUSAL


def test_a_zone_that_was_deleted_meanwhile_leaves_nothing_to_the_next_of_its_id(store, ident):
    store.delete_domain(APEX)
    store.note_refusal(ident, *REFUSAL)
    assert store.create_domain("example.net", ident) == ident
    assert store.refusal(ident) is None


def test_who_was_refused_does_not_wait_for_other_writers(store, ident, opened):
    other = opened()
    other.begin()
    other.init()
    started = time.monotonic()
    with pytest.raises(StoreFault, match="another process has been writing"):
        store.note_refusal(ident, *REFUSAL)
    assert time.monotonic() - started < 5
    other.commit()
    store.note_refusal(ident, *REFUSAL)
    assert other.refusal(ident) == REFUSAL
