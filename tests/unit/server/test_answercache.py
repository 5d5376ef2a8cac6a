"""Kept answers: given again while the zones stay, never for what depends on the client, and never without bound."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.backend.sources import PATIENCE
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import MAX_ANSWERS, MAX_OCTETS, Kept
from pipebackend.server.finished import Finished
from tests.making import CITIES, TABLE_ZONE, age

QUESTION = b"Q\tlax.cities.example\tIN\tTXT\t-1\t192.0.2.1"


class Counting(PipeSession):
    """A session that counts how often it makes an answer."""

    made = 0

    def answer(self, request: bytes) -> bytes:
        self.made += 1
        return super().answer(request)


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    (tmp_path / "cities.tsv").write_text(CITIES)
    (tmp_path / "pipebackend.toml").write_text(TABLE_ZONE)
    age(tmp_path / "cities.tsv")
    age(tmp_path / "pipebackend.toml")
    return open_backend(str(tmp_path / "pipebackend.toml"))


@pytest.fixture
def session(backend: Backend) -> Counting:
    session = Counting(backend)
    session.answer(b"HELO\t1")
    session.made = 0
    return session


def test_a_repeated_question_is_answered_from_what_was_kept(session: Counting) -> None:
    kept = Kept(session)
    first = kept.answer(QUESTION)
    assert b"Los Angeles" in first
    assert [kept.answer(QUESTION) for _ in range(3)] == [first] * 3
    assert session.made == 1


def test_the_same_question_of_somebody_else_is_the_same_question(session: Counting) -> None:
    kept = Kept(session)
    kept.answer(QUESTION)
    kept.answer(QUESTION.replace(b"192.0.2.1", b"192.0.2.2"))
    assert session.made == 1


def test_the_same_name_in_other_letters_is_the_same_question(session: Counting) -> None:
    """Resolvers mix the case of the letters against forged answers; the answer has the zone's own."""
    kept = Kept(session)
    answers = {kept.answer(QUESTION.replace(b"lax", name)) for name in (b"lax", b"LAX", b"lAx", b"LaX")}
    assert session.made == len(answers) == 1


def test_a_reload_makes_answers_anew(session: Counting, backend: Backend, tmp_path: Path) -> None:
    kept = Kept(session)
    kept.answer(QUESTION)
    (tmp_path / "cities.tsv").write_text(CITIES.replace("Los Angeles", "Elsewhere"))
    backend._watcher.refresh()
    time.sleep(PATIENCE)
    assert b"Elsewhere" in kept.answer(QUESTION)


def test_failures_and_other_requests_are_not_kept(session: Counting) -> None:
    kept = Kept(session)
    for request in (b"Q\ta..b\tIN\tTXT\t-1\t192.0.2.1", b"CMD\tversion", b"HELO\t1", b"Q\ttoo few"):
        kept.answer(request)
        kept.answer(request)
    assert session.made == 8


def test_of_too_many_answers_the_oldest_goes(session: Counting) -> None:
    kept = Kept(session, most=2)
    questions = [QUESTION.replace(b"lax", name) for name in (b"lax", b"a", b"b")]
    for question in questions:
        kept.answer(question)
    kept.answer(questions[2])
    assert session.made == 3
    kept.answer(questions[0])
    assert session.made == 4
    assert MAX_ANSWERS < 100_000


def test_of_large_answers_there_are_fewer(session: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """16,384 answers of 4 KB were 64 MB."""
    monkeypatch.setattr("pipebackend.server.answercache.MAX_TOTAL", 3 * len(QUESTION))
    kept = Kept(session)
    questions = [QUESTION.replace(b"lax", name) for name in (b"a", b"b", b"c", b"d", b"e")]
    for question in (*questions, questions[4]):
        kept.answer(question)
    assert session.made == 5
    kept.answer(questions[0])
    assert session.made == 6


def test_a_question_as_long_as_nobody_asks_is_not_kept(session: Counting) -> None:
    """PowerDNS never asks it; whoever else may connect would fill the memory with it."""
    kept = Kept(session)
    made = session.made
    for _ in range(2):
        assert kept.answer(QUESTION.replace(b"TXT", b"A" * MAX_OCTETS)) == b"END\n"
    assert session.made == made + 2
    slowest = [call for _, call in session.backend.numbers()["slowest"]]
    assert max(map(len, slowest)) < MAX_OCTETS


def test_an_answer_that_depends_on_the_client_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "who.py").write_text("class Who:\n    def lookup(self, name, client):\n        return []\n")
    (tmp_path / "pipebackend.toml").write_text(
        '[[zone]]\nname = "cities.example"\nkind = "custom"\nobject = "who:Who"\nns = ["a"]\n'
        'soa = { mname = "a", rname = "b" }\n'
    )
    session = Counting(open_backend(str(tmp_path / "pipebackend.toml")))
    kept = Kept(session)
    kept.answer(b"HELO\t1")
    kept.answer(QUESTION)
    kept.answer(QUESTION)
    assert session.made == 3


# answers that are made in advance


def finish(kept: Kept) -> None:
    while kept.finished.unfinished:
        kept.make_some()


def test_a_first_question_in_any_letters_is_answered_from_what_was_made_in_advance(session: Counting) -> None:
    kept = Kept(session)
    kept.answer(b"Q\tcities.example\tIN\tSOA\t-1\t192.0.2.1")
    finish(kept)
    session.made = 0
    [zone] = session.backend.registry.zones
    answer = kept.answer(b"Q\tLaX.cities.example\tIN\tANY\t%d\t192.0.2.1" % zone.ident)
    assert b"Los Angeles" in answer
    assert session.made == 0
    assert answer == session.answer(b"Q\tLaX.cities.example\tIN\tANY\t%d\t192.0.2.1" % zone.ident)


def test_calls_answered_in_advance_are_counted(session: Counting) -> None:
    kept = Kept(session)
    kept.answer(b"Q\tcities.example\tIN\tSOA\t-1\t192.0.2.1")
    finish(kept)
    [zone] = session.backend.registry.zones
    for name in (b"lax", b"vie", b"GRU"):
        kept.answer(b"Q\t%s.cities.example\tIN\tANY\t%d\t192.0.2.1" % (name, zone.ident))
    assert ["lookup", "cities.example", 4, 0] in session.backend.numbers()["calls"]


def test_after_a_change_nothing_made_in_advance_is_given(backend: Backend, session: Counting, tmp_path: Path) -> None:
    kept = Kept(session)
    kept.answer(QUESTION)
    finish(kept)
    (tmp_path / "cities.tsv").write_text(CITIES.replace("Los Angeles", "Burbank"))
    backend._watcher.registry = open_backend(str(tmp_path / "pipebackend.toml")).registry
    time.sleep(PATIENCE)
    [zone] = backend.registry.zones
    assert b"Burbank" in kept.answer(b"Q\tlax.cities.example\tIN\tANY\t%d\t192.0.2.1" % zone.ident)
    assert kept.finished.unfinished


def test_a_session_of_another_form_gets_none_of_them(backend: Backend) -> None:
    finished = Finished()
    first, second = PipeSession(backend), PipeSession(backend)
    for session, abi in ((first, b"1"), (second, b"3")):
        session.answer(b"HELO\t" + abi)
    assert finished.answers(first) is not finished.answers(second)
    finished.make_some(first)
    assert made_in(finished, first)
    assert not finished.answers(second)


def made_in(finished: Finished, session: PipeSession) -> set[bytes]:
    return {name for zone in finished.answers(session).values() for name in zone.by_name}


def test_what_is_made_in_advance_is_bounded(session: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipebackend.server.finished.MAX_FINISHED_OCTETS", 100)
    kept = Kept(session)
    kept.answer(QUESTION)
    finish(kept)
    assert 1 <= len(made_in(kept.finished, session)) <= 2
    [zone] = session.backend.registry.zones
    assert b"Los Angeles" in kept.answer(b"Q\tlax.cities.example\tIN\tANY\t%d\t192.0.2.1" % zone.ident)


def test_who_writes_gets_no_answer_made_in_advance(session: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(session)
    kept.answer(QUESTION)
    finish(kept)
    assert len(made_in(kept.finished, session)) > 3
    monkeypatch.setattr(type(session.backend), "is_writing", True)
    assert not kept.finished.answers(session)


def test_a_name_that_is_not_there_is_denied_without_a_lookup(session: Counting) -> None:
    """But only where it is written plainly, and in the zone."""
    kept = Kept(session)
    [zone] = session.backend.registry.zones
    ask = b"Q\t%s\tIN\tANY\t%d\t192.0.2.1"
    for name, made in ((b"no.cities.example", 0), (b"n\\o.cities.example", 1), (b"other.example", 1), (b"a..b", 1)):
        kept.answer(QUESTION)
        finish(kept)
        session.made = 0
        answer = kept.answer(ask % (name, zone.ident))
        assert session.made == made, name
        assert answer == session.answer(ask % (name, zone.ident))
