"""Many processes on one store, and writers that are killed while they write."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import struct
import time

import pytest

from pipebackend.store import open_store

# Children are forked: a round with a fresh interpreter would take ten times as long. Nothing is open at the fork.
FORK = multiprocessing.get_context("fork")

ROUNDS = 200
PROCESSES = 8
KEYS_EACH = 25
KEY_TEXT = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {}=\n"


def run_all(target, arguments):
    """The results of ``target`` in one process for each of ``arguments``, all started at the same moment."""
    results, barrier = FORK.SimpleQueue(), FORK.Barrier(len(arguments))

    def run(number, arguments):
        barrier.wait()
        try:
            results.put((number, target(*arguments)))
        except Exception as exc:
            results.put((number, exc))

    children = [FORK.Process(target=run, args=pair) for pair in enumerate(arguments)]
    for child in children:
        child.start()
    found = dict(results.get() for _ in children)
    for child in children:
        child.join()
    return [found[number] for number in range(len(arguments))]


def add_and_read(directory, number):
    """Adds keys to a zone that all share; reads and changes between the writes."""
    store = open_store("sqlite:zones.db", directory)
    ids = []
    for round_ in range(KEYS_EACH):
        ids.append(store.add_key("example.org", 7, 256, True, True, KEY_TEXT.format(f"{number} {round_}")))
        assert ids[-1] in [row.id for row in store.keys("example.org")]
        store.set_metadata(f"zone{number}.example", 7, "ALSO-NOTIFY", [f"192.0.2.{round_}"])
        assert store.set_key_published("example.org", ids[-1], False)
        store.data_version()
    store.close()
    return ids


def test_processes_that_add_keys_at_once_get_ids_of_their_own(tmp_path):
    found = run_all(add_and_read, [(tmp_path, number) for number in range(PROCESSES)])
    assert [result for result in found if isinstance(result, Exception)] == []
    ids = [key_id for result in found for key_id in result]
    assert len(set(ids)) == len(ids) == PROCESSES * KEYS_EACH
    store = open_store("sqlite:zones.db", tmp_path)
    assert sorted(ids) == [row.id for row in store.keys("example.org")]
    assert len({row.id for row in store.domains()}) == PROCESSES + 1
    assert store.check() == []
    store.close()


def number_of_zone(directory, _number):
    store = open_store("sqlite:zones.db", directory)
    found = [store.ensure_domain(apex, 7) for apex in ("example.org", "example.net")]
    store.close()
    return found


@pytest.mark.parametrize("round_", range(5))
def test_a_zone_has_the_same_id_in_all_processes(round_, tmp_path):
    found = run_all(number_of_zone, [(tmp_path, number) for number in range(PROCESSES)])
    assert found == [found[0]] * PROCESSES
    assert sorted(found[0]) == [7, 8]


def test_readers_wait_for_no_transaction(tmp_path):
    """pdnsutil secure-zone reads in a second process while the first has written and not committed."""
    store = open_store("sqlite:zones.db", tmp_path)
    store.add_key("example.org", 7, 257, True, True, "old")
    store.close()
    begun, done = FORK.Event(), FORK.Event()

    def hold():
        writer = open_store("sqlite:zones.db", tmp_path)
        writer.begin()
        for number in range(2000):  # more than fits the cache of the driver
            writer.add_key("example.org", 7, 256, True, True, KEY_TEXT.format(number) * 10)
        begun.set()
        done.wait()
        writer.commit()
        writer.close()

    child = FORK.Process(target=hold)
    child.start()
    assert begun.wait(60)
    [old] = run_all(lambda directory: open_and_count(directory), [(tmp_path,)])
    done.set()
    child.join()
    assert (old, open_and_count(tmp_path)) == (1, 2001)


def open_and_count(directory):
    store = open_store("sqlite:zones.db", directory)
    count = len(store.keys("example.org"))
    store.close()
    return count


def write_until_killed(directory, zone, reports):
    """Pairs of keys, each pair in a transaction; reports a pair's number when it is committed."""
    store = open_store("sqlite:zones.db", directory)
    os.write(reports, struct.pack("i", -1))
    number = 0
    while True:
        store.begin()
        for half in "ab":
            store.add_key(zone, 7, 257, True, True, KEY_TEXT.format(f"{number} {half}" * 50))
        store.set_metadata(zone, 7, "X-LAST", [str(number)])
        store.commit()
        os.write(reports, struct.pack("i", number))
        number += 1


def kill_a_writer(directory, zone, delay):
    """How many pairs of keys the writer had reported when it was killed."""
    reading, writing = os.pipe()
    writer = FORK.Process(target=write_until_killed, args=(directory, zone, writing))
    writer.start()
    os.close(writing)
    os.read(reading, 4)
    time.sleep(delay)
    writer.kill()
    writer.join()
    with os.fdopen(reading, "rb") as reports:
        return len(reports.read()) // 4


def assert_whole(directory, zone, reported):
    store = open_store("sqlite:zones.db", directory)
    contents = [row.content for row in store.keys(zone)]
    pairs = len(contents) // 2
    assert contents == [KEY_TEXT.format(f"{n} {half}" * 50) for n in range(pairs) for half in "ab"]
    assert reported <= pairs <= reported + 1  # committed and killed before the report is no loss
    assert store.metadata(zone) == ({"X-LAST": [str(pairs - 1)]} if pairs else {})
    assert store.check() == []
    store.close()


def test_a_killed_writer_leaves_whole_transactions(tmp_path):
    """Every tenth round starts without a file, so that also its making is interrupted."""
    moments = random.Random(20240229)
    total = 0
    for round_ in range(ROUNDS):
        directory = tmp_path / f"store{round_ // 10}"
        directory.mkdir(exist_ok=True)
        zone = f"zone{round_}"
        reported = kill_a_writer(directory, zone, moments.uniform(0, 0.02))
        assert_whole(directory, zone, reported)
        total += reported
    assert total > 0  # the writers were not all killed before they wrote, as most are on a busy machine
    connection = sqlite3.connect(directory / "zones.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
