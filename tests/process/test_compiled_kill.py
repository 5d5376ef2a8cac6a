"""Large zones are compiled behind PowerDNS's back, and a kill at any moment costs nothing but the work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipebackend.config import configuration
from pipebackend.dnsdata.records import Client
from pipebackend.zones import registry
from pipebackend.zones.compiled import choice, compiler
from pipebackend.zones.compiled.mapped import CompiledZone
from pipebackend.zones.compiled.target import FOLDER, Target
from tests.making import age

PIPE = os.path.join(sys.prefix, "bin", "pipebackend")
ROWS = 40_000
PATIENCE = 90.0
APEX = "big.example"
TABLE = f"""\
[[zone]]
name = "{APEX}"
kind = "table"
file = "big.tsv"
key = "key"
soa = {{ mname = "ns1.{APEX}", rname = "hostmaster.{APEX}" }}
ns = ["ns1.{APEX}"]
[[zone.record]]
type = "TXT"
content = "{{text}}"
"""
FILE = f'[[zone]]\nname = "{APEX}"\nkind = "file"\nfile = "big.zone"\n'
QUESTION = f"Q\tn39999.{APEX}\tIN\tANY\t-1\t127.0.0.1\t127.0.0.1\t127.0.0.1/32\n".encode()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The configuration of a table that is large enough to be compiled."""
    text = "key\ttext\n" + "".join(f"n{number}\trow {number} of a large table\n" for number in range(ROWS))
    return _written(tmp_path, TABLE, "big.tsv", text)


@pytest.fixture
def zone_file(tmp_path: Path) -> Path:
    """The configuration of a zone file that takes too long to read for PowerDNS to wait."""
    text = "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
    text += "".join(f"n{number} TXT row-{number}\n" for number in range(ROWS))
    return _written(tmp_path, FILE, "big.zone", text)


def test_a_killed_coprocess_leaves_its_compiler_at_work(table: Path) -> None:
    process = _asked(table)
    assert process.stdout and b"row 39999" in process.stdout.readline()
    process.kill()
    process.communicate()
    _until(lambda: _compiled(table) is not None)
    process = _asked(table)
    assert process.stdout and b"row 39999" in process.stdout.readline()
    assert process.stdout.readline() == b"END\n"
    process.communicate()


def test_a_large_zone_file_has_failures_until_it_is_compiled_and_answers_then(zone_file: Path) -> None:
    process = _asked(zone_file)
    assert process.stdin and process.stdout
    assert b"is being compiled" in process.stdout.readline()
    assert process.stdout.readline() == b"FAIL\n"
    said, until = b"", time.monotonic() + PATIENCE
    while b"row-39999" not in said and time.monotonic() < until:
        time.sleep(0.2)
        process.stdin.write(QUESTION)
        process.stdin.flush()
        said = process.stdout.readline()
        assert process.stdout.readline() in (b"FAIL\n", b"END\n")
    assert b"row-39999" in said
    process.communicate()


def test_a_compiler_killed_at_any_moment_leaves_no_half_file(table: Path) -> None:
    for delay in (0.1, 0.3, 0.5, 0.7, 0.9):
        with subprocess.Popen([sys.executable, "-c", _COMPILE, str(table)]) as process:
            time.sleep(delay)
            process.kill()
        assert (found := _compiled(table)) is None or _answers(found)
    subprocess.run([sys.executable, "-c", _COMPILE, str(table)], check=True, timeout=PATIENCE)
    found = _compiled(table)
    assert found is not None and _answers(found)
    folder = table.parent / FOLDER
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".mdb"]  # the lock and the zone


@pytest.mark.parametrize(
    "damage", [lambda path: os.truncate(path, 100_000), lambda path: path.write_bytes(b"x" * 9999)]
)
def test_a_damaged_file_is_made_again(table: Path, damage: Callable[[Path], None]) -> None:
    subprocess.run([sys.executable, "-c", _COMPILE, str(table)], check=True, timeout=PATIENCE)
    (path,) = (table.parent / FOLDER).glob("*.mdb")
    damage(path)
    assert _compiled(table) is None
    subprocess.run([sys.executable, "-c", _COMPILE, str(table)], check=True, timeout=PATIENCE)
    found = _compiled(table)
    assert found is not None and _answers(found)


_COMPILE = f"""
import sys
from pipebackend.zones import registry
from pipebackend.zones.compiled import compiler
compiler.main(sys.argv[1], {APEX!r}, str(registry.wanted_id({APEX!r})), "")
"""


def _written(folder: Path, toml: str, name: str, text: str) -> Path:
    path = folder / "pipebackend.toml"
    path.write_text(toml)
    (folder / name).write_text(text)
    age(path)
    age(folder / name)
    return path


def _asked(path: Path) -> subprocess.Popen[bytes]:
    """A coprocess that was asked for one name and has said its banner."""
    process = subprocess.Popen([PIPE, "--config", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    process.stdin.write(b"HELO\t3\n" + QUESTION)
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"OK\t")
    return process


def _compiled(path: Path) -> CompiledZone | None:
    section = compiler.sections(configuration.read(str(path)))[APEX]
    return choice.current(Target.of(section, APEX, registry.wanted_id(APEX)))


def _answers(zone: CompiledZone) -> bool:
    return [record.content for record in zone.find(f"n39999.{APEX}", Client()) or ()] == [
        '"row 39999 of a large table"'
    ]


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
