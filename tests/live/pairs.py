"""Two servers that are asked the same, and what is the same for all pairs: quiet settings, questions, the report."""

from __future__ import annotations

import contextlib
import random
import secrets
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from tests.live.differential import FOLDER, both_answers, differing, questions, unanswered
from tests.live.servers import gsqlite3_schema
from tests.live.signed import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.live.differential import Difference, Question
    from tests.live.servers import PdnsServer

__all__ = ["QUIET", "RANDOM_NAMES", "Pair", "bind_database", "found_in", "named_conf", "sample", "shown"]

# PowerDNS logs each CNAME loop, and here keys do not change. Unless
# 8bit-dns is on, it fails each question for a name in which an octet is none of letters, digits and "-_*./@\: ".
QUIET = {
    "loglevel": "4",
    "8bit-dns": "yes",
    "dnssec-key-cache-ttl": "600",
    "zone-metadata-cache-ttl": "600",
}
EVERY = 1  # one of so many questions alone, set by --every: where the same is asked of several releases
_DRAWN = secrets.randbits(32)  # other questions in each run, so that all are asked in the end
RANDOM_NAMES, MANY_RANDOM_NAMES = 75, 8000  # of each zone
_SHOWN = 40


class Pair(NamedTuple):
    """Two running servers of the same zones."""

    theirs: PdnsServer
    ours: PdnsServer


def named_conf(folder: Path, files: Mapping[str, Path]) -> Path:
    """The zones of PowerDNS's bind backend, by their names."""
    path = folder / "named.conf"
    path.write_text("".join(f'zone "{apex}" {{ type master; file "{file}"; }};\n' for apex, file in files.items()))
    return path


def bind_database(folder: Path, zones: Iterable[str], mode: str, key: str = "") -> str:
    """A new database of PowerDNS's bind backend: for each zone the key, or its signatures, and the kind of denial.

    By SQL, for pdnsutil of Debian's PowerDNS 5.1.5 cannot load the module of that backend.
    """
    path = folder / "bind.db"
    param = MODES[mode]
    kinds = {"NSEC3PARAM": param, "NSEC3NARROW": "1" if mode == "narrow" else None, "PRESIGNED": None if key else "1"}
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(gsqlite3_schema().with_name("bind-dnssec.schema.sqlite3.sql").read_text())
        for zone in zones:
            insert = "INSERT INTO domainmetadata (domain, kind, content) VALUES (?, ?, ?)"
            connection.executemany(insert, [(zone, kind, value) for kind, value in kinds.items() if value is not None])
            if key:
                insert = "INSERT INTO cryptokeys (domain, flags, active, published, content) VALUES (?, 257, 1, 1, ?)"
                connection.execute(insert, (zone, key))
    return str(path)


def found_in(
    pair: Pair, zones: Mapping[str, str], is_signed: bool, is_long: bool, every: int = 1
) -> Iterator[Difference]:
    """The differences in all zones. An eighth of the questions also has the less fitting DO bit; when long, all.

    ``every`` is for another way to the same answers: one of so many questions is asked, unless it is long.
    """
    seed, count = (secrets.randbits(32), MANY_RANDOM_NAMES) if is_long else (0, RANDOM_NAMES)
    print(f"random names of seed {seed}, questions drawn by {_DRAWN}")  # pytest shows it on failure
    for apex, file in zones.items():
        possible = questions(apex, FOLDER / file, seed, count)
        asked = [each for n, each in enumerate(possible) if is_long or each.signed == is_signed or n % 16 < 2]
        asked = sample(asked, apex, 1 if is_long else every)
        expected, got = both_answers(pair.theirs.port, pair.ours.port, asked)
        assert unanswered(asked, expected) == []
        yield from differing(asked, expected, got)


def sample(asked: list[Question], apex: str, every: int) -> list[Question]:
    """One of so many questions, and of them those that ``--every`` leaves; others for another zone or another run."""
    share = EVERY * every
    drawn = random.Random(f"{apex} {_DRAWN}")
    return [question for question in asked if drawn.randrange(share) == 0]


def shown(found: list[Difference]) -> str:
    """All that a failing test need say of them."""
    return "\n".join([f"{len(found)} differences", *map(str, found[:_SHOWN])])
