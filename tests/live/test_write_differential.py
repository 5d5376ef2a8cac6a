"""The same write to us and to gsqlite3: by the API, by DNS UPDATE and by transfer. Statuses, RCODEs, kept rows and
octets on the wire are equal; each difference stands in EXPECTED with the reason why gsqlite3 is wrong.

WRITES are content as people write it, and a common, an odd and the longest value of each type. By default a third of
the values is written over a socket and a few over HTTP; ``--long`` writes all over each, over HTTP in PARTS: PowerDNS
takes no answer of more than 2 MiB there, and lists a whole zone in one.
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
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
import dns.zone
import pytest

from pipebackend.store import open_store
from tests.live import pairs
from tests.live.modes.example import until
from tests.live.overhttp import HttpService
from tests.live.primaries import Primary, rr
from tests.live.rdata_samples import SAMPLES
from tests.live.release import powerdns_line
from tests.live.servers import HOST, gsqlite3_schema, installed_command, pdns_version
from tests.live.write_values import VALUES
from tests.live.writes import SLOW, WritableServer, rrset
from tests.unit.store import foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dns.message import Message
    from dns.rrset import RRset

pytestmark = pytest.mark.live

BY_API, BY_UPDATE, BY_TRANSFER = "api.example", "update.example", "transfer.example"
FILE = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n"
OF_ZONE = ("SOA", "NS", "A")  # of the zone file, left out where they are its own
# Types with names that PowerDNS compresses, and a type of the same form: dnspython has no MB, MG, MR, MINFO
WITH_NAMES = {2: 2, 5: 5, 6: 6, 7: 12, 8: 12, 9: 12, 12: 12, 14: 17, 15: 15, 17: 17, 18: 18, 36: 36}
WRITES = [*SAMPLES, *(value.title for value in VALUES)]  # a record's number is its place here
TYPES = len(VALUES) // 3
# sample or title → why gsqlite3 is wrong
EXPECTED = {'CAA 0 iodef ""': "4.7 writes nothing for an empty text from a primary, and reads one octet"}


def transferred(server: WritableServer, zone: str) -> list[Message]:
    """The messages of an AXFR; dnspython, which refuses odd values, reads only what may have compressed names."""

    def reader(rdclass: int, rdtype: int, use_generic: bool = True) -> type[dns.rdata.Rdata]:
        like = WITH_NAMES.get(rdtype)
        return known(rdclass, like, use_generic) if like else dns.rdata.GenericRdata

    known = dns.rdata.get_rdata_class
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dns.rdata, "get_rdata_class", reader)
        return list(dns.query.xfr(HOST, zone, port=server.port, timeout=SLOW, relativize=False))


class Pair(NamedTuple):
    """Two running servers with the same zones, and the databases of both."""

    ours: WritableServer
    theirs: WritableServer
    folder: Path
    url: str  # of our store
    numbers: Sequence[int]  # of what is written

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
            for message in transferred(server, zone):
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


def chosen(way: str, kind: str, part: int, is_long: bool) -> Sequence[int]:
    """The numbers of what is written in this way, into this kind of store."""
    values = range(len(SAMPLES), len(WRITES))
    if way != "socket":
        return range(part, len(WRITES), PARTS if is_long else 8)
    if not is_long:
        values = [n for n in values if (n // TYPES + n % TYPES) % 3 == 0][:: pairs.EVERY]
    return [n for n in range(len(WRITES)) if (n < len(SAMPLES) or n in values) and fits(n, kind)]


def fits(number: int, kind: str) -> bool:
    """Whether the store's column has room for it: in PowerDNS's schema for PostgreSQL it is VARCHAR(65535)."""
    return kind == "sqlite" or number < len(SAMPLES) or len(VALUES[number - len(SAMPLES)].content) <= 65_535


# How our server is asked, and the kind of its store
WAYS = [("socket", "sqlite"), ("rest", "sqlite"), ("post_json", "sqlite"), ("socket", "postgresql")]
PARTS = 5


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        parts = range(PARTS if metafunc.config.getoption("--long") else 1)
        ways = [(way, kind, part) for way, kind in WAYS for part in (parts if way != "socket" else range(1))]
        names = [f"{way}-{kind}-{1 + part}" for way, kind, part in ways]
        metafunc.parametrize("pair", ways, indirect=True, ids=names, scope="module")


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    way, kind, part = request.param
    folder = tmp_path_factory.mktemp("pair")
    url = "sqlite:zones.db" if kind == "sqlite" else request.getfixturevalue("postgresql").new_database()
    (folder / "pipebackend.toml").write_text(f'{powerdns_line()}[store]\nurl = "{url}"\n')
    (folder / "zone").write_text(FILE)
    with closing(sqlite3.connect(folder / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    # Rectifying after each PATCH, PowerDNS would list the zone, all longest values in it
    more = {"secondary": "yes", "xfr-cycle-interval": "1", "default-ttl": "60", "default-api-rectify": "no"}
    if pdns_version() >= (5, 1):
        more["enable-lua-record-updates"] = "yes"
    if pdns_version() >= (4, 9):  # which puts long records into one message with others, more than it can hold
        more["workaround-11804"] = "yes"
    of_gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(folder / "theirs.db"), "gsqlite3-dnssec": "yes"}
    with socket_server(folder) if way == "socket" else http_server(folder, way) as of_ours:
        ours, theirs = WritableServer({**of_ours, **more}, folder), WritableServer({**of_gsqlite3, **more}, folder)
        for zone in (BY_API, BY_UPDATE):
            zoneutil(folder, "zone", "create", zone)
            theirs.said("create-zone", zone)
            for server in (ours, theirs):
                server.said("load-zone", zone, str(folder / "zone"))
        with ours, theirs:
            numbers = chosen(way, kind, part, request.config.getoption("--long"))
            yield Pair(ours, theirs, folder, url, numbers)


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
def by_api(pair: Pair) -> dict[int, tuple[int, int]]:
    """The statuses of each, ours and theirs, by its number."""
    found = {}
    for number in pair.numbers:
        if number < len(SAMPLES):
            type_, content = SAMPLES[number].split(" ", 1)
        else:
            *_, type_, content = VALUES[number - len(SAMPLES)]
        change = rrset(owner(number, BY_API), type_, content)
        found[number] = pair.ours.patch(BY_API, change), pair.theirs.patch(BY_API, change)
    return found


def unexpected(numbers: set[int | None]) -> list[str]:
    return sorted(WRITES[n] if n is not None else "?" for n in numbers if n is None or WRITES[n] not in EXPECTED)


def test_a_common_an_odd_and_the_longest_value_of_65_types() -> None:
    assert len({value.number for value in VALUES}) == TYPES >= 65
    assert len({(value.number, value.octets) for value in VALUES}) == 3 * TYPES


def test_statuses_of_the_api(by_api: dict[int, tuple[int, int]]) -> None:
    differing = {n for n, (ours, theirs) in by_api.items() if ours != theirs}
    assert unexpected({*differing}) == [], {WRITES[n]: by_api[n] for n in differing}
    refused = {WRITES[n]: status for n, (status, _) in by_api.items() if status != 204}
    assert len(refused) < len(by_api) / 2, refused  # by PowerDNS, before it asks a backend


def check_kept(pair: Pair, zone: str) -> None:
    ours, theirs = pair.rows(zone)
    differing = {number_of(row[0]) for row in (ours - theirs) + (theirs - ours)}
    shown = "\n".join([*sorted(map(str, ours - theirs)), "---", *sorted(map(str, theirs - ours))])
    assert unexpected(differing) == [], shown
    ours_sent, theirs_sent = pair.wire(zone)
    different = {key for key in ours_sent.keys() | theirs_sent.keys() if ours_sent.get(key) != theirs_sent.get(key)}
    sent = {f"{key}: {ours_sent.get(key)}, gsqlite3 {theirs_sent.get(key)}" for key in different}
    assert unexpected({number_of(name) for name, _ in different}) == [], "\n".join(text[:500] for text in sorted(sent))


def test_what_the_api_wrote_is_kept_and_sent_alike(pair: Pair, by_api: dict[int, tuple[int, int]]) -> None:
    check_kept(pair, BY_API)


def written(pair: Pair, to: str) -> dict[int, RRset]:
    """What is written as the wire has it, samples as gsqlite3 sends them; with owners in another zone."""
    found = {}
    for message in transferred(pair.theirs, BY_API):
        for each in message.answer:
            number = number_of(each.name)
            if number is not None and number < len(SAMPLES):
                found[number] = dns.rrset.from_rdata_list(owner(number, to) + ".", 60, list(each))
    for number in pair.numbers:
        if number >= len(SAMPLES):
            value = VALUES[number - len(SAMPLES)]
            rdtype = dns.rdatatype.RdataType.make(value.number)
            rdata = dns.rdata.GenericRdata(dns.rdataclass.IN, rdtype, value.octets)
            found[number] = dns.rrset.from_rdata(owner(number, to) + ".", 60, rdata)
    return found


def updated(server: WritableServer, message: dns.update.UpdateMessage) -> str:
    return dns.rcode.to_text(dns.query.tcp(message, HOST, SLOW, server.port).rcode())


def test_content_longer_than_the_column_of_gpgsql_is_refused(pair: Pair, by_api: dict[int, tuple[int, int]]) -> None:
    name, content = f"long.{BY_API}", "\\# 40000 " + "5a" * 40_000
    status = pair.ours.patch(BY_API, rrset(name, "TYPE65280", content), rrset(f"short.{BY_API}", "A", "192.0.2.1"))
    kept = {str(row[0]) for row in pair.rows(BY_API)[0]} & {name, f"short.{BY_API}"}
    if pair.url.startswith("sqlite"):
        assert (status, len(kept)) == (204, 2)
        assert pair.ours.patch(BY_API, rrset(name, "TYPE65280"), rrset(f"short.{BY_API}", "A")) == 204
    else:
        assert (status, kept) == (422, set())


@pytest.fixture(scope="module")
def by_update(pair: Pair, by_api: dict[int, tuple[int, int]]) -> dict[int, list[list[str]]]:
    """RFC 2136: the RCODEs of adding each, finding it by a prerequisite and deleting it by value; ours and theirs."""
    steps: dict[int, list[list[str]]] = {}
    for number, records in written(pair, BY_UPDATE).items():
        name = dns.name.from_text(owner(number, BY_UPDATE))
        add = dns.update.UpdateMessage(BY_UPDATE)
        add.add(name, records.to_rdataset())
        renew = dns.update.UpdateMessage(BY_UPDATE)
        renew.present(name, *records)
        renew.add(name, 60, "TXT" if records.rdtype != dns.rdatatype.TXT else "A", "1.2.3.4")
        take = dns.update.UpdateMessage(BY_UPDATE)
        take.delete(name, *records)
        steps[number] = [[updated(s, m) for s in (pair.ours, pair.theirs)] for m in (add, renew, take)]
    return steps


def test_updates_by_value(pair: Pair, by_update: dict[int, list[list[str]]]) -> None:
    differing = {number for number, found in by_update.items() if any(ours != theirs for ours, theirs in found)}
    assert unexpected(differing) == [], {WRITES[n]: by_update[n] for n in differing}
    refused = {WRITES[n]: ours for n, ((ours, _), *_) in by_update.items() if ours != "NOERROR"}
    assert len(refused) < len(by_update) / 2, refused  # by PowerDNS, before it asks a backend
    check_kept(pair, BY_UPDATE)


def test_a_transfer_of_all(pair: Pair, by_update: dict[int, list[list[str]]]) -> None:
    """But for what PowerDNS cannot parse, which loses the zone whatever the backend."""
    with Primary() as primary:
        soa = rr(f"{BY_TRANSFER}. 60 SOA ns1.{BY_TRANSFER}. hostmaster.{BY_TRANSFER}. 1 9999 9999 86400 60")
        records = [each for n, each in written(pair, BY_TRANSFER).items() if by_update[n][0][1] == "NOERROR"]
        primary.zones[f"{BY_TRANSFER}."] = [soa, rr(f"{BY_TRANSFER}. 60 NS ns1.{BY_TRANSFER}."), *records, soa]
        address = f"{HOST}:{primary.port}"
        zoneutil(pair.folder, "zone", "create", BY_TRANSFER, "--kind", "secondary", "--primary", address)
        pair.theirs.said(
            "create-secondary-zone" if pdns_version() >= (4, 8) else "create-slave-zone", BY_TRANSFER, address
        )
        for server in (pair.ours, pair.theirs):
            until(lambda server=server: bool(server.dig(BY_TRANSFER, "SOA").answer), f"{server.folder} has the zone")
    check_kept(pair, BY_TRANSFER)
