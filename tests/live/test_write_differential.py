"""The same write to us and to gsqlite3: by the API, by DNS UPDATE and by transfer. Statuses, RCODEs, kept rows and
octets on the wire are equal; each difference stands in EXPECTED with the reason why gsqlite3 is wrong.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.update
import dns.zone
import pytest

from pipebackend.store import open_store
from tests.live.modes.example import until
from tests.live.overhttp import HttpService
from tests.live.primaries import Primary, rr
from tests.live.rdata_samples import SAMPLES
from tests.live.servers import HOST, gsqlite3_schema, installed_command, pdns_version
from tests.live.writes import SLOW, WritableServer, rrset
from tests.unit.store import foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dns.rrset import RRset

pytestmark = pytest.mark.live

BY_API, BY_UPDATE, BY_TRANSFER = "api.example", "update.example", "transfer.example"
FILE = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n"
OF_ZONE = ("SOA", "NS", "A")  # of the zone file, left out where they are its own
# sample → why gsqlite3 is wrong
EXPECTED = {'CAA 0 iodef ""': "4.7 writes nothing for an empty text from a primary, and reads one octet"}


class Pair(NamedTuple):
    """Two running servers with the same zones, and the databases of both."""

    ours: WritableServer
    theirs: WritableServer
    folder: Path
    url: str  # of our store

    def rows(self, zone: str) -> list[Counter[tuple[object, ...]]]:
        """What each keeps of the zone: name, type, TTL, prio and content."""
        sql = f"""SELECT r.name, r.type, r.ttl, coalesce(r.prio, 0), r.content FROM records AS r
            JOIN domains AS d ON d.id = r.domain_id
            WHERE d.name = '{zone}' AND r.type IS NOT NULL AND r.type <> 'SOA'"""
        found = []
        for url in (self.url, "sqlite:theirs.db"):
            with closing(open_store(url, self.folder)) as store:
                found.append(Counter(foreign.rows(store, sql)))
        return found

    def wire(self, zone: str) -> list[dict[tuple[str, int], set[bytes]]]:
        """What each sends of the zone: the octets of each RRset."""
        found: list[dict[tuple[str, int], set[bytes]]] = []
        for server in (self.ours, self.theirs):
            sent: dict[tuple[str, int], set[bytes]] = {}
            for message in dns.query.xfr(HOST, zone, port=server.port, timeout=SLOW, relativize=False):
                for each in message.answer:
                    if each.rdtype != dns.rdatatype.SOA:
                        octets = {rdata.to_wire() for rdata in each}
                        sent.setdefault((str(each.name), int(each.rdtype)), set()).update(octets)
            found.append(sent)
        return found


@contextmanager
def socket_server(folder: Path) -> Iterator[dict[str, str]]:
    """A server of our zones, which spares a process for each call; PowerDNS's settings for it."""
    address = folder / "socket"
    command = [installed_command("remoteshim"), f"--config={folder}/pipebackend.toml", f"--listen=unix:{address}"]
    with open(folder / "socket.log", "wb") as log, subprocess.Popen([*command, "--workers=1"], stderr=log) as process:
        try:
            until(address.exists, "the socket is there")
            connection = f"unix:path={address},timeout=60000"
            yield {"launch": "remote", "remote-connection-string": connection, "remote-dnssec": "yes"}
        finally:
            process.terminate()


@contextmanager
def http_server(folder: Path, form: str) -> Iterator[dict[str, str]]:
    with HttpService(folder, folder / "pipebackend.toml", "--workers=1") as service:
        yield service.settings(form)


# How our server is asked, and the kind of its store
WAYS = [("socket", "sqlite"), ("rest", "sqlite"), ("post_json", "sqlite"), ("socket", "postgresql")]


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    way, kind = request.param
    folder = tmp_path_factory.mktemp("pair")
    url = "sqlite:zones.db" if kind == "sqlite" else request.getfixturevalue("postgresql").new_database()
    (folder / "pipebackend.toml").write_text(f'[store]\nurl = "{url}"\n')
    (folder / "zone").write_text(FILE)
    with closing(sqlite3.connect(folder / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    more = {"secondary": "yes", "xfr-cycle-interval": "1", "default-ttl": "60"}
    if pdns_version() >= (5, 1):
        more["enable-lua-record-updates"] = "yes"
    of_gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(folder / "theirs.db"), "gsqlite3-dnssec": "yes"}
    with socket_server(folder) if way == "socket" else http_server(folder, way) as of_ours:
        ours, theirs = WritableServer({**of_ours, **more}, folder), WritableServer({**of_gsqlite3, **more}, folder)
        for zone in (BY_API, BY_UPDATE):
            zoneutil(folder, "zone", "create", zone)
            theirs.said("create-zone", zone)
            for server in (ours, theirs):
                server.said("load-zone", zone, str(folder / "zone"))
        with ours, theirs:
            yield Pair(ours, theirs, folder, url)


def zoneutil(folder: Path, *words: str) -> None:
    command = [installed_command("zoneutil"), "--config", str(folder / "pipebackend.toml"), *words]
    subprocess.run(command, check=True, capture_output=True)


def owner(number: int, zone: str) -> str:
    return f"s{number}.{zone}"


def number_of(name: object) -> int | None:
    """That of the sample at this name."""
    first = str(name).split(".")[0]
    return int(first[1:]) if first[:1] == "s" and first[1:].isdigit() else None


@pytest.fixture(scope="module")
def by_api(pair: Pair) -> list[tuple[int, int]]:
    """The statuses of each sample, ours and theirs."""
    found = []
    for number, sample in enumerate(SAMPLES):
        type_, content = sample.split(" ", 1)
        change = rrset(owner(number, BY_API), type_, content)
        found.append((pair.ours.patch(BY_API, change), pair.theirs.patch(BY_API, change)))
    return found


def unexpected(numbers: set[int | None]) -> list[str]:
    return sorted(SAMPLES[n] if n is not None else "?" for n in numbers if n is None or SAMPLES[n] not in EXPECTED)


def test_statuses_of_the_api(by_api: list[tuple[int, int]]) -> None:
    differing = {
        f"{SAMPLES[n]}: {ours}, gsqlite3 {theirs}" for n, (ours, theirs) in enumerate(by_api) if ours != theirs
    }
    assert {text for text in differing if text.rpartition(": ")[0] not in EXPECTED} == set()
    assert sum(ours == 204 for ours, _ in by_api) > len(SAMPLES) // 2


def check_kept(pair: Pair, zone: str) -> None:
    ours, theirs = pair.rows(zone)
    differing = {number_of(row[0]) for row in (ours - theirs) + (theirs - ours)}
    shown = "\n".join([*sorted(map(str, ours - theirs)), "---", *sorted(map(str, theirs - ours))])
    assert unexpected(differing) == [], shown
    ours_sent, theirs_sent = pair.wire(zone)
    different = {key for key in ours_sent.keys() | theirs_sent.keys() if ours_sent.get(key) != theirs_sent.get(key)}
    assert unexpected({number_of(name) for name, _ in different}) == []


def test_what_the_api_wrote_is_kept_and_sent_alike(pair: Pair, by_api: list[tuple[int, int]]) -> None:
    check_kept(pair, BY_API)


def sent_by_gsqlite3(pair: Pair, to: str) -> dict[int, RRset]:
    """The samples as the wire has them, with owners in another zone."""
    found = {}
    for message in dns.query.xfr(HOST, BY_API, port=pair.theirs.port, timeout=SLOW, relativize=False):
        for each in message.answer:
            number = number_of(each.name)
            if number is not None:
                found[number] = dns.rrset.from_rdata_list(owner(number, to) + ".", 60, list(each))
    return found


def updated(server: WritableServer, message: dns.update.UpdateMessage) -> str:
    return dns.rcode.to_text(dns.query.tcp(message, HOST, SLOW, server.port).rcode())


def test_updates_by_value(pair: Pair, by_api: list[tuple[int, int]]) -> None:
    """RFC 2136: added, found by a prerequisite of its value, deleted by its value."""
    steps: dict[int, list[list[str]]] = {}
    for number, records in sent_by_gsqlite3(pair, BY_UPDATE).items():
        name = dns.name.from_text(owner(number, BY_UPDATE))
        add = dns.update.UpdateMessage(BY_UPDATE)
        add.add(name, records.to_rdataset())
        renew = dns.update.UpdateMessage(BY_UPDATE)
        renew.present(name, *records)
        renew.add(name, 60, "TXT" if records.rdtype != dns.rdatatype.TXT else "A", "1.2.3.4")
        take = dns.update.UpdateMessage(BY_UPDATE)
        take.delete(name, *records)
        steps[number] = [[updated(s, m) for s in (pair.ours, pair.theirs)] for m in (add, renew, take)]
    differing = {number for number, found in steps.items() if any(ours != theirs for ours, theirs in found)}
    assert unexpected(differing) == [], {SAMPLES[n]: steps[n] for n in differing}
    check_kept(pair, BY_UPDATE)


def test_a_transfer_of_all(pair: Pair, by_api: list[tuple[int, int]]) -> None:
    with Primary() as primary:
        soa = rr(f"{BY_TRANSFER}. 60 SOA ns1.{BY_TRANSFER}. hostmaster.{BY_TRANSFER}. 1 9999 9999 86400 60")
        records = list(sent_by_gsqlite3(pair, BY_TRANSFER).values())
        primary.zones[f"{BY_TRANSFER}."] = [soa, rr(f"{BY_TRANSFER}. 60 NS ns1.{BY_TRANSFER}."), *records, soa]
        address = f"{HOST}:{primary.port}"
        zoneutil(pair.folder, "zone", "create", BY_TRANSFER, "--kind", "secondary", "--primary", address)
        pair.theirs.said(
            "create-secondary-zone" if pdns_version() >= (4, 8) else "create-slave-zone", BY_TRANSFER, address
        )
        for server in (pair.ours, pair.theirs):
            until(lambda server=server: bool(server.dig(BY_TRANSFER, "SOA").answer), f"{server.folder} has the zone")
    check_kept(pair, BY_TRANSFER)
