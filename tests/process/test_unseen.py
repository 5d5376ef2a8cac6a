"""A question that a process took and did not live to look at, as happens most often to one that is killed under load.

In each test the processes of one keeper behave as the words of its command say, one word for each.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipebackend.server import supervisor

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import os, sys
from pipebackend.server import streams, supervisor


class Session:
    def answer(self, request):
        memory.remember(b"opened")
        if request == b"opened":
            return b""
        return b"answer to " + request + b"\\n"

    def settle(self):
        pass


memory = supervisor.keep(0, 1, lambda request: request and b"refused " + request + b"\\n")
with open("lives", "ab") as lives:
    life = sys.argv[1:][lives.tell()]
    lives.write(b"x")
if life == "cannot-start":
    os._exit(2)
if life == "dies-at-start":
    os.kill(os.getpid(), 9)
if life != "serves":
    memory.remember(None if life == "takes-within-transaction" else b"opened")
    memory.note_start()
    os.readv(0, (memory.chunk,))
    if life == "looks":
        memory.take_whole()
    os.kill(os.getpid(), 9)
streams.serve(Session(), 0, 1, memory)
"""


def ran(folder: Path, question: bytes, *lives: str) -> tuple[int, bytes]:
    """The status of a keeper with such processes, and what was answered until its end."""
    command = [sys.executable, "-c", PROGRAM, *lives]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question)
        process.stdin.flush()
        answer = process.stdout.readline()
        process.stdin.close()
        return process.wait(), answer + process.stdout.read()


def test_the_next_process_answers_it(tmp_path: Path) -> None:
    assert ran(tmp_path, b"one\n", "takes", "serves") == (0, b"answer to one\n")


def test_the_next_but_one_answers_it_if_the_next_does_not_come_to_that(tmp_path: Path) -> None:
    assert ran(tmp_path, b"one\n", "takes", "dies-at-start", "serves") == (0, b"answer to one\n")


def test_what_a_process_has_looked_at_is_refused(tmp_path: Path) -> None:
    """It may have been what killed the process."""
    assert ran(tmp_path, b"one\n", "looks", "serves") == (0, b"refused one\n")


def test_the_keeper_ends_at_once_when_no_process_can_start(tmp_path: Path) -> None:
    """PowerDNS waits for an answer: it launches a new keeper now."""
    assert ran(tmp_path, b"one\n", "takes", *["cannot-start"] * supervisor.MOST_VAIN) == (2, b"")


@pytest.mark.parametrize("question", [b"half a line", b"x" * 5000 + b"\n"])
def test_what_cannot_be_told_to_be_one_question_is_for_no_other_process(tmp_path: Path, question: bytes) -> None:
    assert ran(tmp_path, question, "takes", "serves") == (128 + signal.SIGKILL, b"")


def test_a_question_within_a_transaction_is_for_no_other_process(tmp_path: Path) -> None:
    """The writes before it are lost."""
    assert ran(tmp_path, b"one\n", "takes-within-transaction", "serves") == (128 + signal.SIGKILL, b"")
