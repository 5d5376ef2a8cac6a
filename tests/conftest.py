"""What all tests share: when a test is left out, how long hypothesis may look, the logs of servers on failure, and at
the end of a run the look for private keys in all that was said."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from pipebackend.diagnosis.trace import Writer
from pipebackend.store.database.handle import Handle
from tests import leaks
from tests.live import pairs, servers
from tests.live import postgresql as databases

if TYPE_CHECKING:
    from collections.abc import Generator

_LOG_LINES = 60  # of each server, on failure
_OUTPUT = pytest.StashKey[dict[str, str]]()
_SAID = pytest.StashKey[list[str]]()
_SOURCES, _SECRETS = pytest.StashKey[set[str]](), pytest.StashKey[set[str]]()
_OF_WORKER = "secrets that were said"

settings.register_profile("usual", deadline=None)  # a slow machine is no failure
settings.register_profile("long", deadline=None, max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every", type=int, default=1, help="differential tests ask one of so many questions alone")
    parser.addoption("--long", action="store_true", help="also run the tests marked slow; hypothesis looks longer")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_OUTPUT], config.stash[_SAID] = {}, []
    config.stash[_SOURCES] = leaks.of_sources(Path(__file__).parent)
    config.stash[_SECRETS] = set(config.stash[_SOURCES])
    config.pluginmanager.register(_Output(config), "output of all tests")
    pairs.EVERY = config.getoption("--every")
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


def _noted(owner: type[Any], method: str) -> Generator[list[Any]]:
    """The objects on which this method was called since somebody emptied the list."""
    found: list[Any] = []
    call = getattr(owner, method)

    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(self)
        return call(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, noting)
        yield found


@pytest.fixture(scope="session", autouse=True)
def opened_stores() -> Generator[list[Handle]]:
    """The stores that this process opened since the last test."""
    yield from _noted(Handle, "_connect")


@pytest.fixture(autouse=True)
def stores_are_closed(opened_stores: list[Handle]) -> Generator[None]:
    """Python 3.13 and later report a store that a test left open, in the test that runs when it is collected."""
    yield
    while opened_stores:
        with suppress(sqlite3.ProgrammingError):  # opened by another thread, which alone may close it
            opened_stores.pop().disconnect()


@pytest.fixture(scope="session", autouse=True)
def trace_writers() -> Generator[list[Writer]]:
    """The writers of traces that this process made since the last test."""
    yield from _noted(Writer, "__init__")


@pytest.fixture(autouse=True)
def traces_are_closed(trace_writers: list[Writer]) -> Generator[None]:
    """A front end has its trace open until it ends, which a process of many tests does not."""
    yield
    while trace_writers:
        writer = trace_writers.pop()
        if writer._file is not None:
            os.close(writer._file)
            writer._file = None


@pytest.fixture(autouse=True)
def environment_is_restored() -> Generator[None]:
    """A compiler sets a variable for all that its process starts, and a process of many tests starts others."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() | before.keys():
        if name == "PYTEST_CURRENT_TEST":  # pytest's own
            continue
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]


@pytest.fixture(scope="session")
def postgresql() -> Generator[databases.Cluster]:
    """A PostgreSQL cluster for all tests of this process."""
    if not databases.is_installed():
        pytest.skip("not installed: postgresql; as root scripts/test installs it")
    with databases.Cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """The kinds of store; a test of one kind alone overrides it."""
    return str(request.param)


@pytest.fixture
def store_url(store_kind: str, request: pytest.FixtureRequest) -> Generator[str]:
    """The address of an empty store of each kind."""
    if store_kind == "sqlite":
        yield "sqlite:zones.db"
        return
    cluster: databases.Cluster = request.getfixturevalue("postgresql")
    url = cluster.new_database()
    yield url
    cluster.drop_database(url)


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


class _Output:
    """Keeps what the tests, and what they started, have printed; with workers this comes from them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for title, text in report.sections:
            self._config.stash[_OUTPUT][f"{title} of {report.nodeid}"] = text

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has found."""
        said, secrets = getattr(node, "workeroutput", {}).get(_OF_WORKER, ([], []))
        self._config.stash[_SAID] += said
        self._config.stash[_SECRETS] |= set(secrets)


@pytest.fixture(autouse=True)
def no_secret_is_said(request: pytest.FixtureRequest) -> Generator[None]:
    """No private key and no secret of a test is in a log or a trace of it; pytest then removes what it has left."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    secrets = {secret for content in databases.contents_of_keys() for secret in leaks.of_keys(content)}
    if folder is not None:
        secrets |= leaks.of_folder(folder)
    request.config.stash[_SECRETS] |= secrets
    if folder is not None and (said := leaks.found(folder, {}, request.config.stash[_SOURCES] | secrets)):
        pytest.fail("\n".join(said))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nor in what was printed, or lies in folders of several tests: the run fails if one is."""
    config = session.config
    folder: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    said = [
        *config.stash[_SAID],
        *leaks.found(folder, config.stash[_OUTPUT], config.stash[_SECRETS] | leaks.of_folder(folder)),
    ]
    if hasattr(config, "workeroutput"):
        config.workeroutput[_OF_WORKER] = (said, list(config.stash[_SECRETS]))
        return
    config.stash[_SAID] = said
    if said and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if said := config.stash.get(_SAID, []):
        terminalreporter.section("private keys and secrets were said", red=True)
        for line in said:
            terminalreporter.write_line(line)
