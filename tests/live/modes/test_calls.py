"""docs/calls.json is what scripts/make-calls would write today, with the release that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.calls import QUESTIONS, SITUATIONS, calls_of, stage, version
from scripts.callspage import read, release_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.calls import Stage

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("calls")) as running:
        yield running


def kept() -> dict[str, list[str]]:
    """The calls of each situation, of the release in PATH."""
    return next(each.calls for each in read() if each.name == release_of(version()))


def of_one_run(calls: list[str]) -> list[str]:
    """Without the first call of a process, which it makes in whichever situation comes first."""
    return [line for line in calls if "initialize" not in line]


def test_every_situation_is_kept() -> None:
    assert list(kept()) == [situation.title for situation in SITUATIONS]
    assert len(SITUATIONS) >= 15


@pytest.mark.parametrize("situation", QUESTIONS, ids=lambda situation: situation.title)
def test_what_is_kept_is_of_today(made: Stage, situation) -> None:
    """Only questions: what several processes do at a time differs from run to run."""
    assert of_one_run(calls_of(situation, made).splitlines()) == of_one_run(kept()[situation.title])
