"""One database for all servers, replicated."""

from __future__ import annotations

import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipebackend.store import open_store
from tests.live.modes.example import APEX, ZONE, check_answers, ds_of, until, validating
from tests.live.modes.page import Section
from tests.live.postgresql import Cluster
from tests.live.servers import HOST

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

FIRST, SECOND = "192.0.2.53", "198.51.100.1"


def test_a_database_replicated_to_all_servers(postgresql: Cluster, tmp_path: Path) -> None:
    with Cluster() as primary, Cluster(of=primary) as standby:
        values = {"db1.example": f"{HOST}:{primary.port}", "db2.example": f"{HOST}:{standby.port}"}
        values |= {'/pdns"': '/pdns?connect_timeout=20"'}  # a busy machine is no failure
        section = Section("A database replicated to all servers", tmp_path, values=values)
        (section.folder / "example.org.zone").write_text(ZONE)
        section.run(1)
        with section.pdns(FIRST) as first, section.pdns(SECOND, "second.conf") as second:
            section.run(2, first)
            keys = ds_of(first)
            replica = open_store(standby.url("pdns"), "/")
            with closing(replica):
                until(lambda: len(replica.keys(APEX)) > 0, "the standby has the keys")
            until(lambda: bool(second.dig(f"www.{APEX}", "A", "+dnssec").answer), "the second server has the zone")
            assert ds_of(second) == keys
            with validating(second, tmp_path, keys) as unbound:
                check_answers(unbound)
            section.run(3)
            primary.stop(signal.SIGKILL)
            assert second.dig(f"www.{APEX}", "A").answer
            section.run(4)
            until(lambda: bool(second.dig(f"new.{APEX}", "A").answer), "the second server has what was written")
            until(lambda: bool(first.dig(f"new.{APEX}", "A").answer), "the first server asks the other database")
