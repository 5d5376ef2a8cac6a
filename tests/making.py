"""Makes the small configurations, tables and zones that many tests need."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from pipebackend.backend.watch import Watcher
from pipebackend.config import configuration
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from pipebackend.zones import registry
from pipebackend.zones.tree import Tree

__all__ = [
    "CITIES",
    "TABLE_ZONE",
    "age",
    "make_tree",
    "make_watcher",
    "pdnsutil_of_gsqlite3",
    "read_config",
    "write_config",
]

CITIES = """\
code\tcity\tlat\tlon\tmetres
LAX\tLos Angeles\t33.94250\t-118.40801\t38.4
VIE\tWien \u201eSchwechat\u201c\t48.11030\t16.56970\t183
GRU\tS\u00e3o Paulo\t-23.43556\t-46.47306\t750
"""

TABLE_ZONE = """\
[[zone]]
name = "Cities.Example"
kind = "table"
file = "cities.tsv"
key = "code"
ttl = 60
soa = { mname = "ns1.cities.example", rname = "hostmaster.cities.example", serial = 7 }
ns = ["ns1.cities.example"]
records = ["ns1 A 192.0.2.1"]
[[zone.record]]
type = "TXT"
content = "{city}"
[[zone.record]]
type = "LOC"
content = "{lat} {lon} {metres}"
"""


def write_config(folder: Path, toml: str = TABLE_ZONE, table: str | None = CITIES) -> Path:
    """``pipebackend.toml`` and ``cities.tsv`` in ``folder``, both as if written long ago."""
    path = folder / "pipebackend.toml"
    path.write_text(toml, encoding="utf-8")
    age(path)
    if table is not None:
        (folder / "cities.tsv").write_bytes(table.encode("utf-8", "surrogateescape"))
        age(folder / "cities.tsv")
    return path


def age(path: Path, seconds: int = 1_700_000_000) -> None:
    """Give a file a time in the past: a file of this very moment counts as still being written."""
    os.utime(path, (seconds, seconds))


def read_config(folder: Path, toml: str = TABLE_ZONE, table: str | None = CITIES) -> configuration.Config:
    return configuration.read(str(write_config(folder, toml, table)))


def make_watcher(folder: Path, toml: str = TABLE_ZONE, table: str | None = CITIES) -> Watcher:
    return Watcher(registry.load(read_config(folder, toml, table)))


def make_tree(apex: str, *lines: str) -> Tree:
    """A tree of ``owner type content`` lines, owners relative to the apex; SOA and NS are added."""
    records = [
        Record(apex, "SOA", 60, f"ns1.{apex} hostmaster.{apex} 1 2 3 4 5"),
        Record(apex, "NS", 60, f"ns1.{apex}"),
    ]
    for line in lines:
        owner, type_, content = line.split(" ", 2)
        records.append(Record(apex if owner == "@" else f"{owner}.{apex}", type_, 60, content))
    return Tree(apex, records)


def pdnsutil_of_gsqlite3(folder: Path) -> list[str]:
    """The command of a pdnsutil that has a new database in ``folder``."""
    with closing(open_store("sqlite:powerdns.db", folder)) as store:
        store.init()
    (folder / "pdns.conf").write_text(f"launch=gsqlite3\ngsqlite3-database={folder}/powerdns.db\ngsqlite3-dnssec=yes\n")
    return ["pdnsutil", f"--config-dir={folder}"]
