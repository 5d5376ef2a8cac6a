"""The look for keys in logs finds what it is there for; ``tests/conftest.py`` takes it at the end of each run."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipebackend.keys import algorithms, bindfile, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.store import open_store
from tests import leaks

TOP = Path(__file__).parents[2]
PASSWORD = "f1e2d3c4b5a69788f1e2d3c4b5a69788"
SECRET = base64.b64encode(bytes(range(200, 232))).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Below pytest's own, so that its findings are not those of the run."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


def private_text() -> str:
    made = keypair.generate(algorithms.ALGORITHMS[13], keypair.KSK, None)
    return bindfile.write(PrivateText(made.algorithm, made.private, ()))


@pytest.mark.parametrize("name", ["pdns.log", "log", "log-4711", "trace"])
def test_a_key_in_a_log_is_found(folder: Path, name: str) -> None:
    content = private_text()
    with_key = open_store("sqlite:zones.db", folder)
    with_key.add_key("example.org", 7, 257, True, True, content)
    with_key.set_tsig_key("a", "hmac-sha256", SECRET)
    with_key.close()
    value = content.split("PrivateKey: ")[1].strip()
    start = "2026-11-22T09:30:01.250101Z 4711.1    0.052 ms " if name == "trace" else "a line\n"
    for said in (value, json.dumps({"key": content}), value.replace("/", "\\/"), f"x{value[:20]}", SECRET):
        (folder / name).write_text(start + said)
        assert len(leaks.found(folder, {}, leaks.of_folder(folder))) == 1, said
        assert len(leaks.found(folder, {"stderr of a test": said}, leaks.of_folder(folder))) == 2
    (folder / name).write_text(start + value[:10])
    assert not leaks.found(folder, {}, leaks.of_folder(folder))
    (folder / name).unlink()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("secret", f"{PASSWORD}\n"),
        ("pgpass", f"db.example:5432:pdns:pdns:{PASSWORD}\n"),
        ("pipebackend.toml", f'[store]\nurl = "postgresql://pdns:{PASSWORD}@db.example/pdns"\n'),
        ("Kexample.+013+1.private", f"PrivateKey: {PASSWORD}\n"),
    ],
)
def test_secrets_of_http_and_passwords_of_postgresql_are_known(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    (folder / "log").write_text(f"GET /dns/{PASSWORD}/lookup")
    assert len(leaks.found(folder, {}, leaks.of_folder(folder))) == 1
    (folder / "log").unlink()


def test_keys_that_tests_write_out_are_known() -> None:
    known = leaks.pieces(leaks.of_sources(TOP / "tests"))
    assert len(known) > 50


def test_a_run_that_says_a_key_fails(folder: Path) -> None:
    """With workers and without; the run itself passes but for that."""
    value = private_text().split("PrivateKey: ")[1].strip()
    (folder / "conftest.py").write_text(f"import sys; sys.path.insert(0, {str(TOP)!r})\nfrom tests.conftest import *\n")
    (folder / "test_it.py").write_text(
        "def test_it(tmp_path):\n"
        f"    (tmp_path / 'Kexample.+013+1.private').write_text('PrivateKey: {value}')\n"
        f"    (tmp_path / 'server.log').write_text('it is {value}')\n"
    )
    for words in ([], ["-n", "2"]):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        command += [f"--basetemp={folder / 'base'}", f"--rootdir={folder}", str(folder)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "1 passed" in done.stdout
        assert "server.log has" in done.stdout
    for path in folder.rglob("*"):  # or the run that this test is of would find it, too
        if path.name in ("server.log", "test_it.py"):
            path.unlink()


def test_a_file_that_has_gone_says_nothing(tmp_path: Path) -> None:
    gone = tmp_path / "zones.db-shm"
    assert (leaks._start(gone), leaks._text(gone)) == (b"", "")
