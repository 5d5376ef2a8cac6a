"""TXT: strings longer than 255 octets are cut where PowerDNS cuts them, and a NUL is an octet like any other."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.release import powerdns_line
from tests.live.servers import HOST, PATIENCE, gsqlite3_schema, installed_command, remote_config
from tests.live.writes import WritableServer, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

WRITTEN, SENT, FILED, IMPORTED = "written.test", "sent.test", "filed.test", "imported.test"
TEXT = f"v=DKIM1; p={'A' * 289}"  # 300 octets
PARTS = [TEXT[:255].encode(), TEXT[255:].encode()]
HEAD = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n"
WITH_NUL = [b"\0mytest", b"\\0mytest", b"a\0b\0", b"\0", b"\0" * 255]


class Both:
    """PowerDNS with our zones and with gsqlite3."""

    def __init__(self, folder: Path, ours: WritableServer, theirs: WritableServer) -> None:
        self.folder, self.ours, self.theirs = folder, ours, theirs

    def kept(self, owner: str) -> list[list[str]]:
        """The contents of TXT at a name, in both databases."""
        found = []
        for path in ("zones.db", "theirs.db"):
            with closing(sqlite3.connect(self.folder / path)) as database:
                rows = database.execute("SELECT content FROM records WHERE name = ? AND type = 'TXT'", (owner,))
                found.append([content for (content,) in rows])
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("texts")
    config = folder / "pipebackend.toml"
    (folder / "zone").write_text(f'{HEAD}long TXT "{TEXT}"\nunquoted TXT {TEXT.replace("; ", "_")}\n')
    config.write_text(f'{powerdns_line()}[[zone]]\nname = "{FILED}"\nkind = "file"\nfile = "zone"\n')
    with Primary() as primary, closing(sqlite3.connect(folder / "theirs.db")) as database:
        primary_address = f"{HOST}:{primary.port}"
        soa = rr(f"{SENT}. 60 SOA ns1.{SENT}. hostmaster.{SENT}. 1 9999 9999 86400 60")
        texts = [
            dns.rrset.from_rdata(
                f"n{number}.{SENT}.",
                60,
                dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.TXT, bytes([len(text)]) + text),
            )
            for number, text in enumerate(WITH_NUL)
        ]
        primary.zones[f"{SENT}."] = [soa, rr(f"{SENT}. 60 NS ns1.{SENT}."), *texts, soa]
        zoneutil(config, "zone", "import", IMPORTED, str(folder / "zone"))
        zoneutil(config, "zone", "create", WRITTEN)
        zoneutil(config, "zone", "create", SENT, "--kind", "secondary", "--primary", primary_address)
        database.executescript(gsqlite3_schema().read_text())
        insert = "INSERT INTO domains (name, type, master) VALUES (?, 'SLAVE', ?)"
        database.execute(insert, (SENT, primary_address))
        database.commit()
        more = {"secondary": "yes", "xfr-cycle-interval": "1"}
        ours = WritableServer({**remote_config(config), **more}, folder)
        theirs = WritableServer({"launch": "gsqlite3", "gsqlite3-database": f"{folder}/theirs.db", **more}, folder)
        theirs.said("create-zone", WRITTEN)
        with ours, theirs:
            yield Both(folder, ours, theirs)


def zoneutil(config: Path, *words: str) -> None:
    command = [installed_command("zoneutil"), "--config", str(config), *words]
    subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)


def strings(server: WritableServer, name: str) -> list[bytes]:
    [record] = server.dig(name, "TXT").answer[0]
    return list(record.strings)


def test_a_long_string_by_the_api_and_add_record_is_cut_as_gsqlite3_has_it(both: Both) -> None:
    for server in (both.ours, both.theirs):
        assert server.patch(WRITTEN, rrset(f"api.{WRITTEN}", "TXT", f'"{TEXT}"')) == 204
        assert server.edit_rrset("add-record", WRITTEN, "added", "TXT", "60", f'"{TEXT}"').returncode == 0
        assert strings(server, f"api.{WRITTEN}") == PARTS
        assert strings(server, f"added.{WRITTEN}") == PARTS


def test_a_long_string_by_load_zone_is_cut_as_gsqlite3_has_it(both: Both) -> None:
    (both.folder / "load").write_text(f'{HEAD}long TXT "{TEXT}"\n')
    for server in (both.ours, both.theirs):
        server.said("load-zone", WRITTEN, str(both.folder / "load"))
        assert strings(server, f"long.{WRITTEN}") == PARTS


@pytest.mark.parametrize("zone", [FILED, IMPORTED])
def test_a_long_string_of_a_zone_file_is_cut(both: Both, zone: str) -> None:
    assert strings(both.ours, f"long.{zone}") == PARTS
    assert [len(part) for part in strings(both.ours, f"unquoted.{zone}")] == [255, len(TEXT) - 1 - 255]


def test_a_nul_from_a_primary_is_kept_and_answered_as_by_gsqlite3(both: Both) -> None:
    for server in (both.ours, both.theirs):
        until(lambda server=server: bool(server.dig(SENT, "SOA").answer), "the zone came")
    for number, text in enumerate(WITH_NUL):
        name = f"n{number}.{SENT}"
        assert strings(both.ours, name) == strings(both.theirs, name) == [text]
        ours, theirs = both.kept(name)
        assert ours == theirs


@pytest.mark.parametrize("text", ['"\\0mytest"', '"a\\1"', '"\\12"'])
def test_an_escape_that_powerdns_cannot_read_is_refused_aloud(both: Both, text: str) -> None:
    """With gsqlite3, PowerDNS before 5.1 says 204 and then SERVFAIL for the name; from then on it refuses it itself."""
    good, bad = rrset(f"good.{WRITTEN}", "A", "192.0.2.200"), rrset(f"bad.{WRITTEN}", "TXT", text)
    assert both.ours.patch(WRITTEN, good, bad) == 422
    assert not both.ours.dig(f"good.{WRITTEN}").answer
    right = rrset(f"right.{WRITTEN}", "TXT", '"\\000mytest"')
    assert both.ours.patch(WRITTEN, right) == both.theirs.patch(WRITTEN, right) == 204
    assert strings(both.ours, f"right.{WRITTEN}") == [b"\0mytest"]
