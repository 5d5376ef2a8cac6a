"""Pages of docs/ read by a program: their blocks of code, and the commands in them with what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
PAGES = sorted([TOP / "README.md", *(TOP / "docs").glob("*.md")])
INSTALLED = Path("/etc/powerdns")  # where the pages have the configuration, the tests have a folder of their own
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.M)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command after a ``$``, and what stands below it up to the next command or the end of its block."""

    command: str
    output: str


def text(name: str) -> str:
    """The page with this path in the project."""
    return (TOP / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    below = page.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{level}}} ", below, maxsplit=1, flags=re.M)[0]


def fenced(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [block for found, block in _FENCED.findall(page) if found == language]


def prose(page: str) -> str:
    """The page without its blocks."""
    return _INDENTED.sub("", _FENCED.sub("", page))


def indented(page: str) -> list[str]:
    """The indented blocks, those of a few empty lines apart too, without their indentation."""
    found = _INDENTED.findall(_FENCED.sub("", page))
    return ["".join(line.removeprefix("    ") for line in block.splitlines(keepends=True)) for block in found]


def shown(page: str) -> list[Shown]:
    """The commands that the page shows."""
    parts = [part for block in indented(page) for part in re.split(r"^\$ ", f"\n{block}", flags=re.M)[1:]]
    return [Shown(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def write_files(page: str, folder: Path) -> None:
    """The files that the page shows, each under the name in its first line, as in ``# my_zones.py``."""
    for _, block in _FENCED.findall(page):
        first = block.partition("\n")[0]
        found = re.fullmatch(r"[#;] (?:/etc/powerdns/)?([\w.-]+\.\w+)", first)
        if found:
            (folder / found[1]).write_text(block, encoding="utf-8")


def run(command: str, folder: Path) -> str:
    """What a shell in that folder prints for a command of the page, stderr too, with the page's paths."""
    environment = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        command.replace(str(INSTALLED), str(folder)),
        shell=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.replace(str(folder), str(INSTALLED))
