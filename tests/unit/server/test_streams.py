"""A session over descriptors: whole lines in, one answer each, however the octets arrive."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from pipebackend.server import streams
from pipebackend.server.framing import MAX_REQUEST


class Echo:
    """Answers each line with itself and counts."""

    def __init__(self) -> None:
        self.settled = 0

    def answer(self, request: bytes) -> bytes:
        return b"<" + request + b">\n"

    def overlong(self) -> bytes:
        return b"overlong\n"

    def settle(self) -> None:
        self.settled += 1


def served(*chunks: bytes) -> tuple[bytes, Echo]:
    """What a session answers when the chunks arrive one after another."""
    source, feeding = os.pipe()
    reading, sink = os.pipe()
    session = Echo()
    answers = bytearray()

    def read_all() -> None:
        while got := os.read(reading, 1 << 16):
            answers.extend(got)

    def feed() -> None:
        for chunk in chunks:
            while chunk:
                chunk = chunk[os.write(feeding, chunk) :]
        os.close(feeding)

    threads = [threading.Thread(target=read_all), threading.Thread(target=feed)]
    for thread in threads:
        thread.start()
    streams.serve(session, source, sink)
    os.close(sink)
    for thread in threads:
        thread.join()
    os.close(source)
    os.close(reading)
    return bytes(answers), session


def test_each_line_has_its_answer() -> None:
    assert served(b"a\nb\n\nc\n")[0] == b"<a>\n<b>\n<>\n<c>\n"


def test_a_line_in_pieces_is_one_line() -> None:
    assert served(b"he", b"ll", b"o\nyou", b"\n")[0] == b"<hello>\n<you>\n"


def test_a_last_line_without_its_end_is_answered() -> None:
    assert served(b"a\nb")[0] == b"<a>\n<b>\n"


def test_no_input_no_answer() -> None:
    answers, session = served()
    assert (answers, session.settled) == (b"", 0)


def test_settle_is_called_once() -> None:
    assert served(b"a\n", b"b\n", b"c\n")[1].settled == 1


def test_the_longest_line_is_answered() -> None:
    line = b"x" * MAX_REQUEST
    assert served(line + b"\na\n")[0] == b"<" + line + b">\n<a>\n"


@pytest.mark.parametrize("excess", [1, 2, 1 << 16, 3 << 20])
def test_a_longer_line_has_one_answer_and_the_next_its_own(excess: int) -> None:
    line = b"x" * (MAX_REQUEST + excess)
    assert served(b"a\n" + line + b"\nb\n")[0] == b"<a>\noverlong\n<b>\n"


def test_an_overlong_line_without_its_end_has_one_answer() -> None:
    assert served(b"x" * (3 * MAX_REQUEST))[0] == b"overlong\n"


def test_nobody_reading_ends_the_session_quietly() -> None:
    source, feeding = os.pipe()
    reading, sink = os.pipe()
    os.close(reading)
    os.write(feeding, b"a\nb\n")
    os.close(feeding)
    streams.serve(Echo(), source, sink)
    assert os.read(source, 1) == b""
    os.close(source)
    os.close(sink)


def run(code: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, **options)  # type: ignore[call-overload,no-any-return]


def test_inherited_descriptors_are_closed_and_the_standard_ones_kept() -> None:
    source, sink = os.pipe()
    code = (
        "import os\nfrom pipebackend.server import streams\nstreams.close_inherited_files()\n"
        "for number in (0, 1, 2): os.fstat(number)\n"
        f"for number in ({source}, {sink}):\n"
        "    try: os.fstat(number)\n"
        "    except OSError: print('closed')\n"
    )
    done = run(code, pass_fds=(source, sink))
    os.close(source)
    os.close(sink)
    assert done.stdout == b"closed\nclosed\n"


def test_a_stray_print_goes_to_stderr_and_answers_to_stdout() -> None:
    code = (
        "import os\nfrom pipebackend.server import streams\nsink = streams.claim_stdout()\n"
        "print('stray', flush=True)\nos.write(sink, b'answer\\n')\n"
    )
    done = run(code)
    assert (done.stdout, done.stderr) == (b"answer\n", b"stray\n")
