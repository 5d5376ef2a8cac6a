"""docs/security.md: each rule names tests that are there, and the figures are those of the code."""

from __future__ import annotations

import re
import stat

from pipebackend.diagnosis import trace
from pipebackend.store.database import files
from tests.process.test_units import EXPOSURE
from tests.unit.documents import TOP, text

PAGE = text("docs/security.md")


def test_each_rule_names_a_test_that_shows_it() -> None:
    rules = re.findall(r"^- (.*?)(?=^- |^$|\Z)", PAGE, flags=re.M | re.S)
    assert len(rules) > 40
    for rule in rules:
        named = re.findall(r"Test: `([\w/]+\.py)::(\w+)`", rule)
        assert named, rule
        for path, test in named:
            assert f"\ndef {test}(" in (TOP / "tests" / path).read_text(encoding="utf-8"), f"{path}::{test}"


def test_the_modes_are_those_of_the_code() -> None:
    assert f"| {files.PRIVATE:04o} | that of its folder |" in PAGE
    assert f"| traces | {stat.S_IMODE(trace._MODE):04o} |" in PAGE
    assert f"at most {EXPOSURE / 10} of 10" in PAGE


def test_the_page_is_found_from_where_people_look() -> None:
    assert "docs/security.md" in text("SECURITY.md")
    assert "(docs/security.md)" in text("README.md")
