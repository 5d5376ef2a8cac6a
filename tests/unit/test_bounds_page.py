"""docs/reliability.md, "Bounds": each figure is that of the constant which the row names."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.unit.documents import TOP, section, text

ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in section(text("docs/reliability.md"), "## Bounds").splitlines()
    if line.startswith("| ") and not line.startswith("| what ")
]
CONSTANTS = [(row[0], row[1], row[2], row[4].strip("`")) for row in ROWS if row[4].startswith("`pipebackend.")]


def test_there_is_a_row_for_each_thing_that_may_grow() -> None:
    said = " ".join(row[0] for row in ROWS)
    for what in (
        *("request", "answer", "connections", "name", "label", "empty non-terminals", "transfer", "keys", "metadata"),
        *("compilers", "memory", "workers"),
    ):
        assert what in said, what
    assert len(CONSTANTS) >= 20


@pytest.mark.parametrize(("what", "bound", "then", "constant"), CONSTANTS)
def test_a_figure_is_that_of_its_constant(what: str, bound: str, then: str, constant: str) -> None:
    module, _, name = constant.rpartition(".")
    value = getattr(importlib.import_module(module), name)
    figures = re.findall(r"\d+", f"{bound} {then}" if bound in ("none", "1") else bound)
    assert str(int(value)) in figures, f"{constant} is {value}"


def test_other_figures() -> None:
    from pipebackend.server import master
    from pipebackend.store.zonedata import fill

    page = text("docs/reliability.md")
    assert f"and {fill.NONTERMINALS_EACH} for each record" in page
    assert f"{1024 - master._SPARE_FILES} with 1024" in page
    for unit in (TOP / "contrib/systemd").glob("*.service"):
        assert "\nMemoryMax=2G\n" in unit.read_text()
