"""Processes killed, and taking themselves down, under a real PowerDNS: what is lost, and that it recovers.

The rows of docs/reliability.md. By default with small counts; with larger ones by ``scripts/test --long``.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from tests.live.flood import TXT, ask_all
from tests.live.servers import PATIENCE, PATIENT, PdnsServer, pipe_config, program, remote_config, running_processes
from tests.process.coprocess import children, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

WAYS = pytest.mark.parametrize("way", ["remote", "pipe", "unix"])
FEW_OR_MANY = pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
NAMES = [f"{first}{second}x.airports.aa" for first in "abcdefghij" for second in "abcdefghij"]
NOERROR, NXDOMAIN = 0, 3


class Setup:
    """A PowerDNS, and the processes of ours that answer it."""

    def __init__(self, server: PdnsServer, service: subprocess.Popen[bytes] | None) -> None:
        self.server = server
        self.service = service

    def keepers(self) -> set[int]:
        """What PowerDNS started, or the service that listens."""
        return self.server.coprocesses() if self.service is None else {self.service.pid}

    def serving(self) -> set[int]:
        """The processes that answer."""
        return {child for keeper in self.keepers() for child in children(keeper)}

    def launch_all(self) -> None:
        """Ask until every thread of PowerDNS has its coprocess."""
        assert set(self.rcodes(300)) == {NOERROR, NXDOMAIN}

    def rcodes(self, count: int) -> dict[int, int]:
        """How many of so many questions, one for each name, got which answer."""
        found: dict[int, int] = {}
        questions = [(f"{number}.{name}" if number else name, TXT) for number in range(10) for name in NAMES]
        for reply in ask_all(self.server.port, [*questions[: count - 1], ("lax.airports.aa", TXT)]).values():
            found[reply.rcode] = found.get(reply.rcode, 0) + 1
        return found


@contextlib.contextmanager
def powerdns(way: str, folder: Path, config: Path | None = None, timeout: int = PATIENT) -> Iterator[Setup]:
    """PowerDNS with the front end reached in one of the ways."""
    with contextlib.ExitStack() as stack:
        service = None
        if way == "unix":
            words = [os.path.join(sys.prefix, "bin", "remoteshim"), "--listen", f"unix:{folder / 'socket'}"]
            words += ["--config", str(config)] if config else []
            with open(folder / "service.log", "wb") as log:
                service = stack.enter_context(subprocess.Popen(words, cwd=folder, stderr=log))
            stack.callback(service.terminate)
            wait_for((folder / "socket").exists, "the socket")
            settings = {
                "launch": "remote",
                "remote-connection-string": f"unix:path={folder / 'socket'},timeout={timeout}",
            }
        elif way == "pipe":
            settings = {**pipe_config(config), "pipe-timeout": str(timeout)}
        else:
            settings = remote_config(config, timeout)
        yield Setup(stack.enter_context(PdnsServer(settings, folder)), service)


@WAYS
@FEW_OR_MANY
def test_killing_idle_processes_loses_no_question(way: str, kills: int, tmp_path: Path) -> None:
    with powerdns(way, tmp_path) as setup:
        setup.launch_all()
        keepers = setup.keepers()
        killed = 0
        while killed < kills:
            serving = setup.serving()
            for process in serving:
                os.kill(process, signal.SIGKILL)
            killed += len(serving)
            wait_for(lambda old=serving: len(setup.serving() - old) == len(old), "processes in their place")
            assert set(setup.rcodes(100)) == {NOERROR, NXDOMAIN}
        assert setup.keepers() == keepers
        print(f"{way}: {killed} processes killed while idle")


@WAYS
@pytest.mark.parametrize("kills", [15, pytest.param(100, marks=pytest.mark.slow)])
def test_killing_processes_under_load_fails_one_question_each_at_most(way: str, kills: int, tmp_path: Path) -> None:
    (tmp_path / "queries").write_text("".join(f"{name} TXT\n" for name in ["lax.airports.aa", *NAMES]))
    with powerdns(way, tmp_path) as setup:
        setup.launch_all()
        seconds = str(kills * 0.35 + 2)
        words = [program("dnsperf"), "-s", "127.0.0.1", "-p", str(setup.server.port), "-d", str(tmp_path / "queries")]
        load = subprocess.Popen([*words, "-l", seconds, "-c", "4", "-q", "4"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        killed = 0
        while killed < kills:
            assert setup.service is None or setup.service.poll() is None, "the service has ended"
            if serving := setup.serving():
                # The oldest: ten workers in a row that die before they are ready end the service
                with contextlib.suppress(ProcessLookupError):
                    os.kill(min(serving), signal.SIGKILL)
                    killed += 1
            time.sleep(0.3)
            wait_for(lambda: NOERROR in setup.rcodes(1), "a process that is ready")
        report = load.communicate(timeout=float(seconds) + PATIENCE)[0]
        failed = int((re.findall(r"SERVFAIL (\d+)", report) or ["0"])[0])
        lost = int(re.findall(r"Queries lost: +(\d+)", report)[0])
        done = int(re.findall(r"Queries completed: +(\d+)", report)[0])
        print(f"{way}: {killed} killed under load; of {done} questions {failed} failed, {lost} lost")
        assert "REFUSED" not in report
        assert failed + lost <= killed
        assert set(setup.rcodes(1000)) == {NOERROR, NXDOMAIN}


def test_a_killed_keeper_is_relaunched_over_pipe(tmp_path: Path) -> None:
    with powerdns("pipe", tmp_path, timeout=2000) as setup:  # which PowerDNS waits for one that died
        setup.launch_all()
        for process in setup.keepers():
            os.kill(process, signal.SIGKILL)
        setup.rcodes(100)  # PowerDNS notices only now, and answers that there is no such zone (rule P-20)
        assert set(setup.rcodes(1000)) == {NOERROR, NXDOMAIN}


def test_a_killed_keeper_is_the_end_of_a_thread_over_remote(tmp_path: Path) -> None:
    """PowerDNS's own limit; docs/reliability.md tells it, and this test will tell when it is gone."""
    with PdnsServer({**remote_config(), "distributor-threads": "1"}, tmp_path) as server:
        assert server.dig("lax.airports.aa", "TXT").answer
        ours = {child for keeper in server.coprocesses() for child in children(keeper)}
        for process in server.coprocesses():
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: not ours & running_processes().keys(), "the end of the serving processes")
        for _ in range(10):
            assert server.dig("lax.airports.aa", "TXT").rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("way", ["remote", "pipe"])
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_no_process_of_ours_outlives_powerdns(way: str, kills: int, tmp_path: Path) -> None:
    for number in range(kills):
        (tmp_path / str(number)).mkdir()
        with powerdns(way, tmp_path / str(number)) as setup:
            setup.launch_all()
            ours = setup.keepers() | setup.serving()
            assert len(ours) >= 4
            os.kill(setup.server.pid, signal.SIGKILL)
            wait_for(lambda ours=ours: not ours & running_processes().keys(), "the end of all processes")


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_service_lets_go_of_a_powerdns_that_was_killed(kills: int, tmp_path: Path) -> None:
    """It outlives PowerDNS, as it is meant to; the connections do not."""
    for number in range(kills):
        (tmp_path / str(number)).mkdir()
        with powerdns("unix", tmp_path / str(number)) as setup:
            setup.launch_all()
            open_before = open_files(setup)
            os.kill(setup.server.pid, signal.SIGKILL)
            connections = 2 * 3  # of three threads, each known to the master and to a worker
            wait_for(lambda one=setup, most=open_before - connections: open_files(one) <= most, "closed connections")


def open_files(setup: Setup) -> int:
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in setup.keepers() | setup.serving())


@WAYS
def test_a_poisonous_question_fails_alone_and_without_a_wait(way: str, tmp_path: Path) -> None:
    """The time that PowerDNS would wait is longer than this test's patience."""
    (tmp_path / "harm.py").write_text(
        "import os\n"
        "class Harm:\n"
        "    def lookup(self, name, client):\n"
        '        if name == "poison": os.abort()\n'
        '        return [("TXT", "fine")] if name.startswith("good") else None\n'
    )
    (tmp_path / "harm.toml").write_text(
        '[[zone]]\nname = "c.example"\nkind = "custom"\nobject = "harm:Harm"\nns = ["ns1.c.example"]\n'
        'soa = { mname = "ns1.c.example", rname = "hostmaster.c.example" }\n'
    )
    good = [(f"good{number}.c.example", TXT) for number in range(100)]
    poison = ("poison.c.example", TXT)
    with powerdns(way, tmp_path, tmp_path / "harm.toml", timeout=5 * 1000 * int(PATIENCE)) as setup:
        for _ in range(5):
            assert setup.server.dig("good.c.example", "TXT").answer
            started = time.monotonic()
            assert setup.server.dig("poison.c.example", "TXT").rcode() == dns.rcode.SERVFAIL
            print(f"{way}: SERVFAIL after {time.monotonic() - started:.3f} s")
            replies = ask_all(setup.server.port, [*good[:50], poison, *good[50:]])
            assert [question for question, reply in replies.items() if reply.rcode] == [poison]


@pytest.mark.parametrize("reloads", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_reloads_of_the_service_under_load_lose_nothing(reloads: int, tmp_path: Path) -> None:
    (tmp_path / "queries").write_text("".join(f"{name} TXT\n" for name in ["lax.airports.aa", *NAMES]))
    with powerdns("unix", tmp_path) as setup:
        setup.launch_all()
        assert setup.service is not None
        words = [program("dnsperf"), "-s", "127.0.0.1", "-p", str(setup.server.port), "-d", str(tmp_path / "queries")]
        load = subprocess.Popen([*words, "-l", str(reloads + 1), "-q", "40"], stdout=subprocess.PIPE, text=True)
        for _ in range(reloads):
            old = setup.serving()
            setup.service.send_signal(signal.SIGHUP)
            wait_for(lambda old=old: not old & setup.serving(), "new workers")
            time.sleep(0.3)
        report = load.communicate(timeout=reloads + PATIENCE)[0]
        print(report)
        assert "SERVFAIL" not in report
        assert re.findall(r"Queries lost: +(\d+)", report) == ["0"]
