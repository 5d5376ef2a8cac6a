"""Cells of any type in any column that another program wrote: the other zones are listed, checked and served."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from pipebackend.backend.opening import open_backend
from remoteshim.main import RemoteSession
from tests.unit.cli.conftest import Zoneutil

CELLS = (None, b"\x00\xff", b"example.org", 2**63 - 1, -1, 60.5, "\u00e9")
ODD, GOOD = "odd.example", "good.example"
ZONE = "$TTL 60\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
COLUMNS = {
    "domains": ("id", "name", "master", "last_check", "type", "notified_serial", "account"),
    "records": ("id", "name", "type", "content", "ttl", "prio", "disabled", "ordername", "auth"),
    "cryptokeys": ("id", "flags", "active", "published", "content"),
    "domainmetadata": ("id", "kind", "content"),
    "supermasters": ("ip", "nameserver", "account"),
}
CHOSEN = {  # the row whose cell is replaced
    "domains": f"name = '{ODD}'",
    "records": f"name = 'ns1.{ODD}'",
    "supermasters": "1",
}
NEW = {"qname": "new.example.", "qtype": "NS", "content": "ns1.example", "ttl": 1}
REQUESTS = (
    ("getAllDomains", {"include_disabled": True}),
    ("getDomainInfo", {"name": f"{ODD}."}),
    ("lookup", {"qname": f"ns1.{ODD}.", "qtype": "ANY", "zone-id": -1}),
    ("getDomainKeys", {"name": f"{ODD}."}),
    ("getAllDomainMetadata", {"name": f"{ODD}."}),
    ("list", {"zonename": f"{ODD}.", "domain_id": -1}),
    ("getUpdatedMasters", {}),
    ("getUnfreshSlaveInfos", {}),
    ("searchRecords", {"pattern": "*x*", "maxResults": 100}),
    ("superMasterBackend", {"ip": "192.0.2.1", "domain": "new.example.", "nsset": [NEW]}),
)


@pytest.fixture
def database(zoneutil: Zoneutil) -> bytes:
    """A store of two zones, each with a key and a setting."""
    file = zoneutil.folder / "zone"
    file.write_text(ZONE)
    for zone in (ODD, GOOD):
        zoneutil.good("zone", "import", zone, file)
        zoneutil.good("key", "generate", zone)
        zoneutil.good("meta", "set", zone, "ALLOW-AXFR-FROM", "192.0.2.1")
        zoneutil.good("zone", "set-account", zone, "somebody")
    zoneutil.good("autoprimary", "add", "192.0.2.1", "ns1.example")
    return zoneutil.store.read_bytes()


def replace(zoneutil: Zoneutil, database: bytes, table: str, column: str, cell: object) -> bool:
    """Put the cell into that column of the odd zone; False if SQLite does not take it there."""
    for beside in zoneutil.folder.glob("zones.db-*"):
        beside.unlink()
    zoneutil.store.write_bytes(database)
    chosen = CHOSEN.get(table, f"domain_id = (SELECT id FROM domains WHERE name = '{ODD}')")
    with closing(sqlite3.connect(zoneutil.store)) as connection, connection:
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {chosen}", (cell,))
        except sqlite3.Error:
            return False
    return True


def numbers(value: object) -> list[int | float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, int | float) else []


def check_answers(zoneutil: Zoneutil) -> None:
    """REMOTE: JSON with integers of 32 bits, and the good zone is listed, found and signed."""
    session = RemoteSession(lambda _: open_backend(str(zoneutil.folder / "pipebackend.toml")))
    for method, params in (
        *REQUESTS,
        ("getDomainInfo", {"name": f"{GOOD}."}),
        ("getDomainKeys", {"name": f"{GOOD}."}),
        ("list", {"zonename": f"{GOOD}.", "domain_id": -1}),
    ):
        answer = json.loads(session.answer(json.dumps({"method": method, "parameters": params}).encode()))
        assert "internal error" not in str(answer.get("log")), (method, answer)
        assert all(type(one) is not float and -(2**31) <= one < 2**32 for one in numbers(answer)), answer
        if method == "getAllDomains":
            assert GOOD in [zone["zone"].rstrip(".") for zone in answer["result"]], answer
        if GOOD in str(params):
            assert answer["result"], answer
    session.backend.close()


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, some in COLUMNS.items() for column in some])
def test_any_cell_leaves_the_other_zones_as_they_are(
    zoneutil: Zoneutil, database: bytes, table: str, column: str
) -> None:
    taken = [cell for cell in CELLS if try_cell(zoneutil, database, table, column, cell)]
    assert taken, "else nothing was tried"


def try_cell(zoneutil: Zoneutil, database: bytes, table: str, column: str, cell: object) -> bool:
    if not replace(zoneutil, database, table, column, cell):
        return False
    check_answers(zoneutil)
    for words in (
        ("zone", "list"),
        ("zone", "check"),
        ("store", "check"),
        ("zone", "export", ODD),
        ("key", "list", ODD),
        ("meta", "list", ODD),
        ("autoprimary", "list"),
    ):
        done = zoneutil(*words)
        assert "Traceback" not in done.err, (cell, words)
        if words in (("zone", "list"), ("zone", "check")):
            assert GOOD in done.out + done.err, (cell, words)
    return True


def test_a_name_that_is_no_text_is_named(zoneutil: Zoneutil, database: bytes) -> None:
    """One such row ended the check and the list of all zones."""
    replace(zoneutil, database, "records", "name", b"\x00\xff")
    done = zoneutil("zone", "check", ODD)
    assert done.status == 1
    assert r"\000\255 A '192.0.2.1': PowerDNS does not find this name: it is to be text" in done.out


def test_a_key_whose_flags_are_no_number_fails_instead_of_an_unsigned_zone(zoneutil: Zoneutil, database: bytes) -> None:
    replace(zoneutil, database, "cryptokeys", "flags", "x")
    assert f"zone {ODD}: a key has the id 1 and the flags 'x'" in zoneutil("key", "list", ODD).err
    session = RemoteSession(lambda _: open_backend(str(zoneutil.folder / "pipebackend.toml")))
    answer = json.loads(session.answer(b'{"method": "getDomainKeys", "parameters": {"name": "odd.example."}}'))
    assert answer["result"] is None, "which PowerDNS answers with SERVFAIL"
    session.backend.close()
