"""What becomes of the coprocesses when PowerDNS or one of them ends."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.live.flood import TXT, ask_all
from tests.live.servers import PATIENCE, PdnsServer, Unbound, pipe_config, remote_config, running_processes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

SETTINGS = {"remote": remote_config(), "pipe": pipe_config()}


def _wait_until_gone(pids: set[int]) -> set[int]:
    """Those of the processes that are still there when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while pids and time.monotonic() < deadline:
        time.sleep(0.02)
        pids &= running_processes().keys()
    return pids


def _all_launched(server: PdnsServer) -> set[int]:
    ask_all(server.port, [(f"{first}aa.airports.aa", TXT) for first in "abcdefghijklmnopqrstuvwxyz"])
    assert server.dig("lax.airports.aa", "TXT", "+tcp").answer
    return server.coprocesses()


@pytest.mark.parametrize("protocol", SETTINGS)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_coprocesses_end_with_powerdns(protocol: str, how: signal.Signals, tmp_path: Path) -> None:
    """Also the ones whose input a sibling has inherited (rule L-5)."""
    with PdnsServer(SETTINGS[protocol], tmp_path) as server:
        pids = _all_launched(server)
        assert len(pids) > 1
        os.kill(server.pid, how)
        assert _wait_until_gone(pids) == set()


def test_a_killed_coprocess_is_replaced_over_pipe(tmp_path: Path) -> None:
    with PdnsServer({**SETTINGS["pipe"], "distributor-threads": "1"}, tmp_path) as server:
        before = _all_launched(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert _wait_until_gone(before) == set()
        server.dig("lax.airports.aa", "TXT")  # REFUSED or answered: PowerDNS notices only now (rule 2)
        assert server.dig("lax.airports.aa", "TXT").answer
        assert not server.coprocesses() & before


def test_a_resolver_in_front(tmp_path: Path) -> None:
    """An unsigned zone comes through Unbound without the AD flag, whatever case was asked."""
    with (
        PdnsServer(SETTINGS["remote"], tmp_path) as server,
        Unbound({"airports.aa": server.port}, tmp_path) as resolver,
    ):
        answer = resolver.query("LAX.airports.aa", "TXT")
        assert [rrset.to_text().partition(" ")[2].partition(" ")[2] for rrset in answer.answer] == [
            'IN TXT "Los Angeles International Airport"'
        ]
        assert "AD" not in answer.to_text().split("flags ")[1].splitlines()[0].split()
