"""docs/modes.md as a program: the files of a section are written, its servers are made, its commands are run.

In the page a fenced block whose first line is ``# /etc/powerdns/NAME`` is that file, and a run of indented lines is a
group of commands, numbered from 1; only the lines that begin with ``$`` or continue one with ``>`` are run. One that
ends with ``# PowerDNS 4`` or ``# PowerDNS 5`` is for that version alone.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tests.live.secondaries import Nsd
from tests.live.servers import (
    HOST,
    PATIENCE,
    PdnsServer,
    free_port,
    gsqlite3_schema,
    installed_command,
    listens,
    pdns_version,
    program,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Section", "titles"]

PAGE = Path(__file__).parents[3] / "docs" / "modes.md"
PLACE = "/etc/powerdns"
SCHEMA = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"  # of the installed PowerDNS
API_PORT, SERVICE_PORT = "8081", "8053"
# A test waits for no timer, and PowerDNS must not announce zones to the addresses that they happen to name.
FASTER = {"xfr-cycle-interval": "1", "only-notify": "127.0.0.0/8"}
PATIENT = ",timeout=20000"  # milliseconds; a busy machine is no failure
_FENCED = re.compile(r"^```\w+\n# " + PLACE + r"/(\S+)\n(.*?)^```$", re.M | re.S)
_COMMANDS = re.compile(r"(?:^    .*\n)+", re.M)
_ADDRESS = re.compile(r"\b(?:192\.0\.2|198\.51\.100)\.\d+\b")  # those of servers (RFC 5737); 203.0.113/24 is data


def titles() -> list[str]:
    """The sections of the page."""
    return re.findall(r"^## (.*)$", PAGE.read_text(), re.M)


class Section:
    """One section in a folder that stands for /etc/powerdns; each address in it becomes a port of loopback.

    With OVER_UNIX=yes in the environment REMOTE is served by a socket's service instead of processes of PowerDNS.
    """

    served: ClassVar[set[tuple[str, str]]] = set()  # the titles and protocols of the test that runs
    services: ClassVar[list[subprocess.Popen[bytes]]] = []

    def __init__(self, title: str, folder: Path, after: str = "", values: Mapping[str, str] | None = None) -> None:
        """``after`` is the section that this one goes on from; its groups of commands are counted first.

        ``values`` are words of the section and what stands for them here, such as the name of a key file.
        """
        self._titles = [after, title] if after else [title]
        self.folder = folder / "etc"
        self.folder.mkdir()
        self._ports: dict[str, int] = {}
        self._values = dict(values or {})
        text = "".join(map(_text_of, self._titles))
        self._groups = _COMMANDS.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
        self._files = dict(_FENCED.findall(text))
        for name, content in self._files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(self._localized(content))
        self._write_tools()

    def port(self, address: str) -> int:
        """The port that stands for an address of the page."""
        if address not in self._ports:
            self._ports[address] = free_port()
        return self._ports[address]

    def pdns(self, address: str, file: str = "pdns.conf", **more: str) -> PdnsServer:
        """The PowerDNS of this address, not started, with a file of the section as its configuration."""
        lines = (self.folder / file).read_text().splitlines()
        settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        way = ""
        if "pipe-command" in settings:
            way = "PIPE"
            settings["pipe-timeout"] = "20000"
        elif "remote-connection-string" in settings:
            connection = settings["remote-connection-string"].partition(",timeout=")[0]
            way = "REMOTE, pipe"
            if connection.startswith("http:"):
                way = "REMOTE, HTTP"
            elif os.environ.get("OVER_UNIX"):
                way = "REMOTE, unix socket"
                connection = self._service(connection)
            settings["remote-connection-string"] = connection + PATIENT
        if way:
            self.served.update((title, way) for title in self._titles)
        return PdnsServer({**FASTER, **settings, **more}, self.folder, self.port(address))

    def _service(self, connection: str) -> str:
        """The connection string of a service, just started, that serves what the processes of this one would."""
        command, config = re.findall(r"(?:command|config)=([^,]*)", connection)
        address = Path(tempfile.mkdtemp()) / "socket"  # short: sockets have 108 octets
        words = [command, "--config", config, "--listen", f"unix:{address}", "--workers", "2"]
        with open(self.folder / "service.log", "ab") as log:
            self.services.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        deadline = time.monotonic() + PATIENCE
        while not address.exists():
            assert time.monotonic() < deadline, (self.folder / "service.log").read_text()
            time.sleep(0.02)
        return f"unix:path={address}"

    def nsd(self, address: str, more: str = "") -> Nsd:
        """The NSD of this address, not started; ``more`` is added to its last zone."""
        return Nsd((self.folder / "nsd.conf").read_text() + more, self.folder, self.port(address), self.folder)

    def run(self, group: int, server: PdnsServer | None = None) -> str:
        """What a group of commands prints; ``server`` is the one that pdnsutil and pdns_control mean."""
        return self._run(self._localized("".join(_lines_to_run(self._groups[group - 1]))), server)

    def start(self, group: int) -> subprocess.Popen[bytes]:
        """A group that is one service, which listens at port 8053 of the page until the end of the test."""
        [command] = map(self._localized, _lines_to_run(self._groups[group - 1]))
        with open(self.folder / "service.log", "ab") as log:
            words = [f"{self.folder}/bin/{command.split()[0]}", *command.split()[1:]]
            service = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.services.append(service)
        deadline = time.monotonic() + PATIENCE
        while not listens(self.port(SERVICE_PORT)):
            assert service.poll() is None and time.monotonic() < deadline, (self.folder / "service.log").read_text()
            time.sleep(0.02)
        return service

    def tool(self, *words: str) -> str:
        """What a command prints that is not of the page."""
        return self._run(shlex.join(words), None)

    def _run(self, script: str, server: PdnsServer | None) -> str:
        environment = {
            **os.environ,
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin:/sbin",
            "PIPEBACKEND_CONFIG": str(self.folder / "pipebackend.toml"),
            "PDNS": str(server.folder) if server is not None else "",
        }
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _localized(self, text: str) -> str:
        for word, here in self._values.items():
            text = text.replace(word, here)
        text = text.replace(SCHEMA, str(gsqlite3_schema()))
        text = text.replace(PLACE, str(self.folder)).replace("/var/lib/powerdns", str(self.folder))
        for name in ("remoteshim", "pipebackend"):
            text = re.sub(rf"(?<=[= ])/usr/local/bin/{name}\b", installed_command(name), text)
        text = re.sub(rf"(?<=[:=])(?:{API_PORT}|{SERVICE_PORT})\b", lambda found: str(self.port(found[0])), text)
        return "".join(map(self._with_ports, text.splitlines(keepends=True)))

    def _with_ports(self, line: str) -> str:
        """NSD, dig and nsupdate have ways of their own to write a port, and in lists of who may ask it has no place."""
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        form = f"{HOST}:{{}}"
        if word in ("allow-notify:", "provide-xfr:"):
            form = HOST
        elif word in ("request-xfr:", "notify:"):
            form = f"{HOST}@{{}}"
        elif word == "server":
            form = f"{HOST} {{}}"
        elif word == "dig":
            form = f"{HOST} -p {{}}"
        return _ADDRESS.sub(lambda found: form.format(self.port(found[0])), line)

    def _write_tools(self) -> None:
        """The commands of the page by their short names, for this folder's servers."""
        tools = self.folder / "bin"
        tools.mkdir()
        called = {
            "zoneutil": installed_command("zoneutil"),
            "remoteshim": installed_command("remoteshim"),
            "pdnsutil": f'{program("pdnsutil")} --config-dir="$PDNS"',
            "pdns_control": f'{program("pdns_control")} --config-dir="$PDNS"',
        }
        for name, command in called.items():
            (tools / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            (tools / name).chmod(0o755)


def _text_of(title: str) -> str:
    return re.split(r"^## ", PAGE.read_text().split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def _lines_to_run(group: str) -> list[str]:
    lines = [line[4:] for line in group.splitlines(keepends=True)]
    other = f"# PowerDNS {4 if pdns_version() >= (5, 0) else 5}\n"
    return [line[2:] for line in lines if line.startswith(("$ ", "> ")) and not line.endswith(other)]
