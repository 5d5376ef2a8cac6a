"""A folder with a configuration of ours and a pdns.conf that can be broken."""

from __future__ import annotations

import dataclasses
import os

import pytest

from pipebackend.backend import open_backend
from pipebackend.doctor import examination, pdnsconf
from pipebackend.doctor.server import Server
from tests.live.servers import installed_command
from tests.making import write_config

# What pdns_server 4.7 would say of itself, as far as the checks look
SETTINGS = (
    "launch", "load-modules", "module-dir", "include-dir", "setuid", "setgid", "chroot", "local-port", "also-notify",
    "distributor-threads", "receiver-threads", "zone-cache-refresh-interval", "cache-ttl", "query-cache-ttl",
    "negquery-cache-ttl", "dnssec-key-cache-ttl", "zone-metadata-cache-ttl", "ignore-unknown-settings",
)  # fmt: skip
BACKENDS = {
    "gsqlite3": ("database", "dnssec"),
    "bind": ("config", "hybrid"),
    "pipe": ("abi-version", "command", "regex", "timeout"),
    "remote": ("connection-string", "dnssec"),
}


class Bed:
    """Where one patient lies: ``pdns.conf``, ``pipebackend.toml`` and the modules of a PowerDNS in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.config = write_config(folder)
        self.conf = folder / "pdns.conf"
        modules = folder / "modules"
        modules.mkdir()
        for module in BACKENDS:
            (modules / f"lib{module}backend.so").touch()
        defaults = dict.fromkeys(SETTINGS, "") | {"module-dir": str(modules)}
        self.server = Server("/usr/sbin/pdns_server", (4, 7), defaults, knows_backends=True)

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
        powerdns = dataclasses.replace(self.server, defaults=defaults)
        return examination.gather(str(self.folder), "", str(self.config), powerdns)

    def examine(self):
        return examination.examine(self.case())

    def mend(self, finding):
        """Do as the finding says: put its line in the place of the wrong one, or at the end."""
        lines = self.conf.read_text().splitlines()
        if finding.line:
            assert finding.file == str(self.conf)
            lines[finding.line - 1] = finding.write
        else:
            lines.append(finding.write)
        self.conf.write_text("\n".join(lines) + "\n")


@pytest.fixture
def bed(tmp_path):
    assert "," not in os.fspath(tmp_path) and " " not in os.fspath(tmp_path)
    return Bed(tmp_path)


@pytest.fixture
def signed_bed(bed):
    """The same, where the zone has a key in the store beside its configuration."""
    add_key(bed.config)
    return bed


def add_key(config):
    """A key for the zone of a configuration, in its store."""
    backend = open_backend(str(config))
    backend.signing("cities.example").generate(257, "ecdsap256sha256", True)
    backend.store.close()
