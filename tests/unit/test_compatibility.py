"""docs/compatibility.md is made from what runs of tests/live/modes left in docs/compatibility.json."""

from __future__ import annotations

import json

from scripts.compatibility import KEPT, PAGE, Outcome, outcomes, page
from tests.live.modes.page import titles

REPORT = """\
<testsuites><testsuite>
<testcase name="a"><properties><property name="Zone files" value="PIPE" /></properties></testcase>
<testcase name="b"><properties><property name="Zone files" value="PIPE" /></properties><failure /></testcase>
<testcase name="c"><properties><property name="Roll-overs" value="PIPE" /></properties><skipped /></testcase>
</testsuite></testsuites>
"""


def kept():
    return json.loads(KEPT.read_text(encoding="utf-8"))


def test_the_page_is_made_from_what_is_kept() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(kept())


def test_each_mode_was_run_with_each_release() -> None:
    assert [each.rpartition(".")[0] for each in kept()] == ["4.7", "4.9", "5.1"]
    for release, run in kept().items():
        without_sockets = {
            title for title, ways in run["modes"].items() if {"PIPE", "REMOTE, pipe", "REMOTE, HTTP"} & set(ways)
        }
        assert without_sockets == set(titles()), release


def test_outcomes_of_a_report() -> None:
    assert outcomes(REPORT) == {"Zone files": {"PIPE": Outcome(1, 1)}}
    assert [str(Outcome(2, 0)), str(Outcome(1, 1)), str(Outcome(0, 0))] == ["yes", "1 of 2 tests", "not run"]
