"""The facade over configured zones; keys and settings have tests of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import ConfigFault, NameFault, NotListable, RequestFault
from pipebackend.base.version import VERSION
from pipebackend.cli import backendcmd
from tests.making import CITIES, TABLE_ZONE, make_watcher, write_config

SECOND = TABLE_ZONE.replace("Cities.Example", "towns.example")


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(make_watcher(tmp_path, TABLE_ZONE + SECOND, CITIES + "SFO\tx\t91\t0\t0\n"))


def test_open_backend_serves_the_configuration_that_is_given(tmp_path: Path) -> None:
    backend = open_backend(str(write_config(tmp_path)), {})
    assert [info.zone for info in backend.domains()] == ["cities.example"]


def test_open_backend_tells_every_fault(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace("ttl = 60", 'ttl = "x"\ncolour = 1')
    with pytest.raises(ConfigFault) as caught:
        open_backend(str(write_config(tmp_path, toml)), {})
    assert len(caught.value.faults) == 2


def test_open_backend_reports_a_refused_zone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    backend = open_backend(str(write_config(tmp_path, table="nothing\n")), {})
    assert backend.domains() == []
    err = capfd.readouterr().err
    assert "cities.tsv:1: no column 'code'" in err
    assert "zone cities.example is not served until its file is fixed" in err


def test_the_readmes_serial_agrees_in_all_processes(tmp_path: Path) -> None:
    config = str(write_config(tmp_path, TABLE_ZONE.replace(", serial = 7", "")))
    assert open_backend(config, {}).domains() == open_backend(config, {}).domains()


def test_domains_know_kind_serial_and_id(backend: Backend) -> None:
    info = backend.domain("CITIES.example.")
    assert info is not None
    assert (info.zone, info.serial, info.source, info.kind) == ("cities.example", 7, "table", "NATIVE")
    assert info in backend.domains()
    assert backend.domain("lax.cities.example") is None
    with pytest.raises(NameFault):
        backend.domain("a..b")


def test_a_transfer_by_name_and_by_id(backend: Backend) -> None:
    ident, records = backend.transfer("Cities.Example.")
    listed = list(records)
    assert listed[0].type == "SOA"
    again, same = backend.transfer(None, ident)
    assert (again, list(same)) == (ident, listed)


@pytest.mark.parametrize(
    ("apex", "ident", "complaint"),
    [("other", -1, "there is no zone other"), (None, 1, "there is no zone with the id 1"), (None, -1, "the id -1")],
)
def test_a_transfer_of_no_zone_says_so(backend: Backend, apex: str | None, ident: int, complaint: str) -> None:
    with pytest.raises(NotListable, match=complaint):
        backend.transfer(apex, ident)


def test_faults_of_a_zone(backend: Backend, tmp_path: Path) -> None:
    faults = Operator(backend).zone_faults("cities.example")
    assert list(faults) == [f"{tmp_path}/cities.tsv:5: latitude 91 is out of range"]
    with pytest.raises(RequestFault, match=r"there is no zone other; the zones are cities\.example, towns\.example"):
        Operator(backend).zone_faults("other")


def test_facts_of_a_zone(backend: Backend, tmp_path: Path) -> None:
    facts = Operator(backend).zone_facts("cities.example")
    assert facts["files"] == [f"{tmp_path}/cities.tsv"]
    assert (facts["names"], facts["records"], facts["faults"]) == (5, 9, 1)
    with pytest.raises(RequestFault, match="there is no zone other"):
        Operator(backend).zone_facts("other")


@pytest.mark.parametrize(
    ("pattern", "most", "count"),
    [("*", 100, 18), ("*", 5, 5), ("*", 0, 0), ("LAX.cities*", 9, 2), ("l?x.cities.example", 9, 2), ("lax", 9, 0)],
)
def test_search(backend: Backend, pattern: str, most: int, count: int) -> None:
    assert len(list(backend.search(pattern, most))) == count


def test_search_looks_into_contents_and_gives_the_id(backend: Backend) -> None:
    ((ident, record), _) = backend.search('"Los Angeles"', 9)
    assert (ident, record.content) == (backend.domains()[0].ident, '"Los Angeles"')


@pytest.mark.parametrize(
    ("command", "first"),
    [("help", "help: this list"), ("version", f"pipebackend {VERSION}"), (" stats ", "questions 0")],
)
def test_commands(backend: Backend, command: str, first: str) -> None:
    assert backendcmd.answer(backend, command)[0] == first


def test_the_command_zones_has_a_line_for_each(backend: Backend) -> None:
    info = backend.domains()[0]
    lines = backendcmd.answer(backend, "zones")
    assert lines[0] == f"cities.example table id {info.ident} serial 7"
    assert len(lines) == 2


@pytest.mark.parametrize("text", ["", "HELP", "help me", "x" * 10_000])
def test_an_unknown_command_names_the_known_ones(backend: Backend, text: str) -> None:
    with pytest.raises(RequestFault, match="the commands are help, version, zones, stats") as caught:
        backendcmd.answer(backend, text)
    assert len(str(caught.value)) < 200


def test_search_takes_only_star_and_question_mark_for_more_than_themselves(backend: Backend) -> None:
    assert not list(backend.search("[l]ax.*", 9))


def test_search_for_less_than_nothing_finds_nothing(backend: Backend) -> None:
    assert not list(backend.search("*", -1))


def test_a_file_outside_the_folder_of_the_configuration_is_not_read_for_a_client(tmp_path: Path) -> None:
    """The import quotes what it refuses: a client of the socket saw lines of any file that the service can read."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "pipebackend.toml").write_text("")
    (tmp_path / "secret").write_text("root:secret-hash:\n")
    (folder / "link").symlink_to(tmp_path / "secret")
    opened = open_backend(str(folder / "pipebackend.toml"))
    for path in (tmp_path / "secret", folder / "link", folder / ".." / "secret"):
        with pytest.raises(RequestFault, match="only files below") as caught:
            backendcmd.answer(opened, f"zone import e.test {path}")
        assert "hash" not in str(caught.value)
    opened.close()


@pytest.mark.parametrize("odd", ["\0", "\ud800", "'"])
def test_a_command_that_names_no_possible_file_is_refused_with_a_reason(backend: Backend, odd: str) -> None:
    """The path was resolved as it came, which raised: a traceback in the log for each request."""
    for command in (f"zone import e.test a{odd}", f"zone check {odd}", f"record lookup {odd}.e.test"):
        with pytest.raises(RequestFault) as caught:
            backendcmd.answer(backend, command)
        assert str(caught.value).isprintable()


def test_any_number_of_results_may_be_asked_for(backend: Backend) -> None:
    assert len(list(backend.search("lax.cities.example", 2**63))) == 2


def test_the_store_that_the_configuration_names_no_more_is_closed(tmp_path: Path) -> None:
    watcher = make_watcher(tmp_path, '[store]\nurl = "sqlite:first.db"\n')
    backend = Backend(watcher)
    backend.keyring.set_metadata("a.example", 1, "NSEC3PARAM", ["1 0 0 -"])
    assert open_files(tmp_path / "first.db")
    write_config(tmp_path, '[store]\nurl = "sqlite:second.db"\n')
    watcher.refresh()
    assert dict(backend.keyring.metadata("a.example", None)) == {}
    assert not open_files(tmp_path / "first.db")
    backend.close()


def open_files(path: Path) -> int:
    """How often this process has the file open."""
    open_now = Path("/proc/self/fd").iterdir()
    return sum(descriptor.exists() and os.path.samefile(path, descriptor) for descriptor in open_now)
