"""What clients, primaries and a bad disk did to the installed programs: keys in logs, hung workers, endless commits."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.making import age
from tests.process.coprocess import LOOKUP, Coprocess, coprocesses, wait_for, write_table
from tests.process.test_listen import connect, serve  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.process.coprocess import Start
    from tests.process.test_listen import Connect, Serve

SECRET = "c2hvd24gdG8gbm9ib2R5IGF0IGFsbCwgbmV2ZXIgZXZlcg=="
PRIVATE_KEY = "dGhpcyBpcyBhIHByaXZhdGUga2V5IG9mIDMyIG9jdGVz"
KEY_TEXT = f"Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {PRIVATE_KEY}\n"
PIECE = 16  # characters of a secret that say something


def call(method: str, **parameters: object) -> bytes:
    """A request as PowerDNS writes it: fields in order of their names, so that a key comes early."""
    return json.dumps({"method": method, "parameters": parameters}, sort_keys=True).encode() + b"\n"


KEY = {"flags": 257, "active": True, "published": True, "content": KEY_TEXT}
ADD_KEY = call("addDomainKey", name="t.example.", key=KEY)
SET_TSIG_KEY = call("setTSIGKey", name="k.", algorithm="hmac-sha256.", content=SECRET)
REFUSED = re.compile(r"it is a pipe, socket or device, not a file|there is no file /")
LAST = LOOKUP.replace(b"lax.airports.aa.", b"x.t.example.")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with coprocesses(tmp_path) as started:
        yield started


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A table and a store, which has a key of the table's zone."""
    write_table(tmp_path, "first")
    zoneutil(tmp_path / "own.toml", "key", "secure", "t.example")
    return tmp_path / "own.toml"


def zoneutil(config: Path, *words: str) -> None:
    command = [os.path.join(sys.prefix, "bin", "zoneutil"), "--config", str(config), *words]
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """The store as another process has it while it writes."""
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def assert_no_secret(said: str) -> None:
    for secret in (SECRET, PRIVATE_KEY):
        shown = [secret[at : at + PIECE] for at in range(len(secret) - PIECE) if secret[at : at + PIECE] in said]
        assert not shown, said


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(ADD_KEY, id="addDomainKey"),
        pytest.param(SET_TSIG_KEY, id="setTSIGKey"),
        pytest.param(ADD_KEY.replace(b"content", b"c\\u006fntent"), id="escaped field"),
        pytest.param(SET_TSIG_KEY.replace(b"setTSIGKey", b"set\\u0054SIGKey"), id="escaped method"),
    ],
)
def test_a_key_over_which_the_process_is_killed_is_in_no_log(start: Start, config: Path, request_: bytes) -> None:
    """The keeper logs the request that its child did not live to answer, which had the key in it."""
    coprocess = start("remoteshim", "--config", str(config))
    coprocess.begin()
    with locked(config.parent / "zones.db"):
        child = coprocess.child
        coprocess.say(request_)
        coprocess.wait_until_read()
        os.kill(child, signal.SIGKILL)
        coprocess.ends()
    assert "SIGKILL" in coprocess.log or "signal 9" in coprocess.log
    assert_no_secret(coprocess.log)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(call("searchRecords", content=SECRET, maxResults=1 << 63, pattern="*"), id="number"),
        pytest.param(call("directBackendCmd", content=SECRET, query="zone import x.example a\0"), id="NUL"),
        pytest.param(call("directBackendCmd", content=SECRET, query="zone import x.example \ud800"), id="surrogate"),
    ],
)
def test_a_key_in_a_request_that_raised_is_in_no_log_and_no_answer(start: Start, config: Path, request_: bytes) -> None:
    """Other forms of broken requests, which raised nothing: tests/unit/dnsdata/test_shown.py and tests/fuzz."""
    coprocess = start("remoteshim", "--config", str(config))
    coprocess.begin()
    answer = coprocess.ask(request_).decode()
    assert b"first" in coprocess.ask(LAST)
    assert_no_secret(answer + coprocess.log)
    assert "Traceback" not in coprocess.log


def test_a_key_in_a_line_of_pipe_is_in_no_log(start: Start, config: Path) -> None:
    coprocess = start("pipebackend", "--config", str(config))
    coprocess.begin()
    coprocess.ask(b"Q\t" + SET_TSIG_KEY)
    with locked(config.parent / "zones.db"):
        child = coprocess.child
        coprocess.say(b"CMD\ttsig set k hmac-sha256 " + SECRET.encode() + b"\n")
        coprocess.wait_until_read()
        os.kill(child, signal.SIGKILL)
        coprocess.hear()
    assert_no_secret(coprocess.log)


def test_a_search_with_many_stars_hangs_no_worker(serve: Serve, connect: Connect, tmp_path: Path) -> None:  # noqa: F811
    """``*a*a*a*b`` over one TXT of 1,020 letters kept a worker for hours, and each of its connections."""
    (tmp_path / "zone").write_text(
        "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nx TXT " + " ".join(['"' + "a" * 255 + '"'] * 4) + "\n"
    )
    (tmp_path / "own.toml").write_text('[[zone]]\nname = "t.example"\nkind = "file"\nfile = "zone"\n')
    zoneutil(tmp_path / "own.toml", "zone", "import", "s.example", str(tmp_path / "zone"))
    service = serve("remoteshim", "--workers=1", f"--config={tmp_path / 'own.toml'}").ready()
    searching, other = connect(service), connect(service)
    for client in (searching, other):
        assert client.ask(call("initialize", command="x")).startswith(b'{"result":true')
    for pattern in ("*a*a*a*b", "*a*a*a*a*a*a*a*b", "*?a*?a*?a*b"):
        assert json.loads(searching.ask(call("searchRecords", pattern=pattern, maxResults=100))) == {"result": []}
        assert b"aaaa" in other.ask(LAST)
    found = json.loads(searching.ask(call("searchRecords", pattern="*aaa*a*a*", maxResults=100)))
    assert {record["qtype"] for record in found["result"]} == {"TXT"}


def test_a_transfer_of_endless_names_is_refused_and_fills_no_disk(start: Start, config: Path) -> None:
    """2,000 names of 100 labels need 200,000 empty non-terminals; ten times as many took 109 s and a gigabyte."""
    coprocess = start("remoteshim", "--config", str(config))
    coprocess.begin()
    store = config.parent / "zones.db"
    apex = "s.example."
    assert b"true" in coprocess.ask(call("createSlaveDomain", ip="192.0.2.1", domain=apex, nameserver="", account=""))
    ident = json.loads(coprocess.ask(call("getDomainInfo", name=apex)))["result"]["id"]
    rows = [(apex, "SOA", f"ns1.{apex} h.{apex} 1 2 3 4 5"), (apex, "NS", f"ns1.{apex}"), (f"ns1.{apex}", "A", "::1")]
    rows[2] = (f"ns1.{apex}", "A", "192.0.2.1")
    assert transferred(coprocess, apex, ident, rows)
    before = size_of(store)
    below = "a." * 100
    rows += [(f"{below}n{number}.{apex}", "A", "192.0.2.1") for number in range(2000)]
    assert not transferred(coprocess, apex, ident, rows)
    assert size_of(store) < before + (4 << 20)
    listed = json.loads(coprocess.ask(call("list", zonename=apex, domain_id=ident)))["result"]
    assert len(listed) == 3
    assert "empty non-terminals" in coprocess.log
    assert "Traceback" not in coprocess.log


def transferred(coprocess: Coprocess, apex: str, ident: int, rows: list[tuple[str, str, str]]) -> bool:
    """Whether the records became the zone, as PowerDNS feeds it those of a primary."""
    coprocess.ask(call("startTransaction", domain=apex, domain_id=ident, trxid=1))
    for name, type_, content in rows:
        rr = {"qname": name, "qtype": type_, "qclass": 1, "content": content, "ttl": 60, "auth": True}
        coprocess.ask(call("feedRecord", trxid=1, rr=rr))
    return json.loads(coprocess.ask(call("commitTransaction", trxid=1)))["result"] is True


def size_of(store: Path) -> int:
    return sum(os.stat(f"{store}{end}").st_size for end in ("", "-wal") if os.path.exists(f"{store}{end}"))


# The first octet of each, in the definition of an index, a trigger and a table, and in the name of a table: elsewhere
# SQLite quotes nothing that is not text
@pytest.mark.parametrize("word", [b"domainmetadata (domain_id", b"records WHEN", b"NOT NULL COLLATE", b"cryptokeys"])
def test_a_damaged_octet_in_the_schema_ends_no_process(start: Start, config: Path, word: bytes) -> None:
    """SQLite quotes the octet, which is no UTF-8; every zone was gone, those of files, too."""
    coprocess = start("remoteshim", "--config", str(config))
    coprocess.begin()
    metadata = call("getAllDomainMetadata", name="t.example.")
    keys = call("getDomainKeys", name="t.example.")
    for ask in (LAST, metadata, keys):
        assert b"result" in coprocess.ask(ask)
    before = coprocess.ask(keys)
    child = coprocess.child
    damage(config.parent / "zones.db", word)
    assert b"first" in coprocess.ask(LAST)
    assert coprocess.ask(keys) == before, "what was read before stays in force"
    for ask in (metadata, call("getTSIGKey", name="k."), call("getAllDomains", include_disabled=True)):
        assert b"result" in coprocess.ask(ask)
    assert coprocess.child == child
    other = start("remoteshim", "--config", str(config))
    other.begin()
    for ask in (keys, metadata):
        assert b"result" in other.ask(ask)
    wait_for(lambda: "the database is damaged" in other.log, "the log says it")
    assert "Traceback" not in coprocess.log + other.log


def damage(store: Path, word: bytes) -> None:
    """One octet of the schema, in a store that no write-ahead log hides."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    octets = bytearray(store.read_bytes())
    octets[octets.index(word)] = 0xA8
    new = store.with_suffix(".new")
    new.write_bytes(octets)
    new.chmod(0o600)
    new.rename(store)


@pytest.mark.parametrize("source", ["f.zone", "f.tsv", "included"])
def test_a_pipe_or_device_in_the_place_of_a_source_stops_nobody(start: Start, tmp_path: Path, source: str) -> None:
    """The process waited for ever for a pipe, and read /dev/zero until there was no memory; PowerDNS waited for it."""
    write_table(tmp_path, "first")
    text = (tmp_path / "own.toml").read_text()
    table = text.replace("t.example", "x.example").replace("own.tsv", "f.tsv")
    (tmp_path / "own.toml").write_text(f'{text}{table}[[zone]]\nname = "y.example"\nkind = "file"\nfile = "f.zone"\n')
    (tmp_path / "f.tsv").write_text((tmp_path / "own.tsv").read_text())
    (tmp_path / "included").write_text("a A 192.0.2.1\n")
    (tmp_path / "f.zone").write_text("$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n$INCLUDE included\n")
    for name in ("f.zone", "f.tsv", "included", "own.tsv", "own.toml"):
        age(tmp_path / name)
    running = start("remoteshim", "--config", str(tmp_path / "own.toml"))
    running.begin()
    for make in (os.mkfifo, lambda path: os.symlink("/dev/zero", path)):
        (tmp_path / source).unlink()
        make(tmp_path / source)
        wait_for(lambda: running.ask(LAST) and REFUSED.search(running.log), "the log says it")
        assert b"first" in running.ask(LAST)
        assert "Traceback" not in running.log
        if source != "f.tsv":  # a configuration whose table is missing is refused at the start, with a reason
            started = start("remoteshim", "--config", str(tmp_path / "own.toml"))
            started.begin()
            assert b"first" in started.ask(LAST)
            assert "Traceback" not in started.log
