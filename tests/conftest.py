"""What all tests share: when a test is left out, how long hypothesis may look, and the logs of servers on failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.live import servers

if TYPE_CHECKING:
    from collections.abc import Generator

_LOG_LINES = 60  # of each server, on failure

settings.register_profile("usual", deadline=None)  # a slow machine is no failure
settings.register_profile("long", deadline=None, max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked slow; hypothesis looks longer")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--long") else "usual")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = servers.missing_programs()
    without_programs = pytest.mark.skip(
        reason=f"not installed: {', '.join(missing)}; as root scripts/test installs them"
    )
    without_time = pytest.mark.skip(reason="runs for minutes; scripts/test --long runs it")
    for item in items:
        if missing and item.get_closest_marker("live"):
            item.add_marker(without_programs)
        if item.get_closest_marker("slow") and not config.getoption("--long"):
            item.add_marker(without_time)


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether the tests may take minutes."""
    return bool(request.config.getoption("--long"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the running servers, and their coprocesses, have said."""
    report = yield
    if report.failed:
        for server in servers.RUNNING:
            tail = "\n".join(server.log.splitlines()[-_LOG_LINES:])
            report.sections.append((f"log of {server.title} on port {server.port}", tail))
    return report
