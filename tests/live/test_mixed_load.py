"""All kinds of questions at once while the table changes each second: no error, and nothing grows.

20 seconds by default, 3 minutes with ``scripts/test --long``, and ``MIXED_LOAD_SECONDS`` for an hour.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.live.flood import LOC, TXT, ask_all
from tests.live.test_keeper_live import powerdns
from tests.making import write_config

pytestmark = pytest.mark.live

MEGABYTE = 1 << 20
ROWS = 200
NOERROR, NXDOMAIN = 0, 3
SOA, ANY = 6, 255
WARM_SECONDS = 5.0
SECONDS = float(os.environ.get("MIXED_LOAD_SECONDS", "20"))


def table(turn: int) -> str:
    rows = (f"r{number}\tturn {turn} row {number}\t{number % 90}.5\t10\t0\n" for number in range(ROWS))
    return "code\tcity\tlat\tlon\tmetres\n" + "".join(rows)


def used(processes: set[int]) -> tuple[int, int]:
    """Private octets of memory, and open files."""
    octets = files = 0
    for process in processes:
        fields = Path(f"/proc/{process}/smaps_rollup").read_text().split()
        octets += 1024 * sum(int(fields[fields.index(key) + 1]) for key in ("Private_Clean:", "Private_Dirty:"))
        files += len(os.listdir(f"/proc/{process}/fd"))
    return octets, files


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
        turn, asked, before = 0, 0, (0, 0)
        while time.monotonic() < start + WARM_SECONDS + seconds:
            if time.monotonic() > start + turn:
                turn += 1
                written = tmp_path / "new"
                written.write_text(table(turn))
                written.rename(tmp_path / "cities.tsv")
            for (name, _), reply in ask_all(setup.server.port, questions).items():
                assert reply.rcode == (NXDOMAIN if name.startswith("none") else NOERROR), name
            asked += len(questions)
            if not before[0] and time.monotonic() > start + WARM_SECONDS:
                before = used(setup.serving())
        after = used(setup.serving())
        assert setup.keepers() == keepers
        assert setup.serving() == serving, "a process was replaced"
        newest = {
            int(reply.records[0][2].split()[1])
            for reply in ask_all(setup.server.port, questions[:4]).values()
            if reply.records and b"turn" in reply.records[0][2]
        }
        assert newest
        assert min(newest) >= turn - 4, "changes are in force"
    grown = (after[0] - before[0]) / len(serving) / MEGABYTE
    print(f"{way}: {asked} questions and {turn} reloads in {seconds:.0f} s; {grown:.2f} MB more each")
    assert after[1] == before[1], "open files"
    assert grown < 2
