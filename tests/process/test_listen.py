"""Serving a socket: many clients, workers that die or are replaced, and clients that behave badly."""

from __future__ import annotations

import contextlib
import grp
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import pytest

from tests.process.coprocess import HELO, INITIALIZE, LOOKUP, PATIENCE, Q, children, is_alive, wait_for, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., "Service"]

ROOT = Path(__file__).resolve().parents[2]
BEGIN = b'{"method": "startTransaction", "parameters": {"domain": "t.example.", "domain_id": -1, "trxid": 1}}\n'
COMMIT = b'{"method": "commitTransaction", "parameters": {"trxid": 1}}\n'
MEGABYTE = 1 << 20
ROUNDS = 5


class Service:
    """A front end that listens on a socket in ``folder``."""

    def __init__(self, folder: Path, program: str = "remoteshim", *options: str, listen: str | None = None) -> None:
        self.path = folder / "socket"
        self._log = folder / f"service-{time.monotonic_ns()}.log"
        words = [os.path.join(sys.prefix, "bin", program), "--listen", listen or f"unix:{self.path}", *options]
        environ = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.settimeout(PATIENCE)
        self.notified.bind(str(self._log.with_suffix(".notify")))
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                words, cwd=folder, env=environ | {"NOTIFY_SOCKET": self.notified.getsockname()}, stderr=log
            )

    def ready(self) -> Self:
        self.until("READY=1")
        return self

    def until(self, state: str) -> None:
        """Wait until systemd would hear this."""
        while self.notified.recv(4096).decode().split("\n")[0] != state:
            pass

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def workers(self) -> set[int]:
        return children(self.process.pid)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)
        self.until("READY=1")

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


class Client:
    """One connection, as PowerDNS holds it."""

    def __init__(self, service: Service) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(service.path))  # without a time limit: with one, a full queue would be an error
        self.socket.settimeout(PATIENCE)
        self._file = self.socket.makefile("rb")

    def ask(self, request: bytes = LOOKUP) -> bytes:
        self.socket.sendall(request)
        return self.hear(request.startswith(b"Q"))

    def hear(self, several: bool = False) -> bytes:
        answer = self._file.readline()
        while several and answer and not answer.endswith((b"END\n", b"FAIL\n")):
            answer += self._file.readline()
        return answer

    def close(self) -> None:
        self._file.close()
        self.socket.close()


AnyService = TypeVar("AnyService", bound=Service)


@contextlib.contextmanager
def served(kind: type[AnyService], folder: Path) -> Iterator[tuple[Callable[..., AnyService], list[AnyService]]]:
    """What starts services of this kind, and those that it has started; they are ended with their workers."""
    running: list[AnyService] = []

    def serve(*words: str, **options: str) -> AnyService:
        running.append(kind(folder, *words, **options))
        return running[-1]

    yield serve, running
    for service in running:
        workers = service.workers
        service.process.kill()
        service.process.wait()
        service.notified.close()
        for worker in workers:
            wait_for(lambda worker=worker: not is_alive(worker), "the end of the workers")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with served(Service, tmp_path) as (start, _):
        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[Service], Client]]:
    with contextlib.ExitStack() as stack:

        def connect(service: Service) -> Client:
            return stack.enter_context(contextlib.closing(Client(service)))

        yield connect


Connect = "Callable[[Service], Client]"


@pytest.mark.parametrize(
    ("program", "hello", "question"), [("pipebackend", HELO, Q), ("remoteshim", INITIALIZE % b"", LOOKUP)]
)
def test_killed_workers_lose_nothing_of_idle_connections(
    serve: Serve, connect: Connect, program: str, hello: bytes, question: bytes
) -> None:
    service = serve(program).ready()
    clients = [connect(service) for _ in range(10)]
    for client in clients:
        client.ask(hello)
    expected = clients[0].ask(question)
    assert b"Los Angeles" in expected
    for _ in range(ROUNDS):
        workers = service.workers
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert [client.ask(question) for client in clients] == [expected] * 10
        wait_for(lambda workers=workers: len(service.workers - workers) == len(workers), "workers in their place")
    assert service.log.count("ended with status -9") == ROUNDS * len(service.workers)


def test_a_reload_loses_nothing_and_ends_the_old_workers(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    write_table(tmp_path, "first")
    service = serve("remoteshim", "--config", str(tmp_path / "own.toml"), "--workers=2").ready()
    client = connect(service)
    question = LOOKUP.replace(b"lax.airports.aa.", b"x.t.example.")
    assert b"first" in client.ask(question)
    for text in ("second", "third"):
        old = service.workers
        write_table(tmp_path, text)
        service.reload()
        wait_for(lambda old=old: not old & service.workers, "the end of the old workers")
        assert text.encode() in client.ask(question)
        assert len(service.workers) == 2


def test_a_reload_with_a_faulty_configuration_leaves_the_old_workers(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    write_table(tmp_path, "first")
    service = serve("remoteshim", "--config", str(tmp_path / "own.toml"), "--workers=2").ready()
    client = connect(service)
    old = service.workers
    (tmp_path / "own.toml").write_text("zone = 5\n")
    service.reload()
    assert b"first" in client.ask(LOOKUP.replace(b"lax.airports.aa.", b"x.t.example."))
    wait_for(lambda: service.workers == old, "the end of the new workers")
    assert "a new worker could not start; those before it go on" in service.log
    assert service.process.poll() is None


def test_a_worker_that_is_to_end_finishes_half_a_request(serve: Serve, connect: Connect) -> None:
    service = serve("remoteshim", "--workers=1").ready()
    client = connect(service)
    expected = client.ask()
    client.socket.sendall(LOOKUP[:30])
    service.reload()
    client.socket.sendall(LOOKUP[30:])
    assert client.hear() == expected


def test_each_connection_has_its_own_transaction(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    write_table(tmp_path, "x")
    service = serve("remoteshim", "--config", str(tmp_path / "own.toml"), "--workers=1").ready()
    first, second = connect(service), connect(service)
    assert first.ask(BEGIN) == b'{"result":true}\n'
    assert second.ask(COMMIT).startswith(b'{"result":null,')  # false would be success to PowerDNS (docs/writes.md)
    assert first.ask(COMMIT) == b'{"result":true}\n'


def test_a_connection_that_vanishes_takes_its_transaction_with_it(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    write_table(tmp_path, "x")
    service = serve("remoteshim", "--config", str(tmp_path / "own.toml"), "--workers=1").ready()
    kind = b'{"method": "%s", "parameters": {"name": "t.example.", "kind": "ALLOW-AXFR-FROM"%s}}\n'
    write = kind % (b"setDomainMetadata", b', "value": ["192.0.2.1"]')
    read = kind % (b"getDomainMetadata", b"")
    gone, stays = Client(service), connect(service)
    assert gone.ask(BEGIN) == b'{"result":true}\n'
    assert gone.ask(write) == b'{"result":true}\n'
    gone.close()
    wait_for(
        lambda: stays.ask(write.replace(b"ALLOW-AXFR-FROM", b"ALSO-NOTIFY")) == b'{"result":true}\n', "a free store"
    )
    assert stays.ask(read) == b'{"result":false}\n'


def test_a_worker_killed_within_a_transaction_closes_that_connection_alone(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    write_table(tmp_path, "x")
    service = serve("remoteshim", "--config", str(tmp_path / "own.toml"), "--workers=1").ready()
    amid, idle = connect(service), connect(service)
    assert amid.ask(BEGIN) == b'{"result":true}\n'
    expected = idle.ask(LOOKUP)
    os.kill(*service.workers, signal.SIGKILL)
    assert amid.hear() == b""
    assert idle.ask(LOOKUP) == expected


def test_the_end_is_orderly(serve: Serve, connect: Connect) -> None:
    service = serve("remoteshim", "--workers=3").ready()
    assert b"Los Angeles" in connect(service).ask()
    assert len(workers := service.workers) == 3
    assert service.end() == 0
    assert not service.path.exists()
    assert not any(map(is_alive, workers))
    service.until("STOPPING=1")


def test_workers_end_with_a_killed_master(serve: Serve) -> None:
    service = serve("remoteshim").ready()
    workers = service.workers
    service.process.kill()
    service.process.wait()
    wait_for(lambda: not any(map(is_alive, workers)), "the end of the workers")


def test_mode_and_owner_of_the_socket(serve: Serve) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    service = serve("remoteshim", "--mode", "0640", "--owner", f":{group}").ready()
    found = service.path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, os.getgid())


def test_a_stale_socket_is_replaced(serve: Serve, connect: Connect) -> None:
    first = serve("remoteshim").ready()
    first.process.kill()
    first.process.wait()
    assert first.path.exists()
    assert b"Los Angeles" in connect(serve("remoteshim").ready()).ask()


def test_a_live_socket_is_refused_and_left_alone(serve: Serve, connect: Connect) -> None:
    first = serve("remoteshim").ready()
    second = serve("remoteshim")
    assert second.process.wait(PATIENCE) == 2
    assert "another process listens there" in second.log
    assert b"Los Angeles" in connect(first).ask()


@pytest.mark.parametrize(
    ("listen", "options", "complaint"),
    [
        ("unix:/nowhere/at/all", (), "No such file or directory"),
        ("unix:" + "x" * 200, (), "at most 107 octets"),
        ("unix:file", (), "a file that is not a socket"),
        ("unix:socket", ("--owner=nobody-of-this-name",), "nobody-of-this-name"),
        ("systemd", (), "must hand over one socket, not none"),
        ("tcp:80", (), "--listen needs unix:PATH, http:"),
        ("unix:socket", ("--mode=999",), "--mode needs an octal mode"),
        ("unix:socket", ("--workers=0",), "--workers needs a number"),
        ("unix:socket", ("--config=missing.toml",), "missing.toml"),
    ],
)
def test_what_cannot_be_listened_to_is_said(
    serve: Serve, tmp_path: Path, listen: str, options: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "file").touch()
    service = serve("remoteshim", *options, listen=listen)
    assert service.process.wait(PATIENCE) == 2
    assert complaint in service.log
    assert "Traceback" not in service.log
    assert (tmp_path / "file").exists()


def test_a_socket_that_systemd_hands_over(tmp_path: Path) -> None:
    """As sd_listen_fds(3) says: descriptor 3, for the very process."""
    path = tmp_path / "handed"
    with socket.socket(socket.AF_UNIX) as handed:
        handed.bind(str(path))
        handed.listen()
        script = (
            f"import os; os.dup2({handed.fileno()}, 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            f"os.execv({os.path.join(sys.prefix, 'bin', 'remoteshim')!r}, ['remoteshim', '--listen', 'systemd'])"
        )
        process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[handed.fileno()], cwd=tmp_path)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(LOOKUP)
            assert b"Los Angeles" in client.recv(4096)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert path.exists(), "systemd's own socket stays"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_unit_files_are_sound(tmp_path: Path) -> None:
    for unit in (ROOT / "contrib" / "systemd").iterdir():
        if unit.suffix in (".service", ".socket"):
            (tmp_path / unit.name).write_text(unit.read_text().replace("/usr/bin/", f"{sys.prefix}/bin/"))
    units = sorted(map(str, tmp_path.iterdir()))
    assert len(units) >= 3
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def rss(pid: int) -> int:
    """Octets of memory that a process has for itself."""
    fields = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
    return 1024 * sum(int(fields[fields.index(key) + 1]) for key in ("Private_Clean:", "Private_Dirty:"))


def test_ten_thousand_idle_connections_leave_the_others_served(serve: Serve, connect: Connect) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, most - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    service = serve("remoteshim", "--workers=2").ready()
    expected = connect(service).ask()
    before = [rss(worker) for worker in service.workers]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            left = stack.enter_context(socket.socket(socket.AF_UNIX))
            left.connect(str(service.path))
        assert connect(service).ask() == expected
        grown = sum(map(rss, service.workers)) - sum(before)
        assert grown < 60 * MEGABYTE, f"{grown / count:.0f} octets for each connection"
    wait_for(lambda: len(os.listdir(f"/proc/{service.process.pid}/fd")) < 100, "connections are forgotten")
    assert connect(service).ask() == expected


def test_clients_that_never_read_and_never_end_a_line_are_bounded(serve: Serve, connect: Connect) -> None:
    service = serve("remoteshim", "--workers=1").ready()
    good = connect(service)
    expected = good.ask()
    before = rss(*service.workers)
    transfer = b'{"method": "list", "parameters": {"zonename": "airports.aa.", "domain_id": -1}}\n'
    for number in range(90):
        bad = connect(service)
        with contextlib.suppress(OSError):  # cut off: that is a bound, too
            bad.socket.settimeout(0.02)
            bad.socket.sendall(transfer * 10 if number % 2 else b"x" * (MEGABYTE - 1))
        assert good.ask() == expected
    assert "clients are cut off" in service.log
    assert rss(*service.workers) - before < 120 * MEGABYTE
    assert good.ask() == expected


def test_a_request_of_more_than_a_megabyte_gets_one_answer(serve: Serve, connect: Connect) -> None:
    client = connect(serve("remoteshim", "--workers=1").ready())
    expected = client.ask()
    assert b"more than 1048576 octets" in client.ask(b"x" * (3 * MEGABYTE) + b"\n")
    assert client.ask() == expected


def test_many_requests_at_once_have_as_many_answers(serve: Serve, connect: Connect) -> None:
    client = connect(serve("remoteshim", "--workers=1").ready())
    expected = client.ask()
    client.socket.sendall(LOOKUP * 100)
    assert [client.hear() for _ in range(100)] == [expected] * 100
