"""A running process follows its files: what changes is answered, what is broken or gone leaves the old answers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.making import CITIES, TABLE_ZONE, write_config

QUESTION = b"Q\tlax.cities.example\tIN\tTXT\t-1\t127.0.0.1\n"
PATIENCE = 30  # seconds, for a machine that is busy; the change itself counts within one


class Running:
    """A ``pipebackend`` that is asked and asked again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_config(folder)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("pipebackend"), "--config", folder / "pipebackend.toml"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.line(b"HELO\t1\n")

    def line(self, request: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(request)
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def text(self) -> bytes:
        """The content that the question gets now."""
        line = self.line(QUESTION)
        if line == b"END\n":
            return b""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"END\n"
        return line.rstrip(b"\n").split(b"\t")[-1]

    def text_becomes(self, wanted: bytes) -> bool:
        return self.comes_true(lambda: self.text() == wanted)

    def says(self, what: str) -> bool:
        return self.comes_true(lambda: what in self.log.read_text())

    @staticmethod
    def comes_true(condition: Callable[[], bool]) -> bool:
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            if condition():
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.process.communicate()
    assert made.process.returncode == 0


def test_files_that_change_break_vanish_and_come_back(running: Running) -> None:
    table, config = running.folder / "cities.tsv", running.folder / "pipebackend.toml"
    assert running.text() == b'"Los Angeles"'

    table.write_text(CITIES.replace("Los Angeles", "L.A."), encoding="utf-8")
    assert running.text_becomes(b'"L.A."')

    table.write_text("nothing\n")
    assert running.says("no column 'code'")
    assert running.text() == b'"L.A."'

    table.unlink()
    assert running.says("there is no file")
    assert running.text() == b'"L.A."'

    table.write_text(CITIES, encoding="utf-8")
    assert running.text_becomes(b'"Los Angeles"')

    config.write_text("[[zone\n")
    assert running.says("is not TOML")
    assert running.text() == b'"Los Angeles"'

    config.write_text(TABLE_ZONE.replace("{city}", "the {city}"))
    assert running.text_becomes(b'"the Los Angeles"')


def test_faulty_rows_of_a_new_table_are_said_with_file_and_line(running: Running) -> None:
    (running.folder / "cities.tsv").write_text(CITIES + "SFO\tSan Francisco\t91\t0\t0\n", encoding="utf-8")
    assert running.says(f"{running.folder}/cities.tsv:5: latitude 91 is out of range")
    assert running.text() == b'"Los Angeles"'
