"""docs/http.md as it stands: a PowerDNS asks through nginx or stunnel on both sides, with the page's certificates."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.flood import TXT, ask_all
from tests.live.overhttp import HttpService
from tests.live.servers import HOST, PATIENCE, PdnsServer, free_port, installed_command, listens, program

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
FILES = dict(re.findall(r"^```(?:nginx|ini)\n[#;] ((?:backend|ns1): /etc/\w+)\S*\n(.*?)^```$", PAGE, re.M | re.S))
SERVERS = {"nginx": ("nginx", "/etc/nginx"), "stunnel": ("stunnel4", "/etc/stunnel")}
NAMES = [f"{number}.t.example" for number in range(200)]


def commands() -> str:
    lines = [line[6:] for line in PAGE.splitlines() if line.startswith(("    $ ", "    > "))]
    return "\n".join(lines)


class Tunnel:
    """Both ends of it, as the page has them."""

    def __init__(self, kind: str, folder: Path, service_port: int) -> None:
        self._kind = kind
        self._folder = folder
        self.inner, self.outer = free_port(), free_port()
        self._service_port = service_port
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for host, port in (("backend", self._service_port), ("ns1", self.inner)):
            text = FILES[f"{host}: {SERVERS[self._kind][1]}"]
            text = text.replace("127.0.0.1:8053", f"{HOST}:{port}").replace("192.0.2.53:8453", f"{HOST}:{self.outer}")
            text = text.replace("/etc/pipebackend/tls", str(self._folder))
            file = self._folder / f"{self._kind}-{host}.conf"
            words = [program(SERVERS[self._kind][0]), str(file)]
            if self._kind == "nginx":
                options = f"daemon off; pid {self._folder}/{host}.pid;"
                words = [words[0], "-e", "stderr", "-p", str(self._folder), "-c", str(file), "-g", options]
            else:
                text = f"foreground = yes\npid =\n{text}"
            file.write_text(text)
            with open(self._folder / f"{host}.log", "ab") as log:
                self._running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        for port in (self.outer, self.inner):
            deadline = time.monotonic() + PATIENCE
            while not listens(port):
                assert time.monotonic() < deadline, self.logs()
                time.sleep(0.02)

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(PATIENCE)
        self._running.clear()

    def logs(self) -> str:
        return "\n".join(file.read_text() for file in self._folder.glob("*.log"))


@contextmanager
def setup(kind: str, folder: Path) -> Iterator[tuple[Tunnel, PdnsServer]]:
    (folder / "pipebackend.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    (folder / "zone").write_text("$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n")
    zoneutil = [installed_command("zoneutil"), "--config", str(folder / "pipebackend.toml")]
    subprocess.run([*zoneutil, "zone", "create", "t.example"], check=True, capture_output=True)
    subprocess.run(["bash", "-euc", commands()], cwd=folder, check=True, capture_output=True)
    with HttpService(folder, folder / "pipebackend.toml", "--workers=2") as service, ExitStack() as stack:
        tunnel = Tunnel(kind, folder, service.port)
        tunnel.start()
        stack.callback(tunnel.stop)
        yield tunnel, PdnsServer(service.settings("post_json", url=f"http://{HOST}:{tunnel.inner}/dns"), folder)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_tunnel(tmp_path: Path, kind: str) -> None:
    if shutil.which(SERVERS[kind][0], path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        pytest.skip(f"{SERVERS[kind][0]} is not installed")
    with setup(kind, tmp_path) as (tunnel, server):
        server.said("load-zone", "t.example", str(tmp_path / "zone"))
        server.said("secure-zone", "t.example")
        with server:
            assert "RRSIG" in str(server.dig("ns1.t.example", "A", "+dnssec").answer)
            refuse_strangers(tunnel, tmp_path)
            for _ in range(3):
                restart_under_questions(tunnel, server)
            assert {reply.rcode for reply in ask_all(server.port, [(name, TXT) for name in NAMES]).values()} == {3}


def refuse_strangers(tunnel: Tunnel, folder: Path) -> None:
    """Without a certificate, and without TLS, nothing is answered."""
    question = b"GET /dns/getAllDomains HTTP/1.1\r\n\r\n"
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    for is_tls in (True, False):
        answer = b""
        try:
            with socket.create_connection((HOST, tunnel.outer), PATIENCE) as client:
                if is_tls:
                    with context.wrap_socket(client, server_hostname="backend.example.net") as secured:
                        secured.sendall(question)
                        answer = secured.recv(4096)
                else:
                    client.sendall(question)
                    answer = client.recv(4096)
        except OSError:
            pass
        assert b"result" not in answer
    context.load_cert_chain(folder / "ns1.example.net.pem", folder / "ns1.example.net.key")
    with (
        socket.create_connection((HOST, tunnel.outer), PATIENCE) as client,
        context.wrap_socket(client, server_hostname="backend.example.net") as secured,
    ):
        secured.sendall(question)
        assert b"t.example" in secured.recv(4096)


def restart_under_questions(tunnel: Tunnel, server: PdnsServer) -> None:
    """What is asked meanwhile may fail, but every thread of PowerDNS answers afterwards."""
    tunnel.stop()
    assert 2 in {reply.rcode for reply in ask_all(server.port, [(name, TXT) for name in NAMES]).values()}
    tunnel.start()
    assert {reply.rcode for reply in ask_all(server.port, [(name, TXT) for name in NAMES]).values()} == {3}
