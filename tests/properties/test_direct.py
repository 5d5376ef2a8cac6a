"""The law of answers read from a store row by row: they are those of the session, whoever writes in between."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipebackend.backend import sources
from pipebackend.backend.opening import open_backend
from pipebackend.dnsdata.records import Record
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import Kept
from pipebackend.store import open_store
from pipebackend.store.rows import rrs
from pipebackend.zones.kinds.stored import StoredZone
from remoteshim.main import RemoteSession

APEX = "Example.org"
ZONE = [
    ("", "SOA", "ns1.example.org hostmaster.example.org 1 2 3 4 5"),
    ("", "NS", "ns1.example.org"),
    ("www", "A", "192.0.2.1"),
    ("www", "TXT", '"a \\"quoted\\" text"'),
    ("mx", "MX", "10 www.example.org"),
    ("key", "HTTPS", "1 . alpn=h2"),
    ("odd", "A", "192.0.2.300"),
    ("a.b", "AAAA", "2001:db8::1"),
    ("*", "TXT", '"any"'),
    ("cut", "NS", "ns.cut.example.org"),
    ("ns.cut", "A", "192.0.2.2"),
    ("x.cut", "TXT", '"hidden"'),
    ("old", "DNAME", "new.example.org"),
    ("x.old", "A", "192.0.2.3"),
]
NAMES = [
    *dict.fromkeys(name for name, *_ in ZONE if name),
    "b",
    "no",
    "x.no",
    "new",
    "WWW",
    "a..b",
    "sp\\032ace",
    "\\119ww",
]
questions = st.tuples(
    st.just("ASK"),
    st.sampled_from([APEX, "org", ".", "", "www.example.net", *(f"{name}.{APEX}" for name in NAMES)]),
    st.sampled_from(["ANY", "ANY", "ANY", "SOA", "A"]),
    st.sampled_from([7, 7, 7, -1, 8, 99]),
)
writes = st.tuples(
    st.just("WRITE"), st.sampled_from(["www", "new", "no", "a.b", "b"]), st.sampled_from(["A", "TXT", ""])
)
others = st.sampled_from(
    [("START",), ("COMMIT",), ("ABORT",), ("TTL", "7200"), ("TTL", "'x'"), ("AUTH", "0"), ("AUTH", "1")]
)
steps = st.lists(st.one_of(questions, questions, questions, writes, others), max_size=40)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 0.0)


def zone_in(folder: str) -> Path:
    store = open_store("sqlite:zones.db", folder)
    for ident, apex in ((7, "example.org"), (8, "cut.example.org")):
        assert store.create_domain(apex, ident) == ident
        zone = ZONE if ident == 7 else ZONE[:3]
        store.begin()
        store.add_records(rrs.row(ident, Record(f"{name}.{apex}".lstrip("."), t, 60, c), None) for name, t, c in zone)
        store.commit()
        store.rectify(ident)
    store.close()
    config = Path(folder) / "pipebackend.toml"
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    return config


def call(method: str, **parameters: object) -> bytes:
    return json.dumps({"method": method, "parameters": parameters}).encode()


def lookup(name: str, type_: str, ident: int) -> bytes:
    asked = {
        "local": "0.0.0.0",
        "qname": f"{name}.",
        "qtype": type_,
        "real-remote": "192.0.2.1/32",
        "remote": "192.0.2.1",
    }
    return call("lookup", **asked, **{"zone-id": ident})


class Writer:
    """Other hands on the same store: a session with transactions, and another program."""

    def __init__(self, path: Path, session: RemoteSession | Kept) -> None:
        self._path = path.with_name("zones.db")
        self._session = session
        self._is_open = False

    def do(self, step: tuple[str, ...]) -> None:
        if step[0] == "START" and not self._is_open:
            self._session.answer(call("startTransaction", domain="example.org.", domain_id=-1, trxid=1))
            self._is_open = True
        elif step[0] in ("COMMIT", "ABORT") and self._is_open:
            self._session.answer(call(f"{step[0].lower()}Transaction", trxid=1))
            self._is_open = False
        elif step[0] == "WRITE" and self._is_open:
            name, type_ = f"{step[1]}.example.org", step[2] or "A"
            content = {"A": "192.0.2.77", "TXT": '"new"'}[type_]
            rrset = [{"qtype": type_, "qname": name, "content": content, "ttl": 9, "auth": 1}] if step[2] else []
            found = call("replaceRRSet", domain_id=7, qname=name, qtype=type_, rrset=rrset, trxid=1)
            self._session.answer(found)
        elif step[0] in ("TTL", "AUTH") and not self._is_open:
            import sqlite3

            with sqlite3.connect(self._path) as connection:
                column = step[0].lower()
                connection.execute(f"UPDATE records SET {column} = {step[1]} WHERE name = 'www.example.org'")
            connection.close()


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield zone_in(folder)


def copy_of(template: Path, folder: str) -> Path:
    for name in ("zones.db", "pipebackend.toml"):
        (Path(folder) / name).write_bytes(template.with_name(name).read_bytes())
    return Path(folder) / "pipebackend.toml"


@settings(max_examples=60)
@given(steps, st.booleans())
def test_remote(template: Path, asked: list[tuple[str, ...]], writes_itself: bool) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        config = copy_of(template, folder)
        session = RemoteSession(open_backend, open_backend(str(config)))
        kept = Kept(session)
        kept.answer(call("initialize"))
        other = RemoteSession(open_backend, open_backend(str(config)))
        writer = Writer(config, kept if writes_itself else other)
        for step in asked:
            if step[0] == "ASK":
                request = lookup(*step[1:])  # type: ignore[arg-type]
                assert kept.answer(request) == session.answer(request), request
            else:
                writer.do(step)
        for one in (session, other):
            assert one.backend is not None
            one.backend.close()


@settings(max_examples=60)
@given(steps, st.sampled_from([1, 2, 3, 5]))
def test_pipe(template: Path, asked: list[tuple[str, ...]], abi: int) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        config = copy_of(template, folder)
        session = PipeSession(open_backend(str(config)))
        kept = Kept(session)
        kept.answer(f"HELO\t{abi}".encode())
        other = RemoteSession(open_backend, open_backend(str(config)))
        writer = Writer(config, other)
        addresses = ("", "\t192.0.2.1", "\t192.0.2.1\t0.0.0.0", "\t192.0.2.1\t0.0.0.0\t192.0.2.1/32")[min(abi, 3)]
        for step in asked:
            if step[0] == "ASK":
                _, name, type_, ident = step
                request = f"Q\t{name}\tIN\t{type_}\t{ident}{addresses}".encode()
                assert kept.answer(request) == session.answer(request), request
            else:
                writer.do(step)
        session.backend.close()
        assert other.backend is not None
        other.backend.close()


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def test_a_name_of_a_store_is_read_once_and_without_the_session(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = RemoteSession(open_backend, open_backend(str(copy_of(template, str(tmp_path)))))
    kept = Kept(session)
    request = lookup("WwW.example.org", "ANY", 7)
    expected = session.answer(request)
    assert b"192.0.2.1" in expected
    kept.answer(call("initialize"))
    monkeypatch.setattr(session, "answer", None)
    assert kept.answer(request) == expected
    assert kept.answer(lookup("absent.example.org", "ANY", 7)) == b'{"result":[]}\n'
    monkeypatch.setattr(StoredZone, "plain", None)
    assert kept.answer(lookup("www.Example.org", "ANY", 7)) == expected
    assert session.backend is not None
    assert ["lookup", "example.org", 3, 0] in session.backend.numbers()["calls"]
    session.backend.close()
