"""Requests out of octets, however these arrive: the answers are those of the lines, each once."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.server.framing import MAX_REQUEST, Requests


class Echo:
    """Answers each line with itself."""

    def answer(self, request: bytes) -> bytes:
        return b"<" + request + b">"

    def overlong(self) -> bytes:
        return b"overlong"

    def settle(self) -> None:
        """Nothing to do."""


def answers_to(requests: Requests, *chunks: bytes) -> list[bytes]:
    found = []
    for chunk in chunks:
        requests.add(chunk)
        while (answer := requests.answer_next()) is not None:
            found.append(answer)
    return found


@given(st.binary(max_size=40), st.lists(st.integers(0, 40)))
@example(b"a\n\nb", [1, 1])
def test_the_answers_do_not_depend_on_where_reads_are_cut(octets: bytes, cuts: list[int]) -> None:
    *lines, last = octets.split(b"\n")
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    requests = Requests(Echo())
    chunks = [octets[start:end] for start, end in itertools.pairwise(places)]
    assert answers_to(requests, *chunks) == [b"<" + line + b">" for line in lines]
    assert (requests.last, bool(requests), requests.held) == (last, bool(last), len(last))


def test_more_may_come_while_requests_wait() -> None:
    requests = Requests(Echo())
    requests.add(b"a\nb\nc")
    assert requests.answer_next() == b"<a>"
    requests.add(b"d\n")
    assert [requests.answer_next() for _ in range(3)] == [b"<b>", b"<cd>", None]
    assert not requests


def test_a_line_that_is_too_long_is_answered_once_and_not_kept() -> None:
    requests = Requests(Echo())
    assert answers_to(requests, b"x" * MAX_REQUEST, b"x") == [b"overlong"]
    assert (requests.held, bool(requests), requests.last) == (0, True, b"")
    assert answers_to(requests, b"x" * 3 * MAX_REQUEST, b"x") == []
    assert requests.held == 0
    assert answers_to(requests, b"\n") == []
    assert not requests
    assert answers_to(requests, b"a\n") == [b"<a>"]


def test_a_line_that_is_too_long_may_come_whole() -> None:
    line = b"x" * (MAX_REQUEST + 1)
    assert answers_to(Requests(Echo()), b"a\n" + line + b"\nb\n") == [b"<a>", b"overlong", b"<b>"]


def test_the_longest_line_is_a_request() -> None:
    line = b"x" * MAX_REQUEST
    assert answers_to(Requests(Echo()), line, b"\n") == [b"<" + line + b">"]
