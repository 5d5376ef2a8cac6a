"""docs/calls.md is made from docs/calls.json, and shows where releases of PowerDNS differ."""

from __future__ import annotations

from scripts.callspage import PAGE, Release, page, read


def test_the_page_is_made_from_what_is_kept() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read())
    assert [each.name for each in read()] == ["4.7", "4.9", "5.1"]


def test_what_differs_stands_in_a_second_block() -> None:
    same, other = ["1  a", "1  b"], ["1  a", "1  c"]
    text = page([Release("4.7.3", {"T": same}), Release("4.9.18", {"T": same}), Release("5.1.5", {"T": other})])
    assert text.endswith(
        "## T\n\n```\n1  a\n1  b\n```\n\n5.1 in place of 4.7, 4.9:\n\n```diff\n …\n 1  a\n-1  b\n+1  c\n```\n"
    )
