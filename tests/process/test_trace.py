"""Traces of real front ends, and what a trace tells when it is replayed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipebackend.diagnosis import trace
from tests.process.coprocess import INITIALIZE, LOOKUP, Q, coprocesses, write_table
from tests.process.test_listen import Client, Service

QUESTIONS = {
    "pipebackend": b"HELO\t4\nQ\tx.t.example\tIN\tANY\t-1\t::1\t::1\t::1/128\n",
    "remoteshim": INITIALIZE % b"",
}
QUESTIONS["remoteshim"] += b'{"method": "lookup", "parameters": {"qname": "x.t.example.", "qtype": "ANY"}}\n'
SECRET = "c2VjcmV0IG9mIHRoZSBrZXk="
TSIG = {"name": "k.", "algorithm": "hmac-sha256.", "content": SECRET}


def run(program: str, folder: Path, lines: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    environ = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
    words = [os.path.join(sys.prefix, "bin", program), *options]
    return subprocess.run(words, input=lines, capture_output=True, cwd=folder, env=environ, timeout=60)


def remote(method: str, **parameters: object) -> bytes:
    return json.dumps({"method": method, "parameters": parameters}).encode() + b"\n"


@pytest.fixture
def folder(tmp_path):
    write_table(tmp_path, "before")
    return tmp_path


@pytest.fixture(params=["pipebackend", "remoteshim"])
def program(request):
    return request.param


def test_answers_are_the_same_with_a_trace(program, folder):
    plain = run(program, folder, QUESTIONS[program], "--config", "own.toml")
    seen = run(program, folder, QUESTIONS[program], "--config", "own.toml", "--trace", "t", "--trace-full")
    assert (seen.stdout, seen.returncode) == (plain.stdout, 0)
    assert b"".join(entry.answer for entry in trace.entries(str(folder / "t"))) == seen.stdout


def test_under_a_keeper_the_process_that_answers_writes(program, folder):
    with coprocesses(folder) as start:
        coprocess = start(program, "--trace", "t-%p")
        coprocess.begin()
        coprocess.ask()
        assert (folder / f"t-{coprocess.child}").read_text().count("\n") == 2


@pytest.mark.parametrize("how", ["--config", "initialize"])
def test_the_configuration_can_ask_for_a_trace(folder, how):
    (folder / "traced.toml").write_text('trace = "seen"\n' + (folder / "own.toml").read_text())
    options = ("--config", "traced.toml") if how == "--config" else ()
    first = remote("initialize", config=str(folder / "traced.toml"))
    done = run("remoteshim", folder, first + LOOKUP, *options)
    assert done.stdout.count(b"\n") == 2
    said = [line.split(" ms ")[1] for line in (folder / "seen").read_text().splitlines()]
    assert said == ["initialize -> yes", "lookup lax.airports.aa. TXT (zone-id -1) -> nothing"]


def test_the_configuration_can_ask_pipe_for_a_trace(folder):
    (folder / "pipebackend.toml").write_text('trace = "seen"\n' + (folder / "own.toml").read_text())
    run("pipebackend", folder, QUESTIONS["pipebackend"])
    assert len((folder / "seen").read_text().splitlines()) == 2


def test_a_trace_of_a_socket_server_has_all_clients(folder):
    service = Service(folder, "remoteshim", "--workers", "2", "--trace", str(folder / "t"), "--trace-full")
    try:
        service.ready()
        for _ in range(3):
            with contextlib.closing(Client(service)) as client:
                client.ask(INITIALIZE % b"")
                client.ask(LOOKUP)
    finally:
        service.process.terminate()
        service.process.wait()
        service.notified.close()
    found = list(trace.entries(str(folder / "t")))
    assert len(found) == 6
    assert len({entry.session for entry in found}) == 3


def test_secrets_are_in_no_trace_and_a_full_disk_is_no_failure(folder):
    calls = b"".join([remote("setTSIGKey", **TSIG), remote("getTSIGKeys"), remote("getTSIGKey", name="k.")])
    calls += remote("setTSIGKey", **TSIG)[:-3] + b"\n"
    done = run("remoteshim", folder, calls, "--config", "own.toml", "--trace", "t", "--trace-full")
    assert done.stdout.count(SECRET.encode()) == 2
    text = (folder / "t").read_text()
    assert text.count("> ") + text.count("\n< ") >= 8
    assert SECRET not in text
    full = run("remoteshim", folder, calls, "--config", "own.toml", "--trace", "/dev/full", "--trace-full")
    assert full.stdout == done.stdout
    assert full.stderr.count(b"No space left") == 1


@pytest.fixture
def recorded(program, folder):
    """A full trace."""
    run(program, folder, QUESTIONS[program], "--config", "own.toml", "--trace", "t", "--trace-full")
    return folder / "t"


def replay(folder, *options: str) -> subprocess.CompletedProcess[bytes]:
    return run("zoneutil", folder, b"", "--config", "own.toml", "pdns", "replay", "t", *options)


def test_the_same_configuration_answers_the_same(recorded, folder):
    done = replay(folder)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert done.stderr == b"t: 2 calls, no differences\n"


def test_what_differs_is_shown(recorded, folder):
    write_table(folder, "after")
    done = replay(folder)
    assert done.returncode == 1
    asked, was, now = (line for line in done.stdout.decode().splitlines() if not line.endswith("END"))
    assert "x.t.example" in asked
    assert was.startswith("- ") and "before" in was
    assert now.startswith("+ ") and "after" in now
    assert done.stderr == b"t: 2 calls, 1 difference\n"
    (difference,) = json.loads(replay(folder, "--json").stdout)["differences"]
    assert "before" in difference["was"] and "after" in difference["now"]


def test_what_would_change_the_store_is_left_out_unless_asked_for(folder):
    calls = remote("initialize", config="/elsewhere/x.toml") + remote("setDomainMetadata", name="t.example.",
        kind="ALSO-NOTIFY", value=["192.0.2.1"]) + remote("setTSIGKey", **TSIG) + Q  # fmt: skip
    run("remoteshim", folder, calls, "--config", "own.toml", "--trace", "t", "--trace-full")
    for database in folder.glob("zones.db*"):
        database.unlink()
    done = replay(folder)
    assert done.returncode == 0, done.stderr
    assert re.search(rb"left out: 2, that change the store\n", done.stderr)
    assert b"192.0.2.1" not in run("zoneutil", folder, b"", "--config", "own.toml", "meta", "list", "t.example").stdout
    done = replay(folder, "--writes")
    assert done.returncode == 0, done.stderr
    assert b"left out: 1, whose secrets were not recorded" in done.stderr
    assert b"192.0.2.1" in run("zoneutil", folder, b"", "--config", "own.toml", "meta", "list", "t.example").stdout


def test_a_trace_without_content_is_refused(program, folder):
    run(program, folder, QUESTIONS[program], "--config", "own.toml", "--trace", "t")
    done = replay(folder)
    assert done.returncode == 1
    assert b"--trace-full" in done.stderr


def test_the_configuration_can_ask_for_the_content_too(program, folder):
    (folder / "full.toml").write_text('trace = "seen"\ntrace_full = true\n' + (folder / "own.toml").read_text())
    done = run(program, folder, QUESTIONS[program], "--config", "full.toml")
    assert b"".join(entry.answer for entry in trace.entries(str(folder / "seen"))) == done.stdout


def test_a_replay_may_ignore_serials(program, folder):
    soa = b'{"method": "lookup", "parameters": {"qname": "t.example.", "qtype": "SOA"}}\n' + remote("getAllDomains")
    asked = {"pipebackend": b"HELO\t4\nQ\tt.example\tIN\tSOA\t-1\t::1\t::1\t::1/128\n", "remoteshim": soa}[program]
    run(program, folder, asked + QUESTIONS[program], "--config", "own.toml", "--trace", "t", "--trace-full")
    os.utime(folder / "own.toml", (2_000_000_000, 2_000_000_000))
    assert replay(folder).returncode == 1
    done = replay(folder, "--ignore-serial")
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    write_table(folder, "after")
    os.utime(folder / "own.toml", (2_000_000_000, 2_000_000_000))
    done = replay(folder, "--ignore-serial")
    assert done.returncode == 1
    assert b"after" in done.stdout and b"SOA" not in done.stdout
