"""All kinds of questions at once while the table changes each second: no error, and nothing grows.

20 seconds by default, 3 minutes with ``scripts/test --long``, and ``MIXED_LOAD_SECONDS`` for an hour.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.flood import LOC, TXT, Reply, ask_all
from tests.live.test_keeper_live import powerdns
from tests.making import write_config

pytestmark = pytest.mark.live

MEGABYTE = 1 << 20
ROWS = 200
NOERROR, NXDOMAIN = 0, 3
SOA, ANY = 6, 255
WARM_SECONDS = 5.0
LOOKS = 12  # at memory and open files: what grows slowly shows as a row of numbers
SECONDS = float(os.environ.get("MIXED_LOAD_SECONDS", "20"))


def table(turn: int) -> str:
    rows = (f"r{number}\tturn {turn} row {number}\t{number % 90}.5\t10\t0\n" for number in range(ROWS))
    return "code\tcity\tlat\tlon\tmetres\n" + "".join(rows)


class Use(NamedTuple):
    """What processes hold: octets of memory that are theirs alone, octets in RAM, and open files."""

    private: int
    resident: int
    files: int


def used(processes: set[int]) -> Use:
    private = resident = files = 0
    for process in processes:
        fields = Path(f"/proc/{process}/smaps_rollup").read_text().split()
        private += sum(int(fields[fields.index(key) + 1]) for key in ("Private_Clean:", "Private_Dirty:"))
        resident += int(fields[fields.index("Rss:") + 1])
        files += len(os.listdir(f"/proc/{process}/fd"))
    return Use(private * 1024, resident * 1024, files)


def is_right(name: str, kind: int, reply: Reply) -> bool:
    if name.startswith("none"):
        return reply.rcode == NXDOMAIN
    return reply.rcode == NOERROR and bool(reply.records) == (kind != SOA)  # a name within the zone has none


def megabytes(octets: list[int], processes: int) -> list[float]:
    """How much more than at first, for each process."""
    return [round((later - octets[0]) / processes / MEGABYTE, 2) for later in octets[1:]]


@pytest.mark.parametrize("way", ["remote", "pipe", "unix"])
@pytest.mark.parametrize("seconds", [SECONDS / 3, pytest.param(60.0, marks=pytest.mark.slow)])
def test_mixed_load_with_a_reload_each_second(way: str, seconds: float, tmp_path: Path) -> None:
    config = write_config(tmp_path, table=table(0))
    questions = [(f"r{number}.cities.example", kind) for number in range(ROWS) for kind in (TXT, LOC, SOA, ANY)]
    questions += [(f"none{number}.cities.example", TXT) for number in range(ROWS)]
    with powerdns(way, tmp_path, config) as setup:
        ask_all(setup.server.port, questions)
        keepers, serving = setup.keepers(), setup.serving()
        start = time.monotonic()
        turn, asked, wrong = 0, 0, list[tuple[str, int]]()
        seen: list[Use] = []
        while time.monotonic() < start + WARM_SECONDS + seconds:
            if time.monotonic() > start + turn:
                turn += 1
                written = tmp_path / "new"
                written.write_text(table(turn))
                written.rename(tmp_path / "cities.tsv")
            replies = ask_all(setup.server.port, questions)
            wrong += [question for question, reply in replies.items() if not is_right(*question, reply)]
            asked += len(questions)
            if time.monotonic() > start + WARM_SECONDS + len(seen) * seconds / LOOKS:
                seen.append(used(keepers | setup.serving()))
        seen.append(used(keepers | setup.serving()))
        assert setup.keepers() == keepers
        assert setup.serving() == serving, "a process was replaced"
        newest = {
            int(reply.records[0][2].split()[1])
            for reply in ask_all(setup.server.port, questions[:4]).values()
            if reply.records and b"turn" in reply.records[0][2]
        }
        assert newest
        assert min(newest) >= turn - 4, "changes are in force"
    private, resident = (megabytes([use[place] for use in seen], len(serving)) for place in (0, 1))
    print(f"{way}: {asked} questions, {len(wrong)} wrong, and {turn} reloads in {seconds:.0f} s")
    print(f"{way}: MB more for each process, its own {private}, in RAM {resident}; files {[use.files for use in seen]}")
    assert not wrong
    assert len({use.files for use in seen}) == 1, "open files"
    assert max(private + resident) < 2
