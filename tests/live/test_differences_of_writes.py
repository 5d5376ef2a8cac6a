"""Writes that we refuse or keep in another way than gsqlite3 does, each with the rule; both sides are shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.update
import pytest

from pipebackend.dnsdata import typetable
from tests.live.release import VERSION, powerdns_line
from tests.live.servers import gsqlite3_schema
from tests.live.test_write_differential import FILE, socket_server, updated, zoneutil
from tests.live.writes import WritableServer, nsupdate, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "differ.example"
KEPT, REFUSED = 204, 422
IS_LAX = VERSION < (5, 1)  # the API of gsqlite3 keeps TXT as it was written


class Two(NamedTuple):
    """Both servers, ours first, and the database of each."""

    servers: tuple[WritableServer, WritableServer]
    databases: tuple[Path, Path]

    def patched(self, label: str, type_: str, content: str, ttl: int = 60) -> tuple[int, ...]:
        """The statuses of the same PATCH."""
        return tuple(each.patch(ZONE, rrset(f"{label}.{ZONE}", type_, content, ttl=ttl)) for each in self.servers)

    def updated(self, label: str, number: int, octets: bytes = b"\0\1\2\3") -> tuple[str, ...]:
        """The RCODEs of the same UPDATE, which adds a record."""
        rdtype = dns.rdatatype.RdataType.make(number)
        message = dns.update.UpdateMessage(ZONE)
        message.add(label, dns.rdataset.from_rdata(60, dns.rdata.GenericRdata(dns.rdataclass.IN, rdtype, octets)))
        return tuple(updated(each, message) for each in self.servers)

    def statuses_of_soa_edit(self, value: str) -> tuple[int, ...]:
        return tuple(each.api("PUT", f"/zones/{ZONE}.", {"soa_edit": value}).status for each in self.servers)

    def kept(self, owner: str, type_: str) -> tuple[list[str], ...]:
        sql = "SELECT content FROM records WHERE name = ? AND type = ? ORDER BY content"
        return self._column(sql, owner, type_)

    def setting(self, kind: str) -> tuple[list[str], ...]:
        sql = """SELECT m.content FROM domainmetadata AS m JOIN domains AS d ON d.id = m.domain_id
            WHERE d.name = ? AND m.kind = ?"""
        return self._column(sql, ZONE, kind)

    def sent(self, label: str, type_: str) -> list[list[str]]:
        """What each answers."""
        answers = [each.dig(f"{label}.{ZONE}", type_, "+tcp").answer for each in self.servers]
        return [[rdata.to_text() for each in answer for rdata in each] for answer in answers]

    def _column(self, sql: str, *values: str) -> tuple[list[str], ...]:
        found = []
        for path in self.databases:
            with closing(sqlite3.connect(path)) as database:
                found.append([str(row[0]) for row in database.execute(sql, values)])
        return tuple(found)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "pipebackend.toml").write_text(f'{powerdns_line()}[store]\nurl = "sqlite:zones.db"\n')
    (folder / "zone").write_text(FILE)
    with closing(sqlite3.connect(folder / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    of_gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(folder / "theirs.db"), "gsqlite3-dnssec": "yes"}
    fresh = {"cache-ttl": "0", "query-cache-ttl": "0", "negquery-cache-ttl": "0"}
    if VERSION >= (5, 1):
        fresh["enable-lua-record-updates"] = "yes"
    with socket_server(folder) as of_ours:
        ours, theirs = WritableServer({**of_ours, **fresh}, folder), WritableServer({**of_gsqlite3, **fresh}, folder)
        zoneutil(folder, "zone", "create", ZONE)
        theirs.said("create-zone", ZONE)
        for server in (ours, theirs):
            server.said("load-zone", ZONE, str(folder / "zone"))
        with ours, theirs:
            yield Two((ours, theirs), (folder / "zones.db", folder / "theirs.db"))


def test_a_ttl_from_2_to_the_31_on_is_refused(two: Two) -> None:
    """RFC 2181 section 8: a TTL has 31 bits. 4.7 keeps a longer one, and resolvers take it for 0."""
    is_old = VERSION < (4, 9)
    assert two.patched("ttl", "A", "192.0.2.1", 2**31) == (REFUSED, KEPT if is_old else REFUSED)
    assert two.kept(f"ttl.{ZONE}", "A") == ([], ["192.0.2.1"] if is_old else [])


def test_an_soa_edit_that_powerdns_does_not_know_is_refused(two: Two) -> None:
    """PowerDNS acts on none of such a value, so the serial would not change where the operator believes it does."""
    assert two.statuses_of_soa_edit("NOPE") == (500, KEPT)
    assert two.setting("SOA-EDIT") == ([], ["NOPE"])


def test_soa_edit_is_kept_in_capitals(two: Two) -> None:
    """PowerDNS compares it without case, so both work."""
    assert two.statuses_of_soa_edit("inception-increment") == (KEPT, KEPT)
    assert two.setting("SOA-EDIT") == (["INCEPTION-INCREMENT"], ["inception-increment"])


def test_an_soa_below_the_apex_is_refused_by_update(two: Two) -> None:
    """RFC 1035 section 5.2: one SOA, at the top of the zone."""
    line = f"update add sub.{ZONE}. 60 SOA ns1.{ZONE}. hostmaster.{ZONE}. 7 1 1 86400 2"
    assert [nsupdate(server, ZONE, line) for server in two.servers] == ["SERVFAIL", "NOERROR"]
    assert [len(each) for each in two.kept(f"sub.{ZONE}", "SOA")] == [0, 1]


def test_opt_is_refused(two: Two) -> None:
    """RFC 6891 section 6.1.1: OPT is in no zone. 4.7 keeps it by UPDATE, and then answers SERVFAIL."""
    assert two.patched("opt", "OPT", r"\# 0") == (REFUSED, REFUSED)
    assert two.updated("opt", 41)[0] != "NOERROR"
    assert two.kept(f"opt.{ZONE}", "OPT")[0] == []


@pytest.mark.parametrize("number", [0, 10, 128, 200, *range(249, 256), 65535])
def test_types_that_are_none_of_records_are_kept_as_by_gsqlite3(two: Two, number: int) -> None:
    """RFC 6895 section 3.1; TYPE0 is to PowerDNS an empty non-terminal."""
    type_ = typetable.type_of(number)
    for label, said in (
        (f"api{number}", two.patched(f"api{number}", type_, r"\# 4 00010203")),
        (f"update{number}", two.updated(f"update{number}", number)),
    ):
        assert len(set(said)) == 1, said
        ours, theirs = two.kept(f"{label}.{ZONE}", type_)
        assert ours == theirs


@pytest.mark.parametrize("content", [r'"\9"', r'"\999"', r'"a\25"', r'"\256"'])
def test_an_escape_that_is_no_octet_is_refused(two: Two, content: str) -> None:
    """RFC 1035 section 5.1: a digit behind a backslash begins three, of an octet. Before 5.1 gsqlite3 keeps it; with
    one digit a transfer of the whole zone then breaks off."""
    assert two.patched("escape", "TXT", content) == (REFUSED, KEPT if IS_LAX else REFUSED)
    assert two.kept(f"escape.{ZONE}", "TXT") == ([], [content] if IS_LAX else [])
    assert two.servers[1].patch(ZONE, rrset(f"escape.{ZONE}", "TXT")) == KEPT


@pytest.mark.parametrize("content", [r'"\065\200b"', r'"\065" "\098c"'])
def test_octets_are_kept_in_one_form(two: Two, content: str) -> None:
    """As PowerDNS writes them after a transfer, and 5.1 after each write: a deletion by value finds them."""
    assert two.patched("octets", "TXT", content) == (KEPT, KEPT)
    normal = {r'"\065\200b"': r'"A\200b"', r'"\065" "\098c"': r'"A" "bc"'}[content]
    assert two.kept(f"octets.{ZONE}", "TXT") == ([normal], [content] if IS_LAX else [normal])
    assert two.sent("octets", "TXT") == [[normal], [normal]]


@pytest.mark.parametrize("length", [256, 300, 700])
def test_a_string_of_more_than_255_octets_is_kept_split(two: Two, length: int) -> None:
    """RFC 1035 section 3.3. PowerDNS splits what gsqlite3 has kept whole, at the same places."""
    assert two.patched("long", "TXT", '"' + "x" * length + '"') == (KEPT, KEPT)
    ours, theirs = two.sent("long", "TXT")
    assert ours == theirs and len(ours[0].split()) == -(-length // 255)
    assert two.kept(f"long.{ZONE}", "TXT")[0] == ours


def test_lua_of_more_than_255_octets_is_kept_as_one_string(two: Two) -> None:
    """A cut is a space in the code that PowerDNS runs."""
    code = b"x" * 371
    octets = b"\0\1\xff" + code[:255] + b"\x74" + code[255:]
    assert two.updated("lua", typetable.NUMBERS["LUA"], octets) == ("NOERROR", "NOERROR")
    assert two.kept(f"lua.{ZONE}", "LUA") == ([f'A "{"x" * 371}"'], [f'A "{"x" * 255}" "{"x" * 116}"'])


def test_below_a_dname_there_is_nothing(two: Two) -> None:
    """RFC 6672 section 2.4. Both keep the record; we give it only when the DNAME has gone."""
    assert two.patched("d", "DNAME", "x.example.") == two.patched("k.d", "A", "192.0.2.1") == (KEPT, KEPT)
    assert two.kept(f"k.d.{ZONE}", "A") == (["192.0.2.1"], ["192.0.2.1"])
    assert two.sent("k.d", "A") == [[], ["192.0.2.1"]]
    for server in two.servers:
        assert server.patch(ZONE, rrset(f"d.{ZONE}", "DNAME")) == KEPT
    assert two.sent("k.d", "A") == [["192.0.2.1"], ["192.0.2.1"]]
