"""The start of a coprocess: PowerDNS waits for it, and starts one for each thread, transfer and pdnsutil run.

How long it takes is printed, beside a bare Python of the same environment; what is asserted is the reason for its
being short: what is not imported.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pipebackend
import remoteshim
from scripts.benchmarks import made

PIPE, REMOTE, ZONEUTIL = (os.path.join(sys.prefix, "bin", name) for name in ("pipebackend", "remoteshim", "zoneutil"))
QUESTION = b"HELO\t1\nQ\tLAX.airports.aa\tIN\tANY\t-1\t127.0.0.1\n"
LOOKUP = (
    b'{"method":"initialize","parameters":{"command":"remoteshim","timeout":"2000"}}\n'
    b'{"method":"lookup","parameters":{"qname":"lax.airports.aa.","qtype":"ANY","remote":"127.0.0.1",'
    b'"local":"127.0.0.1","real-remote":"127.0.0.1/32","zone-id":-1}}\n'
)
STARTS = [pytest.param(PIPE, QUESTION, id="pipe"), pytest.param(REMOTE, LOOKUP, id="remote")]
ANSWERS = 2  # the banner or initialize, then the question
ROUNDS = 21
PATIENCE = 60.0
# Each costs milliseconds, some of them more than all that we need; dns and click more than a bare Python does.
UNWANTED = {
    "asyncio", "cffi", "click", "cryptography", "dataclasses", "datetime", "decimal", "dns", "email",
    "enum", "functools", "inspect", "json", "logging", "pathlib", "random", "re", "signal", "socket", "sqlite3",
    "subprocess", "tempfile", "tomllib", "traceback", "typing", "weakref",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _built_in_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEBACKEND_CONFIG", raising=False)


@pytest.fixture(scope="module")
def _compiled() -> None:
    """As an installation leaves it: pip compiles what it installs, and compiling is half of a start without."""
    for package in (pipebackend, remoteshim):
        assert compileall.compile_dir(package.__path__[0], quiet=1)


def imported(words: list[str], given: bytes) -> set[str]:
    """The top-level modules that a Python imports."""
    command = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=True)
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines[1:]}


@pytest.mark.parametrize(("command", "given"), STARTS)
def test_nothing_is_imported_that_an_answer_does_not_need(command: str, given: bytes) -> None:
    modules = imported([command], given)
    assert "pipebackend" in modules  # the list was understood
    assert modules & UNWANTED - imported(["-c", "pass"], b"") == set()


@pytest.mark.parametrize(
    ("kind", "is_compiled"), [("table", False), ("table", True), ("file", True), ("stored", False)]
)
def test_nor_what_a_zone_of_a_configuration_does_not_need(kind: str, is_compiled: bool, tmp_path: Path) -> None:
    zone = made.make(tmp_path, kind, 20)
    given = f"HELO\t1\nQ\t{next(zone.names(1, 1, in_mixed_case=False))}\tIN\tANY\t-1\t127.0.0.1\n".encode()
    if is_compiled:
        subprocess.run([ZONEUTIL, "--config", zone.config, "zone", "compile", zone.apex], check=True)
    modules = imported([PIPE, "--config", str(zone.config)], given)
    needed_by_sqlite = {"functools"} if kind == "stored" else set()
    assert ("_sqlite3" in modules, "lmdb" in modules) == (kind == "stored", is_compiled)
    assert modules & UNWANTED - imported(["-c", "pass"], b"") - needed_by_sqlite == set()


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize(("command", "given"), STARTS)
def test_the_first_answer_of_a_fresh_process(command: str, given: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    bare, first = [], []
    for _ in range(ROUNDS):
        bare.append(_seconds_of_a_bare_python())
        first.append(_seconds_to_first_answer(command, given))
    ratio = statistics.median(first) / statistics.median(bare)
    with capsys.disabled():
        print(
            f"\n{os.path.basename(command)}: first answer after {statistics.median(first) * 1000:.1f} ms,"
            f" {ratio:.2f} times a bare Python ({statistics.median(bare) * 1000:.1f} ms); medians of {ROUNDS}"
        )
    assert len(first) == ROUNDS


def _seconds_of_a_bare_python() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begin


def _seconds_to_first_answer(command: str, given: bytes) -> float:
    """Until the answer is read; what the process does after it is nobody's wait."""
    begin = time.perf_counter()
    with subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(given)
        process.stdin.flush()
        said = b""
        while said.count(b"\n") < ANSWERS or b"Los Angeles" not in said:
            chunk = os.read(process.stdout.fileno(), 65536)
            assert chunk, "the process ended"
            said += chunk
        return time.perf_counter() - begin
