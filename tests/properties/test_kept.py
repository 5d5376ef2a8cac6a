"""The law of the shortcut: with kept answers or without, the same requests get the same answers."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.backend.watch import Watcher
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import Kept
from remoteshim.main import RemoteSession

AIRPORTS = open_backend(None, {}).registry
NAMES = [
    "lax.airports.aa",
    "LAX.airports.aa",
    "airports.aa",
    "no.airports.aa",
    "*.airports.aa",
    "aa",
    ".",
    "a..b",
    "No.AIRPORTS.aa",
    "\\076ax.airports.aa",
]
TYPES = ["ANY", "SOA", "TXT", "LOC", "A", "txt"]
IDS = [-1, 17156, 5]
ADDRESSES = ["192.0.2.1", "2001:db8::1"]

questions = st.tuples(st.sampled_from(NAMES), st.sampled_from(TYPES), st.sampled_from(IDS), st.sampled_from(ADDRESSES))
pipe_lines = st.one_of(
    st.builds(lambda abi: f"HELO\t{abi}", st.sampled_from([1, 2, 3, 5, 9])),
    questions.map(lambda q: f"Q\t{q[0]}\tIN\t{q[1]}\t{q[2]}\t{q[3]}"),
    questions.map(lambda q: f"Q\t{q[0]}\tIN\t{q[1]}\t{q[2]}\t{q[3]}\t{q[3]}"),
    questions.map(lambda q: f"Q\t{q[0]}\tIN\t{q[1]}\t{q[2]}\t{q[3]}\t{q[3]}\t{q[3]}/32"),
    questions.map(lambda q: f"Q\t{q[0]}\tIN\t{q[1]}"),
    st.sampled_from(["CMD\tzones", "", "RELOAD"]),
)


def lookup(question: tuple[str, str, int, str]) -> str:
    """As PowerDNS writes it: keys in order, a space after colon and comma (rule R-1)."""
    name, type_, ident, address = question
    who = {"local": "127.0.0.1", "qname": name, "qtype": type_, "real-remote": address, "remote": address}
    return json.dumps({"method": "lookup", "parameters": who | {"zone-id": ident}})


HEAD = '{"method": "lookup", "parameters": {'
odd_lookups = st.sampled_from(
    [
        HEAD + '"qname": "lax.airports.aa.", "qtype": "TXT"}}',
        HEAD + '"local": "\\"qname\\": \\"x", "qname": "lax.airports.aa.", "qtype": "TXT", "real-remote": "r"}}',
        HEAD + '"local": "l", "qname": "lax.airports.aa.", "qtype": 5, "real-remote": "r"}}',
        '{"method": "getAllDomains", "parameters": {}}',
        "{",
        "RELOAD",
    ]
)


def backend() -> tuple[Backend, Watcher]:
    watcher = Watcher(AIRPORTS)
    return Backend(watcher), watcher


@given(st.lists(pipe_lines, max_size=40))
def test_pipe(lines: list[str]) -> None:
    (kept_backend, watcher), (plain_backend, _) = backend(), backend()
    kept, plain = Kept(PipeSession(kept_backend)), PipeSession(plain_backend)
    for line in lines:
        if line == "RELOAD":
            watcher.registry = open_backend(None, {}).registry
            continue
        assert kept.answer(line.encode()) == plain.answer(line.encode()), line


@given(st.lists(questions.map(lookup) | odd_lookups, max_size=40))
def test_remote(lines: list[str]) -> None:
    (kept_backend, watcher), (plain_backend, _) = backend(), backend()
    kept, plain = Kept(RemoteSession(open_backend, kept_backend)), RemoteSession(open_backend, plain_backend)
    for line in lines:
        if line == "RELOAD":
            watcher.registry = open_backend(None, {}).registry
            continue
        assert kept.answer(line.encode()) == plain.answer(line.encode()), line
