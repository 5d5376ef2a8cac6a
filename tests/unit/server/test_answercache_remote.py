"""Kept answers over REMOTE: keys, settings and neighbours too, and never what a write has made old."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.backend.sources import PATIENCE
from pipebackend.server.answercache import Kept
from remoteshim.main import RemoteSession
from tests.making import TABLE_ZONE, make_watcher

APEX = "cities.example."
KEY = "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n"
OPENED: list[Backend] = []  # to be closed
NSEC3 = {"kind": "NSEC3PARAM", "value": ["1 0 0 -"]}


class Counting(RemoteSession):
    """A session that counts how often it makes an answer."""

    made = 0

    def answer(self, request: bytes) -> bytes:
        self.made += 1
        return super().answer(request)


class Asker:
    """Asks as PowerDNS writes."""

    def __init__(self, backend: Backend) -> None:
        self.session = Counting(lambda given: backend, backend)
        self._kept = Kept(self.session)

    def ask(self, method: str, **parameters: Any) -> Any:
        request = json.dumps({"method": method, "parameters": parameters}).encode()
        return json.loads(self._kept.answer(request))["result"]

    def lookup(self, name: str, zone_id: int = -1) -> list[str]:
        who = {
            "local": "127.0.0.1",
            "qname": name,
            "qtype": "ANY",
            "real-remote": "127.0.0.1/32",
            "remote": "127.0.0.1",
        }
        return [record["content"] for record in self.ask("lookup", **who, **{"zone-id": zone_id})]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    make_watcher(tmp_path, '[store]\nurl = "sqlite:zones.db"\n' + TABLE_ZONE)
    yield tmp_path
    while OPENED:
        OPENED.pop().close()


def asker(folder: Path) -> Asker:
    OPENED.append(open_backend(str(folder / "pipebackend.toml")))
    return Asker(OPENED[-1])


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("getAllDomainMetadata", {}),
        ("getDomainMetadata", {"kind": "NSEC3PARAM"}),
        ("getDomainKeys", {}),
    ],
)
def test_keys_and_settings_are_kept_until_somebody_writes(folder: Path, method: str, more: dict[str, str]) -> None:
    one, other = asker(folder), asker(folder)
    before = one.ask(method, name=APEX, **more)
    assert one.ask(method, name=APEX, **more) == before
    assert one.session.made == 1
    key = {"flags": 257, "active": True, "published": True, "content": KEY}
    one.ask("addDomainKey", name=APEX, key=key)
    one.ask("setDomainMetadata", name=APEX, **NSEC3)
    mine = one.ask(method, name=APEX, **more)
    assert mine != before, "what the session itself wrote is seen at once"
    other.ask("setDomainMetadata", name=APEX, kind="NSEC3PARAM", value=[])
    other.ask("removeDomainKey", name=APEX, id=1)
    time.sleep(2 * PATIENCE)
    assert one.ask(method, name=APEX, **more) == before


def test_neighbours_are_kept_until_the_denial_changes(folder: Path) -> None:
    one = asker(folder)
    ident = one.ask("getDomainInfo", name=APEX)["id"]
    made = one.session.made
    asked = {"id": ident, "qname": "*."}
    before = one.ask("getBeforeAndAfterNamesAbsolute", **asked)
    assert (
        one.ask("getBeforeAndAfterNamesAbsolute", **asked) == before == {"unhashed": "", "before": "", "after": "GRU"}
    )
    assert one.session.made == made + 1
    one.ask("setDomainMetadata", name=APEX, **NSEC3)
    made = one.session.made
    assert one.ask("getBeforeAndAfterNamesAbsolute", **asked) == before, "names, for a server that has the old settings"
    assert one.session.made == made + 1


def test_a_question_within_a_transaction_sees_what_was_fed(folder: Path) -> None:
    one = asker(folder)
    one.ask("createSlaveDomain", ip="192.0.2.1", domain="new.example.", nameserver="", account="")
    ident = one.ask("getDomainInfo", name="new.example.")["id"]
    fed = {"qname": "a.new.example.", "qtype": "A", "qclass": 1, "content": "192.0.2.1", "ttl": 60, "auth": True}
    soa = fed | {"qname": "new.example.", "qtype": "SOA", "content": "a b 1 2 3 4 5"}
    one.ask("startTransaction", domain="new.example.", domain_id=ident, trxid=1)
    one.ask("feedRecord", rr=soa, trxid=1)
    one.ask("commitTransaction", trxid=1)
    one.ask("startTransaction", domain="new.example.", domain_id=-1, trxid=2)
    assert one.lookup("a.new.example.", ident) == one.lookup("a.new.example.", ident) == []
    one.ask("feedRecord", rr=fed, trxid=2)
    assert one.lookup("a.new.example.", ident) == ["192.0.2.1"]
    one.ask("abortTransaction", trxid=2)
    assert one.lookup("a.new.example.", ident) == []


def test_what_was_fed_and_cannot_be_written_is_a_failure_of_the_question(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking whether anything changed writes what was fed; that must not end the process."""
    monkeypatch.setattr("pipebackend.store.database.faults.BUSY_SECONDS", 0.05)
    one = asker(folder)
    one.ask("createSlaveDomain", ip="192.0.2.1", domain="new.example.", nameserver="", account="")
    fed = {"qname": "a.new.example.", "qtype": "A", "qclass": 1, "content": "192.0.2.1", "ttl": 60, "auth": True}
    soa = fed | {"qname": "new.example.", "qtype": "SOA", "content": "a b 1 2 3 4 5"}
    one.ask("startTransaction", domain="new.example.", domain_id=-1, trxid=1)
    one.ask("replaceRRSet", domain_id=-1, qname="new.example.", qtype="SOA", rrset=[soa], trxid=1)
    one.ask("commitTransaction", trxid=1)
    one.ask("startTransaction", domain="new.example.", domain_id=-1, trxid=1)
    with closing(sqlite3.connect(folder / "zones.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        one.ask("feedRecord", rr=fed, trxid=1)
        [said] = one.lookup("a.new.example.")
        assert "locked" in said or "busy" in said
    assert one.ask("abortTransaction", trxid=1) is True
    assert one.lookup("a.new.example.") == []


def test_keys_of_a_store_that_is_gone_are_not_kept_longer_than_it_is_gone(folder: Path) -> None:
    one = asker(folder)
    key = {"flags": 257, "active": True, "published": True, "content": KEY}
    one.ask("addDomainKey", name=APEX, key=key)
    [known] = one.ask("getDomainKeys", name=APEX)
    (folder / "zones.db").rename(folder / "away")
    time.sleep(2 * PATIENCE)
    for _ in range(2):
        made = one.session.made
        assert one.ask("getDomainKeys", name=APEX) == [known]
        assert one.session.made == made + 1


def test_a_failure_is_not_kept(folder: Path) -> None:
    one = asker(folder)
    (folder / "zones.db").write_text("no database")
    for _ in range(2):
        assert one.ask("getDomainKeys", name=APEX) is None
    assert one.session.made == 2
