"""docs/powerdns-behaviour.md, HTTP: what PowerDNS sends, written down on its way to a service, and what it takes."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Self

import dns.rcode
import pytest

from tests.live.overhttp import FORMS, HttpService
from tests.live.servers import HOST, PATIENT, PdnsServer, installed_command
from tests.live.writes import WritableServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "t.example"
FILE = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n"


class Listener:
    """A server of loopback: ``octets`` is all that clients sent, ``connections`` how many there were."""

    def __init__(self) -> None:
        self.octets = b""
        self.connections = 0
        self._listener = socket.create_server((HOST, 0))
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}/dns"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve_until_gone, args=(client,), daemon=True).start()

    def _serve_until_gone(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            self.serve(client)

    def serve(self, client: socket.socket) -> None:
        raise NotImplementedError


class Recorder(Listener):
    """In front of a service."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def serve(self, client: socket.socket) -> None:
        with socket.create_connection((HOST, self._port)) as service:
            threading.Thread(target=self._back, args=(service, client), daemon=True).start()
            while octets := client.recv(65536):
                self.octets += octets
                service.sendall(octets)

    def _back(self, service: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while octets := service.recv(65536):
                client.sendall(octets)


class Constant(Listener):
    """Answers each request with one response."""

    def __init__(self, status: str, body: bytes, closes: bool = False) -> None:
        super().__init__()
        self._answer = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)
        self._closes = closes

    def serve(self, client: socket.socket) -> None:
        while octets := client.recv(65536):
            self.octets += octets
            client.sendall(self._answer)
            if self._closes:
                return


@contextmanager
def recorded(folder: Path, form: str) -> Iterator[tuple[Recorder, WritableServer]]:
    """A server, not started, whose zone is in a service behind a recorder."""
    config = folder / "pipebackend.toml"
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    (folder / "zone").write_text(FILE)
    zoneutil = [installed_command("zoneutil"), "--config", str(config)]
    for words in (("zone", "create", ZONE, "--kind", "primary"), ("zone", "import", ZONE, str(folder / "zone"))):
        subprocess.run([*zoneutil, *words], check=True, capture_output=True)
    with ExitStack() as running:
        service = running.enter_context(HttpService(folder, config))
        recorder = running.enter_context(Recorder(service.port))
        more = {"primary": "yes", "only-notify": ""}
        yield recorder, WritableServer({**service.settings(form, url=recorder.url), **more}, folder)


def test_all_but_letters_and_digits_are_encoded(tmp_path: Path) -> None:
    with recorded(tmp_path, "rest") as (recorder, server):
        server.said("set-meta", ZONE, "X-A_B", "a b~c_d")
    assert b"PATCH /dns/setDomainMetadata/t%2eexample%2e/X%2dA%5fB HTTP/1.1\r\n" in recorder.octets
    assert b"\r\n\r\nvalue[]=a%20b%7ec%5fd" in recorder.octets


def test_headers(tmp_path: Path) -> None:
    with recorded(tmp_path, "rest") as (recorder, server), server:
        assert server.dig(f"ns1.{ZONE}", "A").answer
    *_, head = re.findall(
        rb"GET /dns/lookup/ns1%2et%2eexample%2e/ANY HTTP/1\.1\r\n(.*?)\r\n\r\n", recorder.octets, re.S
    )
    lines = head.decode().split("\r\n")
    assert {"Connection: Keep-Alive", f"Host: {HOST}", "User-Agent: YaHTTP v1.0"} <= set(lines)
    told = [line.partition(":")[0] for line in lines if line.startswith("X-")]
    assert told == [f"X-Remotebackend-{name}" for name in ("Local", "Real-Remote", "Remote", "Zone-Id")]


@pytest.mark.parametrize("form", FORMS)
def test_there_is_no_initialize(tmp_path: Path, form: str) -> None:
    with recorded(tmp_path, form) as (recorder, server), server:
        assert server.dig(f"ns1.{ZONE}", "A").answer
    assert b"lookup" in recorder.octets
    assert b"initialize" not in recorder.octets


def served(listener: Listener, folder: Path) -> PdnsServer:
    connection = f"http:url={listener.url},timeout={PATIENT},post=1,post_json=1"
    settings = {"launch": "remote", "remote-connection-string": connection, "zone-cache-refresh-interval": "0"}
    return PdnsServer(settings, folder)


@pytest.mark.parametrize(
    ("status", "rcode"),
    [("200 OK", "REFUSED"), ("404 Not Found", "REFUSED"), ("400 Bad Request", "SERVFAIL"), ("500 X", "SERVFAIL")],
)
def test_which_status_is_an_answer(tmp_path: Path, status: str, rcode: str) -> None:
    with Constant(status, b'{"result":false}') as listener, served(listener, tmp_path) as server:
        assert dns.rcode.to_text(server.dig("www.e.test", "A").rcode()) == rcode


def test_a_closed_connection_costs_no_question(tmp_path: Path) -> None:
    with Constant("200 OK", b'{"result":false}', closes=True) as listener, served(listener, tmp_path) as server:
        for number in range(5):
            assert server.dig(f"{number}.e.test", "A").rcode() == dns.rcode.REFUSED
        assert listener.connections > 5
