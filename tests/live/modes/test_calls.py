"""docs/calls.md is what scripts/make-calls would write today."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from scripts.calls import PAGE, QUESTIONS, SITUATIONS, calls_of, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.calls import Stage

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("calls")) as running:
        yield running


def written() -> dict[str, str]:
    """What the page says of each situation."""
    return dict(re.findall(r"^## ([^\n]*)\n\n```\n(.*?)```$", PAGE.read_text(), re.M | re.S))


def of_one_run(calls: str) -> list[str]:
    """Without the first call of a process, which it makes in whichever situation comes first."""
    return [line for line in calls.splitlines() if "initialize" not in line]


def test_the_page_has_every_situation() -> None:
    assert list(written()) == [situation.title for situation in SITUATIONS]
    assert len(SITUATIONS) >= 15


@pytest.mark.parametrize("situation", QUESTIONS, ids=lambda situation: situation.title)
def test_the_page_is_of_today(made: Stage, situation) -> None:
    """Only questions: what several processes do at a time differs from run to run."""
    assert of_one_run(calls_of(situation, made)) == of_one_run(written()[situation.title])
