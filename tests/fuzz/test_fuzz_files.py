"""What a bad disk, a hostile primary or a socket's client may bring: damaged stores and compiled files, long names,
transfers of odd shapes, requests with keys in them. No crash, no hang, and no secret in anything that is written."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import BackendError, RequestFault
from pipebackend.config import configuration
from pipebackend.diagnosis import trace, transcript
from pipebackend.dnsdata import shown
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Client
from pipebackend.pipe import PipeSession
from pipebackend.store import open_store
from pipebackend.zones.compiled import choice, compiler, fingerprints
from pipebackend.zones.compiled.target import Target
from remoteshim import main as remote
from remoteshim.main import RemoteSession
from tests import leaks
from tests.fuzz.mutations import mutated
from tests.fuzz.test_fuzz import PRIVATE, REMOTE_LINES, REMOTE_WORDS, call, looked_for_long, of_a_line
from tests.making import age, make_watcher
from tests.properties import test_remote

APEX, IDENT = "stored.example", 7
SECRET = "dGhpcyBpcyBhIHNlY3JldCBvZiB0aGUgdGVzdHM9PQ=="
KEY_TEXT = PRIVATE[-1].decode()
PARAM = Nsec3Param(0, 1, b"\xab")
HANGS_SECONDS = 30
MOST_STEPS = 4000  # calls of Python functions for one question; a short name takes some 60


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def no_traceback() -> Iterator[None]:
    """A session catches all; what it would log as a fault of the program is raised here."""
    logged: list[BaseException | None] = []
    before = remote.logs.traceback
    remote.logs.traceback = lambda message: logged.append(sys.exc_info()[1])  # type: ignore[assignment]
    try:
        yield
    finally:
        remote.logs.traceback = before
    for exc in logged:
        assert exc is not None
        raise exc


QUESTIONS = tuple(
    call(method, **parameters)
    for method, parameters in (
        ("lookup", {"qname": f"a.{APEX}.", "qtype": "ANY", "zone-id": -1}),
        ("list", {"zonename": f"{APEX}.", "domain_id": IDENT}),
        ("getBeforeAndAfterNamesAbsolute", {"id": IDENT, "qname": "b"}),
        ("getAllDomainMetadata", {"name": f"{APEX}."}),
        ("getDomainKeys", {"name": f"{APEX}."}),
        ("getTSIGKey", {"name": "a."}),
        ("getDomainInfo", {"name": f"{APEX}."}),
        ("getAllDomains", {"include_disabled": True}),
        ("getUpdatedMasters", {}),
        ("getUnfreshSlaveInfos", {}),
        ("searchRecords", {"pattern": "*a*", "maxResults": 10}),
        ("setDomainMetadata", {"name": f"{APEX}.", "kind": "ALLOW-AXFR-FROM", "value": ["::1"]}),
        ("directBackendCmd", {"query": "zones"}),
    )
)


@pytest.fixture(scope="module")
def good_store(folder: Path) -> Path:
    """A store with all that a store has, in one file."""
    store = open_store("sqlite:good.db", folder)
    store.create_domain(APEX, IDENT)
    session = stored_session(folder, "good.db")
    for request in transfer_of([("a", "A", "192.0.2.1"), ("b.c", "TXT", '"x"'), ("d", "NS", "ns.d.stored.example")]):
        assert b'"result":true' in session.answer(request)
    store.add_key(APEX, IDENT, 257, True, True, KEY_TEXT)
    store.set_tsig_key("a", "hmac-sha256", SECRET)
    store.set_metadata(APEX, IDENT, "NSEC3PARAM", ["1 0 1 ab"])
    store.close()
    session.backend.close()  # type: ignore[union-attr]
    db = sqlite3.connect(folder / "good.db")
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    return folder / "good.db"


def stored_session(folder: Path, name: str) -> RemoteSession:
    (folder / "store.toml").write_text(f'[store]\nurl = "sqlite:{name}"\n')
    opened = open_backend(str(folder / "store.toml"), {})
    return RemoteSession(lambda _: opened, opened)


def transfer_of(rows: list[tuple[str, str, str]]) -> list[bytes]:
    """The calls of a transfer with an SOA and these records, owners relative to the zone."""
    soa = f"ns1.{APEX} hostmaster.{APEX} 1 2 3 4 5"
    records = [(f"{APEX}.", "SOA", soa)] + [(f"{owner}.{APEX}.", type_, content) for owner, type_, content in rows]
    return [
        call("startTransaction", domain=f"{APEX}.", domain_id=IDENT, trxid=1),
        *(
            call(
                "feedRecord", trxid=1, rr={"qname": owner, "qtype": type_, "content": content, "ttl": 60, "auth": True}
            )
            for owner, type_, content in records
        ),
        call("commitTransaction", trxid=1),
    ]


FLIPS = st.lists(st.tuples(st.integers(0, 2**31), st.integers(1, 255)), min_size=1, max_size=12)


def flipped(octets: bytes, flips: list[tuple[int, int]]) -> bytes:
    found = bytearray(octets)
    for at, bits in flips:
        found[at % len(found)] ^= bits
    return bytes(found)


@looked_for_long
@given(FLIPS)
@example([(8200, 1)])  # the name of a zone was NULL
def test_stores(folder: Path, good_store: Path, flips: list[tuple[int, int]]) -> None:
    """Each call gives an answer or a reason; the check ends, and shows no secret."""
    for left in folder.glob("damaged.db*"):
        left.unlink()
    (folder / "damaged.db").write_bytes(flipped(good_store.read_bytes(), flips))
    session = stored_session(folder, "damaged.db")
    with no_traceback():
        for request in QUESTIONS:
            answer = session.answer(request)
            assert answer.endswith(b"\n")
            json.loads(answer)
    session.backend.close()  # type: ignore[union-attr]
    try:
        store = open_store("sqlite:damaged.db", folder)
        found = store.check()
        store.close()
    except BackendError as exc:
        found = [str(exc)]
    assert leaks.said_in("\n".join(found), leaks.pieces([SECRET])) is None


@pytest.fixture(scope="module")
def compiled_zone(folder: Path) -> Target:
    (folder / "zone").write_text(
        "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nd NS ns1\nx.y TXT a\n"
        + "".join(f"n{n} TXT text-{n}\n" for n in range(300))
    )
    (folder / "compiled.toml").write_text('[[zone]]\nname = "example.org"\nkind = "file"\nfile = "zone"\n')
    for name in ("zone", "compiled.toml"):
        age(folder / name)
    section = compiler.sections(configuration.read(str(folder / "compiled.toml")))["example.org"]
    verify = os.environ.get(fingerprints.VERIFY_KEY)
    compiler.build(section, "example.org", IDENT, "1 0 1 ab")
    if verify is None:
        del os.environ[fingerprints.VERIFY_KEY]
    target = Target.of(section, "example.org", IDENT)
    Path(target.path).rename(folder / "good.mdb")
    return target


@looked_for_long
@given(FLIPS)
def test_compiled_files(folder: Path, compiled_zone: Target, flips: list[tuple[int, int]]) -> None:
    """In a process of its own, which a fault of memory may end, as the keeper knows; nothing else may, and no hang."""
    good, path = (folder / "good.mdb").read_bytes(), Path(compiled_zone.path)
    path.unlink(missing_ok=True)
    path.write_bytes(flipped(good, flips))
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(HANGS_SECONDS)
        try:
            ask_all(compiled_zone)
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGSEGV), status


def ask_all(target: Target) -> None:
    try:
        zone = choice.current(target)
    except BackendError:
        return
    if zone is None:
        return
    asks: list[Callable[[], object]] = [
        zone.soa,
        lambda: list(zone.listing()),
        lambda: zone.faults,
        lambda: zone.damage(),
        *(lambda name=name: zone.find(name, Client()) for name in ("example.org", "x.y.example.org", "n7.example.org")),
        *(lambda name=name: zone.neighbours(name) for name in ("example.org", "x.y.example.org", "zz.example.org")),
        lambda: zone.hashed_neighbours("0" * 32, PARAM),
        lambda: zone.lines(b"n8.example.org"),
    ]
    for ask in asks:
        try:
            ask()
        except BackendError:
            pass


LABELS = st.one_of(
    st.binary(min_size=1, max_size=63), st.just(b"."), st.just(b"\\"), st.just(b"a"), st.just(b"*"), st.just(b"\0")
)


@st.composite
def longest_names(draw: st.DrawFn) -> str:
    """A name of 255 octets, or nearly so, in the text that PowerDNS writes."""
    labels: list[bytes] = []
    left = 254 - len(b"\6cities\7example\0")
    one = draw(st.none() | LABELS)
    while left > 1:
        label = (one if one is not None else draw(LABELS))[: left - 1]
        labels.append(label)
        left -= len(label) + 1
    written = ".".join("".join(_written(octet) for octet in label) for label in labels)
    return f"{written}.cities.example"


def _written(octet: int) -> str:
    if octet in b".\\":
        return f"\\{octet:c}"
    return chr(octet) if 33 <= octet <= 126 else f"\\{octet:03d}"


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with tempfile.TemporaryDirectory() as name:
        yield Backend(make_watcher(Path(name)))


@looked_for_long
@given(longest_names(), st.sampled_from(["A", "ANY", "SOA"]))
@example(".".join(["\\."] * 115) + ".cities.example", "A")  # 135 ms
def test_the_longest_names(backend: Backend, name: str, type_: str) -> None:
    """The steps are counted, for time says nothing on a busy machine."""
    pipe = PipeSession(backend)
    pipe.answer(b"HELO\t4")
    session = test_remote.session(backend)
    asked = f"Q\t{name}\tIN\t{type_}\t-1\t127.0.0.1\t127.0.0.1\t127.0.0.1/32".encode()
    lookup = call("lookup", qname=f"{name}.", qtype=type_, **{"zone-id": -1})
    for ask, request in ((pipe.answer, asked), (session.answer, lookup)):
        assert steps_of(ask, request) <= MOST_STEPS, name


def steps_of(ask: Callable[[bytes], bytes], request: bytes) -> int:
    count = 0

    def counted(frame: object, event: str, _: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        ask(request)
    finally:
        sys.setprofile(before)
    return count


OWNERS = st.sampled_from(
    [
        "a",
        "*",
        "*.a",
        "a.*",
        "b.a",
        "A",
        "\\000",
        "\\.",
        "x" * 63,
        ".".join(["a"] * 110),
        "_s._tcp",
        "d",
        "e.d",
        "f.e.d",
    ]
)
ROWS = st.lists(
    st.tuples(
        OWNERS,
        st.sampled_from(["A", "NS", "CNAME", "DNAME", "DS", "TXT", "SOA", "NSEC", "NSEC3", "RRSIG", "TYPE65280", "MX"]),
        st.sampled_from(
            [
                *("192.0.2.1", f"ns1.{APEX}", '"x"', "10 mail", "", "\\# 1 00", "x" * 300),
                *("1 2 3 4 5", f"ns1.{APEX} h.{APEX} 9 2 3 4 5", "12345 13 2 " + "ab" * 32, ".", "10\tmail.example."),
            ]
        ),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def receiving(folder: Path) -> RemoteSession:
    session = stored_session(folder, "received.db")
    session.backend.keyring.store.create_domain(APEX, IDENT, "SLAVE")  # type: ignore[union-attr]
    return session


@looked_for_long
@given(ROWS, st.sampled_from([[], ["1 0 1 ab"]]))
def test_transfers(receiving: RemoteSession, rows: list[tuple[str, str, str]], nsec3: list[str]) -> None:
    """It is refused, or becomes a zone that can be sent, asked for each name and proved not to have others."""
    setting = call("setDomainMetadata", name=f"{APEX}.", kind="NSEC3PARAM", value=nsec3)
    with no_traceback():
        answers = [receiving.answer(request) for request in (setting, *transfer_of(rows))]
        is_taken = b'"result":true' in answers[-1]
        listed: dict[str, Any] = json.loads(receiving.answer(call("list", zonename=f"{APEX}.", domain_id=IDENT)))
        names = {record["qname"] for record in listed["result"] or ()}
        for name in names:
            found = receiving.answer(call("lookup", qname=name, qtype="ANY", **{"zone-id": IDENT}))
            test_remote.check_answer(found, "lookup")
        for name in ("", "a", "zz", "*.a", "0" * 32):
            test_remote.check_answer(
                receiving.answer(call("getBeforeAndAfterNamesAbsolute", id=IDENT, qname=name)), "neighbours"
            )
    assert not is_taken or any(record["qtype"] == "SOA" for record in listed["result"])
    # Content that PowerDNS could not have read from a message is kept, as gsqlite3 does, and named by the check
    faults = receiving.backend.keyring.store.check()  # type: ignore[union-attr]
    assert not [fault for fault in faults if ": records: " not in fault]


SECRET_LINES = (
    call("addDomainKey", name="cities.example.", key={"flags": 257, "active": True, "content": KEY_TEXT}),
    call("setTSIGKey", name="a.", algorithm="hmac-sha256.", content=SECRET),
    call("directBackendCmd", query=f"key import {KEY_TEXT}"),
    b"CMD\tkey import " + KEY_TEXT.replace("\n", "\\n").encode(),
    b"CMD\ttsig set a hmac-sha256 " + SECRET.encode(),
)
KNOWN = leaks.pieces([SECRET, *leaks._PRIVATE.findall(KEY_TEXT)])


@looked_for_long
@example(call("anyOtherMethod", query=f"key import {KEY_TEXT.replace('PrivateKey', 'rivateKey')}"))  # a summary had it
@given(mutated(SECRET_LINES, (*REMOTE_WORDS, b'"content":', b"\\u0050", b"key", b'"method": "lookup"')).map(of_a_line))
def test_requests_with_secrets(line: bytes) -> None:
    """However they are broken, no log and no trace shows a piece of a key."""
    request, answer = transcript.blanked(line, b'{"result":true}\n')
    for said in (shown.request(line), request.decode("utf-8", "replace"), answer.decode()):
        assert leaks.said_in(said, KNOWN) is None
    assert leaks.said_in(transcript.summary(line, b'{"result":true}\n'), KNOWN) is None


TRACES = tuple(
    b"".join(
        b"2026-11-22T09:30:01.250101Z 4711.1    0.052 ms x -> y\n> " + request + b'\n< {"result":[]}\n\n'
        for request in (*REMOTE_LINES[:4], b"Q\ta\tIN\tANY\t-1\t::1")
    ).split(b"<<")
)


@looked_for_long
@given(mutated(TRACES, (b"\n> ", b"\n< ", b"\n\n", b"{", b"Q\t")))
def test_traces(folder: Path, text: bytes) -> None:
    """A trace is read in part, or refused with a reason; what is read can be shown."""
    (folder / "trace").write_bytes(text)
    try:
        found = list(trace.entries(str(folder / "trace")))
    except RequestFault as exc:
        assert str(exc).isprintable()
        return
    for entry in found:
        assert transcript.summary(entry.request, entry.answer).isprintable()
        transcript.reads_only(entry.request)
