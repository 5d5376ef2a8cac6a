"""Patterns of a search match what a regular expression would, without trying all its ways."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.dnsdata import wildcards

LETTERS = "abA.?*\\"


@given(st.text(LETTERS, max_size=8), st.text(LETTERS, max_size=12))
def test_it_matches_what_a_regular_expression_matches(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert wildcards.matcher(pattern)(text) == bool(re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL))


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*b", "*a?*a?*a?*a?*b", "*?a*?a*?a*?a*b*"])
def test_a_search_that_finds_nothing_ends(pattern: str) -> None:
    """One TXT record of 1,020 letters hung a worker with all its connections."""
    assert not wildcards.matcher(pattern)("a" * 1020)
