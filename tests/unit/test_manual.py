"""What is made from the commands: docs/zoneutil.md, the man pages, and what the shell completes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipebackend.cli.main import cli
from scripts.manual import markdown, pages, roff
from scripts.manual.program import Command, Option, commands_of, printed_help

TOP = Path(__file__).parents[2]
ZONEUTIL = os.path.join(sys.prefix, "bin", "zoneutil")
COMMANDS = list(commands_of(cli, "zoneutil"))
needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")


def rendered(page: str) -> str:
    """A man page as read at a terminal that shows all of ASCII, without the spaces that fill a line."""
    command = ["groff", "-man", "-Tutf8", "-ww", "-rHY=0", "-rLL=240n", "-P-cbou"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return re.sub(r" +", " ", done.stdout)


@pytest.mark.parametrize("name", pages.made())
def test_the_page_is_what_the_commands_say(name: str) -> None:
    assert (TOP / name).read_text() == pages.made()[name], "run scripts/make-docs"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_a_command_has_help_with_an_example_of_itself(command: Command) -> None:
    assert command.about and command.about[0].endswith("."), "no first sentence"
    assert command.example.startswith(f"{command.words} ") or command.example == command.words


@needs_groff
@pytest.mark.parametrize("name", [name for name in pages.made() if name.endswith(".1")])
def test_a_man_page_has_no_fault(name: str) -> None:
    assert rendered(pages.made()[name]).count("\nNAME\n") == 1


@needs_groff
def test_the_man_page_shows_what_can_be_typed() -> None:
    """Hyphens, quotes and carets among them, which roff would make typographic."""
    text = rendered(pages.made()["man/zoneutil.1"])
    for command in COMMANDS:
        assert command.is_group or f" {command.example}\n" in text
        assert all(option.written in text for option in command.options)
    assert r"""printf 'HELO\t1\nQ\tlax.airports.aa\tIN\tANY""" in rendered(pages.made()["man/pipebackend.1"])


@needs_groff
def test_text_that_roff_would_take_for_its_own() -> None:
    text = ".so /etc/passwd 'b' \\fB ~^`-- …"
    hostile = Command("x", text, (text, f"    {text}"), text, (Option("-o", text),))
    assert rendered(roff.page(hostile, "y", "1", [hostile], [("Z", text)])).count(text) == 10


def test_an_option_with_a_bar_stays_in_its_cell() -> None:
    made = markdown.page("# x", [COMMANDS[0], Command("x y", "", ("Z.",), "x y", (Option("--a [b|c]", "d|e"),))])
    assert r"| `--a [b\|c]` | d\|e |" in made


@pytest.mark.parametrize("program", ["pipebackend", "remoteshim"])
def test_a_coprocess_tells_its_options(program: str) -> None:
    found = printed_help(program)
    assert {"--config FILE", "--listen unix:PATH", "--workers N"} <= {option.written for option in found.options}
    assert all(option.text for option in found.options)


def test_the_man_pages_are_installed() -> None:
    assert "share/man/man1 = man/*.1" in (TOP / "setup.cfg").read_text()


def completed(shell: str, words: str) -> str:
    environment = {**os.environ, "_ZONEUTIL_COMPLETE": f"{shell}_complete", "COMP_WORDS": words}
    environment["COMP_CWORD"] = words.rpartition(" ")[2] if shell == "fish" else str(words.count(" "))
    return subprocess.run([ZONEUTIL], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "wanted"),
    [("zoneutil zo", "zone"), ("zoneutil key unsec", "unsecure"), ("zoneutil key list --js", "--json")],
)
def test_the_shell_completes(shell: str, words: str, wanted: str) -> None:
    assert re.search(rf"^(plain[,\n])?{wanted}\b", completed(shell, words), re.M)


@pytest.mark.parametrize("group", [command.words for command in COMMANDS if command.is_group][1:])
def test_the_shell_completes_every_command_of_a_group(group: str) -> None:
    found = re.findall(r"plain,(\S+)", completed("bash", f"{group} "))
    below = cli.commands[group.split()[1]]
    assert isinstance(below, click.Group)
    assert found == sorted(below.commands)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_line_for_bash_sets_completion_up() -> None:
    line = re.findall(r"`(eval [^`]*bash_source[^`]*)`", (TOP / "docs" / "zoneutil.md").read_text())
    environment = {**os.environ, "PATH": f"{os.path.dirname(ZONEUTIL)}:{os.environ['PATH']}"}
    script = f"{line[0]}\ncomplete -p zoneutil"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" zoneutil\n")


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "compdef"), ("fish", "complete --no-files --command zoneutil")])
def test_the_other_shells_get_their_script(shell: str, mark: str) -> None:
    environment = {**os.environ, "_ZONEUTIL_COMPLETE": f"{shell}_source"}
    assert mark in subprocess.run([ZONEUTIL], env=environment, capture_output=True, text=True, check=True).stdout
