"""The trace file: written beside the answers, never in their way, and read back as it was."""

from __future__ import annotations

import os
import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base import logs
from pipebackend.base.errors import RequestFault
from pipebackend.diagnosis import trace
from pipebackend.diagnosis.trace import Traced, Writer

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+\.\d+ +\d+\.\d{3} ms (.*)\n")


class Echo:
    """A session that answers with what it was asked."""

    settled = False

    def answer(self, request: bytes) -> bytes:
        return b"LOG\t" + request + b"\nEND\n"

    def overlong(self) -> bytes:
        return b"too long\n"

    def settle(self) -> None:
        self.settled = True


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "trace")


def test_a_line_for_each_call(path):
    session = Traced(Echo(), Writer(path, is_full=False))
    assert session.answer(b"CMD\thelp") == b"LOG\tCMD\thelp\nEND\n"
    assert session.overlong() == b"too long\n"
    with open(path) as file:
        said = [LINE.fullmatch(line)[1] for line in file]
    assert said == ["CMD help -> 1 lines", "a line that is too long -> failed"]


def test_with_content_it_is_read_back(path):
    for _ in range(2):
        session = Traced(Echo(), Writer(path, is_full=True))
        session.answer(b"CMD\thelp")
        session.overlong()
        session.answer(b"Q\t\xff \r")
    found = list(trace.entries(path))
    first, second = dict.fromkeys(entry.session for entry in found)
    assert [entry.session for entry in found] == [first, first, second, second]
    assert [(entry.request, entry.answer) for entry in found[:2]] == [
        (b"CMD\thelp", b"LOG\tCMD\thelp\nEND\n"),
        (b"Q\t\xff \r", b"LOG\tQ\t\xff \r\nEND\n"),
    ]


@given(
    st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line).map(b"Q\t".__add__), min_size=1, max_size=4)
)
def test_any_requests_are_read_back(tmp_path_factory, requests):
    path = str(tmp_path_factory.mktemp("trace") / "t")
    session = Traced(Echo(), Writer(path, is_full=True))
    for request in requests:
        session.answer(request)
    assert [entry.request for entry in trace.entries(path)] == requests


def test_what_was_cut_off_is_left_out(path):
    session = Traced(Echo(), Writer(path, is_full=True))
    session.answer(b"Q\tone")
    session.answer(b"Q\ttwo")
    os.truncate(path, os.path.getsize(path) - 1)
    assert [entry.request for entry in trace.entries(path)] == [b"Q\tone"]


def test_the_process_id_in_the_name_and_nobody_else_may_read(tmp_path):
    Traced(Echo(), Writer(str(tmp_path / "trace-%p.%p"), is_full=False)).answer(b"x")
    path = tmp_path / f"trace-{os.getpid()}.{os.getpid()}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("place", "reason"), [("/dev/full", "No space left on device"), ("none/trace", "No such file or directory")]
)
def test_a_file_that_cannot_be_written_is_one_line_of_the_log(tmp_path, capfd, place, reason):
    target = os.path.join(tmp_path, place)
    session = Traced(Echo(), Writer(target, is_full=True))
    for _ in range(3):
        assert session.answer(b"x") == b"LOG\tx\nEND\n"
    logs.forget(f"trace {target}")
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"trace {target}: {reason}" in said


def test_a_file_that_can_be_written_again_is_written(tmp_path, capfd):
    folder = tmp_path / "later"
    session = Traced(Echo(), Writer(str(folder / "trace"), is_full=True))
    session.answer(b"Q\tone")
    folder.mkdir()
    session.answer(b"Q\ttwo")
    assert [entry.request for entry in trace.entries(str(folder / "trace"))] == [b"Q\ttwo"]
    assert "cannot" not in capfd.readouterr().err.replace("until it can be", "")


def test_the_rest_of_a_session_goes_through(path):
    inner = Echo()
    Traced(inner, Writer(path, is_full=False)).settle()
    assert inner.settled


def test_a_trace_that_cannot_be_replayed_says_why(path):
    with pytest.raises(RequestFault, match="No such file"):
        list(trace.entries(path))
    Traced(Echo(), Writer(path, is_full=False)).answer(b"x")
    with pytest.raises(RequestFault, match="--trace-full"):
        list(trace.entries(path))
