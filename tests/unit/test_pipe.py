"""The PIPE front end: each line of PowerDNS, and the lines that it gets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipebackend import pipe
from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.base.version import VERSION
from pipebackend.dnsdata.records import Record
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import Kept
from tests.making import TABLE_ZONE, make_watcher

LAX_LOC = b"33 56 33.000 N 118 24 28.836 W 38.40m 1.00m 10000.00m 10.00m"
ADDRESSES = {1: b"192.0.2.9", 2: b"192.0.2.9\t192.0.2.1"}


def session(folder: Path, abi: int | None = 1, toml: str = TABLE_ZONE) -> PipeSession:
    made = PipeSession(Backend(make_watcher(folder, toml)))
    if abi is not None:
        assert made.answer(b"HELO\t%d" % abi) == f"OK\tpipebackend {VERSION}, 1 zones\n".encode()
    return made


def question(abi: int, name: bytes, type_: bytes = b"ANY", ident: bytes = b"-1") -> bytes:
    addresses = ADDRESSES.get(abi, b"192.0.2.9\t192.0.2.1\t192.0.2.9/32")
    return b"\t".join([b"Q", name, b"IN", type_, ident, addresses])


def ident(folder: Path) -> int:
    return Backend(make_watcher(folder)).domains()[0].ident


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_a_question_in_every_abi(tmp_path: Path, abi: int) -> None:
    head = b"DATA\t" if abi < 3 else b"DATA\t0\t1\t"
    zone_id = ident(tmp_path)
    assert session(tmp_path, abi).answer(question(abi, b"lAx.cities.example")) == b"".join(
        [
            head + b'LAX.Cities.Example\tIN\tTXT\t60\t%d\t"Los Angeles"\n' % zone_id,
            head + b"LAX.Cities.Example\tIN\tLOC\t60\t%d\t%s\n" % (zone_id, LAX_LOC),
            b"END\n",
        ]
    )


def test_soa_gives_the_soa_alone(tmp_path: Path) -> None:
    it = session(tmp_path)
    soa = b"ns1.cities.example hostmaster.cities.example 7 10800 3600 604800 60"
    expected = b"DATA\tCities.Example\tIN\tSOA\t60\t%d\t%s\nEND\n" % (ident(tmp_path), soa)
    assert it.answer(question(1, b"CITIES.example", b"SOA")) == expected
    for name in (b"lax.cities.example", b"example", b"."):
        assert it.answer(question(1, name, b"SOA")) == b"END\n"


@pytest.mark.parametrize(
    "name",
    [b"xxx.cities.example", b"other", b".", b"a\\009b.cities.example", b"a\\000b.cities.example", b"*.cities.example"],
)
def test_what_is_not_there_is_an_end(tmp_path: Path, name: bytes) -> None:
    assert session(tmp_path).answer(question(1, name)) == b"END\n"


def test_a_class_that_is_not_ours_is_an_end(tmp_path: Path) -> None:
    assert session(tmp_path).answer(b"Q\tlax.cities.example\tCH\tANY\t-1\t192.0.2.9") == b"END\n"


def test_the_priority_is_a_field_of_its_own(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace('["ns1 A 192.0.2.1"]', '["@ MX 10 mail.example"]')
    answer = session(tmp_path, 5, toml).answer(question(5, b"cities.example", b"MX"))
    assert answer == b"DATA\t0\t1\tCities.Example\tIN\tMX\t60\t%d\t10\tmail.example\nEND\n" % ident(tmp_path)


def test_only_the_first_space_of_an_srv_splits(tmp_path: Path) -> None:
    it = session(tmp_path, 1)
    record = Record("_sip._tcp.aa", "SRV", 5, "0 5 5060 sip.aa")
    assert it._data(record, 7) == "DATA\t_sip._tcp.aa\tIN\tSRV\t5\t7\t0\t5 5060 sip.aa\n"


def test_scope_and_auth_from_abi_3_on(tmp_path: Path) -> None:
    record = Record("sub.aa", "NS", 5, "ns.sub.aa", auth=False, scope=24)
    assert session(tmp_path, 3)._data(record, 7) == "DATA\t24\t0\tsub.aa\tIN\tNS\t5\t7\tns.sub.aa\n"
    assert session(tmp_path, 2)._data(record, 7) == "DATA\tsub.aa\tIN\tNS\t5\t7\tns.sub.aa\n"


def test_the_root_is_a_dot(tmp_path: Path) -> None:
    assert session(tmp_path)._data(Record("", "NS", 5, "a.root"), 7) == "DATA\t.\tIN\tNS\t5\t7\ta.root\n"


def test_an_empty_nonterminal_is_a_type_that_nobody_asks_for(tmp_path: Path) -> None:
    """Rule P-18: PIPE of PowerDNS 4.7 has no empty non-terminals."""
    toml = TABLE_ZONE.replace('["ns1 A 192.0.2.1"]', '["a.b A 192.0.2.1"]')
    it = session(tmp_path, 1, toml)
    line = b"DATA\tb.cities.example\tIN\tTYPE65280\t0\t%d\t\\# 0\nEND\n" % ident(tmp_path)
    assert it.answer(question(1, b"b.cities.example")) == line
    assert it.answer(question(1, b"b.cities.example", b"A")) == b"END\n"


@pytest.mark.parametrize(("abi", "named"), [(1, False), (2, False), (3, False), (4, True), (5, True)])
def test_a_transfer_names_the_zone_by_id_or_name(tmp_path: Path, abi: int, named: bool) -> None:
    it = session(tmp_path, abi)
    request = b"AXFR\t-1\tCITIES.example" if named else b"AXFR\t%d" % ident(tmp_path)
    lines = it.answer(request).splitlines()
    assert len(lines) == 2 + 1 + 3 * 2 + 1
    assert b"\tSOA\t" in lines[0]
    assert lines[-1] == b"END"
    assert sum(b"\tSOA\t" in line for line in lines) == 1


def test_a_transfer_in_abi_4_without_a_name_uses_the_id(tmp_path: Path) -> None:
    assert session(tmp_path, 4).answer(b"AXFR\t%d" % ident(tmp_path)).endswith(b"END\n")


def test_a_transfer_leaves_empty_nonterminals_out(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace('["ns1 A 192.0.2.1"]', '["a.b A 192.0.2.1"]')
    answer = session(tmp_path, 4, toml).answer(b"AXFR\t-1\tcities.example")
    assert b"TYPE65280" not in answer
    assert b"a.b.Cities.Example" in answer


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"AXFR\t-1\tother.example", "there is no zone other.example"),
        (b"AXFR\t99", "there is no zone with the id 99"),
        (b"AXFR", "AXFR needs the zone's id"),
        (b"AXFR\tx\tcities.example", "id 'x' is not a whole number"),
    ],
)
def test_a_transfer_that_is_not_possible_fails_with_the_reason(tmp_path: Path, request_: bytes, reason: str) -> None:
    assert session(tmp_path, 4).answer(request_) == f"LOG\t{reason}\nFAIL\n".encode()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        (b"help", b"help: this list"),
        (b"version", f"pipebackend {VERSION}".encode()),
        (b" version ", f"pipebackend {VERSION}".encode()),
        (b"zones", b"cities.example table id "),
        (b"stats", b"questions 0"),
    ],
)
def test_commands(tmp_path: Path, command: bytes, first: bytes) -> None:
    lines = session(tmp_path, 5).answer(b"CMD\t" + command).splitlines()
    assert lines[0].startswith(first)
    assert lines[-1] == b"END"
    assert lines.count(b"END") == 1


@pytest.mark.parametrize("request_", [b"CMD\tgo away", b"CMD", b"CMD\t", b"CMD\t\xff"])
def test_a_command_that_fails_says_why_and_ends(tmp_path: Path, request_: bytes) -> None:
    """PowerDNS shows all lines up to END; after a FAIL it would wait for one (rule P-9)."""
    lines = session(tmp_path, 5).answer(request_).splitlines()
    assert len(lines) == 2
    assert lines[1] == b"END"
    assert lines[0].startswith((b"unknown command", b"the line has octets"))


def test_stats_count_questions(tmp_path: Path) -> None:
    it = Kept(session(tmp_path, 5))
    for _ in range(3):
        it.answer(question(5, b"lax.cities.example"))
    assert it.answer(b"CMD\tstats").splitlines()[0] == b"questions 3"


@pytest.mark.parametrize(
    "request_", [b"HELO\t9", b"HELO\t0", b"HELO\t-1", b"HELO", b"HELO\t", b"HELO\tone", b"HELO\t\xff"]
)
def test_a_wrong_abi_is_one_fail_and_the_session_goes_on(tmp_path: Path, request_: bytes) -> None:
    """PowerDNS reads one line and asks on: leaving would be a relaunch for each question (rule P-4)."""
    it = session(tmp_path, None)
    assert it.answer(request_) == b"FAIL\n"
    assert it.answer(question(1, b"lax.cities.example")).endswith(b"\nFAIL\n")
    assert it.answer(question(1, b"cities.example", b"SOA")).endswith(b"\nFAIL\nEND\n")
    assert it.answer(b"HELO\t1").startswith(b"OK\t")


def test_a_wrong_abi_is_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session(tmp_path, None).answer(b"HELO\t9")
    assert "PIPE ABI '9' is not supported; set pipe-abi-version to one of 1, 2, 3, 4, 5" in capfd.readouterr().err


BAD_LINES = [
    (b"", "unknown request ''"),
    (b"\t", "unknown request ''"),
    (b"q\tlax\tIN\tANY\t-1\t::1", "unknown request 'q'"),
    (b"PING", "unknown request 'PING'"),
    (b"Q", "Q has 1 fields; ABI 1 has 6"),
    (b"Q\tlax.cities.example\tIN\tANY\t-1", "Q has 5 fields; ABI 1 has 6"),
    (b"Q\tlax.cities.example\tIN\tANY\tone\t::1", "id 'one' is not a whole number"),
    (b"Q\tlax.cities.example\tIN\tANY\t--1\t::1", "id '--1' is not a whole number"),
    (b"Q\tlax.cities.example\tIN\tANY\t-\t::1", "id '-' is not a whole number"),
    (b"Q\tlax.cities.example\tIN\tANY\t" + b"1" * 5000 + b"\t::1", "is not a whole number"),
    (b"Q\tlax..example\tIN\tANY\t-1\t::1", "name 'lax..example' has an empty label"),
    (b"Q\tlax\\\tIN\tANY\t-1\t::1", "has a backslash that escapes nothing"),
    (b"Q\t" + b"x" * 1_000_000 + b"\tIN\tANY\t-1\t::1", "is longer than"),
    (b"Q\t\xff\tIN\tANY\t-1\t::1", "the line has octets outside ASCII"),
    (b"x" * 1_000_000, "unknown request 'xxxx"),
    (b"Q\tlax.cities.example IN ANY -1 ::1", "Q has 2 fields"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_one_fail_and_the_next_is_answered(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: bytes, reason: str
) -> None:
    it = session(tmp_path)
    first, second, rest = it.answer(line).split(b"\n", 2)
    assert first.startswith(b"LOG\t")
    assert reason.encode() in first
    assert len(first) < 500
    assert (second, rest) == (b"FAIL", b"")
    assert "Traceback" not in capfd.readouterr().err
    assert it.answer(question(1, b"lax.cities.example")).count(b"DATA") == 2


def test_a_bad_soa_question_is_fail_and_end(tmp_path: Path) -> None:
    """Rule P-15: after the FAIL of a SOA question PowerDNS reads on until an END."""
    answer = session(tmp_path).answer(b"Q\tlax..example\tIN\tSOA\t-1\t0.0.0.0")
    assert answer.splitlines()[1:] == [b"FAIL", b"END"]


def test_an_overlong_line_is_one_fail(tmp_path: Path) -> None:
    assert session(tmp_path).overlong() == b"LOG\ta line of more than 1048576 octets\nFAIL\n"


def test_a_carriage_return_at_the_end_is_no_part_of_the_line(tmp_path: Path) -> None:
    it = session(tmp_path, None)
    assert it.answer(b"HELO\t1\r").startswith(b"OK")
    assert it.answer(question(1, b"lax.cities.example") + b"\r").count(b"DATA") == 2


def test_an_error_inside_is_one_fail_with_its_traceback_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = session(tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(it._backend, "lookup", broken)
    answer = b"LOG\tinternal error; the log of this process has the traceback\nFAIL\n"
    assert it.answer(question(1, b"lax.cities.example")) == answer
    assert "ZeroDivisionError: of the test" in capfd.readouterr().err


def test_settle_starts_the_watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    it = session(tmp_path)
    started: list[bool] = []
    monkeypatch.setattr(it._backend, "start_watching", lambda: started.append(True))
    it.settle()
    assert started == [True]


@pytest.mark.parametrize(
    ("request_line", "end"),
    [
        (b"Q\tx.example\tIN\tTXT\t-1\t::1", b"FAIL\n"),
        (b"Q\tx.example\tIN\tSOA\t-1\t::1", b"FAIL\nEND\n"),
        (b"AXFR\t1", b"FAIL\n"),
        (b"CMD\tstats", b"END\n"),
    ],
)
def test_a_request_that_took_the_process_down_is_refused_in_step(request_line: bytes, end: bytes) -> None:
    """Rules P-10 and P-15."""
    refused = pipe.refusal(request_line)
    assert b"died over this request" in refused
    assert refused.endswith(b"\n" + end)


@pytest.mark.parametrize("request_line", [b"HELO\t5", b"", b"Qx", b"nonsense"])
def test_there_is_no_going_on_without_a_handshake(request_line: bytes) -> None:
    assert pipe.refusal(request_line) == b""


def test_code_in_several_lines_cannot_forge_a_line(tmp_path: Path) -> None:
    made = session(tmp_path, 5)
    backend = made.backend
    Operator(backend).editor.create("lua.example", 101, "native", [], [], 1)
    insert = "INSERT INTO records (domain_id, name, type, ttl, content, auth) VALUES (101, ?, 'LUA', 60, ?, 1)"
    with closing(sqlite3.connect(tmp_path / "zones.db")) as connection, connection:
        connection.execute(insert, ("a.lua.example", "TXT \";local x = 'a'\nreturn x\""))
        connection.execute(insert, ("b.lua.example", 'TXT ";-- comment\nDATA"'))
    told = made.answer(b"Q\ta.lua.example\tIN\tANY\t101\t127.0.0.1\t127.0.0.1\t0.0.0.0/0")
    assert told.splitlines() == [
        b"DATA\t0\t1\ta.lua.example\tIN\tLUA\t60\t101\tTXT \";local x = 'a' return x\"",
        b"END",
    ]
    assert made.answer(b"Q\tb.lua.example\tIN\tANY\t101\t127.0.0.1\t127.0.0.1\t0.0.0.0/0") == b"END\n"
