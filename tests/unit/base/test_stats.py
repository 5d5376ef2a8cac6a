"""Counts: added up, and cheap to raise."""

from __future__ import annotations

import json
import os

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.base import stats
from pipebackend.base.stats import Stats
from pipebackend.pipe import PipeSession
from pipebackend.server import sharedstats
from pipebackend.server.answercache import Kept
from tests.making import write_config

NAMES = {7: "x.example"}.get


def counted(**more: object) -> Stats:
    found = Stats()
    for method, zone_id, failed in (("lookup", 7, 0), ("lookup", 7, 1), ("list", -1, 0)):
        tally = found.tally(method, zone_id, lambda ident: NAMES(ident) or "-")
        tally[0] += 1
        tally[1] += failed
    return found


def test_counts_by_method_and_zone():
    assert counted().numbers(3)["calls"] == [["lookup", "x.example", 2, 1], ["list", "-", 1, 0]]
    assert counted().numbers(3)["reloads"] == 3


def test_numbers_are_plain_values():
    found = counted().numbers(0)
    assert json.loads(json.dumps(found)) == found


def test_the_slowest_stay():
    found = Stats()
    for seconds in [*range(1, 30), *range(30, 0, -1)]:
        if found.is_slow(seconds):
            found.remember(seconds, f"call of {seconds}")
    slowest = [milliseconds for milliseconds, _ in found.numbers(0)["slowest"]]
    assert slowest == [1000 * seconds for seconds in (30, 29, 29, 28, 28, 27, 27, 26, 26, 25)]


def test_adding_the_numbers_of_processes():
    one, two = counted().numbers(2), counted().numbers(5)
    one = {**one, "started": 100, "slowest": [[5.0, "a"], [1.0, "b"]]}
    two = {**two, "started": 90, "slowest": [[3.0, "c"]]}
    assert stats.added([one, two]) == {
        "processes": 2,
        "started": 90,
        "reloads": 5,
        "calls": [["list", "-", 2, 0], ["lookup", "x.example", 4, 2]],
        "slowest": [[5.0, "a"], [3.0, "c"], [1.0, "b"]],
    }


def test_lines_for_people():
    numbers_ = {**counted().numbers(1), "started": 100, "slowest": [[5.0, "lookup a.x.example ANY"]]}
    assert stats.lines(numbers_, 2, 160.5) == [
        "questions 2",
        "failures 1",
        "zones 2",
        "reloads 1",
        "uptime 60 s",
        "processes 1",
        "lookup x.example: 2, failures 1",
        "list -: 1",
        "slow: 5.0 ms lookup a.x.example ANY",
    ]


@pytest.fixture
def session(tmp_path):
    return PipeSession(open_backend(str(write_config(tmp_path))))


def ask(session, *names: str) -> None:
    for name in names:
        session.answer(b"Q\t%s\tIN\tANY\t-1\t127.0.0.1" % name.encode())


def counts(session) -> dict[tuple[str, str], tuple[int, int]]:
    return {(method, zone): (calls, failed) for method, zone, calls, failed in session.backend.numbers()["calls"]}


@pytest.mark.parametrize("most", [0, 2, 100])
def test_kept_answers_are_counted_like_others(session, most):
    kept = Kept(session, most)
    kept.answer(b"HELO\t1")
    ask(kept, *["lax.cities.example", "vie.cities.example", "x.org", "gru.cities.example"] * 5)
    kept.answer(b"Q\tx")
    kept.answer(b"AXFR\t%d" % session.backend.domains()[0].ident)
    kept.answer(b"nonsense")
    assert counts(session) == {
        ("initialize", "-"): (1, 0),
        ("lookup", "cities.example"): (15, 0),
        ("lookup", "-"): (6, 1),
        ("list", "cities.example"): (1, 0),
        ("unknown", "-"): (1, 1),
    }


def test_the_slowest_calls_are_named(session):
    kept = Kept(session)
    kept.answer(b"HELO\t1")
    ask(kept, "lax.cities.example")
    slowest = {call for _, call in session.backend.numbers()["slowest"]}
    assert slowest == {"initialize", "lookup lax.cities.example ANY"}


def test_workers_read_what_the_others_wrote_and_what_the_dead_have_left(tmp_path):
    where = str(tmp_path)
    write = sharedstats.publish(where, lambda: counted().numbers(1))
    write()
    assert len(sharedstats.read(where)) == 1
    (tmp_path / "4711").write_text(json.dumps(counted().numbers(2)))
    (tmp_path / "4712").write_text("{half")
    assert [found["reloads"] for found in sharedstats.read(where, but=4711)] == [1]
    for process in (4711, 4712, 4713):
        sharedstats.retire(where, process)
    (tmp_path / "4711").write_text(json.dumps(counted().numbers(2)))
    sharedstats.retire(where, 4711)
    total = stats.added(sharedstats.read(where))
    assert total["processes"] == 1
    assert {call[1]: call[2] for call in total["calls"]} == {"-": 3, "x.example": 6}


def test_the_place_of_the_numbers_ends_with_the_service():
    with sharedstats.folder() as where:
        assert os.path.isdir(where)
        assert sharedstats.read(where) == []
    assert not os.path.exists(where)


def test_the_places_of_killed_services_are_removed_and_those_of_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(sharedstats, "_MEMORY", str(tmp_path))
    killed = tmp_path / "pipebackend-killed"
    killed.mkdir()
    (killed / "lock").touch()
    with sharedstats.folder() as first, sharedstats.folder() as second:
        assert sorted(map(str, tmp_path.iterdir())) == sorted((first, second))
