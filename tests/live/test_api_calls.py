"""A call of PowerDNS's API costs a start of a coprocess over a pipe, and over a socket nothing but its questions; those
are the same for a large zone."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.admin.zoneimport import import_file
from pipebackend.backend.opening import open_backend
from tests.live.modes.example import until
from tests.live.servers import remote_config
from tests.live.test_write_differential import socket_server
from tests.live.writes import WritableServer, rrset

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

SMALL, LARGE = "small.example", "large.example"
LINE = re.compile(r"\S+ (\d+)\.\d+ +[\d.]+ ms (\w+)")  # the process and the method


def set_up(folder: Path) -> Path:
    config = folder / "pipebackend.toml"
    config.write_text('trace = "trace"\n[store]\nurl = "sqlite:zones.db"\n')
    backend = open_backend(str(config))
    for zone, count in ((SMALL, 1), (LARGE, 2000)):
        hosts = "".join(f"h{number} A 192.0.2.1\n" for number in range(count))
        (folder / zone).write_text(f"$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n{hosts}")
        import_file(backend, zone, str(folder / zone), lambda what, count: None)
        assert Operator(backend).editor.rrsets(zone)
    backend.close()
    return config


def calls_of_a_patch(server: WritableServer, trace: Path, zone: str) -> tuple[set[str], Counter[str]]:
    """The processes that answered, and how often each method was called."""
    before = len(trace.read_text()) if trace.exists() else 0
    assert server.patch(zone, rrset(f"h0.{zone}", "A", "192.0.2.2"), rrset(f"new.{zone}", "MX", "10 mail.")) == 204
    until(lambda: "commitTransaction" in trace.read_text()[before:], "the commit is in the trace")
    found = [match.groups() for match in map(LINE.match, trace.read_text()[before:].splitlines()) if match]
    return {process for process, _ in found}, Counter(method for _, method in found)


def test_over_a_pipe_each_call_starts_one_coprocess(tmp_path: Path) -> None:
    config = set_up(tmp_path)
    with WritableServer(remote_config(config, dnssec=True), tmp_path) as server:
        first, _ = calls_of_a_patch(server, tmp_path / "trace", SMALL)
        second, calls = calls_of_a_patch(server, tmp_path / "trace", SMALL)
    assert len(second - first) == calls["initialize"] == 1


def test_over_a_socket_no_process_starts_and_a_large_zone_costs_the_same(tmp_path: Path) -> None:
    set_up(tmp_path)
    with socket_server(tmp_path) as settings, WritableServer(settings, tmp_path) as server:
        calls_of_a_patch(server, tmp_path / "trace", SMALL)
        processes, small = calls_of_a_patch(server, tmp_path / "trace", SMALL)
        others, large = calls_of_a_patch(server, tmp_path / "trace", LARGE)
    assert len(processes | others) == 1
    assert small == large
    assert large["replaceRRSet"] == 2 and large["commitTransaction"] == 1
    assert not {"getAllDomains", "feedRecord"} & large.keys()
    assert large["list"] <= 1, "PowerDNS lists the zone once, to rectify it"
