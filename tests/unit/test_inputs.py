"""tests/inputs.md names tests that are there."""

from __future__ import annotations

import re

import pytest

from tests.unit.documents import TOP, text

NAMED = sorted(set(re.findall(r"`(tests/[a-z_0-9/]+\.py)::(test_\w+)`", text("tests/inputs.md"))))


@pytest.mark.parametrize(("path", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_the_page_names_is_there(path: str, test: str) -> None:
    assert f"\ndef {test}(" in (TOP / path).read_text(encoding="utf-8")


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 25
