"""Zones to measure: the same names and records as a table, a zone file, ranges, user code and rows of the store."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipebackend.dnsdata.charstrings import quoted
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from pipebackend.store.rows import rrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "KINDS",
    "Zone",
    "absent",
    "between",
    "make",
    "make_several",
    "mixed",
    "name_of",
    "sign",
    "write_addresses",
    "write_peer_data",
    "write_records",
    "written_out",
]

KINDS = ("table", "file", "ranges", "custom", "stored")
TTL = 60
_TIMERS = "10800 3600 604800 60"
_CUSTOM = '''\
class Made:
    """Computes what the other kinds of zones hold."""

    def __init__(self, count):
        self.count = count

    def lookup(self, name, client):
        if name == "":
            return []
        digits = name[1:]
        if name[0] != "n" or not digits.isdigit() or len(digits) != 7 or int(digits) >= self.count:
            return None
        number = int(digits)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return [("A", address), ("TXT", f"name {number} of a zone to measure, with as much text as an airport has")]
'''


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of ``count`` names and the configuration that serves it."""

    kind: str
    apex: str
    count: int
    config: Path

    def names(self, count: int, seed: int, in_mixed_case: bool) -> Iterator[str]:
        """Names that exist, drawn at random, none twice if there are enough of them.

        ``in_mixed_case`` mixes the case of their letters, as resolvers do.
        """
        draw = random.Random(seed)
        whole, rest = divmod(count, self.count)
        numbers = [number for _ in range(whole) for number in draw.sample(range(self.count), self.count)]
        for number in (*numbers, *draw.sample(range(self.count), rest)):
            name = f"{_owner(self.kind, number)}.{self.apex}"
            yield mixed(name, draw) if in_mixed_case else name


def name_of(number: int) -> str:
    """The owner of so-and-so-many, relative to its zone."""
    return f"n{number:07d}"


def absent(count: int, seed: int) -> Iterator[str]:
    """Labels that are in no zone, no two alike."""
    draw = random.Random(seed)
    return (f"x{number:08d}" for number in draw.sample(range(10**8), count))


def between(zone: Zone, count: int, seed: int) -> Iterator[str]:
    """Labels that are in no zone, no two alike, each right behind one of the zone's that is drawn at random."""
    draw = random.Random(seed)
    return (f"{_owner(zone.kind, draw.randrange(zone.count))}x{number}" for number in range(count))


def make(folder: Path, kind: str, count: int) -> Zone:
    """One zone in a folder of its own."""
    return make_several(folder / f"{kind}-{count}", kind, count, [f"{kind}.example"])[0]


def make_several(folder: Path, kind: str, count: int, apexes: Sequence[str]) -> list[Zone]:
    """Zones with the same names in one configuration."""
    folder.mkdir(parents=True)
    config = folder / "pipebackend.toml"
    _write_sources(folder, kind, count, apexes)
    sections = ['[store]\nurl = "sqlite:zones.db"\n']
    if kind != "stored":
        sections += [_section(kind, apex, count) for apex in apexes]
    config.write_text("\n".join(sections))
    return [Zone(kind, apex, count, config) for apex in apexes]


def sign(config: Path, apex: str, mode: str) -> None:
    """Give a zone a key and ``mode``'s kind of denial: nsec, nsec3 or narrow."""
    zoneutil = [f"{sys.prefix}/bin/zoneutil", "--config", str(config)]
    commands = [[*zoneutil, "key", "secure", apex]]
    if mode != "nsec":
        options = ["--iterations", "0", "--salt", "-", *(["--narrow"] if mode == "narrow" else [])]
        commands.append([*zoneutil, "zone", "nsec3", apex, *options])
    for command in commands:
        subprocess.run(command, stdout=subprocess.PIPE, check=True)


def written_out(apex: str, count: int) -> Iterator[Record]:
    """The records of a zone, SOA first."""
    yield Record(apex, "SOA", TTL, f"ns1.{apex} hostmaster.{apex} 1 {_TIMERS}")
    yield Record(apex, "NS", TTL, f"ns1.{apex}")
    yield Record(f"ns1.{apex}", "A", TTL, "127.0.0.1")
    for number in range(count):
        owner = f"{name_of(number)}.{apex}"
        yield Record(owner, "A", TTL, _address(number))
        yield Record(owner, "TXT", TTL, quoted(_text(number).encode()))


def write_zone_file(path: Path, apex: str, count: int) -> None:
    """The zone in RFC 1035 form; contents of these types hold names only in SOA and NS."""
    with open(path, "w") as file:
        file.write(f"$ORIGIN {apex}.\n$TTL {TTL}\n")
        for record in written_out(apex, count):
            content = record.content.replace(apex, f"{apex}.") if record.type in ("SOA", "NS") else record.content
            file.write(f"{record.owner}. {record.type} {content}\n")


def write_addresses(path: Path, apex: str, count: int) -> None:
    """A zone file with one A record for each name, in order."""
    with open(path, "w") as file:
        file.write(f"$ORIGIN {apex}.\n$TTL {TTL}\n@ SOA ns1 hostmaster 1 {_TIMERS}\n@ NS ns1\nns1 A 127.0.0.1\n")
        for number in range(count):
            file.write(f"{name_of(number)} A {_address(number)}\n")


def write_peer_data(path: Path, apexes: Sequence[str], count: int) -> None:
    """The zones as the dictionary that ``peer`` answers from."""
    write_records(path, (record for apex in apexes for record in written_out(apex, count)))


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Records as that dictionary."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for record in records:
        found.setdefault(record.owner.lower(), []).append((record.type, record.ttl, record.content))
    path.write_text(json.dumps(found))


def _write_sources(folder: Path, kind: str, count: int, apexes: Sequence[str]) -> None:
    if kind == "table":
        with open(folder / "names.tsv", "w") as table:
            table.write("name\taddress\ttext\n")
            for number in range(count):
                table.write(f"{name_of(number)}\t{_address(number)}\t{_text(number)}\n")
    elif kind == "custom":
        (folder / "made_zones.py").write_text(_CUSTOM)
    for apex in apexes:
        if kind == "file":
            write_zone_file(folder / f"{apex}.zone", apex, count)
        elif kind == "stored":
            _store(folder, apex, count)


def _store(folder: Path, apex: str, count: int) -> None:
    store = open_store("sqlite:zones.db", folder)
    store.init()
    ident = store.create_domain(apex, 1)
    store.begin()
    store.add_records(rrs.row(ident, record, None) for record in written_out(apex, count))
    store.commit()
    store.rectify(ident)
    store.close()


def _section(kind: str, apex: str, count: int) -> str:
    head = f'[[zone]]\nname = "{apex}"\nkind = "{kind}"\n'
    if kind == "file":
        return f'{head}file = "{apex}.zone"\n'
    head += f'ttl = {TTL}\nsoa = {{ mname = "ns1.{apex}", rname = "hostmaster.{apex}" }}\nns = ["ns1.{apex}"]\n'
    head += 'records = ["ns1 A 127.0.0.1"]\n'
    if kind == "table":
        records = "".join(
            f'[[zone.record]]\ntype = "{type_}"\ncontent = "{{{column}}}"\n'
            for type_, column in (("A", "address"), ("TXT", "text"))
        )
        return f'{head}file = "names.tsv"\nkey = "name"\n{records}'
    if kind == "ranges":
        return f'{head}ranges = ["10.0.0.0/8"]\n'
    return f'{head}object = "made_zones:Made"\noptions = {{ count = {count} }}\n'


def _owner(kind: str, number: int) -> str:
    return f"host-{_address(number).replace('.', '-')}" if kind == "ranges" else name_of(number)


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _text(number: int) -> str:
    return f"name {number} of a zone to measure, with as much text as an airport has"


def mixed(name: str, draw: random.Random) -> str:
    """The name in a mixture of letter cases, as resolvers ask for it."""
    return "".join(letter.upper() if draw.getrandbits(1) else letter for letter in name)
