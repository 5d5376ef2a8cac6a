"""requirements/constraints.txt has a release, with hashes, of all that setup.cfg and pyproject.toml ask for.

So have clients.txt and coverage.txt of all in the .in beside them.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
# A release, the Pythons or systems that it is for, and its hashes: nothing else may be in the file, such as an address.
PINNED = re.compile(r"([\w.-]+)==([\w.]+)(?: ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
FILE = (TOP / "requirements" / "constraints.txt").read_text()
APART = {name: (TOP / "requirements" / f"{name}.txt").read_text() for name in ("clients", "coverage")}
PINS = {name: version for name, version, _ in PINNED.findall(FILE)}


def asked_for() -> list[Requirement]:
    """What the project, its extras and its build need; extras that name the project itself are among these already."""
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    lines = setup["options"]["install_requires"].splitlines()
    for extra in setup["options.extras_require"].values():
        lines += extra.splitlines()
    lines += tomllib.loads((TOP / "pyproject.toml").read_text())["build-system"]["requires"]
    found = [Requirement(line) for line in lines if line.strip()]
    return [requirement for requirement in found if requirement.name != setup["metadata"]["name"]]


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_each_requirement_has_a_release_within_its_bounds(requirement: Requirement) -> None:
    pin = PINS.get(canonicalize_name(requirement.name))
    assert pin is not None and requirement.specifier.contains(pin), "run scripts/renew-constraints"


@pytest.mark.parametrize("file", [FILE, *APART.values()], ids=["constraints", *APART])
def test_there_are_only_releases_with_hashes(file: str) -> None:
    assert re.fullmatch(r"# [^\n]+\n", PINNED.sub("", file))


def test_pip_itself_is_pinned() -> None:
    assert "pip" in PINS


@pytest.mark.parametrize("name", APART)
def test_each_program_apart_has_a_release_within_its_bounds(name: str) -> None:
    lines = (TOP / "requirements" / f"{name}.in").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {name: version for name, version, _ in PINNED.findall(APART[name])}
    assert [str(each) for each in wanted if not each.specifier.contains(pins[canonicalize_name(each.name)])] == []
