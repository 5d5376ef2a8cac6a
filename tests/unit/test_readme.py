"""What the README shows is so: its commands run, with its output, and its configuration is the built-in one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipebackend.config.configuration import BUILT_IN

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()
COMMANDS = Path(sys.executable).parent


def shown() -> list[tuple[str, str]]:
    """The commands after a ``$`` and the output that stands below them, up to the next empty line."""
    found = []
    without_code = re.sub(r"^```.*?^```", "", README, flags=re.M | re.S)
    for indented in re.findall(r"(?:^    .*\n)+", without_code, re.M):
        lines = "".join(line.removeprefix("    ") for line in indented.splitlines(keepends=True))
        found += [
            (part.partition("\n")[0], part.partition("\n")[2]) for part in re.split(r"^\$ ", lines, flags=re.M)[1:]
        ]
    return found


def block(language: str) -> str:
    """The first fenced block of a language."""
    return README.split(f"```{language}\n")[1].split("```")[0]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
    return subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def write_configuration(folder: Path) -> None:
    (folder / "pipebackend.toml").write_text(block("toml"))
    (folder / "airports.tsv").symlink_to(TOP / "airports.tsv")


@pytest.mark.parametrize(("command", "output"), shown(), ids=lambda text: text[:40])
def test_a_command_of_the_readme_runs(command: str, output: str, tmp_path: Path) -> None:
    if "key" in command:
        write_configuration(tmp_path)
        if " ds " in command:
            run("zoneutil key secure airports.aa", tmp_path)
    done = run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr
    if output:
        assert done.stdout == output


def test_the_configuration_shown_is_the_built_in_one() -> None:
    assert tomllib.loads(block("toml")) == BUILT_IN


def test_the_zone_in_python_answers(tmp_path: Path) -> None:
    (tmp_path / "my_zones.py").write_text(block("python"))
    (tmp_path / "pipebackend.toml").write_text(
        '[[zone]]\nname = "clock.example"\nkind = "custom"\nobject = "my_zones:Clock"\nns = ["ns.example"]\n'
        'soa = { mname = "ns.example", rname = "hostmaster.example" }\n'
    )
    done = run("zoneutil record lookup utc.clock.example TXT", tmp_path)
    assert re.match(r'utc\.clock\.example\. \d+ IN TXT "\d\d:\d\d:\d\d"', done.stdout), done


def test_every_page_is_linked() -> None:
    pages = {f"docs/{page.name}" for page in (TOP / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\((docs/[^)]+\.md)\)", README))
