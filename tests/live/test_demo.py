"""scripts/demo as a newcomer runs it: it was broken once, and no test knew."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts import demo
from tests.live.servers import HOST, PATIENCE, ServerFailed

TOP = Path(__file__).parents[2]
STAMPED = ("setup.cfg", "pyproject.toml", "requirements/constraints.txt")  # as in scripts/lib.sh
ANSWERS = {
    "lax.airports.aa TXT": '"Los Angeles International Airport"',
    "lax.airports.aa LOC": "33 56 32.986 N 118 24 28.976 W 38.95m 1m 10000m 10m",
    "AMS.Airports.aa LOC": "52 18 30.960 N 4 45 50.004 E -3.35m 1m 10000m 10m",
    "zrh.airports.aa TXT": '"Zurich Airport"',
}


def is_set_up() -> bool:
    """Whether the tests run in the environment that scripts/test has made, so that the demo has nothing to install."""
    stamp = Path(sys.prefix) / "stamp"
    made = stamp.read_text() if stamp.exists() else ""
    made_from = hashlib.sha256(b"".join((TOP / name).read_bytes() for name in STAMPED)).hexdigest()
    return stamp.parent.resolve() == (TOP / ".venv").resolve() and made.startswith(made_from)


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not is_set_up(), reason="scripts/demo would install things; scripts/test does it before"),
]


def four_free_ports() -> int:
    """The first of them; below those that the system gives to servers which ask for any."""
    while True:
        first = random.randrange(10_000, 32_000)
        try:
            return min([demo.free(port) for port in range(first, first + 4)])
        except ServerFailed:
            continue


def run_demo(port: int) -> tuple[int, str, str]:
    """Its status, and what it prints on stdout and stderr; AssertionError if it leaves files behind."""
    command = [TOP / "scripts" / "demo", "--once", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:  # pytest's has a name that is too long for a socket in it
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            try:
                out, err = running.communicate(timeout=5 * PATIENCE)
            finally:
                running.terminate()  # on which it ends its servers
        assert os.listdir(folder) == []
    return running.returncode, out, err


def test_the_demo_shows_answers_of_all_its_servers_and_ends():
    first = four_free_ports()
    status, out, err = run_demo(first)
    assert (status, err) == (0, ""), out
    for port, launch in ((first, "remote"), (first + 1, "pipe")):
        assert f"\n    launch={launch}\n" in out
        for question, answer in ANSWERS.items():
            assert f"\n$ dig @{HOST} -p {port} {question} +short\n{answer}\n" in out
    ds = [line for line in out.splitlines() if line.startswith("airports.aa. IN DS ")]
    assert [line.split()[4:6] for line in ds] == [["13", "2"], ["13", "4"]]
    validated = out.partition(f"\n$ dig @{HOST} -p {first + 3} lax.airports.aa TXT ")[2]
    assert "status: NOERROR" in validated
    assert "\n;; flags: qr rd ra ad; " in validated
    assert validated.rstrip().endswith(f"\tIN\tTXT\t{ANSWERS['lax.airports.aa TXT']}")
    assert [demo.free(port) for port in range(first, first + 4)]  # its servers have ended


def test_the_demo_says_which_port_it_cannot_have():
    first = four_free_ports()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, first))
        status, out, err = run_demo(first)
    assert (status, out) == (1, "")
    assert (
        err
        == f"demo: UDP port {first} of {HOST} is not free (Address already in use); end what uses it, or take --port\n"
    )
