"""Nothing runs away: compilers, damaged files, idle clients and a full disk, each with the real processes."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipebackend.zones import registry
from pipebackend.zones.compiled import choice
from pipebackend.zones.compiled.target import FOLDER
from tests.making import age
from tests.process.coprocess import INITIALIZE, PATIENCE, Coprocess, coprocesses, wait_for, write_table
from tests.process.disks import fill, small_disk
from tests.process.test_listen import connect, serve  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.process.coprocess import Start
    from tests.process.test_listen import Connect, Serve

APEX = "big.example"
ROWS = 4000  # 160 KB: just large enough to be compiled, and small enough to be read at once
LAST = f"Q\tn{ROWS - 1}.{APEX}\tIN\tTXT\t-1\t127.0.0.1\t127.0.0.1\t127.0.0.1/32\n".encode()
RIGHT = f'"a-row-of-a-zone-file-{ROWS - 1}"'.encode()
LOOKS = 40  # at the processes, a quarter of a second apart
_COMPILE = "import sys; from pipebackend.zones.compiled.compiler import main; main(*sys.argv[1:])"
METADATA = b'{"method": "getAllDomainMetadata", "parameters": {"name": "t.example."}}\n'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with coprocesses(tmp_path) as started:
        yield started


def write_zone(folder: Path, rows: int = ROWS) -> Path:
    """The configuration of a zone file, all as if written long ago."""
    (folder / "pipebackend.toml").write_text(f'[[zone]]\nname = "{APEX}"\nkind = "file"\nfile = "big.zone"\n')
    text = "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
    (folder / "big.zone").write_text(text + "".join(f"n{n} TXT a-row-of-a-zone-file-{n}\n" for n in range(rows)))
    for name in ("pipebackend.toml", "big.zone"):
        age(folder / name)
    return folder / "pipebackend.toml"


def compilers(folder: Path) -> set[int]:
    """The processes that compile a zone of this folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if b"pipebackend.zones.compiled.compiler" in words and os.fsencode(folder) in words:
            found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize("rows", [ROWS, 100])
def test_a_source_whose_time_lies_ahead_starts_no_compiler_after_compiler(
    start: Start, tmp_path: Path, rows: int
) -> None:
    """There were 24 of them after 15 s, and a small zone was read, and said so, as often."""
    file = write_zone(tmp_path, rows)
    ahead = time.time() + 86_400
    os.utime(tmp_path / "big.zone", (ahead, ahead))
    coprocess = start("pipebackend", "--config", str(file))
    coprocess.begin()
    seen, most = set[int](), 0
    for _ in range(LOOKS):
        coprocess.ask(LAST)
        found = compilers(tmp_path)
        seen |= found
        most = max(most, len(found))
        time.sleep(0.25)
    last = LAST.replace(b"n%d" % (ROWS - 1), b"n%d" % (rows - 1))
    wait_for(lambda: b"a-row-of-a-zone-file-%d" % (rows - 1) in coprocess.ask(last), "the zone is served")
    assert most <= 2, "one at work, and one that starts it or finds that"
    assert len(seen) <= 6
    assert coprocess.log.count("\n") <= 5, coprocess.log


def compile_now(file: Path) -> None:
    words = [sys.executable, "-c", _COMPILE, str(file), APEX, str(registry.wanted_id(APEX)), ""]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10 * PATIENCE)  # it makes itself nice
    assert not done.returncode, done.stderr
    assert "Traceback" not in done.stderr


def test_any_damage_of_a_compiled_file_is_got_over(tmp_path: Path, is_long: bool) -> None:
    """Of 607 damaged files 4 ended the process, and whoever compiled again mapped the file, too."""
    file = write_zone(tmp_path)
    compile_now(file)
    (path,) = (tmp_path / FOLDER).glob("*.mdb")
    good = path.read_bytes()
    with coprocesses(tmp_path) as start:
        coprocess = start("pipebackend", "--config", str(file))
        coprocess.begin()
        whole = coprocess.ask(ALL)
    draw = random.Random(15)
    wrong = failed = 0
    for _ in range(600 if is_long else 25):
        damage(path, good, draw)
        with coprocesses(tmp_path) as start:
            coprocess = start("pipebackend", "--config", str(file))
            coprocess.begin()
            answer = ask_patiently(coprocess, ALL)
            wrong += not is_all_of(whole, answer) and not answer.endswith(b"FAIL\n")
            failed += answer.endswith(b"FAIL\n")
            compile_now(file)  # looks at each octet, in a process that the file cannot end
            wait_for(lambda coprocess=coprocess: is_all_of(whole, coprocess.ask(ALL)), "the whole zone again")
            assert "Traceback" not in coprocess.log
        assert path.stat().st_size == len(good)
    assert wrong + failed, "else no damage was met, and nothing got over"
    print(f"before the digest was looked at: {wrong} wrong, {failed} failed")


ALL = b"AXFR\t%d\n" % registry.wanted_id(APEX)


def damage(path: Path, good: bytes, draw: random.Random) -> None:
    """Another file in its place with one to three octets changed, in its first pages as often as behind them."""
    octets = bytearray(good)
    for _ in range(draw.randint(1, 3)):
        octets[draw.randrange(draw.choice((4096, 16_384, len(good))))] ^= draw.randint(1, 255)
    new = path.with_suffix(".new")
    new.write_bytes(octets)
    new.rename(path)


def is_all_of(whole: bytes, answer: bytes) -> bool:
    """A zone that is read from its source has its records in another order."""
    return sorted(answer.splitlines()) == sorted(whole.splitlines())


def ask_patiently(coprocess: Coprocess, question: bytes) -> bytes:
    answer = coprocess.ask(question)
    assert answer.endswith((b"END\n", b"FAIL\n")), "the keeper has ended"
    return answer


def test_after_an_abort_no_damaged_file_is_mapped(start: Start, tmp_path: Path) -> None:
    """The keeper tells the next process to look at each octet first: no wrong answer follows, and no second abort."""
    file = write_zone(tmp_path)
    compile_now(file)
    (path,) = (tmp_path / FOLDER).glob("*.mdb")
    good = path.read_bytes()
    coprocess = start("pipebackend", "--config", str(file))
    coprocess.begin()
    whole = coprocess.ask(ALL)
    assert RIGHT in whole
    os.kill(coprocess.child, 6)  # SIGABRT, as LMDB's own assertions do
    wait_for(lambda: "signal 6" in coprocess.log or "SIGABRT" in coprocess.log, "the keeper has seen it")
    draw = random.Random(16)
    for _ in range(15):
        damage(path, good, draw)
        coprocess.kill_child()
        answer = coprocess.ask(ALL)
        assert is_all_of(whole, answer) or answer.endswith(b"FAIL\n"), answer[:400]
    wait_for(lambda: is_all_of(whole, coprocess.ask(ALL)), "the whole zone again")


def test_more_idle_clients_than_files_end_no_worker(serve: Serve, connect: Connect, tmp_path: Path) -> None:  # noqa: F811
    """337 clients, each with the store open, used up 1024 descriptors, and their worker ended with all of them."""
    write_table(tmp_path, "first")
    words = [os.path.join(sys.prefix, "bin", "zoneutil"), "--config", str(tmp_path / "own.toml")]
    subprocess.run([*words, "key", "secure", "t.example"], check=True)
    service = serve("remoteshim", "--workers=1", f"--config={tmp_path / 'own.toml'}")
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (1024, 1024))
    service.ready()
    (worker,) = service.workers
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (1024, 1024))
    clients = [connect(service) for _ in range(500)]
    for _ in range(2):
        for client in clients:
            assert client.ask(INITIALIZE % b"").startswith(b'{"result":true')
            assert b'"result"' in client.ask(METADATA)
    assert len(os.listdir(f"/proc/{worker}/fd")) < 1000
    assert service.workers == {worker}
    assert "Traceback" not in service.log
    assert service.workers == {worker}


def test_a_disk_that_is_full_while_a_zone_is_compiled(tmp_path: Path) -> None:
    """One line says so, no half file stays, and the zone is compiled when there is room."""
    disk = tmp_path / "disk"
    with small_disk(disk), coprocesses(tmp_path) as start:
        file = write_zone(disk)
        folder = disk / FOLDER
        folder.mkdir()
        filler = fill(disk)
        words = [os.path.join(sys.prefix, "bin", "zoneutil"), "--config", str(file), "zone", "compile"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode
        assert "make room" in done.stderr
        assert "Traceback" not in done.stderr
        assert [path.name for path in folder.iterdir() if path.name != choice.LOCK] == []
        coprocess = start("pipebackend", "--config", str(file))
        coprocess.begin()
        assert RIGHT in coprocess.ask(LAST)  # read into memory
        wait_for(lambda: "make room" in coprocess.log and not compilers(disk), "the compiler has given up")
        assert "Traceback" not in coprocess.log
        assert [path.name for path in folder.iterdir() if path.name != choice.LOCK] == []
        filler.unlink()
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert not done.returncode, done.stderr
        assert RIGHT in coprocess.ask(LAST)
