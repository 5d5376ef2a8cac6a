"""Whatever comes in over PIPE, PowerDNS gets exactly one well-formed answer for each line, and stays in step."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.pipe import PipeSession
from pipebackend.server import streams
from tests.making import TABLE_ZONE, make_watcher

PLAIN = rb"[\x20-\x7e]+"
DATA = re.compile(rb"DATA\t([^\t]+)\tIN\t([A-Z0-9-]+)\t(\d+)\t(-?\d+)\t(.+)")
DATA_3 = re.compile(rb"DATA\t(\d+)\t([01])\t([^\t]+)\tIN\t([A-Z0-9-]+)\t(\d+)\t(-?\d+)\t(.+)")
TOML = TABLE_ZONE.replace(
    '["ns1 A 192.0.2.1"]', '["ns1 A 192.0.2.1", "@ MX 10 mail.example", "a.b TXT x", "sub NS ns.sub"]'
)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with tempfile.TemporaryDirectory() as folder:
        yield Backend(make_watcher(Path(folder), TOML))


def check_answer(answer: bytes, request: bytes, abi: int) -> None:
    """The strict grammar of rules P-4 to P-15 for the answer to one request."""
    assert answer.endswith(b"\n")
    *lines, last = answer[:-1].split(b"\n")
    fields = request.rstrip(b"\r").split(b"\t")
    if fields[0] == b"HELO":
        assert lines == [], "the banner is one line"
        assert last == b"FAIL" or re.fullmatch(rb"OK\t" + PLAIN, last)
    elif fields[0] == b"CMD":
        assert last == b"END", "PowerDNS reads on until END"
        assert all(re.fullmatch(PLAIN, line) and line != b"END" for line in lines)
    elif last == b"FAIL":
        assert fields[3:4] != [b"SOA"] or fields[0] != b"Q", "PowerDNS waits for an END"
        check_refusal(lines)
    elif lines[-1:] == [b"FAIL"]:
        assert (fields[0], fields[3], last) == (b"Q", b"SOA", b"END")
        check_refusal(lines[:-1])
    else:
        assert last == b"END"
        for line in lines:
            check_data(line, abi, fields)


def check_refusal(lines: list[bytes]) -> None:
    assert len(lines) == 1
    assert re.fullmatch(rb"LOG\t" + PLAIN, lines[0])


def check_data(line: bytes, abi: int, fields: list[bytes]) -> None:
    found = (DATA_3 if abi >= 3 else DATA).fullmatch(line)
    assert found, line
    owner, type_, ttl, ident, content = found.groups()[-5:]
    assert re.fullmatch(rb"[\x21-\x7e]+", owner)
    assert int(ttl) < 2**31
    assert -1 <= int(ident) < 2**31
    assert abi < 3 or int(found.group(1)) <= 128
    parts = content.split(b"\t")
    assert len(parts) == (2 if type_ in (b"MX", b"SRV") else 1)
    assert all(re.fullmatch(PLAIN, part) and part == part.strip() for part in parts)
    assert fields[0] == b"AXFR" or fields[3] in (b"ANY", type_)


WORDS = st.sampled_from(
    [
        *(b"Q", b"AXFR", b"CMD", b"HELO", b"IN", b"CH", b"ANY", b"SOA", b"TXT", b"MX", b"-1", b"1", b"5", b"127.0.0.1"),
        *(b"END", b"FAIL", b"", b" ", b"\r", b"\0", b"\xff", b"help", b"zones", b"9" * 30, b"--1", b"cities.example"),
        *(b"LAX.cities.example.", b"b.cities.example", b"ns.sub.cities.example", b"a\\009b", b"\\000.cities.example"),
        *(b"x" * 300, b"."),
    ]
)
LINES = st.lists(WORDS | st.binary(max_size=12), max_size=10).map(b"\t".join) | st.binary(max_size=200)
NAMES = st.sampled_from([b"", b"lax.", b"LAX.", b"a.b.", b"b.", b"sub.", b"x.sub.", b"\\000.", b"a..", b"\\", b"\xff."])
TYPES = st.sampled_from([b"SOA", b"ANY", b"TXT", b"MX", b"NS", b"ENT", b"any"])
QUESTIONS = st.tuples(NAMES, TYPES, st.sampled_from([b"-1", b"7", b"x"])).map(
    lambda it: b"Q\t%scities.example\tIN\t%s\t%s\t::1\t::1\t::1/128" % it
)
REQUESTS = (LINES | QUESTIONS).map(lambda line: line.replace(b"\n", b""))


@given(st.integers(0, 5), st.lists(REQUESTS, max_size=8))
@example(1, [b"Q\tlax.cities.example\tIN\tANY\t--1\t::1"])
@example(5, [b"CMD\tno such command"])
@example(0, [b"HELO\t\xff"])
def test_every_line_has_one_well_formed_answer(backend: Backend, abi: int, requests: list[bytes]) -> None:
    session = PipeSession(backend)
    if abi:
        requests = [b"HELO\t%d" % abi, *requests]
    for request in requests:
        answer = session.answer(request)
        check_answer(answer, request, session._abi)


@given(st.lists(REQUESTS, max_size=6), st.binary(max_size=60))
def test_any_octets_in_give_as_many_answers_as_lines(backend: Backend, requests: list[bytes], rest: bytes) -> None:
    """Also through descriptors; an answer ends with END or FAIL, a banner with its line."""
    stream = b"\n".join([b"HELO\t5", *requests, rest])
    lines = stream.split(b"\n") if not stream.endswith(b"\n") else stream[:-1].split(b"\n")
    session, alone = PipeSession(backend), PipeSession(backend)
    answers: list[bytes] = []
    session_answer = session.answer

    class Recorder:
        """The session, its answers noted one by one."""

        def answer(self, request: bytes) -> bytes:
            answers.append(session_answer(request))
            return answers[-1]

        def overlong(self) -> bytes:
            raise AssertionError("no line is that long")

        def settle(self) -> None:
            """The files stay as they are."""

    source, feeding = os.pipe()
    written = os.memfd_create("answers")
    os.write(feeding, stream)
    os.close(feeding)
    streams.serve(Recorder(), source, written)
    assert len(answers) == len(lines)
    assert os.pread(written, 1 << 24, 0) == b"".join(answers)
    os.close(source)
    os.close(written)
    for line, answer in zip(lines, answers, strict=True):
        if b"stats" not in line:
            assert alone.answer(line) == answer
        check_answer(answer, line, alone._abi)
