"""The units of contrib/systemd: how much they leave open, and that the service bears each directive."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import confined
from tests.process.coprocess import PATIENCE, children, wait_for
from tests.process.test_runaways import APEX, write_zone
from tests.process.users import PDNS, Installed, installed, needs_users

TOP = Path(__file__).resolve().parents[2]
UNITS = sorted((TOP / "contrib/systemd").glob("*.service"))
EXPOSURE_WITH_NETWORK = 20
EXPOSURE = 10  # of 100, as systemd-analyze counts; the units have 5 and 6
KEYS = "pipebackend-keys.service"  # asks the servers of parents: it has the network
CONFINED = [sys.executable, str(TOP / "tests/process/confined.py")]
ASK = b'{"method":"lookup","parameters":{"qname":"n7.%s.","qtype":"TXT"}}\n'
SET = b'{"method":"setDomainMetadata","parameters":{"name":"%s.","kind":"ALLOW-AXFR-FROM","value":["192.0.2.1"]}}\n'
BIG, CUSTOM = APEX.encode(), b"who.example"
PROBE = """\
import ctypes, mmap, os, socket
def refused(what, *words):
    try:
        what(*words)
    except (OSError, PermissionError):
        return 1
    return 0
class Who:
    def lookup(self, name, client):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        tries = dict(
            network=refused(socket.socket, socket.AF_INET),
            etc=refused(open, "/etc/a-file-of-the-test", "w"),
            suid=refused(os.chmod, STATE, 0o4755),
            execute=refused(mmap.mmap, -1, 4096, mmap.MAP_PRIVATE, 7),
            namespace=int(libc.unshare(0x10000000) != 0),
            personality=int(libc.personality(0x0040000) == -1),
            root=refused(os.setuid, 0),
            clock=refused(__import__("time").clock_settime, 0, 1.0),
            init=int(not os.path.exists("/proc/1/status")),
            sysctl=int(not os.path.exists("/proc/sys")),
        )
        return [("TXT", " ".join(f"{key}={value}" for key, value in tries.items()))]
"""

needs_tools = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not confined.SYSCALLS.exists(),
    reason="systemd-analyze and the numbers of x86-64's system calls (linux-libc-dev) are needed",
)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_exposure_of_a_unit_is_bounded(unit: Path) -> None:
    words = [
        "systemd-analyze",
        "security",
        "--offline=yes",
        f"--threshold={EXPOSURE_WITH_NETWORK if unit.name == KEYS else EXPOSURE}",
        "--no-pager",
        str(unit),
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.fixture(scope="module")
def programs() -> Iterator[Installed]:
    with installed() as found:
        yield found


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder of pdns with a zone that is compiled and one in Python that tries what is forbidden."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # PrivateDevices hides /dev/shm
        Path(name).chmod(0o755)
        folder = Path(name) / "state"
        folder.mkdir(mode=0o755)
        file = write_zone(folder)
        text = file.read_text() + '[store]\nurl = "sqlite:zones.db"\n[[zone]]\nname = "who.example"\nkind = "custom"\n'
        text += 'object = "who:Who"\nns = ["ns1.who.example"]\n'
        file.write_text(text + 'soa = { mname = "ns1.who.example", rname = "hostmaster.who.example" }\n')
        (folder / "who.py").write_text(f"STATE = {str(folder)!r}\n{PROBE}")
        entry = pwd.getpwnam(PDNS)
        for path in (folder, *folder.iterdir()):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        yield folder


@contextlib.contextmanager
def confined_service(unit: Path, programs: Installed, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    program, _, options = confined.directives(unit)["ExecStart"][0].partition(" ")
    words = [f"--config={folder / 'pipebackend.toml'}", f"--listen=unix:{folder / 'socket'}", "--workers=2"]
    words += ["--owner=:pdns"] if "--owner" in options else []
    # The namespaces first; confined.py then does the rest within them
    command = ["unshare", "--mount", "--net", "--ipc", "--uts", *CONFINED, str(unit), PDNS, str(folder), "--"]
    command += programs.command(Path(program).name, *words)
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def said(folder: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(folder / "socket"))
        client.sendall(request)
        with client.makefile("rb") as file:
            return file.readline()


@needs_users
@needs_tools
def test_the_service_bears_each_directive(programs: Installed, state: Path) -> None:
    """Answers, writes, compiles, runs the Python of users, reloads and ends, under all limits at once."""
    unit = TOP / "contrib/systemd/remoteshim.service"
    with confined_service(unit, programs, state) as process:
        log = state / "log"
        wait_for(lambda: (state / "socket").exists() or process.poll() is not None, "the socket")
        assert process.poll() is None, log.read_text()
        wait_for(lambda: b"a-row-of-a-zone-file-7" in said(state, ASK % BIG), "an answer")
        assert said(state, SET % BIG) == b'{"result":true}\n', log.read_text()
        wait_for(lambda: list((state / ".pipebackend").glob("*.mdb")), "the compiled zone")
        answer = said(state, (ASK % CUSTOM)).decode()
        assert "network=" in answer, log.read_text()
        assert "=0" not in answer, answer  # each was refused
        before = children(process.pid)
        process.send_signal(1)
        wait_for(lambda: not children(process.pid) & before, "new workers")
        wait_for(lambda: b"a-row-of-a-zone-file-7" in said(state, ASK % BIG), "an answer")
        used = sum(map(resident, {process.pid, *children(process.pid)}))
        (most,) = confined.directives(unit)["MemoryMax"]
        assert used < (int(most.removesuffix("G")) << 30) / 4
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in log.read_text()
    assert not (state / "socket").exists()


@needs_users
@needs_tools
def test_the_unit_of_keys_bears_each_directive(programs: Installed, state: Path) -> None:
    """Makes keys, asks the server of a parent, and writes the store, under all limits at once."""
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with asked:
        asked.bind(("127.0.0.1", 0))
        policy = f'[[policy]]\nname = "p"\nparent_check = ["127.0.0.1:{asked.getsockname()[1]}"]\n'
        file = state / "pipebackend.toml"
        file.write_text(file.read_text().replace("[[zone]]", f'{policy}[[zone]]\npolicy = "p"', 1))
        words = programs.command("zoneutil", f"--config={file}", "key", "maintain")
        unit = str(TOP / "contrib/systemd" / KEYS)
        command = ["unshare", "--mount", "--ipc", "--uts", *CONFINED, unit, PDNS, str(state), "--", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    with contextlib.closing(sqlite3.connect(state / "zones.db")) as db:
        assert db.execute("SELECT count(*) FROM cryptokeys").fetchall() > [(0,)]
    assert (state / "zones.db").stat().st_uid == pwd.getpwnam(PDNS).pw_uid


def resident(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@needs_users
@needs_tools
def test_without_the_directives_the_probe_is_free(programs: Installed, state: Path) -> None:
    """Or the test above would pass with a probe that cannot fail."""
    code = f"import sys; sys.path.insert(0, {str(state)!r}); from who import Who; print(Who().lookup('', None))"
    words = ["setpriv", "--reuid=pdns", "--regid=pdns", "--clear-groups", "/usr/bin/python3", "-P", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    assert "network=0" in done.stdout, done.stderr
    for free in ("suid=0", "execute=0", "personality=0", "init=0", "sysctl=0"):
        assert free in done.stdout


def test_each_directive_is_tried_or_says_why_not() -> None:
    """One unit is run above; the others say the same, but for what they start and what that needs."""
    found = [confined.directives(unit) for unit in UNITS if unit.name != KEYS]
    own = ("ExecStart", "SystemCallFilter", "ReadWritePaths")
    assert len(found) == 3
    for each in found:
        assert set(each) <= confined.KNOWN
        assert each["SystemCallFilter"][:2] == found[0]["SystemCallFilter"][:2]
        assert {key: value for key, value in each.items() if key not in own} == {
            key: value for key, value in found[0].items() if key not in own
        }


def test_the_unit_of_keys_has_the_limits_of_the_services_but_for_the_network() -> None:
    of_keys, service = (confined.directives(TOP / "contrib/systemd" / name) for name in (KEYS, "remoteshim.service"))
    of_a_service = {"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "OOMPolicy", "LimitNOFILE", "TasksMax"}
    network = {"PrivateNetwork", "RestrictAddressFamilies", "IPAddressDeny", "ReadWritePaths", "SystemCallFilter"}
    needs = network | {"ProcSubset"}  # the clock is compared with that of the kernel
    assert set(service) - of_a_service - needs <= set(of_keys)
    for key in set(service) - of_a_service - needs:
        assert of_keys[key] == service[key], key
