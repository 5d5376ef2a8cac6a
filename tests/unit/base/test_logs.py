"""The log: lines on stderr, whatever is in them."""

from __future__ import annotations

import os

import pytest

from pipebackend.base import logs

PREFIX = f"pipebackend[{os.getpid()}]"


@pytest.mark.parametrize("level", ["info", "warning", "error"])
def test_a_message_is_a_line_on_stderr_alone(capfd: pytest.CaptureFixture[str], level: str) -> None:
    getattr(logs, level)("something")
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"{PREFIX} {level}: something\n")


def test_each_line_of_a_message_says_where_it_is_from(capfd: pytest.CaptureFixture[str]) -> None:
    logs.error("one\ntwo\n")
    assert capfd.readouterr().err == f"{PREFIX} error: one\n{PREFIX} error: two\n"


def test_what_is_no_unicode_is_logged_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    logs.info("ü \udcff")
    assert capfd.readouterr().err == f"{PREFIX} info: ü \\udcff\n"


def test_what_would_command_a_terminal_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    logs.error("a\0b \x1b[2J ü \r")
    assert capfd.readouterr().err == f"{PREFIX} error: a\\x00b \\x1b[2J ü \\r\n"


def test_once_says_it_again_only_after_forget(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        logs.once("test: a key", "it happened")
    assert capfd.readouterr().err.count("it happened") == 1
    logs.forget("test: a key")
    logs.forget("test: never seen")
    logs.once("test: a key", "it happened")
    assert capfd.readouterr().err.count("it happened") == 1
    logs.forget("test: a key")


def test_a_traceback_shows_the_exception(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("the thing")
    except KeyError:
        logs.traceback("it failed")
    err = capfd.readouterr().err
    assert err.startswith(f"{PREFIX} error: it failed\n")
    assert "KeyError: 'the thing'" in err
    assert all(line.startswith(PREFIX) for line in err.splitlines())


def test_a_closed_stderr_stops_nothing() -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        logs.error("nobody hears this")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert os.fstat(2)


def test_an_error_that_each_question_meets_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(1000):
        logs.error_of_question("zone x.example is being compiled")
    assert capfd.readouterr().err.count("is being compiled") == 1


def test_errors_of_endless_names_do_not_fill_the_memory(capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(1000):
        logs.error_of_question(f"name {number}")
    assert len(logs._said) <= 100
    assert capfd.readouterr().err.count("name ") == 1000
