"""The few options of the two coprocesses."""

from __future__ import annotations

import pytest

from pipebackend.server import arguments


def parse(*argv: str) -> arguments.Arguments:
    return arguments.parse("prog", "Does things.", "1.2", argv)


def test_nothing_given() -> None:
    assert parse().config is None


@pytest.mark.parametrize("argv", [("--config", "a.toml"), ("--config=a.toml",), ("--config=b", "--config", "a.toml")])
def test_the_configuration(argv: tuple[str, ...]) -> None:
    assert parse(*argv).config == "a.toml"


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse("--config=a=b").config == "a=b"


def test_a_trace() -> None:
    assert (parse().trace, parse().trace_full) == (None, False)
    given = parse("--trace", "t-%p", "--trace-full")
    assert (given.trace, given.trace_full) == ("t-%p", True)
    assert given.config is None


@pytest.mark.parametrize(
    ("value", "place"),
    [("127.0.0.1:9100", ("127.0.0.1", 9100)), ("[::1]:9100", ("::1", 9100)), (":9100", ("127.0.0.1", 9100))],
)
def test_a_place_for_prometheus(value: str, place: tuple[str, int]) -> None:
    assert parse("--listen", "unix:/x", "--metrics", value).metrics == place


@pytest.mark.parametrize(
    "argv",
    [("--metrics", ":9100"), ("--listen", "unix:/x", "--metrics", "9.9.9.9"), ("--listen=unix:/x", "--metrics=:0")],
)
def test_no_place_for_prometheus(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(*argv)
    assert left.value.code == 2


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_goes_to_stdout(capfd: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit) as left:
        parse(option)
    out, err = capfd.readouterr()
    assert left.value.code == 0
    assert out.startswith("usage: prog [--config FILE]")
    assert "Does things." in out
    assert err == ""


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse("--version")
    assert (left.value.code, capfd.readouterr().out) == (0, "prog 1.2\n")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (("--confg=x",), "unknown option '--confg=x'"),
        (("a.toml",), "unknown option 'a.toml'"),
        (("\udcff",), "unknown option"),
        (("--config",), "--config needs a file"),
    ],
)
def test_a_wrong_option_is_said_on_stderr(
    capfd: pytest.CaptureFixture[str], argv: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(SystemExit) as left:
        parse(*argv)
    out, err = capfd.readouterr()
    assert (left.value.code, out) == (2, "")
    assert err.startswith("prog: ")
    assert complaint in err
