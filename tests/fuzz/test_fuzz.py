"""Right input with a few things wrong: nothing that comes in ends a process, or comes out as what is no answer.

``scripts/test --long`` looks for about ten minutes, ``FUZZ_SECONDS=600 scripts/test tests/fuzz`` for ten at each kind.
What hypothesis finds it keeps in ``.hypothesis`` and shows as an ``@example`` to add here: so the finding has a
name and stays.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.watch import Watcher
from pipebackend.base.errors import ConfigFault, KeyFault, ZoneFault
from pipebackend.config import configuration
from pipebackend.keys import algorithms, bindfile, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK
from pipebackend.pipe import PipeSession
from pipebackend.zones import registry
from pipebackend.zones.text import zonefile
from tests.fuzz.conftest import SECONDS
from tests.fuzz.mutations import mutated
from tests.making import CITIES, TABLE_ZONE, read_config
from tests.properties import test_pipe, test_remote

LONG = 2000  # examples of the profile with that name, and of each look of FUZZ_SECONDS
looked_for_long = settings(
    max_examples=LONG if SECONDS else 20_000 if settings.default.max_examples >= LONG else 300,
    suppress_health_check=[HealthCheck.too_slow],
)

QUESTION = b"Q\tlax.cities.example\tIN\tANY\t-1\t192.0.2.1\t192.0.2.2\t192.0.2.0/24"
PIPE_LINES = (QUESTION, QUESTION.replace(b"ANY", b"SOA"), b"AXFR\t1\tcities.example", b"CMD\tzones", b"HELO\t4")
PIPE_WORDS = (b"END", b"FAIL", b"IN", b"TXT", b"ENT", b"\\009", b"..", b"*.", b"CMD\tstats", b"cities.example")


def call(method: str, **parameters: object) -> bytes:
    """A request as PowerDNS writes it."""
    return json.dumps({"method": method, "parameters": parameters}).encode()


APEX = "cities.example."
ADDRESSES = {"remote": "192.0.2.1", "local": "192.0.2.2", "real-remote": "192.0.2.0/24"}
KEY = {"flags": 257, "active": True, "published": True, "content": "Private-key-format: v1.2\nAlgorithm: 13 (X)\n"}
NEW = {"qname": f"a.{APEX}", "qtype": "A", "qclass": 1, "content": "192.0.2.1", "ttl": 60, "auth": True}
REMOTE_LINES = (
    call("initialize", command="x", timeout="2000"),
    call("lookup", qname=f"lax.{APEX}", qtype="ANY", **{"zone-id": -1, **ADDRESSES}),
    call("list", zonename=APEX, domain_id=7, include_disabled=False),
    call("getBeforeAndAfterNamesAbsolute", id=7, qname="lax"),
    call("getDomainMetadata", name=APEX, kind="NSEC3PARAM"),
    call("setDomainMetadata", name=APEX, kind="NSEC3PARAM", value=["1 0 0 -"]),
    call("addDomainKey", name=APEX, key=KEY),
    call("startTransaction", domain=APEX, domain_id=7, trxid=1),
    call("feedRecord", trxid=1, rr=NEW),
    call("feedEnts3", trxid=1, domain_id=7, domain=APEX, times=1, salt="ab", narrow=False, nonterm=[{"nonterm": "b"}]),
    call("replaceRRSet", trxid=1, domain_id=7, qname=f"a.{APEX}", qtype="A", rrset=[NEW]),
    call("searchRecords", pattern="l*", maxResults=5),
    call("directBackendCmd", query="zones"),
)
REMOTE_WORDS = (
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"1e999",
    b"\\ud800",
    b"NaN",
    b'"lookup"',
    b'"zone-id":',
    b"-0.5",
    b"[[[[",
)

ZONE_FILE = b"""\
$TTL 1h
$ORIGIN example.org.
@ IN SOA ns1 hostmaster ( 1 ; serial
   2h 15m 4w 1d )
  NS ns1
ns1 A 192.0.2.1
    AAAA 2001:db8::1
*.w 60 IN TXT "a b" "c\\"d" \\300
m MX 10 mail.example.com.
s SRV 0 5 5060 m
l LOC 33 56 33.000 N 118 24 28.824 W 38.40m 1m 10m 2m
t TYPE65280 \\# 3 0102 03
d DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
h HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
$GENERATE 1-3 h$ A 192.0.2.$
c CAA 0 issue "ca.example"
n NAPTR 10 20 "u" "E2U+sip" "!^.*$!sip:x@example.org!" .
"""
ZONE_WORDS = (
    b"$INCLUDE /dev/null",
    b"$GENERATE 0-9",
    b"${0,3,x}",
    b"(",
    b")",
    b";",
    b"\\000",
    b"@",
    b"IN CH",
    b"RRSIG",
)

RANGES = """\
[[zone]]
name = "pool.example"
kind = "ranges"
ranges = ["192.0.2.0/28", "2001:db8::/126"]
template = "host-{address}"
ttl = 300
max_listed = 100
soa = { mname = "ns1.pool.example", rname = "hostmaster.pool.example" }
ns = ["ns1.pool.example"]
records = ["host-192-0-2-1 A 192.0.2.1"]
"""
TOMLS = tuple(
    text.encode()
    for text in (TABLE_ZONE, RANGES, '[store]\nurl = "sqlite:zones.db"\n' + TABLE_ZONE, TABLE_ZONE + RANGES)
)
TOML_WORDS = (
    b"[[zone]]",
    b"{",
    b"}",
    b"[]",
    b"1e400",
    b"nan",
    b"1979-05-27",
    b"true",
    b"{city}",
    b"{city:>9999}",
    b"{0}",
    b"{city!r}",
)


def private_texts() -> tuple[bytes, ...]:
    """A private key of each algorithm that can be made."""
    return tuple(
        bindfile.write(PrivateText(made.algorithm, made.private, ())).encode()
        for one in algorithms.ALGORITHMS.values()
        if one.may_generate
        for made in [keypair.generate(one, KSK, 1024 if one.is_rsa else None)]
    )


PRIVATE = private_texts()
PRIVATE_WORDS = (
    b"Algorithm: 8 (RSASHA256)",
    b"PrivateKey:",
    b"Modulus:",
    b"Created: 20260101000000",
    b"Created: 99991231",
    b"====",
    b"v9.9",
)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    """A small zone without a store: what is written must not outlive an example."""
    with tempfile.TemporaryDirectory() as folder:
        zones = read_config(Path(folder))
        yield Backend(Watcher(registry.load(configuration.Config("", folder, zones.table))))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def of_a_line(text: bytes) -> bytes:
    return text.replace(b"\n", b" ")


@looked_for_long
@given(st.lists(mutated(PIPE_LINES, PIPE_WORDS).map(of_a_line), min_size=1, max_size=3), st.integers(1, 5))
def test_pipe_lines(backend: Backend, requests: list[bytes], abi: int) -> None:
    session = PipeSession(backend)
    for request in (b"HELO\t%d" % abi, *requests):
        answer = session.answer(request)
        test_pipe.check_answer(answer, request, session._abi)


@looked_for_long
@given(st.lists(mutated(REMOTE_LINES, REMOTE_WORDS).map(of_a_line), min_size=1, max_size=3))
def test_remote_lines(backend: Backend, requests: list[bytes]) -> None:
    session = test_remote.session(backend)
    for request in requests:
        test_remote.check_answer(session.answer(request), "")


@looked_for_long
@given(mutated((CITIES.encode(),), (b"lat", b"LAX", b"1e999", b"nan", b"-90.0000001", b"\xe2\x80\xa8", b"*", b"a.b")))
@example(b"\0" + CITIES.encode())  # the fault quoted the columns as they were
def test_tables(folder: Path, table: bytes) -> None:
    """A table is served, in part with its faults named, or refused; what is served can be sent."""
    try:
        zones = registry.load(read_config(folder, TABLE_ZONE, table.decode("utf-8", "surrogateescape")))
    except ConfigFault as exc:  # a column is gone
        assert "column" in str(exc)
        assert all(fault.isprintable() for fault in exc.faults)
        return
    check_served(zones)


@looked_for_long
@given(mutated((ZONE_FILE,), ZONE_WORDS))
@example(ZONE_FILE.replace(b"$TTL", b"$\0TTL"))  # the fault quoted it as it was
@example(b"$INCLUDE no\1where\n" + ZONE_FILE)  # the same, of the file's name
def test_zone_files(folder: Path, text: bytes) -> None:
    path = folder / "zone"
    path.write_bytes(text)
    try:
        found = zonefile.read(str(path), "example.org")
    except ZoneFault as exc:
        assert exc.faults
        assert all(fault.isprintable() for fault in exc.faults)
        return
    for record in found.records:
        assert record.content.isascii()
        assert record.content.isprintable()


@looked_for_long
@given(mutated(TOMLS, TOML_WORDS))
@example(TOMLS[2].replace(b"sqlite", b"qlite"))  # was no ConfigFault
def test_configurations(folder: Path, text: bytes) -> None:
    path = folder / "pipebackend.toml"
    (folder / "cities.tsv").write_text(CITIES)
    path.write_bytes(text)
    try:
        zones = registry.load(configuration.read(str(path)))
    except ConfigFault as exc:
        assert exc.faults
        assert all(fault.isprintable() for fault in exc.faults)
        return
    check_served(zones)


@looked_for_long
@given(mutated(PRIVATE, PRIVATE_WORDS).map(lambda text: text.decode("latin-1")))
@example("Private-key-format: v1.2\n\0Engine: x\n\0Engine: x\n")  # the fault quoted it as it was
def test_private_key_texts(text: str) -> None:
    """What is taken for a key has a tag, whose computation takes all of it."""
    try:
        read = bindfile.read(text)
        key = keypair.KeyPair(read.algorithm, KSK, read.private)
    except KeyFault as exc:
        assert str(exc).isprintable()
        return
    assert 0 <= key.key_tag <= 0xFFFF
    again = bindfile.read(bindfile.write(read))
    assert keypair.KeyPair(again.algorithm, KSK, again.private) == key
    assert again.times == read.times


def check_served(zones: registry.Registry) -> None:
    for entry in zones.entries:
        assert entry.zone is not None or entry.faults
        for fault in (*entry.faults, *(entry.zone.faults if entry.zone is not None else ())):
            assert fault.isprintable()
        for record in entry.zone.listing() if entry.zone is not None else ():
            assert record.content.isascii()
            assert record.content.isprintable()
            assert 0 <= record.ttl < 2**31
