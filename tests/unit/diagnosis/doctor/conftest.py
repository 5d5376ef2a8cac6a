"""A folder with a configuration of ours and a pdns.conf that can be broken."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from pipebackend.diagnosis.doctor import examination, pdnsconf
from pipebackend.diagnosis.doctor.findings import DELETE
from pipebackend.diagnosis.doctor.server import Server
from tests.live.servers import installed_command
from tests.making import write_config

# What a pdns_server would say of itself, as far as the checks look: settings of 4.7 and their defaults
SETTINGS = {
    **dict.fromkeys(("launch", "load-modules", "module-dir", "include-dir", "setuid", "setgid", "chroot"), ""),
    **dict.fromkeys(("also-notify", "ignore-unknown-settings", "api-key", "edns-cookie-secret"), ""),
    **dict.fromkeys(("master", "primary", "slave", "secondary", "superslave", "autosecondary", "8bit-dns"), "no"),
    **dict.fromkeys(("dname-processing", "edns-subnet-processing", "enable-lua-records", "expand-alias", "api"), "no"),
    **dict.fromkeys(("webserver", "resolver"), "no"),
    **dict.fromkeys(("cache-ttl", "query-cache-ttl"), "20"),
    **dict.fromkeys(("negquery-cache-ttl", "zone-metadata-cache-ttl"), "60"),
    "dnssec-key-cache-ttl": "30",
    "local-address": "0.0.0.0, ::",
    "local-port": "53",
    "only-notify": "0.0.0.0/0,::/0",
    "distributor-threads": "3",
    "receiver-threads": "1",
    "zone-cache-refresh-interval": "300",
    "default-ttl": "3600",
    "webserver-allow-from": "127.0.0.1,::1",
    "default-ksk-algorithm": "ecdsa256",
    "default-ksk-size": "0",
}
BACKENDS = {
    "gsqlite3": ("database", "dnssec"),
    "bind": ("config", "hybrid"),
    "pipe": ("abi-version", "command", "regex", "timeout"),
    "remote": ("connection-string", "dnssec"),
}


class Bed:
    """A set-up in one folder: ``pdns.conf`` and ``pipebackend.toml``."""

    def __init__(self, folder):
        self.folder = folder
        self.config = write_config(folder)
        self.conf = folder / "pdns.conf"
        (folder / "plain").touch()
        self.installed = set(BACKENDS)
        self.servers = []
        self.server = Server("/usr/sbin/pdns_server", (4, 7), SETTINGS | {"module-dir": "/usr/lib/pdns"})

    def write(self, text):
        """A pdns.conf; <remoteshim>, <pipebackend>, <config> and <folder> stand for paths."""
        for program in ("remoteshim", "pipebackend"):
            text = text.replace(f"<{program}>", installed_command(program))
        self.conf.write_text(text.replace("<config>", str(self.config)).replace("<folder>", str(self.folder)))

    def case(self):
        """What is to be checked; the server knows the settings of the backends that are launched."""
        launched = pdnsconf.read(str(self.folder)).launched
        theirs = [backend.setting(key) for backend in launched for key in BACKENDS.get(backend.module, ())]
        defaults = {**self.server.defaults, **dict.fromkeys(theirs, "")} if self.server.path else {}
        launched = [backend.module for backend in launched if backend.module not in self.installed]
        not_loaded = {module: f"there is no /usr/lib/pdns/lib{module}backend.so" for module in launched}
        powerdns = dataclasses.replace(self.server, defaults=defaults, not_loaded=not_loaded)
        return examination.gather(str(self.folder), "", str(self.config), powerdns)

    def server_of(self, path):
        """A remoteshim on a socket."""
        command = [installed_command("remoteshim"), "--listen", f"unix:{path}", "--workers", "1"]
        self.servers.append(subprocess.Popen([*command, "--config", str(self.config)]))
        deadline = time.monotonic() + 60
        while not os.path.exists(path) and time.monotonic() < deadline:
            time.sleep(0.02)

    def examine(self, *, slow_start=False):
        """Without the findings that PowerDNS runs as root, as some tests do, or on a busy machine."""
        report = examination.examine(self.case())
        other = {"root"} if slow_start else {"root", "slow-start"}
        kept = [finding for finding in report.findings if finding.code not in other]
        return dataclasses.replace(report, findings=kept)

    def fix(self, finding):
        """Do to the letter as the finding says."""
        apply(finding, self.conf)


def apply(finding, conf):
    """Put the finding's line where the wrong one is, or at the end; or run its command; or delete the line."""
    if finding.run and not finding.write:
        beside = os.path.dirname(installed_command("zoneutil"))
        environment = {**os.environ, "PATH": f"{beside}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-c", finding.run], check=True, env=environment, cwd=conf.parent, timeout=60)
        return
    assert finding.write or finding.do == DELETE, f"nothing to apply: {finding.text}"
    path = Path(finding.file) if finding.line else conf
    lines = path.read_text().splitlines()
    if finding.line:
        lines[finding.line - 1 : finding.line] = [finding.write] if finding.write else []
    else:
        lines.append(finding.write)
    path.write_text("\n".join(lines) + "\n")


def open_up(folder):
    """Let strangers enter a folder of a test, and those above it that pytest made; /tmp stays as it is."""
    for path in (folder, *folder.parents):
        if path in (Path(tempfile.gettempdir()), Path("/")):
            return
        path.chmod(0o755)


@pytest.fixture
def bed(tmp_path):
    assert "," not in os.fspath(tmp_path) and " " not in os.fspath(tmp_path)
    bed = Bed(tmp_path)
    yield bed
    for server in bed.servers:
        server.terminate()
        server.wait(60)


@pytest.fixture
def signed_bed(bed):
    """The same, where the zone has a key in the store beside its configuration."""
    add_key(bed.config)
    return bed


def add_key(config):
    """A key for the zone of a configuration, in its store."""
    backend = open_backend(str(config))
    Operator(backend).signing("cities.example").generate(257, "ecdsap256sha256", True)
    backend.store.close()
