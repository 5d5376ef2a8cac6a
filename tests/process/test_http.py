"""Serving HTTP: keep-alive, half requests, transactions, workers that die or are replaced, and who may connect."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tests.live.servers import free_port
from tests.process.coprocess import LOOKUP, PATIENCE, wait_for, write_table
from tests.process.test_listen import Service, rss, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., "HttpService"]

LOOKUP_LINE = LOOKUP.rstrip(b"\n")
BEGIN = b'{"method": "startTransaction", "parameters": {"domain": "t.example.", "domain_id": -1, "trxid": 1}}'
COMMIT = b'{"method": "commitTransaction", "parameters": {"trxid": 1}}'
MEGABYTE = 1 << 20
SECRET = "0123456789abcdef0123"


class HttpService(Service):
    """``remoteshim --listen http://127.0.0.1:PORT/dns``, or what else is given."""

    def __init__(self, folder: Path, *options: str, listen: str | None = None, program: str = "remoteshim") -> None:
        self.port = free_port()
        super().__init__(folder, program, *options, listen=listen or f"http://127.0.0.1:{self.port}/dns")


class Client:
    """One connection."""

    def __init__(self, service: HttpService, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, service.port), PATIENCE)
        self._file = self.socket.makefile("rb")

    def ask(
        self, line: bytes = LOOKUP_LINE, more: bytes = b"Connection: Keep-Alive\r\n", target: bytes = b"/dns"
    ) -> bytes:
        """The body of the answer to one line."""
        self.socket.sendall(b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (target, more, len(line), line))
        return self.hear()[1]

    def hear(self) -> tuple[int, bytes]:
        """The status and body of the next answer; 0 if the connection was closed."""
        try:
            status = self._file.readline()
            head = list(iter(self._file.readline, b"\r\n")) if status else []
        except ConnectionResetError:
            return 0, b""
        if not status:
            return 0, b""
        [length] = [int(each.split(b":")[1]) for each in head if each.lower().startswith(b"content-length")] or [0]
        return int(status.split()[1]), self._file.read(length)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with served(HttpService, tmp_path) as (start, running):
        yield start
    for service in running:
        assert "Traceback" not in service.log


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    with contextlib.ExitStack() as stack:
        yield lambda service, host="127.0.0.1": stack.enter_context(Client(service, host))


def test_requests_on_one_connection(serve: Serve, connect: Callable[..., Client]) -> None:
    client = connect(serve("--workers=1").ready())
    expected = client.ask()
    assert b"Los Angeles" in expected
    assert [client.ask() for _ in range(50)] == [expected] * 50


def test_pipelined_requests_are_answered_in_order(serve: Serve, connect: Callable[..., Client]) -> None:
    client = connect(serve("--workers=1").ready())
    names = [b"lax", b"ibz", b"nope", b"fra"] * 30
    client.socket.sendall(b"".join(b"GET /dns/lookup/%b.airports.aa/TXT HTTP/1.1\r\n\r\n" % name for name in names))
    answers = [client.hear() for _ in names]
    assert [status for status, _ in answers] == [200] * len(names)
    assert answers[:4] * 30 == answers
    assert len({body for _, body in answers}) == 4


def test_an_old_client_gets_one_answer(serve: Serve, connect: Callable[..., Client]) -> None:
    client = connect(serve("--workers=1").ready())
    client.socket.sendall(b"GET /dns/lookup/lax.airports.aa/ANY HTTP/1.0\r\n\r\n")
    assert b"Los Angeles" in client.hear()[1]
    assert client.hear() == (0, b"")


def test_a_client_that_waits_for_the_word_to_go_on(serve: Serve, connect: Callable[..., Client]) -> None:
    client = connect(serve("--workers=1").ready())
    head = b"POST /dns HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(LOOKUP_LINE)
    client.socket.sendall(head)
    assert client.hear() == (100, b"")
    client.socket.sendall(LOOKUP_LINE)
    assert b"Los Angeles" in client.hear()[1]


def test_each_connection_has_its_own_transaction(serve: Serve, connect: Callable[..., Client], tmp_path: Path) -> None:
    write_table(tmp_path, "x")
    service = serve("--config", str(tmp_path / "own.toml"), "--workers=2").ready()
    first, second = connect(service), connect(service)
    assert first.ask(BEGIN) == b'{"result":true}\n'
    assert second.ask(COMMIT).startswith(b'{"result":null,')
    assert first.ask(COMMIT) == b'{"result":true}\n'


def test_a_transaction_without_a_connection_of_its_own_is_refused(
    serve: Serve, connect: Callable[..., Client], tmp_path: Path
) -> None:
    write_table(tmp_path, "x")
    service = serve("--config", str(tmp_path / "own.toml"), "--workers=1").ready()
    client = connect(service)
    client.socket.sendall(b"POST /dns HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(BEGIN), BEGIN))
    assert client.hear()[0] == 409
    assert "let the proxy forward TCP" in service.log


def test_a_connection_that_vanishes_takes_its_transaction_with_it(
    serve: Serve, connect: Callable[..., Client], tmp_path: Path
) -> None:
    write_table(tmp_path, "x")
    service = serve("--config", str(tmp_path / "own.toml"), "--workers=1").ready()
    kind = b'{"method": "%s", "parameters": {"name": "t.example.", "kind": "ALLOW-AXFR-FROM"%s}}'
    write = kind % (b"setDomainMetadata", b', "value": ["192.0.2.1"]')
    gone, stays = Client(service), connect(service)
    assert gone.ask(BEGIN) == b'{"result":true}\n'
    assert gone.ask(write) == b'{"result":true}\n'
    gone.close()
    wait_for(
        lambda: stays.ask(write.replace(b"ALLOW-AXFR-FROM", b"ALSO-NOTIFY")) == b'{"result":true}\n', "a free store"
    )
    assert stays.ask(kind % (b"getDomainMetadata", b"")) == b'{"result":false}\n'


def test_killed_workers_lose_nothing_of_idle_connections(serve: Serve, connect: Callable[..., Client]) -> None:
    service = serve("--workers=2").ready()
    clients = [connect(service) for _ in range(6)]
    expected = clients[0].ask()
    for _ in range(5):
        workers = service.workers
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert [client.ask() for client in clients] == [expected] * 6
        wait_for(lambda workers=workers: len(service.workers - workers) == len(workers), "workers in their place")


def test_a_worker_killed_over_half_a_request_closes_that_connection_alone(
    serve: Serve, connect: Callable[..., Client]
) -> None:
    service = serve("--workers=1").ready()
    amid, idle = connect(service), connect(service)
    expected = idle.ask()
    amid.ask()
    amid.socket.sendall(b"POST /dns HTTP/1.1\r\n")
    wait_for(lambda: idle.ask() == expected, "the half is read")
    os.kill(*service.workers, signal.SIGKILL)
    assert amid.hear() == (0, b"")
    assert idle.ask() == expected


def test_a_reload_loses_nothing(serve: Serve, connect: Callable[..., Client], tmp_path: Path) -> None:
    write_table(tmp_path, "first")
    service = serve("--config", str(tmp_path / "own.toml"), "--workers=2").ready()
    client = connect(service)
    question = LOOKUP_LINE.replace(b"lax.airports.aa.", b"x.t.example.")
    assert b"first" in client.ask(question)
    for text in ("second", "third"):
        write_table(tmp_path, text)
        service.reload()
        wait_for(lambda text=text: text.encode() in client.ask(question), "the new zone")


def test_a_secret(serve: Serve, connect: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    service = serve("--workers=1", "--secret", str(tmp_path / "secret"), "--trace", str(tmp_path / "trace")).ready()
    assert b"Los Angeles" in connect(service).ask(target=b"/dns/" + SECRET.encode())
    assert b"Los Angeles" in connect(service).ask(more=b"Authorization: Bearer %b\r\n" % SECRET.encode())
    for target in (b"/dns", b"/dns/" + SECRET[:-1].encode() + b"x"):
        assert b"secret" in connect(service).ask(target=target)
    assert SECRET[:-1] not in service.log + (tmp_path / "trace").read_text()


def test_a_reload_without_the_secret_leaves_the_old_workers(
    serve: Serve, connect: Callable[..., Client], tmp_path: Path
) -> None:
    """New workers read it when the first client came, and each ended then: nobody was served any more."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    service = serve("--workers=1", "--secret", str(tmp_path / "secret")).ready()
    (tmp_path / "secret").unlink()
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "a new worker could not start; those before it go on" in service.log, "the log says it")
    assert f"--secret {tmp_path / 'secret'}: No such file or directory" in service.log
    for _ in range(2):
        assert b"Los Angeles" in connect(service).ask(target=b"/dns/" + SECRET.encode())


def test_a_socket_in_the_file_system(serve: Serve, tmp_path: Path) -> None:
    service = serve("--workers=1", listen=f"http+unix:{tmp_path}/http.sock").ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(tmp_path / "http.sock"))
        client.sendall(b"GET /lookup/lax.airports.aa/ANY HTTP/1.1\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    assert service.end() == 0
    assert not (tmp_path / "http.sock").exists()


def test_a_socket_that_systemd_hands_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as handed:
        script = (
            f"import os; os.dup2({handed.fileno()}, 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            f"os.execv({os.path.join(sys.prefix, 'bin', 'remoteshim')!r}, ['remoteshim', '--listen', 'systemd'])"
        )
        process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[handed.fileno()], cwd=tmp_path)
        try:
            with socket.create_connection(handed.getsockname(), PATIENCE) as client:
                client.sendall(b"GET /lookup/lax.airports.aa/ANY HTTP/1.1\r\n\r\n")
                assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("options", "listen", "complaint"),
    [
        ((), "http://0.0.0.0:{port}", "HTTP hides neither keys nor answers"),
        ((), "http://[::]:{port}/dns", "with --allow which networks may connect"),
        (("--allow=192.0.2.1/24",), "http://127.0.0.1:{port}", "host bits set"),
        ((), "http://127.0.0.1", "--listen needs"),
        ((), "https://127.0.0.1:{port}", "--listen needs"),
        ((), "http://127.0.0.1:{port}/a b", "letters, digits and"),
        ((), "http://no-such-host.invalid:{port}", "no-such-host.invalid"),
        (("--secret=missing",), "http://127.0.0.1:{port}", "--secret missing: No such file"),
        (("--mode=0600",), "http://127.0.0.1:{port}", "for HTTP there is --allow"),
        (("--allow=127.0.0.0/8",), "unix:{port}", "--allow is for"),
        (("--secret=x",), "unix:{port}", "--secret is for"),
        (("--config=missing.toml",), "http://127.0.0.1:{port}", "missing.toml"),
    ],
)
def test_what_cannot_be_listened_to_is_said(
    serve: Serve, options: tuple[str, ...], listen: str, complaint: str
) -> None:
    service = serve(*options, listen=listen.format(port=free_port()))
    assert service.process.wait(PATIENCE) == 2
    assert complaint in service.log


def test_pipe_is_not_served_over_http(serve: Serve) -> None:
    service = serve(program="pipebackend")
    assert service.process.wait(PATIENCE) == 2
    assert "take remoteshim" in service.log


def test_a_port_in_use_is_said(serve: Serve) -> None:
    first = serve().ready()
    second = serve(listen=f"http://127.0.0.1:{first.port}/dns")
    assert second.process.wait(PATIENCE) == 2
    assert "Address already in use" in second.log


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("203.0.113.1", 9))
        found = str(probe.getsockname()[0])
    if found.startswith(("0.", "127.")):
        pytest.skip("this machine has no address but loopback")
    return found


def test_who_may_connect(serve: Serve, connect: Callable[..., Client]) -> None:
    """Whoever connects to another address than loopback comes from that address."""
    address = own_address()
    port = free_port()
    service = serve("--allow", f"{address}/32,2001:db8::/32", listen=f"http://0.0.0.0:{port}/dns").ready()
    service.port = port
    assert b"Los Angeles" in connect(service, address).ask()
    assert b"Los Angeles" in connect(service).ask()
    other = serve("--allow", "203.0.113.0/24", listen=f"http://0.0.0.0:{(port := free_port())}/dns").ready()
    other.port = port
    with contextlib.suppress(OSError):
        assert connect(other, address).ask() == b""
    assert b"Los Angeles" in connect(other).ask()
    wait_for(lambda: "is not of --allow: closed" in other.log, "a line in the log")


def test_ten_thousand_idle_connections_leave_the_others_served(serve: Serve, connect: Callable[..., Client]) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, most - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    service = serve("--workers=2").ready()
    expected = connect(service).ask()
    before = sum(map(rss, service.workers))
    with contextlib.ExitStack() as stack:
        for number in range(count):
            left = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), PATIENCE))
            if number % 10 == 0:
                left.sendall(b"POST /dns HTTP/1.1\r\nContent-Le")
        assert connect(service).ask() == expected
        grown = sum(map(rss, service.workers)) - before
        assert grown < 100 * MEGABYTE, f"{grown / count:.0f} octets for each connection"
    wait_for(lambda: len(os.listdir(f"/proc/{service.process.pid}/fd")) < 100, "connections are forgotten")
    assert connect(service).ask() == expected


def test_bodies_that_do_not_end_are_bounded(serve: Serve, connect: Callable[..., Client]) -> None:
    service = serve("--workers=1").ready()
    good = connect(service)
    expected = good.ask()
    before = rss(*service.workers)
    crowd = [connect(service) for _ in range(90)]  # held here: one that is forgotten is closed
    for bad in crowd:
        with contextlib.suppress(OSError):  # cut off: that is a bound, too
            bad.socket.settimeout(5)
            bad.socket.sendall(b"POST /dns HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MEGABYTE + b"x" * (MEGABYTE - 1))
    assert good.ask() == expected
    wait_for(lambda: "clients are cut off" in service.log, "what all clients together send is bounded")
    assert rss(*service.workers) - before < 200 * MEGABYTE


def test_a_slow_sender_is_cut_off_and_the_others_are_served(serve: Serve, connect: Callable[..., Client]) -> None:
    """A header that goes on with an octet a second, for longer than a request may take."""
    service = serve("--workers=1").ready()
    slow, good = connect(service), connect(service)
    expected = good.ask()
    deadline = time.monotonic() + 2 * PATIENCE
    slow.socket.sendall(b"GET /lookup/lax.airports.aa./TXT HTTP/1.1\r\nX-Slow: ")
    slow.socket.settimeout(1)
    answer = b""
    while not answer:
        assert time.monotonic() < deadline
        assert good.ask() == expected
        with contextlib.suppress(TimeoutError):
            answer = slow.socket.recv(4096)
        if not answer:
            slow.socket.sendall(b"a")
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_as_in_the_article(serve: Serve) -> None:
    """As docs/protocols.md shows it: dots as they are, and no last one."""
    page = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text()
    [(command, printed)] = re.findall(r"^\$ (curl .*)\n(.*\n)", page, re.M)
    service = serve(listen=f"http://127.0.0.1:{(port := free_port())}").ready()
    words = command.replace(":8053/", f":{port}/").split()
    done = subprocess.run([*words, "-sS"], capture_output=True, text=True, check=True)
    assert done.stdout == printed
    assert service.end() == 0
