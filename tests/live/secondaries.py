"""NSD on loopback, as the primary or the secondary that is not PowerDNS, and a NOTIFY on its way between the two."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Self

import dns.message
import dns.opcode
import dns.rcode
import dns.tsigkeyring

from tests.live.servers import HOST, PATIENCE, Server, free_port, program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["HeldNotify", "Nsd"]


class Nsd(Server):
    """An ``nsd``; ``clauses`` is what its configuration has besides the server: keys and zones, files in ``files``."""

    title = "nsd"

    def __init__(self, clauses: str, folder: Path, port: int | None = None, files: Path | None = None) -> None:
        super().__init__(folder, port)
        options = [
            f"ip-address: {HOST}@{self.port}",
            f'zonesdir: "{files or self.folder}"',
            f'xfrdir: "{self.folder}"',
            f'zonelistfile: "{self.folder}/zone.list"',
            f'xfrdfile: "{self.folder}/xfrd.state"',
            'pidfile: ""',
            'database: ""',
            'username: ""',
            "server-count: 1",
            "verbosity: 2",
            "xfrd-reload-timeout: 0",  # what was transferred is served at once
        ]
        own = "server:\n" + "".join(f"  {option}\n" for option in options)
        (self.folder / "nsd.conf").write_text(f"{own}remote-control:\n  control-enable: no\n{clauses}")

    def arguments(self) -> Sequence[str]:
        return [program("nsd"), "-d", "-c", str(self.folder / "nsd.conf")]

    def reload(self) -> None:
        """Read zone files that have changed, and tell the secondaries."""
        os.kill(self.pid, signal.SIGHUP)


class HeldNotify:
    """What a primary is told is its secondary: keeps the NOTIFY until the test passes it on to the real one."""

    def __init__(self, keys: Mapping[str, tuple[str, str]]) -> None:
        """``keys`` are those that the NOTIFY must be signed with: name → algorithm and secret."""
        self.port = free_port()
        self._keys = dns.tsigkeyring.from_text(dict(keys))
        self._held = b""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)

    def __enter__(self) -> Self:
        self._socket.bind((HOST, self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait_for(self, zone: str, serial: int) -> None:
        """Hold the NOTIFY of this serial; TimeoutError if none comes. NSD tells earlier ones, and the same, again."""
        found = 0
        while found != serial:
            self._held = self._socket.recv(65535)
            notify = dns.message.from_wire(self._held, self._keys)  # raises if the signature is not right
            assert (notify.opcode(), notify.had_tsig) == (dns.opcode.NOTIFY, True), notify
            assert notify.question[0].name.to_text() == f"{zone}.", notify
            found = notify.answer[0][0].serial if notify.answer else 0

    def pass_on(self, secondary: Server) -> None:
        """What was held goes to the server, which must take it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            sock.sendto(self._held, (HOST, secondary.port))
            answer = sock.recv(65535)
        signature = dns.message.from_wire(self._held, self._keys).mac
        assert dns.message.from_wire(answer, self._keys, request_mac=signature).rcode() == dns.rcode.NOERROR
