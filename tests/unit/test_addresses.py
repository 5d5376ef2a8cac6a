"""No tracked file names the address of a package registry or a path of the machine that it was written on.

Packages are named alone: where they are fetched from is the reader's choice (pip's and apt's settings).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
# Registries of Python, Debian, Ubuntu, JavaScript, Rust, Go, Ruby, Perl, Java and containers, and PowerDNS's own.
REGISTRY = re.compile(
    r"\b(?:pypi\.(?:org|python\.org|io)|pythonhosted\.org|anaconda\.(?:org|com)"
    r"|(?:deb|security|snapshot|archive|packages|ftp(?:\.\w+)?)\.debian\.org|(?:archive|security|ports)\.ubuntu\.com"
    r"|npmjs\.(?:org|com)|registry\.yarnpkg\.com|crates\.io"
    r"|(?:proxy|sum)\.golang\.org|rubygems\.org|(?:meta)?cpan\.org|repo1?\.maven(?:\.apache)?\.org"
    r"|docker\.(?:io|com)|ghcr\.io|quay\.io|repo\.powerdns\.com)\b",
    re.I,
)
# ann is the person of the tests; a plain word below /tmp is an example, any other name there was made by a program.
MACHINE = re.compile(
    r"(?<![\w.~*-])/(?:home/(?!ann\b)\w|Users/\w|root/[\w.]|work/\w|workspaces?/\w|builds/\w|github/\w"
    r"|mnt/\w|tmp/(?:tmp\w|pytest-|(?![a-z]+(?:[.-][a-z]+)*(?![\w/]|[.-]\w))\w))"
)


def tracked() -> list[Path]:
    """The text files that git knows."""
    git = ["git", "-c", "safe.directory=*", "-C", str(TOP), "ls-files", "-z"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"not in a git checkout: {done.stderr.strip()}")
    paths = [TOP / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def own_path() -> list[str]:
    """This checkout, unless it is where the pages say that a program may be installed."""
    return [str(TOP)] if len(TOP.parts) > 2 and TOP.parts[1] not in ("etc", "opt", "srv", "usr") else []


def found_in(text: str) -> list[str]:
    """The addresses and paths in a text that no file should have."""
    found = [match[0] for pattern in (REGISTRY, MACHINE) for match in pattern.finditer(text)]
    return found + [path for path in own_path() if path in text]


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    files = tracked()
    assert len(files) > 200
    found = {str(path.relative_to(TOP)): found_in(path.read_text(errors="replace")) for path in files}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "parts",
    [
        ("[airportsdata](https://pypi", ".org/project/airportsdata/)"),
        ("https://files.python", "hosted.org/packages/x.whl"),
        ("deb http://deb.deb", "ian.org/debian trixie main"),
        ("http://ftp.de.deb", "ian.org"),
        ("https://registry.npm", "js.org/left-pad"),
        ("see <https://crates", ".io/crates/x>"),
        ("--index-url=https://PyPI", ".org/simple"),
        ("cd /", "work/main"),
        ("`/", "home/bob/pipebackend`"),
        ("/", "root/.cache"),
        ("file:///", "Users/bob/x"),
        ("/", "tmp/pytest-of-bob/pytest-3"),
        ("/", "tmp/tmpa1b2c3d4"),
        ("/", "tmp/jobs.1000/a"),
        ("config=/", "tmp/x1"),
    ],
)
def test_one_would_be_found(parts: tuple[str, str]) -> None:
    assert found_in("".join(parts))


@pytest.mark.parametrize(
    "text",
    [
        "the PyPI package airportsdata",
        "https://doc.powerdns.com/authoritative/",
        "/home/ann/venv/bin/remoteshim",
        "ReadOnlyPaths=/tmp/zones.toml",
        "pdns replay /var/tmp/trace",
        "/opt/pipebackend/bin",
        "tests/work/x and ./work/x",
        "http://www.debian.org/",
    ],
)
def test_an_example_is_left_alone(text: str) -> None:
    assert not found_in(text)
