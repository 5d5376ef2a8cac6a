"""The order of a zone's names: who marks it, and that it is right after whoever wrote."""

from __future__ import annotations

import pytest

from pipebackend.base import logs
from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Record
from pipebackend.store.rows import rrs
from pipebackend.store.zonedata import rectify
from tests.unit.store.foreign import execute, forget_ours, is_sqlite, rows, triggers

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")


@pytest.fixture
def ident(store):
    ident = store.create_domain(APEX, 7)
    add(store, SOA)
    return ident


def a(owner):
    return Record(f"{owner}.{APEX}", "A", 60, "192.0.2.1")


def add(store, *records):
    store.begin()
    store.add_records(rrs.row(7, record, None) for record in records)
    store.commit()


def orders(store):
    return rows(store, "SELECT name, type, ordername, auth FROM records ORDER BY name, type")


def chain(store):
    """The names from the apex around, each by the neighbours of the one before."""
    found = [APEX]
    while (after := store.neighbours(7, found[-1], APEX)[1]) != APEX:
        found.append(after)
    return found


def test_labels_that_are_wrong_as_text_are_in_canonical_order(store, ident):
    labels = ["\\000", "\\001", "\\032", "\\032a", "-", "\\.", "\\\\", "a", "a\\000", "a\\032b", "a-b", "\\255"]
    add(store, *(a(label) for label in labels), a("b.a"))
    assert chain(store) == [
        APEX,
        *(
            f"{label}.{APEX}"
            for label in ("\\000", "\\001", "\\032", "\\032a", "-", "\\.", "\\\\", "a", "b.a", "a\\000", "a\\032b")
        ),
        f"a-b.{APEX}",
        f"\\255.{APEX}",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO records (domain_id, name, type, content) VALUES (7, 'x.example.org', 'A', '192.0.2.1')",
        "INSERT INTO records (domain_id, name, type, content) VALUES (7, 'x.example.org', 'A', '192.0.2.1') "
        "ON CONFLICT DO NOTHING",
        "DELETE FROM records WHERE name = 'www.example.org'",
        "UPDATE records SET name = 'ftp.example.org' WHERE name = 'www.example.org'",
        "UPDATE records SET type = 'NS' WHERE name = 'www.example.org'",
        "UPDATE records SET disabled = TRUE WHERE name = 'www.example.org'",
        "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (7, 'NSEC3PARAM', '1 0 0 -')",
    ],
)
def test_whoever_writes_marks_the_zone(statement, store, ident):
    add(store, a("www"))
    assert not store.is_stale(ident)
    execute(store, statement, statement)  # the second may meet the note of the first
    assert store.is_stale(ident)
    store.rectify(ident)
    assert not store.is_stale(ident)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET content = '192.0.2.2' WHERE name = 'www.example.org'",
        "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (7, 'ALSO-NOTIFY', '192.0.2.1')",
        "INSERT INTO records (domain_id, name, type) VALUES (NULL, 'x', 'A')",
        "INSERT INTO records (domain_id, name, type) VALUES (7, NULL, 'A')",
    ],
)
def test_what_does_not_change_the_order_marks_nothing(statement, store, ident):
    add(store, a("www"))
    execute(store, statement)
    assert not store.is_stale(ident)


def test_a_cut_that_appears_hides_what_is_below_and_one_that_goes_shows_it(store, ident):
    add(store, a("ns.sub"), a("x.y.sub"))
    before = orders(store)
    assert chain(store) == [APEX, f"ns.sub.{APEX}", f"x.y.sub.{APEX}"]
    add(store, Record(f"sub.{APEX}", "NS", 60, "ns.sub.example.org"))
    assert orders(store) == [
        (APEX, "SOA", "", 1),
        (f"ns.sub.{APEX}", "A", None, 0),
        (f"sub.{APEX}", "NS", "sub", 0),
        (f"x.y.sub.{APEX}", "A", None, 0),
        (f"y.sub.{APEX}", None, None, 0),
    ]
    assert chain(store) == [APEX, f"sub.{APEX}"]
    store.remove_rrset(ident, f"sub.{APEX}", "NS")
    store.rectify(ident)
    assert orders(store) == before


def test_addresses_at_a_cut_are_not_in_powerdns_order(store, ident):
    owner = f"sub.{APEX}"
    add(store, a("sub"), Record(owner, "NS", 60, "x"), Record(owner, "DS", 60, "1 8 2 00"))
    assert orders(store)[1:] == [(owner, "A", None, 0), (owner, "DS", "sub", 1), (owner, "NS", "sub", 0)]


def test_nsec3_settings_change_the_order_at_once(store, ident):
    add(store, a("b.ent"), Record(f"cut.{APEX}", "NS", 60, "x"))
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 1 2 ab"])
    param = Nsec3Param(1, 2, b"\xab")
    expected = {name: hash_label(name, b"\xab", 2) for name in (APEX, f"ent.{APEX}", f"b.ent.{APEX}")}
    assert dict(row[:3:2] for row in orders(store)) == {**expected, f"cut.{APEX}": None}
    digests = sorted(expected.values())
    found = store.hashed_neighbours(ident, digests[0], param)
    assert found == (next(n for n, d in expected.items() if d == digests[0]), digests[0], digests[1])
    assert store.hashed_neighbours(ident, "0" * 32, param)[1:] == (digests[-1], digests[0])
    assert store.hashed_neighbours(ident, "v" * 32, param)[1:] == (digests[-1], digests[0])
    assert store.hashed_neighbours(ident, "v" * 32, Nsec3Param()) is None
    store.set_metadata(APEX, 7, "NSEC3NARROW", ["1"])
    assert {row[2] for row in orders(store)} == {None}
    store.set_metadata(APEX, 7, "NSEC3PARAM", [])
    assert dict(row[:3:2] for row in orders(store))[f"b.ent.{APEX}"] == "ent b"


def test_settings_inside_a_transaction_count_at_its_commit(store, ident):
    store.begin()
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 0 0 -"])
    store.commit()
    assert orders(store)[0][2] == hash_label(APEX, b"", 0)
    store.begin()
    store.set_metadata(APEX, 7, "NSEC3PARAM", [])
    store.abort()
    assert orders(store)[0][2] == hash_label(APEX, b"", 0)


def test_names_that_no_question_reaches_are_left_out(store, ident):
    texts = ["a..example.org", "www.example.net", "bad\\.example.org", "ü.example.org", ""]
    texts += ["WWW.example.org"] if is_sqlite(store) else []  # which the schema of gpgsql does not take
    values = ", ".join(f"(7, '{text}', 'A', '192.0.2.1')" for text in texts)
    execute(store, f"INSERT INTO records (domain_id, name, type, content) VALUES {values}")
    store.rectify(ident)
    assert chain(store) == [APEX]


def test_nsec3param_of_others_that_is_none_is_taken_for_nsec(store, ident, capfd):
    logs.forget("nsec3param 7")  # other tests may have met it
    execute(store, "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (7, 'NSEC3PARAM', 'rubbish')")
    store.rectify(ident)
    assert orders(store) == [(APEX, "SOA", "", 1)]
    assert "NSEC3PARAM" in capfd.readouterr().err


def test_many_names_are_put_in_order_in_one_pass(store, ident):
    add(store, *(a(f"h{number}.ent{number % 7}") for number in range(rectify.MOST_NAMES + 100)))
    assert len(chain(store)) == rectify.MOST_NAMES + 101
    assert sum(row[1] is None for row in orders(store)) == 7


def test_a_large_zone_that_was_written_at_once_is_noticed_when_others_write(store, ident):
    before = triggers(store)
    store.fill(7, [SOA, *(a(f"h{number}") for number in range(3000))], lambda count: None)
    assert triggers(store) == before
    assert not store.is_stale(7)
    execute(store, "INSERT INTO records (domain_id, name, type) VALUES (7, 'x.example.org', 'A')")
    assert store.is_stale(7)


def test_a_large_zone_that_is_given_up_in_the_middle_leaves_the_old_one_and_the_triggers(store, ident):
    def give_up(count):
        if count:
            raise KeyboardInterrupt

    before = triggers(store), orders(store)
    with pytest.raises(KeyboardInterrupt):
        store.fill(7, [SOA, *(a(f"h{number}") for number in range(20_000))], give_up)
    assert (triggers(store), orders(store)) == before
    assert not store.is_stale(7)
    assert chain(store) == [APEX]


def test_a_block_without_lookups_leaves_them_on(store, ident):
    """SQLite would not take a deleted zone's records away."""
    with store.without_lookups():
        store.fill(7, [SOA, a("www")], lambda count: None)
        with pytest.raises(StoreFault), store.filling(8, is_large=False):
            pass
    store.delete_domain(APEX)
    assert rows(store, "SELECT count(*) FROM records") == [(0,)]


def test_a_zone_that_others_deleted_meanwhile_is_not_filled(store, ident):
    store.begin()
    store.set_aside([rrs.row(7, SOA, None)])
    execute(store, "DELETE FROM domains", "DELETE FROM records")
    with pytest.raises(StoreFault, match="was deleted"):
        store.replace_records(7, 1)


def test_a_deleted_zone_leaves_nothing(store, ident):
    add(store, a("www"))
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 0 0 -"])
    store.delete_domain(APEX)
    for table in ("records", "pipebackend_places", "pipebackend_hashes", "pipebackend_orders", "pipebackend_stale"):
        assert rows(store, f"SELECT * FROM {table}") == []


def test_a_store_that_powerdns_made_is_put_in_order_when_it_is_first_written(store, ident, opened):
    add(store, a("b.ent"))
    forget_ours(store)
    execute(store, "DELETE FROM records WHERE type IS NULL")
    other = opened()
    assert other.is_stale(ident)
    other.rectify(ident)
    assert other.records_at(ident, f"ent.{APEX}") == []
    assert other.neighbours(ident, APEX, APEX) == (APEX, f"b.ent.{APEX}")


@pytest.mark.parametrize("signer_proves_it", [False, True])
def test_a_presigned_zone_with_optout_has_the_nsec3_that_its_signer_made(store, ident, signer_proves_it):
    """RFC 5155 section 6: a signer may give insecure delegations an NSEC3 all the same; ldns-signzone -p does."""
    hashed = hash_label(f"sub.{APEX}", b"", 0)
    content = f"NSEC3 13 3 60 20300101000000 20200101000000 1 {APEX} AA=="
    signature = Record(f"{hashed}.{APEX}", "RRSIG", 60, content)
    store.set_metadata(APEX, 7, "PRESIGNED", ["1"])
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 1 0 -"])
    add(store, Record(f"sub.{APEX}", "NS", 60, "ns.elsewhere.example"), a("www"), *[signature] * signer_proves_it)
    owner, before, _ = store.hashed_neighbours(7, hashed, Nsec3Param(1, 0, b""))
    assert (before == hashed) is signer_proves_it
    assert (owner == f"sub.{APEX}") is signer_proves_it


def test_so_has_the_root(store):
    """Its hashes have nothing after them."""
    store.create_domain("", 8)
    hashed = hash_label("sub", b"", 0)
    store.set_metadata("", 8, "PRESIGNED", ["1"])
    store.set_metadata("", 8, "NSEC3PARAM", ["1 1 0 -"])
    signature = Record(hashed, "RRSIG", 60, "NSEC3 13 1 60 20300101000000 20200101000000 1 . AA==")
    store.fill(8, [SOA._replace(owner=""), Record("sub", "NS", 60, "ns.elsewhere"), signature], lambda count: None)
    store.rectify(8)
    assert store.hashed_neighbours(8, hashed, Nsec3Param(1, 0, b""))[:2] == ("sub", hashed)


def test_a_ds_at_a_cut_below_a_cut_is_not_authoritative(store, ident):
    """PowerDNS answered it, where the zone can only refer (RFC 4035 section 2.3); found against the bind backend."""
    ds = "1 13 2 49fd46e6c4b45c55d4ac69cbd3cd34ac1afe51de8f1e0ad4f1dbd2e6d5b8a6f1"
    for owner in (f"sub.{APEX}", f"deep.sub.{APEX}"):
        add(store, Record(owner, "NS", 60, "ns.elsewhere.example"), Record(owner, "DS", 60, ds))
    auths = {(name, type_): auth for name, type_, _, auth in orders(store)}
    assert auths[f"sub.{APEX}", "DS"] == 1
    assert auths[f"deep.sub.{APEX}", "DS"] == 0


def spelled(store):
    """The owners of the zone but the apex, as a transfer has them."""
    return [record.owner for record in store.listing(7, APEX) if record.owner != APEX]


@pytest.fixture
def presigned(store, ident):
    store.set_metadata(APEX, 7, "PRESIGNED", ["1"])


def test_a_presigned_zone_keeps_the_spelling_that_was_first_until_it_is_replaced(store, presigned):
    """The signature of an NSEC is made of the next name as the signer spelled it (RFC 6840 section 5.1)."""
    store.fill(7, [SOA, a("WWW"), a("www")._replace(type="TXT", content='"x"'), a("b"), a("B")], lambda count: None)
    assert spelled(store) == [f"b.{APEX}", f"WWW.{APEX}", f"WWW.{APEX}"]
    assert store.neighbours(7, f"b.{APEX}", APEX) == (f"b.{APEX}", f"WWW.{APEX}")
    assert [record.owner for record in store.records_at(7, f"www.{APEX}")] == [f"www.{APEX}"] * 2
    assert {name for name, *_ in orders(store)} == {APEX, f"b.{APEX}", f"www.{APEX}"}  # gsqlite3 finds them
    add(store, a("www")._replace(content="192.0.2.2"), a("x.www"))
    assert chain(store) == [APEX, f"b.{APEX}", f"WWW.{APEX}", f"x.www.{APEX}"]
    execute(store, "INSERT INTO pipebackend_stale (domain_id, name) VALUES (7, '')")
    store.rectify(7)
    assert chain(store) == [APEX, f"b.{APEX}", f"WWW.{APEX}", f"x.www.{APEX}"]
    store.fill(7, [SOA, a("www")], lambda count: None)
    assert spelled(store) == [f"www.{APEX}"]


def test_a_name_below_a_cut_keeps_its_spelling_when_the_cut_goes(store, presigned):
    cut = Record(f"cut.{APEX}", "NS", 60, "ns.example.net")
    store.fill(7, [SOA, cut, a("NS.Cut")], lambda count: None)
    assert chain(store) == [APEX, f"cut.{APEX}"]
    store.begin()
    store.remove_rrset(7, f"cut.{APEX}", "NS")
    store.commit()
    assert chain(store) == [APEX, f"NS.Cut.{APEX}"]


def test_the_end_of_each_name_is_the_name_of_the_zone(store, presigned):
    store.fill(7, [SOA._replace(owner="EXAMPLE.org"), a("x")._replace(owner="X.EXAMPLE.ORG")], lambda count: None)
    assert chain(store) == [APEX, f"X.{APEX}"]


def test_what_powerdns_signs_is_in_lower_case(store, ident):
    """A secondary with PowerDNS's tables could not keep anything else, and would deny with broken signatures."""
    store.fill(7, [SOA, a("WWW")], lambda count: None)
    assert spelled(store) == [f"www.{APEX}"]
    assert chain(store) == [APEX, f"www.{APEX}"]
