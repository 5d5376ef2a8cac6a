"""Pre-signed zones give the same answers from our store as from PowerDNS's own backends, and deny as their signer says.

The files of differential/ are signed by the tools of ldns and BIND, and served by PowerDNS from our store and from

* its bind backend, which reads the signed file. With opt-out it has no NSEC3 for insecure delegations, though a signer
  may make them (RFC 5155 section 6), and ldns does: ``PROVES_INSECURE``.
* gsqlite3 in that case, which fetches the zone from NSD, so that it sees each NSEC3. Their owners are names of the zone
  to it, which RFC 5155 section 7.1 has not: nothing is asked at and below them.

And whatever the other server says, each NSEC, NSEC3 and RRSIG of our answers must be one of the signed file.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipebackend.admin import zoneimport
from pipebackend.backend.opening import open_backend
from tests.live.differential import (
    FOLDER,
    ROOT,
    ZONES,
    both_answers,
    differing,
    file_lines,
    lines_of,
    questions,
    transferred,
    unanswered,
    without_occluded,
)
from tests.live.modes.example import until
from tests.live.pairs import QUIET, RANDOM_NAMES, bind_database, named_conf, sample, shown
from tests.live.secondaries import Nsd
from tests.live.servers import PdnsServer, gsqlite3_schema, remote_config
from tests.live.signers import SIGNERS, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.live.differential import Difference

pytestmark = pytest.mark.live

PROVES_INSECURE = "ldns-opt-out"
# A cut below a cut is referred to by PowerDNS's own backends, and on their rings and in PowerDNS's transfers. RFC 4035
# section 2.3 forbids it, and signers leave it out: the answers here are held to the file alone.
NESTED = "nested.example"
# NSD takes the dot after a backslash that is escaped for part of the name (RFC 1035 section 5.1).
UNREADABLE = "letters.example"
SOME_SIGNERS = ("ldns-nsec", "bind-nsec3", "bind-opt-out", "ldns-opt-out")
SOME_ZONES = ("cuts.example", "child.cuts.example", NESTED, "bare")
MANY_RANDOM_NAMES = 1000
STANZA = 'zone:\n  name: "{}"\n  zonefile: "{}"\n  provide-xfr: 127.0.0.1 NOKEY\n'


class Signed:
    """What signers made: the records that deny, and all signatures, which are served for other names at a wildcard."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        records = [line.split(" ", 3) for apex, file in files.items() for line in file_lines(apex, file)]
        self._denials = {tuple(record) for record in records if record[2] in ("NSEC", "NSEC3")}
        self._signatures = {content for _, _, type_, content in records if type_ == "RRSIG"}

    def made(self, line: str) -> bool:
        """Whether a line of an answer is one of theirs, or of another type."""
        record = line.partition(": ")[2].split(" ", 3)
        if record[2:3] == ["RRSIG"]:
            return record[3] in self._signatures
        return record[2:3] not in (["NSEC"], ["NSEC3"]) or tuple(record) in self._denials


@contextmanager
def bind(folder: Path, files: Mapping[str, Path], mode: str) -> Iterator[PdnsServer]:
    """PowerDNS that reads the signed files."""
    database = bind_database(folder, files, mode)
    settings = {"launch": "bind", "bind-config": str(named_conf(folder, files)), "bind-dnssec-db": database}
    with PdnsServer({**QUIET, **settings}, folder) as server:
        yield server


@contextmanager
def gsqlite3(folder: Path, files: Mapping[str, Path]) -> Iterator[PdnsServer]:
    """PowerDNS that fetches the signed zones from NSD."""
    database = folder / "secondary.db"
    settings = {"launch": "gsqlite3", "gsqlite3-database": str(database), "gsqlite3-dnssec": "yes"}
    server = PdnsServer({**QUIET, **settings, "secondary": "yes", "xfr-cycle-interval": "1"}, folder)
    with Nsd("".join(itertools.starmap(STANZA.format, files.items())), folder) as primary:
        connection = sqlite3.connect(database)
        connection.executescript(gsqlite3_schema().read_text())
        rows = [(apex, f"127.0.0.1:{primary.port}") for apex in files]
        connection.executemany("INSERT INTO domains (name, type, master) VALUES (?, 'SLAVE', ?)", rows)
        connection.commit()
        connection.close()
        with server:
            for apex in files:
                until(lambda apex=apex: bool(server.dig(apex, "SOA").answer), f"{apex} was fetched")
            yield server


def our_store(folder: Path, files: Mapping[str, Path]) -> PdnsServer:
    config = folder / "pipebackend.toml"
    config.write_text("")
    backend = open_backend(str(config))
    for apex, file in files.items():
        assert zoneimport.import_file(backend, apex, str(file), lambda what, count: None).is_signed
    backend.close()
    return PdnsServer({**remote_config(config, dnssec=True), **QUIET}, folder)


def our_files(folder: Path, files: Mapping[str, Path]) -> PdnsServer:
    """The signed files as zones of the configuration: that they are signed is seen without a word about it."""
    config = folder / "pipebackend.toml"
    sections = [f"[[zone]]\nname = '{apex}'\nkind = 'file'\nfile = '{file}'\n" for apex, file in files.items()]
    config.write_text("\n".join(sections))
    return PdnsServer({**remote_config(config, dnssec=True), **QUIET}, folder)


def is_of_empty_wildcard(found: Difference) -> bool:
    """PowerDNS shows the empty non-terminal to who asks ANY (it should not), gsqlite3 with PowerDNS's default TTL."""
    return all(any(line.endswith(r" TYPE0 \# 0") for line in lines) for lines in (found.expected, found.got))


def check(
    folder: Path,
    zones: Mapping[str, str],
    signer: str,
    is_long: bool,
    served: Callable[[Path, Mapping[str, Path]], PdnsServer] = our_store,
) -> None:
    """Our answers about these zones, and the transfers of them."""
    mode = signer.split("-", 1)[1]
    files = {
        apex: signed(apex, FOLDER / file, signer, folder / str(number))
        for number, (apex, file) in enumerate(zones.items())
    }
    by_signer = Signed(files)
    with_bind = signer != PROVES_INSECURE
    peer: AbstractContextManager[PdnsServer] = bind(folder, files, mode) if with_bind else gsqlite3(folder, files)
    seed, count = (secrets.randbits(32), MANY_RANDOM_NAMES) if is_long else (0, RANDOM_NAMES)
    share = 1 if is_long else 12
    print(f"random names of seed {seed}")  # pytest shows it on failure
    with peer as theirs, served(folder, files) as ours:
        for apex, file in zones.items():
            asked = sample(questions(apex, files[apex], seed, count), apex, share)
            expected, got = both_answers(theirs.port, ours.port, asked)
            assert unanswered(asked, expected) == []
            assert [line for line in lines_of(got) if not by_signer.made(line)] == []
            if apex == NESTED:
                continue
            if not with_bind:
                asked = sample(questions(apex, FOLDER / file, seed, count), apex, share)
                expected, got = both_answers(theirs.port, ours.port, asked)
            found = [each for each in differing(asked, expected, got) if with_bind or not is_of_empty_wildcard(each)]
            assert not found, shown(found)
            assert transferred(ours.port, apex) == without_occluded(transferred(theirs.port, apex))


@pytest.mark.parametrize("signer", SOME_SIGNERS)
def test_pre_signed_zones_answer_alike(tmp_path, signer):
    """The zones of which denial has most to say; the next test has all, and all questions."""
    check(tmp_path, {apex: ZONES[apex] for apex in SOME_ZONES}, signer, False)


@pytest.mark.parametrize("signer", SOME_SIGNERS)
def test_signed_files_are_served_pre_signed(tmp_path, signer):
    check(tmp_path, {apex: ZONES[apex] for apex in SOME_ZONES}, signer, False, our_files)


@pytest.mark.slow
@pytest.mark.parametrize("signer", SIGNERS)
def test_all_signed_files_are_served_pre_signed(tmp_path, signer):
    zones = {apex: file for apex, file in ZONES.items() if signer != PROVES_INSECURE or apex != UNREADABLE}
    check(tmp_path, zones, signer, True, our_files)


@pytest.mark.slow
@pytest.mark.parametrize("zones", [ZONES, ROOT], ids=["zones", "root"])
@pytest.mark.parametrize("signer", SIGNERS)
def test_all_pre_signed_zones_answer_alike(tmp_path, signer, zones):
    is_served = {apex: signer != PROVES_INSECURE or apex != UNREADABLE for apex in zones}
    check(tmp_path, {apex: file for apex, file in zones.items() if is_served[apex]}, signer, True)
