"""Tables and ranges give the same answers as PowerDNS's own bind backend gives for the same zones, written out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.dnsdata import zonelines
from pipebackend.dnsdata.records import ENT
from tests.live.differential import both_answers, differing, questions, transferred, unanswered
from tests.live.pairs import QUIET, RANDOM_NAMES, Pair, named_conf, sample, shown
from tests.live.release import VERSION, powerdns_line
from tests.live.servers import PdnsServer, first_airports, pipe_config, remote_config
from tests.live.signed import MODES
from tests.live.test_differential import bind, is_ent_of_pipe, sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

COMMON = """
ttl = 60
soa = { mname = "ns1.example.net", rname = "hostmaster.example.net", serial = 7 }
ns = ["ns1.example.net"]
"""
CONFIG = f"""
[[zone]]
name = "airports.aa"
kind = "table"
file = "airports.tsv"
key = "iata"
records = ["ns1 A 127.0.0.1", "a.b.c TXT x", "sub NS ns.sub", "ns.sub A 192.0.2.1", "*.w TXT wild"]
{COMMON}
[[zone.record]]
type = "TXT"
content = "{{name}}"
[[zone.record]]
type = "LOC"
content = "{{latitude}} {{longitude}} {{elevation_m}}"
[[zone]]
name = "dyn.example.net"
kind = "ranges"
ranges = ["192.0.2.0/28", "2001:db8::/124"]
domain = "v.dyn.example.net"
records = ["a.b TXT fixed", "sub NS ns.sub", "ns.sub A 192.0.2.1", "host-192-0-2-5.v TXT fixed", "*.w TXT wild"]
{COMMON}
[[zone]]
name = "2.0.192.in-addr.arpa"
kind = "ranges"
ranges = ["192.0.2.64/27"]
domain = "v.dyn.example.net"
records = ["70 NS ns.example.org"]
{COMMON}
"""
TABLE, RANGES = "airports.aa", ("dyn.example.net", "2.0.192.in-addr.arpa")
ZONES = (TABLE, *RANGES)
ONLY_NARROW = (
    "nsec3",
    "opt-out",
)  # not of ranges, whose hashes nobody can put in order: those are narrow by themselves


def write_zones(folder: Path) -> tuple[Path, dict[str, Path]]:
    """Our configuration, and the same zones as files."""
    (folder / "airports.tsv").write_text(first_airports(60), encoding="utf-8")
    config = folder / "pipebackend.toml"
    config.write_text(powerdns_line() + CONFIG)
    backend = open_backend(str(config))
    files = {apex: folder / f"{apex}.zone" for apex in ZONES}
    for apex, file in files.items():
        _, found = backend.transfer(apex)
        file.write_text("".join(f"{zonelines.zone_line(record)}\n" for record in found if record.type != ENT))
    backend.close()
    named_conf(folder, files)
    return config, files


@contextmanager
def running(folder: Path, config: Path, mode: str | None, pipe: bool) -> Iterator[Pair]:
    if mode is not None:
        sign(config, dict.fromkeys(ZONES, ""), mode)
    ours = pipe_config(config) if pipe else remote_config(config, dnssec=True)
    settings = {**ours, **QUIET}
    with bind(folder, dict.fromkeys(ZONES, ""), mode) as theirs, PdnsServer(settings, folder) as server:
        yield Pair(theirs, server)


@pytest.mark.parametrize(("mode", "pipe"), [(None, False), (None, True), *((mode, False) for mode in MODES)], ids=str)
def test_computed_zones_answer_as_the_same_zones_written_out(tmp_path, mode, pipe, is_long):
    config, files = write_zones(tmp_path)
    with running(tmp_path, config, mode, pipe) as pair:
        for apex, file in files.items():
            if mode in ONLY_NARROW and apex in RANGES:
                continue
            every = questions(apex, file, 0, RANDOM_NAMES)
            asked = [each for n, each in enumerate(every) if each.signed == (mode is not None) or n % 16 < 2]
            asked = sample(asked, apex, 1 if is_long else 3)
            expected, got = both_answers(pair.theirs.port, pair.ours.port, asked)
            assert unanswered(asked, expected) == []
            found = differing(asked, expected, got)
            if pipe and VERSION < (5, 1):
                found = [each for each in found if not is_ent_of_pipe(each)]
            assert not found, shown(found)
            if mode != "narrow":  # PowerDNS transfers none of these
                assert transferred(pair.ours.port, apex) == transferred(pair.theirs.port, apex)
