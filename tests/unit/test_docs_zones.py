"""The sections Table and File of docs/zones.md: their examples are served, and do what the words below them say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import ZoneFault
from pipebackend.zones.text import zonefile
from tests.unit import documents

PAGE = documents.text("docs/zones.md")
TABLE, FILE = (documents.section(PAGE, heading) for heading in ("## Table", "## File"))
HEADER = "iata\ticao\tname\tcity\tcountry\tlatitude\tlongitude\televation_m\n"
ZONE = "example.org.zone"


def table(folder: Path, *rows: str) -> Backend:
    """The zone of the page over a table with these rows; airports.tsv itself if there are none."""
    (folder / "c.toml").write_text(documents.fenced(TABLE, "toml")[0])
    path = folder / "airports.tsv"
    if rows:
        path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    else:
        path.symlink_to(documents.TOP / "airports.tsv")
    return open_backend(str(folder / "c.toml"))


def zone(folder: Path, more: str = "") -> Backend:
    """The zone file of the page and what is added to it."""
    (folder / "c.toml").write_text(documents.fenced(FILE, "toml")[0])
    (folder / ZONE).write_text(documents.fenced(FILE, "")[0] + more)
    return open_backend(str(folder / "c.toml"))


def contents(backend: Backend, name: str) -> list[tuple[str, str]]:
    return [(record.type, record.content) for record in backend.lookup(name, "ANY").records]


def test_the_table_is_served(tmp_path: Path) -> None:
    found = contents(table(tmp_path), "LAX.airports.aa")
    assert found[0] == ("TXT", '"Los Angeles International Airport"')
    assert found[1][0] == "LOC"


def test_keys_and_empty_cells(tmp_path: Path) -> None:
    backend = table(
        tmp_path,
        "A\\032B\t\tNo place\t\t\t\t\t",
        "C\\.D\t\t\t\t\t1\t2\t",
        "",
        "lax\t\tFirst\t\t\t\t\t",
        "LAX\t\tSecond\t\t\t\t\t",
        "ns1\t\tA server, too\t\t\t\t\t",
    )
    assert contents(backend, "a\\032b.airports.aa") == [("TXT", '"No place"')]
    assert [type_ for type_, _ in contents(backend, "c\\.d.airports.aa")] == ["LOC"]
    assert contents(backend, "lax.airports.aa") == [("TXT", '"First"')]
    assert contents(backend, "ns1.airports.aa") == [("A", "127.0.0.1"), ("TXT", '"A server, too"')]


def test_a_faulty_row_is_told_as_shown(tmp_path: Path) -> None:
    good = [f"A{number}\t\tName\t\t\t1\t2\t3" for number in range(5)]
    backend = table(tmp_path, *good, "A9\t\tName\t\t\t1\t2")
    (fault,) = Operator(backend).zone_faults("airports.aa")
    assert f"      {fault.replace(str(tmp_path), '/etc/powerdns')}\n" in TABLE
    assert contents(backend, "a4.airports.aa")


def test_the_zone_file_is_served(tmp_path: Path) -> None:
    backend = zone(tmp_path)
    assert contents(backend, "www.example.org") == [("AAAA", "2001:db8::80")]
    assert contents(backend, "host-20.example.org") == [("A", "192.0.2.20")]
    assert list(Operator(backend).zone_faults("example.org")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("other.example. A 192.0.2.1\n", "other.example"),
        ("www CNAME ns1\n", "CNAME"),
        ("@ NSEC3PARAM 1 0 0 -\n", "PowerDNS makes them itself"),
    ],
)
def test_what_is_served_and_told_all_the_same(line: str, told: str, tmp_path: Path) -> None:
    backend = zone(tmp_path, line)
    assert contents(backend, "www.example.org")
    assert any(told in fault for fault in Operator(backend).zone_faults("example.org"))


def test_a_file_with_errors_is_refused_with_a_line_for_each(tmp_path: Path) -> None:
    zone(tmp_path, "a A 1.2.3\nb AAAA 1.2.3.4\n")
    with pytest.raises(ZoneFault) as caught:
        zonefile.read(str(tmp_path / ZONE), "example.org")
    assert [fault.partition(": ")[0] for fault in caught.value.faults] == [f"{tmp_path / ZONE}:{n}" for n in (8, 9)]


def test_an_included_file_is_beside_the_file_that_says_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one").write_text("$INCLUDE two\n")
    (tmp_path / "sub" / "two").write_text("deep A 192.0.2.99\n")
    backend = zone(tmp_path, "$INCLUDE sub/one\n")
    assert contents(backend, "deep.example.org") == [("A", "192.0.2.99")]
    assert str(tmp_path / "sub" / "two") in backend.registry.zones[0].sources


@pytest.mark.parametrize("setting", ["direct-dnskey=yes", "dname-processing=yes"])
def test_the_settings_of_powerdns_are_told(setting: str) -> None:
    """What they do is tested with real servers, in tests/live."""
    assert f"`{setting}`" in FILE
    name = setting.partition("=")[0]
    assert any(name in path.read_text() for path in (documents.TOP / "tests" / "live").glob("test_*.py"))
