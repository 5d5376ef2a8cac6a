"""The store as a whole: its address, when it is made, transactions, and what other processes see."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.store import open_store

APEX = "example.org"


def add_key(store, apex=APEX, content="key"):
    return store.add_key(apex, 5, 257, True, True, content)


@pytest.mark.parametrize(
    "url",
    ["", "zones.db", "sqlite:", "sqlite://zones.db", "sqlite:///zones.db", "sqlite:a\0b"],
)
def test_an_address_of_another_form_is_refused_with_the_form_that_is_supported(url, tmp_path):
    with pytest.raises(StoreFault, match=r"supported is sqlite:PATH"):
        open_store(url, tmp_path)


def test_a_relative_address_starts_at_the_base_and_an_absolute_one_does_not(tmp_path):
    assert open_store("sqlite:sub/zones.db", tmp_path).path == str(tmp_path / "sub" / "zones.db")
    assert open_store("sqlite:/elsewhere/zones.db", str(tmp_path)).path == "/elsewhere/zones.db"


@pytest.mark.parametrize("name", ["odd name?mode=memory#x%41.db", "zones'\".db", "zönes.db"])
def test_any_file_name_is_taken_as_it_is(name, tmp_path):
    store = open_store(f"sqlite:{name}", tmp_path)
    add_key(store)
    store.close()
    assert os.listdir(tmp_path) == [name]


def test_reading_a_missing_store_finds_nothing_and_makes_nothing(store, tmp_path):
    assert store.domain_id(APEX) is None
    assert store.apex_of(1) is None
    assert store.domains() == []
    assert store.keys(APEX) == []
    assert store.metadata(APEX) == {}
    assert store.tsig_key("k") is None
    assert store.tsig_keys() == []
    assert store.check() == []
    assert os.listdir(tmp_path) == []


def test_taking_away_what_is_not_there_makes_no_store(store, tmp_path):
    assert not store.remove_key(APEX, 1)
    assert not store.set_key_active(APEX, 1, True)
    assert not store.set_key_published(APEX, 1, True)
    assert not store.remove_tsig_key("k")
    store.set_metadata(APEX, 5, "ALSO-NOTIFY", [])
    store.begin()
    assert store.commit()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_the_first_write_makes_a_private_store_that_readers_share(store, tmp_path):
    old_mask = os.umask(0)
    try:
        add_key(store)
    finally:
        os.umask(old_mask)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
    assert modes == {"zones.db": 0o600, "zones.db-shm": 0o600, "zones.db-wal": 0o600}
    store.close()
    assert os.listdir(tmp_path) == ["zones.db"]


def test_opening_imports_no_database_driver():
    """Start-up time is part of the service, and most zones need no store."""
    code = (
        "import sys; from pipebackend.store import open_store; s = open_store('sqlite:none.db', '/nowhere'); "
        "s.keys('x'); s.data_version(); print(sorted({'sqlite3', 'typing', 're', 'functools'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_init_makes_a_store_once(store, opened, tmp_path):
    store.init()
    store.close()
    before = (tmp_path / "zones.db").read_bytes()
    store.init()
    store.close()
    assert (tmp_path / "zones.db").read_bytes() == before
    assert opened().check() == []


# transactions


def test_a_transaction_is_seen_by_itself_alone_until_it_is_committed(store, opened):
    other = opened()
    store.init()
    store.begin()
    add_key(store)
    store.set_metadata(APEX, 5, "PRESIGNED", ["1"])
    assert len(store.keys(APEX)) == 1
    assert other.keys(APEX) == []
    assert store.commit()
    assert len(other.keys(APEX)) == 1
    assert other.metadata(APEX) == {"PRESIGNED": ["1"]}


def test_an_aborted_transaction_leaves_nothing(store, opened):
    add_key(store)
    store.begin()
    store.set_metadata(APEX, 5, "PRESIGNED", ["1"])
    store.set_tsig_key("k", "hmac-sha256", "c2VjcmV0")
    store.remove_key(APEX, 1)
    store.ensure_domain("other.example", 9)
    assert store.abort()
    for view in (store, opened()):
        assert view.metadata(APEX) == {}
        assert view.tsig_keys() == []
        assert [row.id for row in view.keys(APEX)] == [1]
        assert view.domain_id("other.example") is None


def test_the_end_of_a_transaction_that_never_began_is_answered(store):
    """PowerDNS ends transactions in processes that never saw them start (rule T-3)."""
    assert not store.commit()
    assert not store.abort()


def test_a_second_transaction_is_refused_and_the_first_goes_on(store):
    store.begin()
    add_key(store)
    with pytest.raises(StoreFault, match="open already"):
        store.begin()
    assert store.commit()
    assert len(store.keys(APEX)) == 1


def test_an_idle_transaction_holds_no_lock_and_sees_what_others_write(store, opened):
    """pdnsutil secure-zone starts a transaction in one process and reads and writes in others."""
    add_key(store)
    store.begin()
    assert len(store.keys(APEX)) == 1
    other = opened()
    other.add_key(APEX, 5, 256, True, True, "other")
    assert len(store.keys(APEX)) == 2
    assert store.add_key(APEX, 5, 257, True, True, "mine") == 3  # no stale snapshot
    assert store.commit()
    assert [row.content for row in other.keys(APEX)] == ["key", "other", "mine"]


def test_a_writer_waits_for_the_transaction_before_it(store, url, tmp_path):
    store.begin()
    add_key(store)
    ids = []

    def write():
        waiting = open_store(url, tmp_path)
        ids.append(add_key(waiting))
        waiting.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert add_key(store) == 2
    assert store.commit()
    thread.join()
    assert ids == [3]


def test_a_failed_write_spoils_its_transaction(store, opened):
    add_key(store)
    store.begin()
    add_key(store)
    with pytest.raises(StoreFault, match="cannot be stored"):
        store.set_metadata(APEX, 5, "X-TEXT", ["good", "bad \udcff"])
    with pytest.raises(StoreFault, match="abort it"):
        add_key(store)
    with pytest.raises(StoreFault, match="nothing of it was kept"):
        store.commit()
    assert [row.id for row in opened().keys(APEX)] == [1]
    assert add_key(store) > 1  # and the store goes on


def test_a_failed_single_write_changes_nothing(store):
    store.set_metadata(APEX, 5, "X-TEXT", ["before"])
    with pytest.raises(StoreFault, match="cannot be stored"):
        store.set_metadata(APEX, 5, "X-TEXT", ["good", "bad \udcff"])
    assert store.metadata(APEX) == {"X-TEXT": ["before"]}


def test_a_failed_single_write_for_a_new_zone_leaves_no_zone(store):
    """The zone's row is made by a block inside the block that fails."""
    with pytest.raises(StoreFault, match="cannot be stored"):
        store.add_key(APEX, 5, 257, True, True, "bad \udcff")
    with pytest.raises(StoreFault, match="cannot be stored"):
        store.set_metadata(APEX, 5, "X-TEXT", ["good", "bad \udcff"])
    assert store.domains() == []


def test_closing_forgets_an_open_transaction(store):
    store.begin()
    add_key(store)
    store.close()
    assert store.keys(APEX) == []
    assert not store.commit()


# noticing changes


def test_the_data_version_tells_of_every_change(store, opened):
    other = opened()
    seen = [other.data_version()]

    def changed() -> bool:
        seen.append(other.data_version())
        assert other.data_version() == seen[-1]
        return seen[-1] != seen[-2]

    assert not changed()
    add_key(store)
    assert changed()
    store.set_key_active(APEX, 1, False)
    assert changed()
    store.begin()
    add_key(store)
    assert not changed()
    store.commit()
    assert changed()
    other.set_key_active(APEX, 1, True)
    assert changed()
    other.begin()
    other.set_metadata(APEX, 5, "PRESIGNED", ["1"])
    assert changed()
    other.abort()
    assert changed()


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_store_that_was_replaced_is_read_anew(store, opened, tmp_path):
    other = opened()
    add_key(store, content="old")
    store.backup(tmp_path / "copy.db")
    add_key(store, content="newer")
    before = other.data_version()
    assert len(other.keys(APEX)) == 2
    store.close()
    for name in ("zones.db-wal", "zones.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "copy.db").rename(store.path)
    assert [row.content for row in other.keys(APEX)] == ["old"]
    assert other.data_version() != before


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_store_that_was_deleted_is_empty(store, tmp_path):
    add_key(store)
    before = store.data_version()
    for path in tmp_path.iterdir():
        path.unlink()
    assert store.keys(APEX) == []
    assert store.data_version() != before
    assert add_key(store) == 1


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_file_that_nobody_wrote_to_yet_is_an_empty_store(store, tmp_path):
    """Between making the file and the first commit a reader sees this."""
    (tmp_path / "zones.db").touch(mode=0o600)
    assert store.keys(APEX) == []
    assert add_key(store) == 1


def test_many_writers_make_one_new_store(url, store, tmp_path):
    """All make the file at once, and all their keys are in it."""
    ids, faults = [], []

    def write(number):
        one = open_store(url, tmp_path)
        try:
            ids.append(one.add_key(f"zone{number}", 1, 257, True, True, "key"))
        except StoreFault as exc:
            faults.append(exc)
        one.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(ids) == [1, 2, 3, 4, 5, 6]
    assert len({row.id for row in store.domains()}) == 6
