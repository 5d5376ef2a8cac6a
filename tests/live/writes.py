"""A PowerDNS whose records are changed by its HTTP API, pdnsutil and nsupdate, alike for each of its releases."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.live.servers import HOST, PdnsServer, free_port, owner_for_pdnsutil, pdns_version, program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Reply", "WritableServer", "nsupdate", "rrset"]

API_KEY = "for-tests"
ALL_ALLOWED = {"dnsupdate": "yes", "allow-dnsupdate-from": "127.0.0.0/8"}
SLOW = 120.0  # seconds; each call starts coprocesses, on a busy machine


class Reply(NamedTuple):
    """The API's status and its body, None if there is none."""

    status: int
    body: Any


class WritableServer(PdnsServer):
    """A PowerDNS with its API and DNS UPDATE."""

    def __init__(self, settings: Mapping[str, str], folder: Path, port: int | None = None) -> None:
        self.api_port = free_port()
        api = {"api": "yes", "api-key": API_KEY, "webserver-port": str(self.api_port), "webserver-address": HOST}
        super().__init__({**api, **ALL_ALLOWED, **settings}, folder, port)

    @property
    def api_url(self) -> str:
        """Where the API is, without the path of its objects."""
        return f"http://{HOST}:{self.api_port}"

    def api(self, method: str, path: str, body: object = None) -> Reply:
        """One call of the API; ``path`` is that below the server, as ``/zones/example.org.``."""
        request = urllib.request.Request(
            f"{self.api_url}/api/v1/servers/localhost{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": API_KEY, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=SLOW) as answer:
                return Reply(answer.status, _parsed(answer.read()))
        except urllib.error.HTTPError as exc:
            with exc:
                return Reply(exc.code, _parsed(exc.read()))

    def patch(self, zone: str, *rrsets: Mapping[str, object]) -> int:
        """The status of one PATCH of a zone."""
        return self.api("PATCH", f"/zones/{zone}.", {"rrsets": rrsets}).status

    def edit_rrset(self, command: str, zone: str, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """``pdnsutil add-record`` and its like; ``name`` is without the zone."""
        owner = name if name == "@" else owner_for_pdnsutil(name, zone)
        return self.pdnsutil(command, zone, owner, *words)

    def edit_zone(self, zone: str, editor: str) -> int:
        """The status of ``pdnsutil edit-zone``, to all of whose questions the answer is to go on."""
        if pdns_version() >= (5, 0):  # asks nothing where there is no terminal
            command = [program("pdnsutil"), f"--config-dir={self.folder}", "edit-zone", zone]
            environment = {**os.environ, "EDITOR": editor}
            return subprocess.run(command, env=environment, capture_output=True, timeout=SLOW).returncode
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["EDITOR"] = editor
            os.execv(program("pdnsutil"), ["pdnsutil", f"--config-dir={self.folder}", "edit-zone", zone])
        try:
            _answer_prompts(terminal)
        finally:
            os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def rrset(name: str, type_: str, *contents: str, ttl: int = 60) -> dict[str, object]:
    """What replaces an RRset in a PATCH; without content it deletes it."""
    if not contents:
        return {"name": f"{name}.", "type": type_, "changetype": "DELETE"}
    records = [{"content": content, "disabled": False} for content in contents]
    return {"name": f"{name}.", "type": type_, "ttl": ttl, "changetype": "REPLACE", "records": records}


def nsupdate(server: PdnsServer, zone: str, *lines: str, key: str = "") -> str:
    """The RCODE of an UPDATE with these lines of nsupdate; ``key`` as nsupdate's -y has it."""
    script = "\n".join((f"server {HOST} {server.port}", f"zone {zone}", *lines, "send", ""))
    options = ["-y", key] if key else []
    command = [program("nsupdate"), "-v", "-t", str(int(SLOW)), *options]  # over TCP, which sends nothing twice
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=SLOW)
    if done.returncode == 0:
        return "NOERROR"
    assert "update failed: " in done.stderr, done.stdout + done.stderr
    return done.stderr.rpartition("update failed: ")[2].strip()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:  # 4.7 and 4.9 say 500 in plain text
        return body.decode()


def _answer_prompts(terminal: int) -> None:
    answers = {b"(n)o - leave": b"n\n", b"(a)pply": b"a\n"}
    said, seen = b"", 0
    deadline = time.monotonic() + SLOW
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            more = os.read(terminal, 4096)
        except OSError:  # EIO: pdnsutil has ended
            return
        if not more:
            return
        said += more
        for prompt, answer in answers.items():
            if prompt in said[seen:]:
                seen = len(said)
                os.write(terminal, answer)
