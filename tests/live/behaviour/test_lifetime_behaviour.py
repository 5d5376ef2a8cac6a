"""docs/powerdns-behaviour.md, the life of the processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.behaviour.scripted import ANSWERED, Scripted, rcode
from tests.live.servers import ServerFailed
from tests.process.coprocess import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.live

LOOKUP = r"^lookup www\.e\.test\. ANY"
SHORT = 4000  # milliseconds, where a timeout is waited for


def test_an_end_while_idle(tmp_path: Path) -> None:
    """PowerDNS never starts another; it must be started again itself."""
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        dead = server.askers("")
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not dead & server.coprocesses(), "its end")
        assert [rcode(server, "www.e.test") for _ in range(5)] == ["SERVFAIL"] * 5
        assert server.askers("") == dead


@pytest.mark.parametrize("action", ["exit", "hang", "no JSON\n"], ids=["end", "silence", "stray line"])
def test_no_answer(tmp_path: Path, action: str) -> None:
    with Scripted("remote", tmp_path, [(LOOKUP, f"once:{action}")], timeout=SHORT) as server:
        assert [rcode(server, "www.e.test") for _ in range(2)] == ["SERVFAIL", ANSWERED]
        assert len(server.askers(LOOKUP)) == 2


@pytest.mark.parametrize(("distributors", "receivers"), [("3", "1"), ("2", "2")])
def test_how_many_processes(tmp_path: Path, distributors: str, receivers: str) -> None:
    """One for each distributor of each receiver, and one for TCP."""
    more = {"distributor-threads": distributors, "receiver-threads": receivers}
    with Scripted("pipe", tmp_path, settings=more) as server:
        assert rcode(server, "www.e.test", "A", "+tcp") == ANSWERED
        count = int(distributors) * int(receivers) + 1
        wait_for(lambda: len(server.coprocesses()) == count, f"{count} processes")


def test_processes_for_other_work(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        serving = server.askers("")
        server.said("list-all-zones")
        assert "192.0.2.80" in server.axfr("e.test")
        assert not serving & (server.askers("^getAllDomains") | server.askers("^list"))
        assert not server.askers("^getAllDomains") & server.askers("^list")


def test_the_first_question_starts_a_process(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert server.asked == []


def test_the_zone_cache_is_filled_at_the_start(tmp_path: Path) -> None:
    """Then a question for an unknown zone is refused without a call, and there is no search for the zone."""
    with Scripted("remote", tmp_path, settings={"zone-cache-refresh-interval": "300"}) as server:
        assert server.asked == ["initialize", "getAllDomains"]
        server.forget()
        assert rcode(server, "www.other.test") == "REFUSED"
        assert server.asked == []
        assert rcode(server, "www.e.test") == ANSWERED
        assert not [request for request in server.asked if request.startswith("lookup www") and "SOA" in request]


def test_no_start_without_the_zones(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path, [("^getAllDomains", "exit")], settings={"zone-cache-refresh-interval": "300"})
    with pytest.raises(ServerFailed), server:
        pass


def over_a_socket(folder: Path, launch: str, told: Sequence[tuple[str, str]] = (), timeout: int = 20_000) -> Scripted:
    """The same, with the coprocess listening at ``folder/socket``."""
    path = folder / "socket"
    settings = {"remote-connection-string": f"unix:path={path},timeout={timeout}"}
    settings = settings if launch == "remote" else {"pipe-command": str(path)}
    return Scripted(launch, folder, told, timeout=timeout, settings=settings)


def listening(server: Scripted, path: Path) -> subprocess.Popen[bytes]:
    path.unlink(missing_ok=True)
    process = subprocess.Popen([*server.command.split(), "--listen", str(path)], start_new_session=True)
    wait_for(lambda: is_listening(path), "the socket")
    return process


def is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_socket_that_was_away(tmp_path: Path) -> None:
    server = over_a_socket(tmp_path, "remote")
    process = listening(server, tmp_path / "socket")
    try:
        with server:
            assert rcode(server, "www.e.test") == ANSWERED
            end(process)
            assert rcode(server, "www.e.test") == "SERVFAIL"
            process = listening(server, tmp_path / "socket")
            assert ANSWERED in [rcode(server, "www.e.test") for _ in range(2)]
    finally:
        end(process)


def test_a_socket_has_no_timeout(tmp_path: Path) -> None:
    """Over PIPE; a process that is as late is killed."""
    server = over_a_socket(tmp_path, "pipe", [("^Q www.e.test IN ANY", "late")], timeout=1000)
    process = listening(server, tmp_path / "socket")
    try:
        with server:
            assert rcode(server, "www.e.test") == ANSWERED
            assert len(server.askers("^Q www.e.test IN ANY")) == 1
    finally:
        end(process)
