"""Root works beside a service that runs as pdns: nothing that pdns may write decides what root does."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipebackend.config import configuration
from pipebackend.server import keymaintenance, sharedstats, sockets
from pipebackend.zones.compiled.choice import LOCK
from pipebackend.zones.compiled.compiler import sections
from pipebackend.zones.compiled.target import FOLDER, Target
from tests.making import age
from tests.process.coprocess import wait_for
from tests.process.users import PDNS, STRANGER, Installed, as_user, command_as, installed, needs_users

pytestmark = needs_users

BIG = '[[zone]]\nname = "big.example"\nkind = "file"\nfile = "big.zone"\n'
CUSTOM = """\
[[zone]]
name = "who.example"
kind = "custom"
object = "who:Who"
soa = { mname = "ns1.who.example", rname = "hostmaster.who.example" }
ns = ["ns1.who.example"]
"""
POLICY = '[[policy]]\nname = "p"\nalgorithm = "ECDSAP256SHA256"\n'
WHO = """\
import os
class Who:
    def __init__(self):
        open({mark!r}, "w").write(str(os.geteuid()))
    def lookup(self, name, client):
        return [("TXT", str(os.geteuid()))]
"""
ROWS = 12_000  # 600 KB
ATTACK_SECONDS = 4.0  # 30 with --long


@pytest.fixture(scope="module")
def programs() -> Iterator[Installed]:
    with installed() as found:
        yield found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of pdns that everybody can enter, with a large zone file of pdns."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        place = top / "service"
        place.mkdir(mode=0o755)
        write(place / "pipebackend.toml", BIG)
        text = "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
        write(
            place / "big.zone",
            text + "".join(f"n{number} TXT a-row-of-a-large-zone-{number}\n" for number in range(ROWS)),
        )
        give(place, PDNS)
        yield place


@pytest.fixture
def small(folder: Path) -> Path:
    """The same with a zone that is read at once."""
    write(folder / "big.zone", "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n")
    return folder


def write(path: Path, text: str) -> None:
    path.write_text(text)
    age(path)


def write_code(folder: Path, user: str) -> Path:
    """A custom zone of this user in the place of what is there; the file that tells who has run it."""
    mark = folder / "mark"
    write(folder / "pipebackend.toml", CUSTOM)
    write(folder / "who.py", WHO.format(mark=str(mark)))
    give(folder, user)
    return mark


def give(folder: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def run(words: list[str], cwd: Path, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"} | environment
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, input=said, env=environ, timeout=120)


def compiled_path(folder: Path) -> Path:
    read = configuration.read(str(folder / "pipebackend.toml"))
    return Path(Target.of(sections(read)["big.example"], "big.example", 0).path)


def owner(path: Path) -> str:
    return pwd.getpwuid(path.lstat().st_uid).pw_name


def test_a_link_of_pdns_leads_root_nowhere(programs: Installed, folder: Path) -> None:
    """Gravest of all: LMDB opened through a dangling link, and chown gave the file behind it to pdns."""
    outside = folder.parent / "outside"
    place = folder / FOLDER
    assert not as_user(PDNS, "mkdir", str(place)).returncode
    target = compiled_path(folder)
    for name in (f"{target.name}.new", target.name, LOCK):
        assert not as_user(PDNS, "ln", "-s", str(outside), str(place / name)).returncode
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "zone", "compile"), folder)
    assert done.returncode, done.stderr  # the lock is a link: said, and nothing is done
    assert not outside.exists()
    (place / LOCK).unlink()
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "zone", "compile"), folder)
    assert not done.returncode, done.stderr
    assert not outside.exists()
    assert not target.is_symlink()
    assert owner(target) == owner(place / LOCK) == PDNS


def test_a_folder_that_is_a_link_is_refused(programs: Installed, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    assert not as_user(PDNS, "ln", "-s", str(outside), str(folder / FOLDER)).returncode
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "zone", "compile"), folder)
    assert done.returncode
    assert FOLDER in done.stderr
    assert not list(outside.iterdir())


def test_root_first_and_pdns_compiles_all_the_same(programs: Installed, folder: Path) -> None:
    """A command of root made the folder root's, and pdns could never compile again."""
    file = str(folder / "pipebackend.toml")
    assert not run(programs.command("zoneutil", "--config", file, "zone", "compile"), folder).returncode
    write(folder / "big.zone", (folder / "big.zone").read_text() + "more TXT more\n")
    done = run(command_as(PDNS, programs.command("zoneutil", "--config", file, "zone", "compile")), folder)
    assert not done.returncode, done.stderr
    assert {owner(path) for path in (folder / FOLDER).iterdir()} == {PDNS}


def test_a_lock_of_root_that_an_older_release_left_does_not_stop_pdns(programs: Installed, folder: Path) -> None:
    (folder / FOLDER).mkdir()
    give(folder, PDNS)
    (folder / FOLDER / LOCK).touch(0o644)
    words = programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "zone", "compile")
    assert not run(command_as(PDNS, words), folder).returncode


@pytest.mark.parametrize("words", [("zone", "list"), ("store", "check"), ("record", "lookup", "n1.big.example")])
def test_a_command_that_looks_makes_nothing(programs: Installed, folder: Path, words: tuple[str, ...]) -> None:
    before = set(folder.rglob("*"))
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), *words), folder)
    assert not done.returncode, done.stderr
    time.sleep(0.5)  # a compiler in the background would be at work now
    assert set(folder.rglob("*")) == before


def test_root_maps_no_file_that_pdns_has_written(programs: Installed, folder: Path) -> None:
    """LMDB trusts what it maps: a crafted file could take the process over."""
    file = str(folder / "pipebackend.toml")
    assert not run(
        command_as(PDNS, programs.command("zoneutil", "--config", file, "zone", "compile")), folder
    ).returncode
    compiled_path(folder).write_bytes(b"crafted")
    done = run(programs.command("zoneutil", "--config", file, "record", "lookup", "n1.big.example", "TXT"), folder)
    assert "a-row-of-a-large-zone-1" in done.stdout, done.stderr


@pytest.mark.parametrize("user", [PDNS, STRANGER])
def test_a_configuration_in_the_folder_of_another_user_is_not_taken(
    programs: Installed, folder: Path, user: str
) -> None:
    mark = write_code(folder, user)
    done = run(programs.command("zoneutil", "zone", "list"), folder)
    assert "airports.aa" in done.stdout
    assert f"pipebackend.toml is not used: {folder / 'pipebackend.toml'} belongs to {user}; name it" in done.stderr
    assert not mark.exists()


def test_root_runs_no_code_of_another_user_even_when_it_names_the_configuration(
    programs: Installed, folder: Path
) -> None:
    mark = write_code(folder, PDNS)
    file = str(folder / "pipebackend.toml")
    done = run(programs.command("zoneutil", "--config", file, "record", "lookup", "who.example", "TXT"), folder)
    assert f"is not run by root: {folder / 'who.py'} belongs to pdns" in done.stderr
    assert not mark.exists()


def test_a_module_that_others_may_write_is_not_run(programs: Installed, folder: Path) -> None:
    mark = write_code(folder, PDNS)
    (folder / "who.py").chmod(0o666)
    words = programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "zone", "check")
    done = run(command_as(PDNS, words), folder)
    assert "can be written by others (mode 0666)" in done.stdout + done.stderr
    assert not mark.exists()


def test_what_root_starts_over_the_protocol_is_the_owner_of_the_store(programs: Installed, folder: Path) -> None:
    """pdnsutil of root starts us as root; the code and the files of the service are pdns's."""
    mark = write_code(folder, PDNS)
    requests = [
        {"method": "initialize", "parameters": {"config": str(folder / "pipebackend.toml")}},
        {"method": "lookup", "parameters": {"qname": "x.who.example.", "qtype": "ANY"}},
        {
            "method": "setDomainMetadata",
            "parameters": {"name": "who.example.", "kind": "ALLOW-AXFR-FROM", "value": ["::1"]},
        },
    ]
    done = run(programs.command("remoteshim"), folder, "".join(f"{json.dumps(each)}\n" for each in requests))
    pdns = pwd.getpwnam(PDNS).pw_uid
    assert f'"content":"\\"{pdns}\\""' in done.stdout, done.stderr
    assert mark.read_text() == str(pdns)
    assert {owner(path) for path in folder.rglob("*")} == {PDNS}


ATTACKED = (
    *(("zone", "compile", "big.example"), ("zone", "list"), ("store", "check"), ("tsig", "generate", "k")),
    *(("store", "backup", "copy.db"), ("store", "dump")),
)


def test_an_attack_on_root_gets_nowhere(programs: Installed, folder: Path, is_long: bool) -> None:
    """Links, renames and replaced files by pdns and nobody, while root works: no file outside changes hands."""
    file, target = str(folder / "pipebackend.toml"), compiled_path(folder)
    secret = folder.parent / "secret"
    secret.write_text("; a key that nobody but root may read\n")
    secret.chmod(0o600)
    before = secret.stat()
    new = folder.parent / "new"
    with contextlib.closing(sqlite3.connect(folder / "saved")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE something (a)")
    (folder / "saved").chmod(0o644)
    # Never "..": a link of the other attacker may have led out of the folder
    script = f"""
        d={folder}; cd $d; mkdir -p {FOLDER}; cd {FOLDER}
        while :; do
            ln -sfn {new} {target.name}.new; ln -sfn {secret} {target.name}; ln -sfn {new} {LOCK}
            rm -f {LOCK}; ln -sfn {secret} $d/big.link; mv -fT $d/big.link $d/big.zone
            for f in zones.db zones.db-wal zones.db-journal copy.db; do ln -sfn {new} $d/$f; rm -f $d/$f; done
            cp $d/saved $d/zones.db; ln -sfn {secret} $d/zones.db-shm; ln -sfn {secret} $d/copy.db; rm -f $d/*.db*
            cd $d; rm -rf {FOLDER}; ln -sfn {folder.parent} {FOLDER}; rm -f {FOLDER}; mkdir -p {FOLDER}; cd {FOLDER}
            for f in *.new; do ln -sfn {new} "$f"; done
        done 2>/dev/null
    """
    attackers = [
        subprocess.Popen(command_as(user, ["sh", "-c", script]), start_new_session=True, stdout=subprocess.DEVNULL)
        for user in (PDNS, STRANGER)
    ]
    ends = time.monotonic() + (30 if is_long else ATTACK_SECONDS)
    said = ""
    try:
        while time.monotonic() < ends:
            for words in ATTACKED:
                done = run(programs.command("zoneutil", "--config", file, *words), folder)
                said += done.stdout + done.stderr
    finally:
        for attacker in attackers:
            os.killpg(attacker.pid, 9)
            attacker.wait()
    after = secret.stat()
    assert (before.st_uid, before.st_mode, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_uid,
        after.st_mode,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )
    assert not new.exists()
    assert "Traceback" not in said, said[said.index("Traceback") :][:6000]
    for path in folder.rglob("*"):
        assert path.is_symlink() or b"a key that nobody" not in path.read_bytes() if path.is_file() else True


def test_a_journal_of_pdns_beside_the_store_removes_no_file_of_root(programs: Installed, small: Path) -> None:
    """SQLite rolls such a journal back as it reads, and then removes the file that the journal names."""
    victim = small.parent / "victim"
    for words in LOOKS_AND_WRITES:
        victim.write_text("not empty: an empty one is none to SQLite")
        plant_journal(small, victim)
        done = zoneutil_of_root(programs, small, *words)
        assert victim.exists(), words
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr


LOOKS_AND_WRITES = (
    *(("zone", "list"), ("store", "check"), ("pdns", "check", "--config-dir", "/nowhere"), ("store", "init")),
    *(("store", "dump"), ("key", "secure", "big.example"), ("store", "backup", "copy.db")),
)


def zoneutil_of_root(programs: Installed, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), *words), folder)


def plant_journal(folder: Path, victim: Path) -> None:
    """A store with a hot journal of one page, whose super-journal is ``victim``; file format of SQLite, section 3.

    Its checksums add each two hundredth octet of a page to a nonce, which is 0.
    """
    page = 4096
    store, journal = folder / "zones.db", folder / "zones.db-journal"
    store.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("CREATE TABLE something (a)")
    octets = store.read_bytes()
    magic, name = bytes.fromhex("d9d505f920a163d7"), os.fsencode(victim)
    head = magic + struct.pack(">5I", 1, 0, len(octets) // page, 512, page)
    one = struct.pack(">I", 1) + octets[:page] + struct.pack(">I", sum(octets[at] for at in range(page - 200, 0, -200)))
    tail = struct.pack(">I", (1 << 30) // page + 1) + name + struct.pack(">2I", len(name), sum(name)) + magic
    journal.write_bytes(head.ljust(512, b"\0") + one + tail)
    give(folder, PDNS)


def test_such_a_journal_does_remove_a_file_of_whom_it_may(small: Path) -> None:
    """Or the test above would pass with a journal that SQLite does not take."""
    victim = small.parent / "victim"
    victim.write_text("not empty")
    plant_journal(small, victim)
    with contextlib.closing(sqlite3.connect(small / "zones.db")) as db:
        db.execute("SELECT * FROM something")
    # Those after that of Debian 12 may know better
    assert not victim.exists() or sqlite3.sqlite_version_info > (3, 40, 1)


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_a_link_in_the_place_of_the_store_leads_root_nowhere(programs: Installed, small: Path, end: str) -> None:
    outside = small.parent / "outside"
    other = small.parent / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE domains (id INTEGER PRIMARY KEY, name)")
    before = other.read_bytes()
    for target in (outside, other):
        if end:
            assert not zoneutil_of_root(programs, small, "store", "init").returncode
            (small / f"zones.db{end}").unlink(missing_ok=True)
        assert not as_user(PDNS, "ln", "-sfn", str(target), str(small / f"zones.db{end}")).returncode
        for words in LOOKS_AND_WRITES[-3:]:
            zoneutil_of_root(programs, small, *words)
        assert not outside.exists()
        assert other.read_bytes() == before
        for left in small.glob("*.db*"):
            left.unlink()


def test_what_root_writes_beside_a_store_of_pdns_is_the_service_s(programs: Installed, small: Path) -> None:
    """While the store is open, too: its log and index lay there as root's, and pdns could not write."""
    (small / "pipebackend.toml").write_text(BIG + POLICY)
    give(small, PDNS)
    done = zoneutil_of_root(programs, small, "key", "secure", "big.example")
    assert not done.returncode, done.stderr
    held = f"import sys; sys.path.insert(0, {str(programs.folder)!r}); from pipebackend.store import open_store"
    held += f"; s = open_store('sqlite:zones.db', {str(small)!r}); s.begin(); s.set_tsig_key('a', 'hmac-md5', 'YQ==')"
    held += f"; s.commit(); import os; print([os.stat(e).st_uid for e in os.scandir({str(small)!r})], os.geteuid())"
    done = run(["/usr/bin/python3", "-P", "-c", held], small)
    pdns = pwd.getpwnam(PDNS).pw_uid
    assert done.stdout.startswith(f"[{pdns}, "), done.stderr
    assert set(json.loads(done.stdout.partition("]")[0] + "]")) == {pdns}
    assert done.stdout.endswith(" 0\n"), "root is root again"
    for words in (("store", "backup", str(small / "copy.db")), ("store", "copy", "sqlite:zones.db", "sqlite:new.db")):
        done = zoneutil_of_root(programs, small, *words)
        assert not done.returncode, done.stderr
    assert {owner(path) for path in small.rglob("*")} == {PDNS}
    done = run(programs.command("zoneutil", "--config", str(small / "pipebackend.toml"), "store", "check"), small)
    assert not done.returncode, done.stdout
    assert not run(command_as(PDNS, programs.command("zoneutil", "tsig", "list")), small).returncode


def test_a_backup_of_root_s_own_folder_is_root_s(programs: Installed, small: Path) -> None:
    assert not zoneutil_of_root(programs, small, "key", "secure", "big.example").returncode
    target = small.parent / "backup.db"
    done = zoneutil_of_root(programs, small, "store", "backup", str(target))
    assert not done.returncode, done.stderr
    assert owner(target) == "root"
    with contextlib.closing(sqlite3.connect(target)) as db:
        assert db.execute("SELECT count(*) FROM cryptokeys").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "words", [("pdns", "conf", "--output"), ("store", "backup"), ("store", "copy", "sqlite:zones.db")]
)
def test_a_link_in_the_place_of_an_output_leads_root_nowhere(
    programs: Installed, small: Path, words: tuple[str, ...]
) -> None:
    outside = small.parent / "outside"
    assert not as_user(PDNS, "ln", "-s", str(outside), str(small / "out")).returncode
    assert not zoneutil_of_root(programs, small, "key", "secure", "big.example").returncode
    target = f"sqlite:{small}/out" if words[1] == "copy" else str(small / "out")
    zoneutil_of_root(programs, small, *words, target)
    assert not outside.exists()


def test_a_link_in_the_place_of_a_new_socket_leads_nowhere(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode and owner were given to what had the socket's name by then."""
    victim, path = small.parent / "victim", small / "socket"
    victim.touch(0o600)
    bind = socket.socket.bind

    def bound(self: socket.socket, name: str) -> None:
        bind(self, name)
        Path(name).unlink()
        Path(name).symlink_to(victim)

    monkeypatch.setattr(socket.socket, "bind", bound)
    with contextlib.suppress(OSError):
        sockets._made(str(path), 0o666, pwd.getpwnam(PDNS).pw_uid, -1).close()
    assert owner(victim) == "root"
    assert victim.stat().st_mode & 0o777 == 0o600


def test_a_service_removes_no_folder_of_another_user() -> None:
    """Everybody may make folders in /dev/shm, and what a service leaves there is known by its name."""
    theirs, ours = (Path(tempfile.mkdtemp(prefix="pipebackend-test-", dir="/dev/shm")) for _ in range(2))
    for path in (theirs, ours):
        (path / "lock").touch()
    give(theirs, STRANGER)
    try:
        with sharedstats.folder():
            assert (theirs / "lock").exists()
            assert not ours.exists()
    finally:
        shutil.rmtree(theirs)


def test_the_maintainer_of_keys_runs_no_code_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Sequence[str]] = []
    monkeypatch.setattr(keymaintenance, "_repeat", lambda command, _: commands.append(command))
    keymaintenance.start(None, 60)
    wait_for(lambda: commands, "the command")
    (tmp_path / "click.py").write_text("open('mark', 'w')")
    done = subprocess.run([*commands[0][:-2], "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("zoneutil"), done.stderr
    assert not (tmp_path / "mark").exists()


def test_what_root_left_and_links_are_findings(programs: Installed, folder: Path) -> None:
    (folder / FOLDER).mkdir()
    give(folder, PDNS)
    (folder / FOLDER / LOCK).touch()
    (folder / "zones.db").touch(0o600)
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "store", "check"), folder)
    assert done.returncode == 1
    for path in (folder / FOLDER / LOCK, folder / "zones.db"):
        assert (
            f"{path} belongs to root, and its folder to {PDNS}, who cannot write it; chown pdns {path}" in done.stdout
        )
    (folder / FOLDER / LOCK).unlink()
    (folder / FOLDER / LOCK).symlink_to(folder / "elsewhere")
    done = run(programs.command("zoneutil", "--config", str(folder / "pipebackend.toml"), "store", "check"), folder)
    assert f"{folder / FOLDER / LOCK} is a link; put the file itself there" in done.stdout


def test_a_trace_follows_no_link_and_adds_to_no_file_of_another_user(programs: Installed, folder: Path) -> None:
    target, mine = folder / "target", folder / "foreign"
    assert not as_user(PDNS, "ln", "-s", str(target), str(folder / "link")).returncode
    assert not as_user(PDNS, "touch", str(mine)).returncode
    for name, reason in (("link", "Too many levels of symbolic links"), ("foreign", "it belongs to pdns")):
        words = programs.command("pipebackend", "--trace", str(folder / name))
        done = run(words, folder.parent, "HELO\t1\n")
        assert reason in done.stderr
    assert not target.exists()
    assert not mine.read_text()
