"""Each test tells which sections of docs/modes.md it served, and how: scripts/make-compatibility keeps that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.modes.page import Section

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def served(request: pytest.FixtureRequest) -> Iterator[None]:
    Section.served.clear()
    yield
    for process in Section.services:
        process.terminate()
        process.wait()
    Section.services.clear()
    for title, way in sorted(Section.served):
        request.node.user_properties.append((title, way))
