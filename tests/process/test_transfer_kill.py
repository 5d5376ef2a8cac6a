"""A process that is killed while it replaces a large zone leaves the old zone or the new one, whole."""

from __future__ import annotations

import multiprocessing
import os
import random
import time

import pytest

from pipebackend.backend.transaction import Transfer
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from pipebackend.zones.kinds.stored import StoredZones

# Children are forked, with nothing open: a fresh interpreter for each round would take longer.
FORK = multiprocessing.get_context("fork")

APEX = "example.org"
RECORDS = 50_000
TRIGGERS = 14  # which notice what others write
ROUNDS = 12
ALL_ROUNDS = 200


def replace(directory, serial, reports=None):
    """The zone of this serial: half of its names are those of every other serial, half are its own."""
    store = open_store("sqlite:zones.db", directory)
    if reports is not None:
        os.write(reports, b"s")
    transfer = Transfer(store)
    transfer.start(APEX, store.ensure_domain(APEX, 7))
    transfer.feed(Record(APEX, "SOA", 60, f"ns1.{APEX} hostmaster.{APEX} {serial} 2 3 4 5"))
    for number in range(RECORDS - 1):
        owner = f"h{number}.{'common' if number % 2 else f'of{serial}'}.{APEX}"
        transfer.feed(Record(owner, "A", 60, f"10.{serial % 256}.{number >> 8}.{number & 255}"))
    transfer.commit()
    store.close()


def kill_a_transfer(directory, serial, seconds):
    """Whether the process was still at it when it was killed."""
    reading, writing = os.pipe()
    child = FORK.Process(target=replace, args=(directory, serial, writing))
    child.start()
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode != 0


def serial_of_whole_zone(directory):
    """The zone's serial; every record and every order is of the same one."""
    store = open_store("sqlite:zones.db", directory)
    zone = StoredZones(store).by_apex(APEX)
    serial = int(zone.soa().content.split()[2])
    listed = list(zone.listing())
    records = [record for record in listed if record.type == "A"]
    assert len(records) == RECORDS - 1
    assert all(record.content.startswith(f"10.{serial % 256}.") for record in records)
    nonterminals = sorted(record.owner for record in listed if not record.type)
    assert nonterminals == [f"common.{APEX}", f"of{serial}.{APEX}"]
    assert not store.is_stale(zone.ident)
    after_apex = zone.ring().neighbours(APEX)[1]
    assert zone.ring().neighbours(f"h49998.of{serial}.{APEX}")[0] == f"h49998.of{serial}.{APEX}"
    assert after_apex == f"h1.common.{APEX}"
    assert store.check() == []
    assert len(store._db.rows("SELECT 1 FROM sqlite_master WHERE type = 'trigger'")) == TRIGGERS
    store.close()
    return serial


def kill_at_random_moments(directory, rounds):
    started = time.monotonic()
    replace(directory, 1)
    duration = time.monotonic() - started
    moments, serial, killed = random.Random(20240229), 1, 0
    for round_ in range(2, rounds + 2):
        killed += kill_a_transfer(directory, round_, moments.uniform(0, 1.3 * duration))
        found = serial_of_whole_zone(directory)
        assert found in (serial, round_)
        serial = found
    assert killed  # else the moments came too late to interrupt anything


def test_a_killed_transfer_leaves_the_old_zone_or_the_new_one(tmp_path):
    kill_at_random_moments(tmp_path, ROUNDS)


@pytest.mark.slow
def test_two_hundred_killed_transfers_leave_the_old_zone_or_the_new_one(tmp_path):
    kill_at_random_moments(tmp_path, ALL_ROUNDS)
