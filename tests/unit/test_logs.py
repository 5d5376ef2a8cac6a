"""The log: lines on stderr, whatever is in them."""

from __future__ import annotations

import os

import pytest

from pipebackend import logs

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
