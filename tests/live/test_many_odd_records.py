"""Some two thousand odd records, of the kinds in the test corpora of other programs, by transfer.

One zone for each kind: where gsqlite3 beside us takes it so do we, keep the same, and give the octets back.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from tests.live.modes.example import until
from tests.live.odd_kinds import SENT, type_of
from tests.live.primaries import Primary, rr
from tests.live.release import powerdns_line
from tests.live.servers import HOST, gsqlite3_schema, remote_config
from tests.live.test_kept_content import Both, is_wrong
from tests.live.writes import WritableServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

NAMED_IN_ZONE = {title: f"{title.lower()}.test" for title in SENT}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("many")
    config = folder / "pipebackend.toml"
    config.write_text(powerdns_line())
    with Primary() as primary, closing(sqlite3.connect(folder / "gsqlite3.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
        backend = open_backend(str(config))
        for number, (title, zone) in enumerate(NAMED_IN_ZONE.items(), 1):
            soa = rr(f"{zone}. 60 SOA ns1.{zone}. hostmaster.{zone}. 1 9999 9999 86400 60")
            rdtype = dns.rdatatype.from_text(type_of(title))
            records = [
                dns.rrset.from_rdata(f"{label}.{zone}.", 60, dns.rdata.GenericRdata(dns.rdataclass.IN, rdtype, octets))
                for label, octets in SENT[title]
            ]
            primary.zones[f"{zone}."] = [soa, rr(f"{zone}. 60 NS ns1.{zone}."), *records, soa]
            address = f"{HOST}:{primary.port}"
            Operator(backend).editor.create(zone, 100 + number, "secondary", [address], [], 1)
            insert = "INSERT INTO domains (id, name, type, master) VALUES (?, ?, 'SLAVE', ?)"
            database.execute(insert, (number, zone, address))
        database.commit()
        backend.close()
        common = {"secondary": "yes", "xfr-cycle-interval": "1"}
        ours = WritableServer({**remote_config(config), **common}, folder)
        theirs = WritableServer({"launch": "gsqlite3", "gsqlite3-database": f"{folder}/gsqlite3.db", **common}, folder)
        with ours, theirs:
            for server in (ours, theirs):
                for zone in NAMED_IN_ZONE.values():
                    until(lambda s=server, z=zone: has(s, z) or f"'{z}'" in failures(s), f"{zone} came or failed")
            yield Both(ours, theirs, folder / "zones.db", folder / "gsqlite3.db")


def has(server: WritableServer, zone: str) -> bool:
    return bool(server.dig(zone, "SOA").answer)


def failures(server: WritableServer) -> str:
    """The lines of the log about transfers that PowerDNS broke off."""
    return "\n".join(line for line in server.log.splitlines() if "unable to" in line)


@pytest.mark.parametrize("title", SENT)
def test_what_gsqlite3_takes_is_taken_and_kept_alike(both: Both, title: str) -> None:
    zone = NAMED_IN_ZONE[title]
    assert has(both.theirs, zone) == has(both.ours, zone)
    ours, theirs = both.kept(zone)
    different = {label: (theirs[label], ours.get(label)) for label in theirs if theirs[label] != ours.get(label)}
    assert {label: pair for label, pair in different.items() if not is_wrong(pair[0])} == {}


def test_more_than_a_thousand_come_back_as_they_were_sent(both: Both) -> None:
    """The rest, as APL with bits beyond its prefix, PowerDNS itself does not give back, with gsqlite3 neither."""
    unchanged, lost = 0, []
    beside = both._replace(ours=both.theirs)
    for title, zone in NAMED_IN_ZONE.items():
        rdtype = int(dns.rdatatype.from_text(type_of(title)))
        for label, sent in SENT[title] if has(both.ours, zone) else ():
            found = both.octets_of(f"{label}.{zone}", rdtype)
            if found == [sent]:
                unchanged += 1
            elif found != beside.octets_of(f"{label}.{zone}", rdtype):
                lost.append((title, label, found, sent))
    taken = [title for title, zone in NAMED_IN_ZONE.items() if has(both.ours, zone)]
    print(f"{sum(len(SENT[title]) for title in taken)} taken, {unchanged} unchanged; not {set(SENT) - set(taken)}")
    assert lost == []
    assert unchanged > 1800
