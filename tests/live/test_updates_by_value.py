"""What a DNS UPDATE has written, it finds and deletes by its value: PowerDNS compares content as text (RFC 2136).

With gsqlite3 beside us, whose answers and rows are the same.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import dns.rdata
import pytest

from pipebackend.admin.operator import Operator
from pipebackend.admin.zoneimport import import_file
from pipebackend.backend.opening import open_backend
from tests.live.release import VERSION, powerdns_line
from tests.live.servers import PdnsServer, gsqlite3_schema, pipe_config, remote_config
from tests.live.writes import WritableServer, nsupdate, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "example.org"
VALUES = [
    "DHCID AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=",
    "LOC 51 56 0.123 N 5 54 0.000 E 4.00m 1.00m 10000.00m 10.00m",
    "LOC 60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m",
    "OPENPGPKEY " + "mQINBFit2jsBEADrbl5vjVxYeAE0g0IDYCBpHirv1Sjlqxx5" * 4,
    "CERT 1 2 3 " + "mQINBFit2jsBEADrbl5vjVxYeAE0g0IDYCBpHirv1Sjlqxx5" * 4,
    "SSHFP 4 2 A87F1B687AC0E57D2A081A2F282672334D90ED316D2B818CA9580EA384D92401",
    "NID 10 0014:4fff:ff20:ee64",
    "HTTPS 1 . alpn=h2,h3 port=8443",
    r'SVCB 1 . key667="a\"b\\c"',
    'CAA 0 issue "ca.example.net; policy=ev"',
    'TXT "a b" "\\200"',
]

RENAMED = ["SVCB 1 . ohttp", "HTTPS 1 . alpn=h2 dohpath=/q{?dns}"]  # by 5.1
if VERSION >= (5, 1):  # to those before, types without a name are a FORMERR
    RENAMED += ['RESINFO "qnamemin"', 'WALLET "BTC" "x"']


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WritableServer, WritableServer]]:
    folder = tmp_path_factory.mktemp("updates")
    config = folder / "pipebackend.toml"
    config.write_text(powerdns_line())
    backend = open_backend(str(config))
    Operator(backend).editor.create(ZONE, 101, "native", [], [], 1)
    backend.close()
    database = folder / "gsqlite3.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(gsqlite3_schema().read_text())
        connection.execute("INSERT INTO domains (id, name, type) VALUES (1, ?, 'NATIVE')", (ZONE,))
        insert = "INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (1, ?, ?, ?, 3600, 1)"
        connection.execute(insert, (ZONE, "SOA", f"ns1.{ZONE} hostmaster.{ZONE} 1 1 1 86400 60"))
        connection.commit()
    lua = {"enable-lua-records": "yes"}
    if VERSION >= (5, 1):  # which refuses them by the API, as by UPDATE
        lua["enable-lua-record-updates"] = "yes"
    ours = WritableServer({**remote_config(config), **lua}, folder)
    theirs = WritableServer({"launch": "gsqlite3", "gsqlite3-database": str(database), **lua}, folder)
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:30])
def test_a_value_is_found_and_deleted(servers, value):
    name, type_ = f"n{VALUES.index(value)}.{ZONE}.", value.partition(" ")[0]
    steps = (
        (f"update add {name} 600 {value}",),
        (f"prereq yxrrset {name} {value.replace(type_, 'IN ' + type_, 1)}", f"update add a{name} 60 A 192.0.2.1"),
        (f"update delete {name} {value}",),
        (f"prereq nxrrset {name} {type_}", f"update add b{name} 60 A 192.0.2.1"),
    )
    for lines in steps:
        said = [nsupdate(server, ZONE, *lines) for server in servers]
        assert said == ["NOERROR", "NOERROR"], lines
    assert [len(server.dig(name, type_).answer) for server in servers] == [0, 0]


@pytest.mark.parametrize("by", ["zone import", "record add"])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_a_value_that_a_command_wrote_is_found_and_deleted(tmp_path: Path, by: str, is_known: bool) -> None:
    """Also the places of which PowerDNS before 5.1 writes the whole minutes as 60 seconds, with no version named: then
    commands ask the PowerDNS that is installed."""
    config = tmp_path / "pipebackend.toml"
    config.write_text(powerdns_line() if is_known else '[store]\nurl = "sqlite:zones.db"\n')
    places = [f"LOC {n + 1} {n} 0.000 N {n} {59 - n} 0.000 W 1.00m 1.00m 10000.00m 10.00m" for n in range(0, 60, 7)]
    values = [*VALUES, *places, *(RENAMED if is_known else ())]
    owners = [f"n{number}.{ZONE}." for number in range(len(values))]
    head = f"@ 60 SOA ns1 hostmaster 1 1 1 86400 60\n@ 60 NS ns1.{ZONE}.\nns1 60 A 192.0.2.53\n"
    backend = open_backend(str(config))
    if by == "zone import":
        lines = [f"{owner} 60 {value}\n" for owner, value in zip(owners, values, strict=True)]
        (tmp_path / "zone").write_text(head + "".join(lines))
        import_file(backend, ZONE, str(tmp_path / "zone"), lambda what, count: None)
    else:
        Operator(backend).editor.create(ZONE, 101, "native", [], [f"ns1.{ZONE}"], 1)
        for owner, value in zip(owners, values, strict=True):
            Operator(backend).editor.add(owner, *value.split(" ", 1), 60)
    backend.close()
    with WritableServer(remote_config(config), tmp_path) as server:
        for owner, value in zip(owners, values, strict=True):
            type_, content = value.split(" ", 1)
            rdata = dns.rdata.from_text("IN", type_, content)
            number = int(rdata.rdtype)
            octets = rdata.to_wire() or b""
            same = f"{owner} IN TYPE{number} \\# {len(octets)} {octets.hex()}"
            assert (
                nsupdate(server, ZONE, f"prereq yxrrset {same}", f"update add a{owner} 60 A 192.0.2.1") == "NOERROR"
            ), value
            assert nsupdate(server, ZONE, f"update delete {same.replace(' IN', '')}") == "NOERROR", value
            assert not server.dig(owner, f"TYPE{number}").answer, value


@pytest.mark.parametrize("pipe", [False, True], ids=["remote", "pipe"])
def test_lua_code_of_371_octets_is_run_as_it_was_written(tmp_path, pipe):
    """PowerDNS puts a space between strings, and so it would at a cut: in the middle of the address."""
    code = f"A \"{' ' * 245}'192.0.2.255'{' ' * 113}\""
    (tmp_path / "lua.zone").write_text(
        f"$TTL 60\n@ SOA ns h 1 1 1 86400 60\n@ NS ns\nns A 192.0.2.1\nlong LUA {code}\n"
    )
    config = tmp_path / "pipebackend.toml"
    config.write_text(powerdns_line() + '[[zone]]\nname = "lua.test"\nkind = "file"\nfile = "lua.zone"\n')
    launch = pipe_config(config) if pipe else remote_config(config)
    with PdnsServer({**launch, "enable-lua-records": "yes"}, tmp_path) as server:
        [answer] = server.dig("long.lua.test", "A").answer
        assert answer[0].address == "192.0.2.255"


def test_lua_code_with_ends_of_lines_is_kept_and_run(servers):
    code = "TXT \";local x = 'a'\nreturn x .. 'b'\""
    for server, path in zip(servers, ("zones.db", "gsqlite3.db"), strict=True):
        assert server.patch(ZONE, rrset(f"lines.{ZONE}", "LUA", code)) == 204
        [answer] = server.dig(f"lines.{ZONE}", "TXT").answer
        assert answer[0].strings == (b"ab",)
        with closing(sqlite3.connect(server.folder.parent / path)) as database:
            assert database.execute("SELECT content FROM records WHERE type = 'LUA'").fetchall() == [(code,)]
