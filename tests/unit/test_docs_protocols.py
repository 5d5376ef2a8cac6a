"""docs/protocols.md: its dialogues are what the programs say, and it names every method."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipebackend.pipe import ABIS
from remoteshim import methods
from tests.unit import documents
from tests.unit.documents import Shown

PAGE = documents.text("docs/protocols.md")


def timeless(text: str) -> str:
    """Without the serials, which are the times of files."""
    return re.sub(r'(serial"?[ :])\d+', r"\1N", text)


@pytest.mark.parametrize("shown", documents.shown(PAGE), ids=lambda shown: shown.command[:40])
def test_a_dialogue_is_as_shown(shown: Shown, tmp_path: Path) -> None:
    documents.write_files(PAGE, tmp_path)
    assert shown.output.strip()
    assert timeless(documents.run(shown.command, tmp_path)).strip() == timeless(shown.output).strip()


def test_every_method_is_on_the_page() -> None:
    table = documents.section(PAGE, "## REMOTE").partition("### ")[0]
    named = {name for row in re.findall(r"^\| .*\|$", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == methods.KNOWN


def test_the_versions_on_the_page_are_those_that_are_spoken() -> None:
    assert f"| versions | ABI {ABIS[0]} to {ABIS[-1]} |" in PAGE
