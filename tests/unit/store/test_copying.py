"""A copy of a store has all that was in it, whichever kind both are of; or nothing at all."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from pipebackend.store.rows.autoprimaries import Autoprimary
from pipebackend.store.zonedata import rectify
from tests.unit.store import foreign

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request, tmp_path):
    url = "sqlite:target.db" if request.param == "sqlite" else request.getfixturevalue("postgresql").new_database()
    opened = open_store(url, tmp_path)
    yield opened
    opened.close()


def filled(store):
    """A bit of everything, and more rows than are sent at once."""
    store.create_domain(APEX, 7, "SLAVE", ["192.0.2.1"], "me")
    store.set_metadata(APEX, 7, "PRESIGNED", ["1"])
    many = (Record(f"h{n}.x.{APEX}", "TXT", 60, f'"\\\\tab {n}"') for n in range(6000))
    store.fill(7, [SOA, Record(f"WWW.{APEX}", "MX", 60, "10 mx.example.net"), *many], lambda count: None)
    store.create_domain("hashed.example", 9)
    store.set_metadata("hashed.example", 9, "NSEC3PARAM", ["1 0 0 -"])
    store.fill(9, [SOA._replace(owner="hashed.example")], lambda count: None)
    store.add_key("keys.example", 12, 257, True, False, "a\nkey")
    store.remove_key("keys.example", store.add_key("keys.example", 12, 256, True, True, "gone"))
    store.add_key("keys.example", 12, 256, False, True, "another")
    store.set_tsig_key("k", "hmac-sha256", "c2VjcmV0")
    store.add_autoprimary(Autoprimary("192.0.2.9", "ns1.example", "us"))
    store.note_refusal(9, 5, ["why"])


def contents(store):
    def keys(apex):
        return [tuple(key) for key in store.keys(apex)]

    return {
        "domains": [tuple(zone) for zone in store.served_domains() + store.waiting_domains()],
        "records": {ident: list(store.listing(ident, apex)) for ident, apex in ((7, APEX), (9, "hashed.example"))},
        "keys": {row.name: keys(row.name) for row in store.domains()},
        "metadata": {row.name: store.metadata(row.name) for row in store.domains()},
        "tsig": store.tsig_keys(),
        "autoprimaries": store.autoprimaries(),
        "refusals": store.refusal(9),
        "stale": [store.is_stale(ident) for ident in (7, 9)],
        "order": store.neighbours(7, f"h5.x.{APEX}", APEX),
    }


def test_a_copy_has_all_and_goes_on_as_the_first_would(store, target):
    filled(store)
    told = []
    store.copy_to(target, lambda table, count: told.append((table, count)))
    assert contents(target) == contents(store)
    assert target.check() == []
    assert ("records", 6004) in told  # with the empty non-terminal
    last = max(key.id for key in store.keys("keys.example"))
    assert target.add_key("keys.example", 12, 256, True, True, "next") > last
    assert target.ensure_domain("new.example", 7) == 8
    foreign.execute(target, "INSERT INTO domains (name, type) VALUES ('theirs.example', 'NATIVE')")
    assert target.domain_id("theirs.example") > 12
    foreign.execute(target, "INSERT INTO records (domain_id, name, type) VALUES (9, 'x.hashed.example', 'A')")
    assert target.is_stale(9)


def test_a_store_that_powerdns_made_is_stale_in_the_copy(store, target):
    filled(store)
    foreign.forget_ours(store)
    store.close()
    store.copy_to(target, lambda table, count: None)
    assert [target.is_stale(ident) for ident in (7, 9)] == [True, True]
    rectify.all_stale(target._db)
    assert target.neighbours(7, APEX, APEX) == (APEX, f"www.{APEX}")  # whose capitals are lost with our table


def test_nothing_is_copied_over_what_is_there(store, target):
    filled(store)
    target.set_tsig_key("mine", "hmac-sha256", "c2VjcmV0")
    with pytest.raises(StoreFault, match="tsigkeys is not empty"):
        store.copy_to(target, lambda table, count: None)
    assert target.domains() == []


def test_a_copy_that_fails_leaves_nothing(store, target):
    filled(store)

    def give_up(table, count):
        if table == "cryptokeys":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.copy_to(target, give_up)
    assert target.domains() == []
    store.copy_to(target, lambda table, count: None)
    assert contents(target) == contents(store)


def test_a_store_that_is_not_there_is_not_copied(store, target):
    with pytest.raises(StoreFault, match="nothing to copy"):
        store.copy_to(target, lambda table, count: None)


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_a_backup_of_postgresql_is_a_private_file(store, tmp_path):
    filled(store)
    store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    copy = open_store("sqlite:copy.db", tmp_path)
    assert contents(copy) == contents(store)
    copy.close()
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
    with pytest.raises(StoreFault, match="name a new file"):
        store.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_the_check_finds_what_is_wrong(store):
    assert store.check() == []
    store.ensure_domain(APEX, 5)
    foreign.execute(store, "INSERT INTO cryptokeys (domain_id, flags, content) VALUES (5, 257, '')")
    assert [fault.removeprefix(f"store {store.path}: ") for fault in store.check()] == [
        "cryptokeys: the key with the id 1 is empty; delete it"
    ]
