"""docs/powerdns-behaviour.md: the rules about PowerDNS, and the comments that cite them."""

from __future__ import annotations

import re

from tests.unit.documents import TOP, text

PAGE = "docs/powerdns-behaviour.md"
RULE = re.compile(r"^- \*\*([A-Z]-\d+)\*\*", re.M)
FOLDERS = ("pipebackend", "remoteshim", "scripts", "tests", "docs", "contrib", ".ci")
SOURCES = [
    path
    for folder in FOLDERS
    for path in sorted((TOP / folder).rglob("*"))
    if path.suffix in (".py", ".md", ".yml", ".service", "") and path.is_file()
]


def rules() -> list[str]:
    """The numbers in the order of the page."""
    return RULE.findall(text(PAGE))


def cited() -> dict[str, str]:
    """The numbers in all other files, each with the last file that has it."""
    letters = "".join({number[0] for number in rules()})
    cites = rf"\b[{letters}]-[1-9]\d?\b|(?<=\brule )[A-Z]-\d+|(?<=\brules )[A-Z]-\d+"  # of any letter behind the word
    return {
        number: str(path.relative_to(TOP))
        for path in SOURCES
        if path != TOP / PAGE
        for number in re.findall(cites, path.read_text(encoding="utf-8", errors="replace"))
    }


def test_each_number_is_of_one_rule() -> None:
    assert len(rules()) > 60
    assert len(set(rules())) == len(rules())


def test_each_rule_names_a_test_that_shows_it() -> None:
    """Which is run on each version; what was only read in PowerDNS's source says so, and is little."""
    bodies = re.split(r"^(?=- \*\*|## )", text(PAGE), flags=re.M)
    unshown = []
    for body in bodies:
        if not RULE.match(body):
            continue
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", body)
        for path, test in named:
            assert f"\ndef {test}(" in (TOP / "tests/live" / path).read_text(encoding="utf-8"), f"{path}::{test}"
        if not named:
            assert "*Read in\n  source.*" in body or "*Read in source.*" in body, body
            unshown.append(body)
    assert len(unshown) <= 3


def test_each_rule_that_is_cited_exists() -> None:
    found = cited()
    assert len(found) > 40
    assert {number: path for number, path in found.items() if number not in rules()} == {}


def test_nothing_is_cited_that_readers_do_not_have() -> None:
    notes = re.compile(r"\b(?:PROTOCOL|DESIGN|CASES|HOUSE|STYLE)\.md\b")
    assert [str(path) for path in SOURCES if notes.search(path.read_text(encoding="utf-8", errors="replace"))] == []
