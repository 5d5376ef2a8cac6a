"""Runs each folder here: its configuration and data, the lines that PowerDNS would send, the known good answers.

    about.txt         what the folder shows, in a sentence or two
    pipebackend.toml  the configuration; without it the built-in one is served
    pipe.in, pipe.out what the command ``pipebackend`` reads and must write, octet for octet
    remote.in, …      the same for ``remoteshim``
    errors            lines that must be in what the command says on stderr, once each
    status            the exit status, if it is not 0

In what is sent ``{long}`` stands for two million octets; in the expected texts ``{folder}`` stands for the folder that
the command runs in and ``{version}`` for the version.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipebackend.base.version import VERSION
from tests.making import age

HERE = Path(__file__).parent
COMMANDS = {"pipe": "pipebackend", "remote": "remoteshim"}
CASES = sorted((path.parent.name, path.stem) for path in HERE.glob("*/*.in"))


def expected(path: Path, folder: Path) -> bytes:
    text = path.read_bytes() if path.exists() else b""
    return text.replace(b"{folder}", str(folder).encode()).replace(b"{version}", VERSION.encode())


@pytest.mark.parametrize(("name", "protocol"), CASES)
def test_behaviour(name: str, protocol: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(HERE / name, folder)
    for path in folder.iterdir():
        age(path)
    done = subprocess.run(
        [Path(sys.executable).with_name(COMMANDS[protocol])],
        input=(folder / f"{protocol}.in").read_bytes().replace(b"{long}", b"x" * 2_000_000),
        capture_output=True,
        cwd=folder,
        env={},
        check=False,
        timeout=60,
    )
    status = folder / "status"
    assert done.returncode == (int(status.read_text()) if status.exists() else 0), done.stderr.decode()
    assert done.stdout == expected(folder / f"{protocol}.out", folder)
    for line in expected(folder / "errors", folder).splitlines():
        assert done.stderr.count(line) == 1, done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_every_folder_says_what_it_shows_and_has_a_dialogue() -> None:
    folders = [path for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert {folder.name for folder in folders} == {name for name, _ in CASES}
    for folder in folders:
        assert (folder / "about.txt").read_text(encoding="utf-8").strip()
