"""When a zone is served from a compiled file, and what happens where it cannot be."""

from __future__ import annotations

import fcntl
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pipebackend.base import logs
from pipebackend.base.errors import ZoneFault
from pipebackend.config import configuration
from pipebackend.config.configuration import Section
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Client
from pipebackend.zones.compiled import choice, compiler, deferred, fingerprints, layout
from pipebackend.zones.compiled.choice import Pending
from pipebackend.zones.compiled.mapped import CompiledZone
from pipebackend.zones.compiled.target import FOLDER, Target
from tests.making import CITIES, age, read_config

APEX, IDENT = "cities.example", 4711


@pytest.fixture(autouse=True)
def _no_compiler_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_compiles", choice.FOREGROUND)
    monkeypatch.setattr(choice, "_requested", {})
    monkeypatch.setenv(fingerprints.VERIFY_KEY, "")  # a build sets it


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return compiler.sections(read_config(tmp_path))[APEX]


def target_of(section: Section) -> Target:
    return Target.of(section, APEX, IDENT)


def zone_file(folder: Path, text: str, name: str = APEX) -> Section:
    (folder / "zone").write_text(text)
    age(folder / "zone")
    table = {"name": name, "kind": "file", "file": "zone"}
    return Section(
        configuration.Config(str(folder / "pipebackend.toml"), str(folder), {"zone": [table]}), table, "zone[0]", []
    )


def never_read() -> NoReturn:
    raise AssertionError("the source is read")


def made(section: Section) -> CompiledZone:
    compiler.build(section, APEX, IDENT)
    found = choice.current(target_of(section))
    assert found is not None
    return found


def test_a_compiled_zone_is_there_until_its_source_changes(section: Section, tmp_path: Path) -> None:
    made(section)
    assert not compiler.build(section, APEX, IDENT)  # nothing to do
    age(tmp_path / "cities.tsv", 1_700_000_001)
    assert choice.current(target_of(section)) is None


def test_after_compiling_garbage_is_collected_as_before(section: Section) -> None:
    """It was not: a process that compiled and went on, as a test of twenty thousand zones, grew to half a gigabyte."""
    made(section)
    assert gc.isenabled()


def test_another_configuration_of_the_zone_is_another_zone(section: Section) -> None:
    made(section)
    changed = Section(section.config, {**section.table, "ttl": 61}, section.path, [])
    assert choice.current(target_of(changed)) is None
    assert choice.current(Target.of(section, APEX, IDENT + 1)) is None


def test_a_refused_source_is_refused_with_its_faults_and_files(tmp_path: Path) -> None:
    section = zone_file(tmp_path, "@ 60 A 192.0.2.300\n")
    compiler.build(section, APEX, IDENT)
    with pytest.raises(ZoneFault, match=r"zone:1: ") as caught:
        choice.current(target_of(section))
    assert caught.value.sources == (str(tmp_path / "zone"),)


def test_a_large_zone_file_waits_and_a_small_one_does_not(tmp_path: Path) -> None:
    section = zone_file(tmp_path, "; nothing\n" * 100_000)
    zone = choice.served(target_of(section), None, never_read)
    assert isinstance(zone, Pending)
    with pytest.raises(ZoneFault, match=rf"zone {APEX} is being compiled; ready in about \d+ s"):
        zone.find(APEX, Client())
    for answer in (zone.soa, zone.listing, zone.ring):
        with pytest.raises(ZoneFault):
            answer()
    assert choice.served(target_of(zone_file(tmp_path, "; nothing\n")), None, never_read) is None


def test_the_old_zone_goes_on_while_the_new_one_is_compiled(tmp_path: Path) -> None:
    text = "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
    before = made(zone_file(tmp_path, text))
    section = zone_file(tmp_path, text + "; nothing\n" * 100_000)
    assert choice.served(target_of(section), before, never_read) is before
    assert before.soa().content.endswith(" 1 2 3 4 5")


def test_a_source_that_changes_faster_than_it_is_compiled_is_read_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that was written each second was served up to 26 versions late: 12 s are the bound for 1 MB."""
    monkeypatch.setattr(choice, "_waiting", {})
    monkeypatch.setattr(choice, "request", lambda _: True)
    before = made(compiler.sections(read_config(tmp_path))[APEX])
    target = target_of(compiler.sections(read_config(tmp_path, table=CITIES + "\n" * (1 << 20)))[APEX])
    assert choice.served(target, before, never_read) is before
    since = choice._waiting[target.path]
    assert target.seconds <= 2
    choice._waiting[target.path] = since - target.seconds - choice._LATE_SECONDS + 5
    assert choice.served(target, before, never_read) is before
    choice._waiting[target.path] = since - target.seconds - choice._LATE_SECONDS - 1
    assert choice.served(target, before, never_read) is None, "it is read into memory now"


def test_where_nothing_can_be_kept_the_zone_is_read_and_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(choice, "_compiles", choice.BACKGROUND)
    (tmp_path / FOLDER).write_text("in the way")
    logs.forget(str(tmp_path / FOLDER))
    section = zone_file(tmp_path, "; nothing\n" * 100_000)
    assert choice.served(target_of(section), None, never_read) is None
    assert choice.served(target_of(section), None, never_read) is None
    assert capfd.readouterr().err.count("make it writable for their user, or run zoneutil") == 1


def test_an_nsec3_ring_is_asked_for_made_and_kept_when_the_source_changes(section: Section, tmp_path: Path) -> None:
    param = Nsec3Param(0, 0, b"\xab")
    with pytest.raises(ZoneFault, match=r"NSEC3 ring of zone cities\.example is being made"):
        made(section).hashed_neighbours("0" * 32, param)
    assert compiler.build(section, APEX, IDENT, "1 0 0 ab")
    first = made(section).hashed_neighbours("0" * 32, param)
    age(tmp_path / "cities.tsv", 1_700_000_001)
    assert made(section).hashed_neighbours("0" * 32, param) == first


def test_files_of_zones_that_are_gone_are_removed(section: Section, tmp_path: Path) -> None:
    made(section)
    other = zone_file(tmp_path, "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n", "other.example")
    compiler.build(other, "other.example", IDENT)
    assert [path.name.rsplit(".", 2)[0] for path in (tmp_path / FOLDER).glob("*.mdb")] == ["other.example"]


def test_a_map_stays_valid_when_its_file_is_replaced(section: Section, tmp_path: Path) -> None:
    before = made(section)
    age(tmp_path / "cities.tsv", 1_700_000_001)
    made(section)
    assert before.find("lax.cities.example", Client())
    assert list(before.listing())


def test_a_source_whose_time_lies_ahead_is_compiled_once(section: Section, tmp_path: Path) -> None:
    """After a clock was set back, or by cp -p: compilers were started again and again and never ended."""
    age(tmp_path / "cities.tsv", int(time.time()) + 86_400)
    made(section)
    assert not compiler.build(section, APEX, IDENT)


def test_a_change_that_keeps_time_and_size_is_noticed(section: Section, tmp_path: Path) -> None:
    made(section)
    table = tmp_path / "cities.tsv"
    table.write_bytes(table.read_bytes().replace(b"Los Angeles", b"Las Angeles"))
    age(table)
    assert choice.current(target_of(section)) is None


def test_a_source_that_never_comes_to_rest_is_given_up(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, written = tmp_path / "cities.tsv", iter(range(1_700_000_000, 1_800_000_000))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(compiler.fingerprints, "is_settled", lambda *_: age(table, next(written)) or False)
    with pytest.raises(ZoneFault, match="changes faster than it is compiled"):
        compiler.build(section, APEX, IDENT)


def test_one_compiler_works_for_a_zone(section: Section, tmp_path: Path) -> None:
    made(section)
    age(tmp_path / "cities.tsv", 1_700_000_001)
    target = target_of(section)
    child = os.fork()
    if not child:  # a lock of this very process would not be in its own way
        with open(tmp_path / FOLDER / choice.LOCK, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX, 1, choice.lock_offset(target.path))
            os._exit(int(_is_made_by_another(section)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert compiler.build(section, APEX, IDENT)


def _is_made_by_another(section: Section) -> bool:
    pid = os.fork()
    if not pid:
        os._exit(int(compiler.build(section, APEX, IDENT)))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


def test_each_damaged_octet_is_found_and_the_zone_is_compiled_again(section: Section, tmp_path: Path) -> None:
    """Of 607 damaged files 113 gave wrong answers."""
    zone = made(section)
    path = Path(target_of(section).path)
    good = path.read_bytes()
    assert not zone.damage()
    for at in range(0, len(good), 997):
        path.write_bytes(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])
        with open(path, "rb") as file, pytest.raises(ValueError, match="digest"):
            layout.check_digest(file.fileno())
    assert zone.damage()
    assert not path.exists()
    assert compiler.build(section, APEX, IDENT)


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        (b"Los Angeles", lambda zone: zone.find(f"lax.{APEX}", Client())),
        (b"Los Angeles", lambda zone: list(zone.listing())),
        (b"GRU.", lambda zone: [zone.ring().neighbours(name) for name in ("a", "h", "z")]),
    ],
)
def test_octets_that_are_no_text_are_damage(
    section: Section, text: bytes, ask: Callable[[CompiledZone], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flipped bit in a name was a traceback for each denial, and the file stayed."""
    made(section)
    monkeypatch.setenv(fingerprints.VERIFY_KEY, "")
    path = Path(target_of(section).path)
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(good.replace(text, bytes((text[0] | 0x80,)) + text[1:]))
    zone = choice.current(target_of(section))
    assert zone is not None
    with pytest.raises(ZoneFault, match="damaged"):
        ask(zone)
    assert not path.exists()


def test_after_a_fault_of_memory_a_damaged_file_is_not_opened(
    section: Section, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    zone = made(section)
    path = Path(target_of(section).path)
    octets = bytearray(path.read_bytes())
    octets[-100] ^= 1
    del zone
    path.unlink()  # another file, which this process has not mapped
    path.write_bytes(octets)
    monkeypatch.setenv(fingerprints.VERIFY_KEY, "1")
    assert choice.current(target_of(section)) is None
    assert "its digest is wrong" in capfd.readouterr().err


def test_a_large_zone_is_not_read_for_a_command_about_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_compiles", choice.NEVER)
    target = target_of(zone_file(tmp_path, "; nothing\n" * 100_000))
    zone = choice.served(target, None, never_read)
    assert isinstance(zone, deferred.Deferred)
    with pytest.raises(AssertionError, match="is read"):
        zone.soa()
    assert not (tmp_path / FOLDER).exists()
