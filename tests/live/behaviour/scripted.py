"""A PowerDNS whose coprocess is ``coprocess.py``: it answers as a test says, and what it was asked can be read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import dns.rcode

from tests.live.servers import PdnsServer, installed_command, program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ANSWERED", "KEY", "VERSION", "Scripted", "rcode"]

_SAID = subprocess.run([program("pdns_server"), "--version"], capture_output=True, text=True)
_FOUND = re.search(r"Server (\d+)\.(\d+)", _SAID.stdout + _SAID.stderr)
assert _FOUND is not None, "pdns_server has a version"
VERSION = int(_FOUND[1]), int(_FOUND[2])

# The key of RFC 6605 section 6.1, as getDomainKeys has it
KEY = {
    "id": 1,
    "flags": 257,
    "active": True,
    "published": True,
    "content": "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
    "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n",
}
ANSWERED = "NOERROR"


class Scripted(PdnsServer):
    """``told`` are pairs of a pattern of requests and an action, ``settings`` lines of pdns.conf."""

    def __init__(
        self,
        launch: str,
        folder: Path,
        told: Sequence[tuple[str, str]] = (),
        *,
        timeout: int = 20_000,
        keys: Sequence[Mapping[str, object]] = (),
        metadata: Mapping[str, object] | None = None,
        info: Mapping[str, object] | None = None,
        options: str = "",
        arguments: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.place = folder / "scripted"
        self.place.mkdir()
        shutil.copy(Path(__file__).with_name("coprocess.py"), self.place)
        script = {"told": told, "keys": keys, "metadata": metadata or {}, "info": info or {}, "abi": 5, "late": 3}
        (self.place / "script.json").write_text(json.dumps(script))
        self.command = f"{installed_command('python')} -I -S {self.place}/coprocess.py {self.place}"
        own = {"launch": launch, "distributor-threads": "1"}
        if launch == "pipe":
            more = {"pipe-command": self.command + arguments, "pipe-timeout": str(timeout), "pipe-abi-version": "5"}
        else:
            connection = f"pipe:command={self.command}{arguments},timeout={timeout}{options}"
            more = {"remote-connection-string": connection, "remote-dnssec": "yes"}
        super().__init__({**own, **more, **(settings or {})}, folder)

    @property
    def requests(self) -> list[tuple[int, str]]:
        """The process and the short form of each request so far."""
        path = self.place / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(pid), request) for pid, _, request in (line.partition(" ") for line in lines)]

    @property
    def asked(self) -> list[str]:
        """Each request so far in its short form."""
        return [request for _, request in self.requests]

    def askers(self, pattern: str) -> set[int]:
        """The processes that got a request which fits."""
        return {pid for pid, request in self.requests if re.search(pattern, request)}

    def parameters(self, method: str) -> list[dict[str, object]]:
        """Those of each call of a method of REMOTE."""
        requests = (self.place / "raw").read_bytes().decode("utf-8", "surrogateescape").splitlines()
        return [asked["parameters"] for asked in map(json.loads, requests) if asked["method"] == method]

    def forget(self) -> None:
        """Only what comes from here on counts."""
        for name in ("asked", "raw"):
            (self.place / name).unlink(missing_ok=True)


def rcode(server: PdnsServer, name: str, type_: str = "A", *flags: str) -> str:
    """The result code of the answer to one question."""
    return dns.rcode.to_text(server.dig(name, type_, *flags).rcode())
