"""The law of answers made in advance: they are those that the session gives, whatever is asked and whenever."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.backend.watch import Watcher
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import Kept
from pipebackend.zones.registry import Registry
from remoteshim.main import RemoteSession

if TYPE_CHECKING:
    from pipebackend.backend.sessions import KeepingSession

CONFIGURATION = """
[[zone]]
name = "cities.example"
kind = "table"
file = "cities.tsv"
key = "code"
soa = { mname = "ns1.cities.example", rname = "hostmaster.cities.example" }
ns = ["ns1.cities.example"]
records = ["a.b TXT deep", "* TXT any", "cut NS ns1.cut", "ns1.cut A 192.0.2.9", "x.cut TXT occluded"]
[[zone.record]]
type = "TXT"
content = "{name}"

[[zone]]
name = "In.cities.example"
kind = "file"
file = "in.zone"

[[zone]]
name = "ranges.example"
kind = "ranges"
ranges = ["192.0.2.0/29"]
template = "host-{address}"
soa = { mname = "ns1.cities.example", rname = "hostmaster.cities.example" }
ns = ["ns1.cities.example"]
"""
IN_ZONE = """$TTL 60
@ IN SOA ns1.cities.example. hostmaster.cities.example. 7 3600 600 86400 60
@ IN NS ns1.cities.example.
WWW IN A 192.0.2.1
mx IN MX 10 WWW
a.b.c IN HTTPS 1 . alpn=h2
old IN DNAME new.example.
x.old IN TXT hidden
sp\\032ace IN TXT odd
"""
NAMES = [
    "lax",
    "Lax",
    "muc",
    "no",
    "a.b",
    "b",
    "*",
    "cut",
    "ns1.cut",
    "x.cut",
    "in",
    "WWW.in",
    "mx.In",
    "c.in",
    "b.c.in",
]
NAMES += ["a.b.c.IN", "old.in", "x.old.in", "sp\\032ace.in", "\\076ax"]
OTHERS = ["cities.example", "example", "host-192-0-2-1.ranges.example", ".", "a..b"]


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cities.tsv").write_text("code\tname\nLAX\tLos Angeles\nMUC\tMünchen\nbad name\tx\n")
        Path(folder, "in.zone").write_text(IN_ZONE)
        Path(folder, "pipebackend.toml").write_text(CONFIGURATION)
        yield open_backend(f"{folder}/pipebackend.toml").registry


def ids(registry: Registry) -> list[int]:
    return [-1, 5, *(zone.ident for zone in registry.zones)]


questions = st.tuples(
    st.sampled_from([f"{name}.cities.example" for name in NAMES] + OTHERS),
    st.sampled_from(["ANY", "ANY", "SOA", "TXT", "A"]),
    st.integers(0, 4),
)
steps = st.lists(questions | st.just("IDLE") | st.just("RELOAD"), max_size=40)


def run(kept: Kept, plain: KeepingSession, watcher: Watcher, requests: list[bytes]) -> None:
    for request in requests:
        if request == b"IDLE":
            kept.make_some()
        elif request == b"RELOAD":
            old = watcher.registry
            watcher.registry = Registry(old.config, old.entries, old.files, old.store_url)
        else:
            assert kept.answer(request) == plain.answer(request), request


@given(steps, st.sampled_from([1, 2, 3, 5]))
def test_pipe(registry: Registry, asked: list[tuple[str, str, int] | str], abi: int) -> None:
    watcher = Watcher(registry)
    kept, plain = Kept(PipeSession(Backend(watcher))), PipeSession(Backend(watcher))
    addresses = ("", "\t192.0.2.1", "\t192.0.2.1\t0.0.0.0", "\t192.0.2.1\t0.0.0.0\t192.0.2.1/32")[min(abi, 3)]
    lines = [
        step if isinstance(step, str) else f"Q\t{step[0]}\tIN\t{step[1]}\t{ids(registry)[step[2]]}{addresses}"
        for step in asked
    ]
    run(kept, plain, watcher, [line.encode() for line in [f"HELO\t{abi}", "IDLE", *lines]])


@given(steps)
def test_remote(registry: Registry, asked: list[tuple[str, str, int] | str]) -> None:
    watcher = Watcher(registry)
    kept, plain = Kept(RemoteSession(open_backend, Backend(watcher))), RemoteSession(open_backend, Backend(watcher))
    who = {"local": "127.0.0.1", "real-remote": "192.0.2.1/32", "remote": "192.0.2.1"}
    requests = [
        step
        if isinstance(step, str)
        else json.dumps(
            {
                "method": "lookup",
                "parameters": {**who, "qname": step[0] + ".", "qtype": step[1], "zone-id": ids(registry)[step[2]]},
            },
            sort_keys=True,
        )
        for step in asked
    ]
    run(kept, plain, watcher, [request.encode() for request in ["{}", "IDLE", *requests]])
