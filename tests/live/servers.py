"""Real servers on loopback, each the length of a ``with`` block: PowerDNS and Unbound.

    with PdnsServer(remote_config(), tmp_path) as server:
        assert server.dig("lax.airports.aa", "TXT").answer

Each has a folder and a port of its own, so that any number can run at once. What a server prints goes to a file in
its folder and is shown when the block, or the test around it, fails.
"""

from __future__ import annotations

import atexit
import functools
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HOST",
    "PATIENCE",
    "PATIENT",
    "RUNNING",
    "PdnsServer",
    "Server",
    "ServerFailed",
    "Unbound",
    "first_airports",
    "free_port",
    "gsqlite3_schema",
    "installed_command",
    "listens",
    "missing_programs",
    "owner_for_pdnsutil",
    "pdns_version",
    "pipe_config",
    "program",
    "remote_config",
    "running_processes",
]

HOST = "127.0.0.1"
UNMOVED = {"ignore_unexpected": True, "ignore_errors": True}  # by late answers to a port that is used again
PATIENCE = 60.0  # seconds until a server that does not start, stop or answer counts as broken
PATIENT = 20_000  # milliseconds for a coprocess, where PowerDNS has 2000: a busy machine is no failure
PROGRAMS = (
    "pdns_server",
    "pdnsutil",
    "dig",
    "delv",
    "named",
    "named-checkzone",
    "dnssec-keygen",
    "dnssec-dsfromkey",
    "dnssec-signzone",
    "ldns-keygen",
    "ldns-signzone",
    "ldns-verify-zone",
    "mariadb",
    "mariadb-install-db",
    "mariadbd",
    "nsd",
    "nsupdate",
    "sqlite3",
    "unbound",
)
# Ports of servers: none that the kernel gives to clients (32768 and up), or that Unbound asks from
PORTS = range(10_000, 32_000)
_CLAIMS: list[socket.socket] = []  # one for each port that was given, while this process lives
atexit.register(lambda: [claim.close() for claim in _CLAIMS])
RUNNING: list[Server] = []  # the servers of this moment, whose logs a failing test shows

# Rule C-1: what a test asks must reach the coprocess, and must be today's data.
NO_CACHES = {
    "cache-ttl": "0",
    "query-cache-ttl": "0",
    "negquery-cache-ttl": "0",
    "zone-cache-refresh-interval": "0",
    "dnssec-key-cache-ttl": "0",
    "zone-metadata-cache-ttl": "0",
}


class ServerFailed(Exception):
    """A server that did not start or has died; the text ends with what it printed."""


def program(name: str) -> str:
    """The path of an installed program; Debian keeps servers where a user's PATH does not look."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is None:
        raise ServerFailed(f"{name} is not installed; scripts/test installs it")
    return path


def missing_programs() -> list[str]:
    """The programs that live tests need and this machine lacks."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def installed_command(name: str) -> str:
    """The path of one of our console scripts in a form that PowerDNS accepts."""
    return os.path.join(_commands_folder(), name)


def remote_config(
    config_file: Path | str | None = None, timeout: int = PATIENT, dnssec: bool = False
) -> dict[str, str]:
    """PowerDNS's settings for launch=remote over a pipe; ``timeout`` is in milliseconds."""
    options = [f"command={installed_command('remoteshim')}", f"timeout={timeout}"]
    if config_file is not None:
        options.append(f"config={config_file}")
    return {
        "launch": "remote",
        "remote-connection-string": "pipe:" + ",".join(options),
        "remote-dnssec": "yes" if dnssec else "no",
    }


def pipe_config(config_file: Path | str | None = None, abi: int = 5) -> dict[str, str]:
    """PowerDNS's settings for launch=pipe."""
    command = installed_command("pipebackend")
    if config_file is not None:
        command += f" --config {config_file}"
    return {
        "launch": "pipe",
        "pipe-command": command,
        "pipe-abi-version": str(abi),
        "zone-cache-refresh-interval": "0",  # PowerDNS does not start with any other (rule P-3)
    }


def running_processes() -> dict[int, int]:
    """The parent of each process of this machine; without the dead that nobody has reaped."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
        except OSError:  # ended meanwhile
            continue
        if state != "Z":
            found[int(folder.name)] = int(parent)
    return found


def first_airports(count: int) -> str:
    """airports.tsv with so many airports only, where a test needs many zones and not many names."""
    with open(Path(__file__).parents[2] / "airports.tsv", encoding="utf-8") as table:
        return "".join(islice(table, 1 + count))


def listens(port: int) -> bool:
    """Whether a server on loopback takes connections there."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that neither UDP nor TCP uses at this moment, and that no other process of tests was given.

    Who got one may be slow to use it, or never do: for pdnsutil there is only a folder that is called so.
    """
    while not _claim(port := random.SystemRandom().choice(PORTS)):
        pass
    return port


def _claim(port: int) -> bool:
    """Take a port for this process; the claim is a socket with its number for a name, which nobody else can have."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0pipebackend-test-port-{port}")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind((HOST, port))
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    return True


@functools.cache
def pdns_version() -> tuple[int, int]:
    """The release of PowerDNS that the tests run with, such as (4, 7)."""
    done = subprocess.run([program("pdns_server"), "--version"], capture_output=True, text=True)
    found = re.search(r"Server (\d+)\.(\d+)", done.stdout + done.stderr)
    assert found, done
    return int(found[1]), int(found[2])


def owner_for_pdnsutil(labels: str, zone: str) -> str:
    """An owner name as pdnsutil takes it: below its zone up to PowerDNS 4.9, whole since 5.0."""
    return labels if pdns_version() < (5, 0) else f"{labels}.{zone}"


def gsqlite3_schema() -> Path:
    """The tables of PowerDNS's SQLite backend, of the release that the tests run with (scripts/pdns-release)."""
    beside = Path(program("pdns_server")).parents[1] / "root"
    return (beside if beside.exists() else Path("/")) / "usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and wait until it has ended."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Server:
    """What the servers share; a subclass says how it is called and when it answers."""

    title = "server"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = folder / f"{self.title}-{self.port}"
        self.folder.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    def arguments(self) -> Sequence[str]:
        """The command that runs the server in the foreground."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server answers by now; asks for its own version, of which no backend and no zone hears."""
        query = dns.message.make_query("version.bind", "TXT", dns.rdataclass.CH)
        try:
            dns.query.udp(query, HOST, 0.1, self.port, **UNMOVED)
        except (OSError, dns.exception.Timeout):
            return False
        return True

    @property
    def log(self) -> str:
        """All that the server, and its coprocesses on stderr, have printed so far."""
        return (self.folder / "log").read_text(errors="backslashreplace")

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, f"{self.title} is not running"
        return self._process.pid

    def start(self) -> None:
        """Run the server and wait until it answers; raises ServerFailed if it ends before."""
        environment = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                self.arguments(), cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        RUNNING.append(self)
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            status = self._process.poll()
            if status is not None or time.monotonic() > deadline:
                self.stop()
                how = "does not answer" if status is None else f"ended with status {status}"
                raise ServerFailed(f"{self.title} {how}; it printed:\n{self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, if it runs, and wait until it has ended."""
        if self._process is None:
            return
        end(self._process)
        self._process = None
        RUNNING.remove(self)

    def wait_for_log(self, text: str) -> str:
        """The first log line that holds ``text``, waiting for it; raises ServerFailed if it does not come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self.log.splitlines():
                if text in line:
                    return line
            time.sleep(0.02)
        raise ServerFailed(f"{self.title} never logged {text!r}; it printed:\n{self.log}")

    def ask(self, query: dns.message.Message, tcp: bool = False) -> dns.message.Message:
        """The answer to one query; over TCP if asked or if the answer over UDP is truncated."""
        if tcp:
            return dns.query.tcp(query, HOST, PATIENCE, self.port)
        return dns.query.udp_with_fallback(query, HOST, PATIENCE, self.port, **UNMOVED)[0]

    def send(self, query: dns.message.Message) -> None:
        """Ask, and wait for nothing."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(query.to_wire(), (HOST, self.port))

    def dig(self, name: str, rdtype: str = "A", *flags: str) -> dns.message.Message:
        """The answer to one question; ``flags`` are ``+dnssec``, ``+norecurse`` and ``+tcp``, as in dig."""
        unknown = set(flags) - {"+dnssec", "+norecurse", "+tcp"}
        assert not unknown, f"dig has no {unknown} here"
        query = dns.message.make_query(name, rdtype, want_dnssec="+dnssec" in flags)
        if "+norecurse" in flags:
            query.flags &= ~dns.flags.RD
        return self.ask(query, "+tcp" in flags)

    def axfr(self, zone: str, key: str = "") -> str:
        """The zone as transferred, in the text that dig makes of it, with one SOA; empty if it was refused.

        ``key`` is a TSIG key as dig takes it, ALGORITHM:NAME:SECRET.
        """
        words = [program("dig"), f"@{HOST}", "-p", str(self.port), zone, "AXFR", "+onesoa", "+nocomments", "+nocmd"]
        words += ["-y", key] if key else []
        words += [f"+time={5 * PATIENCE:.0f}", "+tries=1"]  # a large zone is signed first
        done = subprocess.run([*words, "+nostats"], capture_output=True, text=True, timeout=6 * PATIENCE, check=True)
        lines = done.stdout.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(";") and "\tTSIG\t" not in line)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is not None and issubclass(kind, Exception):
            print(f"--- log of {self.title} on port {self.port}\n{self.log}")


class PdnsServer(Server):
    """A ``pdns_server`` with all caches off; ``settings`` are lines of pdns.conf and win over the ones set here."""

    title = "pdns"

    def __init__(self, settings: Mapping[str, str], folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        sockets = tempfile.mkdtemp(prefix="pdns-")  # short, for the path of a socket has 107 octets at most
        atexit.register(shutil.rmtree, sockets, ignore_errors=True)
        own = {
            "local-address": HOST,
            "local-port": str(self.port),
            "socket-dir": sockets,
            "disable-syslog": "yes",
            "loglevel": "6",  # the log lines of REMOTE are of this level
            "any-to-tcp": "no",
            "queue-limit": str(PATIENT),  # milliseconds; it drops what waits longer for a coprocess
            "version-string": "full",
        }
        if "pipe-command" in settings:
            own["pipe-timeout"] = str(PATIENT)
        merged = {**own, **NO_CACHES, **settings}
        text = "".join(f"{key}={value}\n" for key, value in merged.items())
        (self.folder / "pdns.conf").write_text(text)

    def arguments(self) -> Sequence[str]:
        return [program("pdns_server"), f"--config-dir={self.folder}", "--daemon=no", "--guardian=no", "--write-pid=no"]

    def pdnsutil(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What ``pdnsutil`` says with this server's configuration; it works without the server, too."""
        command = [program("pdnsutil"), f"--config-dir={self.folder}", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=self.folder)

    def said(self, *words: str) -> str:
        """What ``pdnsutil`` prints when all goes well; its complaints make the test fail."""
        done = self.pdnsutil(*words)
        assert done.returncode == 0, f"pdnsutil {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def ds_of(self, zone: str) -> list[str]:
        """The DS records of a zone's keys, as resolvers take them for trust anchors."""
        return [line.partition(" ;")[0] for line in self.said("export-zone-ds", zone).splitlines()]

    def coprocesses(self) -> set[int]:
        """The process ids of the coprocesses that run at this moment."""
        return {pid for pid, parent in running_processes().items() if parent == self.pid}


class Unbound(Server):
    """A validating resolver that knows only the zones in ``ports``, by the port that serves each on loopback.

    ``anchors`` are its trust anchors: DS or DNSKEY records as text. A zone under no anchor is not validated.
    """

    title = "unbound"

    def __init__(
        self,
        ports: Mapping[str, int],
        folder: Path,
        anchors: Sequence[str] = (),
        options: Sequence[str] = (),
        port: int | None = None,
    ) -> None:
        """``options`` are more lines of its server clause."""
        super().__init__(folder, port)
        stubs = [
            f'stub-zone:\n  name: "{zone}"\n  stub-addr: {HOST}@{stub}\n  stub-prime: no\n'
            for zone, stub in ports.items()
        ]
        (self.folder / "unbound.conf").write_text(self._server_clause(anchors, ports, options) + "".join(stubs))

    def _server_clause(self, anchors: Sequence[str], ports: Mapping[str, int], more: Sequence[str]) -> str:
        options = [
            *more,
            f"interface: {HOST}@{self.port}",
            f'directory: "{self.folder}"',
            'chroot: ""',
            'username: ""',
            'pidfile: "unbound.pid"',
            "use-syslog: no",
            "do-daemonize: no",
            "num-threads: 1",
            f"unknown-server-time-limit: {PATIENT}",  # milliseconds; a busy machine is no failure
            f"infra-cache-min-rtt: {PATIENT}",
            f"outgoing-port-avoid: {PORTS.start}-{PORTS.stop - 1}",
            "do-not-query-localhost: no",
            'module-config: "validator iterator"',
            "val-log-level: 2",  # says in the log why an answer is bogus
            "trust-anchor-signaling: no",
            *(f'local-zone: "{zone}" nodefault' for zone in ports),  # the built-in empty zones hide reverse zones
            *(f'trust-anchor: "{anchor}"' for anchor in anchors),
        ]
        return "server:\n" + "".join(f"  {option}\n" for option in options) + "remote-control:\n  control-enable: no\n"

    def arguments(self) -> Sequence[str]:
        return [program("unbound"), "-d", "-p", "-c", str(self.folder / "unbound.conf")]

    def query(self, name: str, rdtype: str = "A") -> dns.message.Message:
        """The answer, whose AD flag says that it was validated; bogus data is SERVFAIL."""
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        query.flags |= dns.flags.AD
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return dns.query.udp_with_fallback(query, HOST, 3, self.port, **UNMOVED)[0]
            except dns.exception.Timeout:  # it drops answers that took it longer than 1.9 s (discard-timeout)
                continue
        raise ServerFailed(f"{self.title} does not answer {name} {rdtype}; it printed:\n{self.log}")


@functools.cache
def _commands_folder() -> str:
    """PowerDNS splits a command on spaces and a connection string on commas, so that neither may be in the path."""
    folder = os.path.join(sys.prefix, "bin")
    if " " not in folder and "," not in folder:
        return folder
    scratch = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, scratch)
    link = os.path.join(scratch, "bin")
    os.symlink(folder, link)
    return link
