"""A zone file with every record type, served by a real PowerDNS: the octets on the wire are those that the file means.

What is expected comes from dnspython alone; of the types that it does not know, the octets stand here.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rdata
import dns.rdatatype
import dns.zone
import pytest

from tests.live.pairs import named_conf
from tests.live.rdata_samples import SAMPLES
from tests.live.release import powerdns_line
from tests.live.servers import (
    HOST,
    PATIENCE,
    PdnsServer,
    gsqlite3_schema,
    installed_command,
    pipe_config,
    program,
    remote_config,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "types.example"
HEAD = """\
$TTL 300
@ SOA ns1 hostmaster 1 7200 3600 1209600 300
@ NS ns1
ns1 A 192.0.2.1
"""
# Types that only we teach to dnspython, in the octets of PowerDNS's documentation and RFC 1035 section 3.3. Names end
# unlike all others: PowerDNS may compress those of RFC 1035, and dnspython would hand on the pointers.
OCTETS = {
    "ALIAS Target.example.com.": b"\x06Target\x07example\x03com\x00",
    'LUA TXT "; return \\"a b\\" .. \'c\'"': b"\x00\x10" + b"\x15; return \"a b\" .. 'c'",
    "LUA A \"ifportup(443, {'192.0.2.1', '192.0.2.2'})\"": b"\x00\x01" + b")ifportup(443, {'192.0.2.1', '192.0.2.2'})",
    "MB mb.test.": b"\x02mb\x04test\x00",
    "MG mg.invalid.": b"\x02mg\x07invalid\x00",
    "MR mr.localhost.": b"\x02mr\x09localhost\x00",
    "MINFO r.onion. e.alt.": b"\x01r\x05onion\x00\x01e\x03alt\x00",
    "RKEY 0 3 13 AwEAAbOFAxl+Lkt0UMglZizKEC1AxUu8": b"\x00\x00\x03\x0d"
    + bytes.fromhex("03010001b38503197e2e4b7450c825662cca102d40c54bbc"),
}
NUMBERS = {"ALIAS": 65401, "LUA": 65402, "MB": 7, "MG": 8, "MR": 9, "MINFO": 14, "RKEY": 57}


def expected(sample: str) -> tuple[int, bytes]:
    """The number and the octets of a sample."""
    type_, _, content = sample.partition(" ")
    if sample in OCTETS:
        return NUMBERS[type_], OCTETS[sample]
    rdata = dns.rdata.from_text("IN", type_, content, dns.name.root, False)
    return int(rdata.rdtype), rdata.to_wire() or b""


def owner(number: int) -> str:
    return f"n{number}.{ZONE}."


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    lines = [f"n{number} {sample}\n" for number, sample in enumerate(SAMPLES)]
    (folder / "types.zone").write_text(HEAD + "".join(lines))
    path = folder / "pipebackend.toml"
    path.write_text(f'{powerdns_line()}[[zone]]\nname = "{ZONE}"\nkind = "file"\nfile = "types.zone"\n')
    return path


@pytest.fixture(scope="module", params=["remote", "pipe"])
def server(
    request: pytest.FixtureRequest, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PdnsServer]:
    settings = remote_config(config) if request.param == "remote" else pipe_config(config)
    # without direct-dnskey PowerDNS transfers no DNSKEY, CDS and CDNSKEY records of a backend
    with PdnsServer({**settings, "direct-dnskey": "yes"}, tmp_path_factory.mktemp("pdns")) as running:
        yield running


@pytest.fixture(scope="module")
def transferred(server: PdnsServer) -> dict[str, list[tuple[int, bytes]]]:
    return records_of(server)


def records_of(server: PdnsServer) -> dict[str, list[tuple[int, bytes]]]:
    """The zone as AXFR gives it: owner → number and octets of each record."""
    zone = dns.zone.Zone(ZONE, relativize=False)
    dns.query.inbound_xfr(HOST, zone, port=server.port, timeout=PATIENCE, lifetime=PATIENCE)
    found: dict[str, list[tuple[int, bytes]]] = {}
    for name, rdataset in zone.iterate_rdatasets():
        for rdata in rdataset:
            found.setdefault(name.to_text(), []).append((int(rdata.rdtype), rdata.to_wire() or b""))
    return found


@pytest.mark.parametrize("number", range(len(SAMPLES)), ids=SAMPLES)
def test_a_transfer_has_the_octets_that_the_file_means(
    transferred: dict[str, list[tuple[int, bytes]]], number: int
) -> None:
    assert transferred[owner(number)] == [expected(SAMPLES[number])]


# A delegation is answered with a referral; ALIAS and LUA are resolved by PowerDNS.
ASKED = [number for number, sample in enumerate(SAMPLES) if sample.split()[0] not in ("NS", "ALIAS", "LUA")]


@pytest.mark.parametrize("number", ASKED, ids=[SAMPLES[number] for number in ASKED])
def test_an_answer_has_the_octets_that_the_file_means(server: PdnsServer, number: int) -> None:
    type_, octets = expected(SAMPLES[number])
    answer = server.ask(dns.message.make_query(owner(number), type_))
    found = [rdata.to_wire() for rrset in answer.answer for rdata in rrset if rdata.rdtype == type_]
    assert found == [octets]


@pytest.fixture(scope="module")
def exported(config: Path) -> str:
    command = [installed_command("zoneutil"), "--config", str(config), "zone", "export", ZONE]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def test_powerdns_loads_what_export_writes(exported: str, tmp_path: Path) -> None:
    """And can read each content."""
    (tmp_path / "exported.zone").write_text(exported)
    with closing(sqlite3.connect(tmp_path / "gsqlite3.db")) as connection:
        connection.executescript(gsqlite3_schema().read_text())
    server = PdnsServer({"launch": "gsqlite3", "gsqlite3-database": str(tmp_path / "gsqlite3.db")}, tmp_path)
    server.said("create-zone", ZONE)
    server.said("load-zone", ZONE, str(tmp_path / "exported.zone"))
    with closing(sqlite3.connect(tmp_path / "gsqlite3.db")) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM records").fetchall()
    assert count == len(exported.splitlines())
    found = server.pdnsutil("check-zone", ZONE).stdout
    assert [line for line in found.splitlines() if "Parsing record content" in line] == []


def test_the_bind_backend_answers_the_same_from_what_export_writes(
    exported: str, server: PdnsServer, transferred: dict[str, list[tuple[int, bytes]]], tmp_path: Path
) -> None:
    (tmp_path / "exported.zone").write_text(exported)
    conf = named_conf(tmp_path, {ZONE: tmp_path / "exported.zone"})
    settings = {"launch": "bind", "bind-config": str(conf), "direct-dnskey": "yes"}
    with PdnsServer(settings, tmp_path / "bind") as bind:
        assert records_of(bind) == transferred
        for number in ASKED:
            question = dns.message.make_query(owner(number), expected(SAMPLES[number])[0])
            assert bind.ask(question).answer == server.ask(question).answer


def test_named_loads_what_export_writes(exported: str, tmp_path: Path) -> None:
    """But for what PowerDNS alone has, and IPSECKEY without a gateway, which it writes without the dot."""
    own = (" IN ALIAS ", " IN LUA ", " IN IPSECKEY 10 0 ")
    lines = [line for line in exported.splitlines(keepends=True) if not any(mark in line for mark in own)]
    (tmp_path / "exported.zone").write_text("".join(lines))
    named = [program("named-checkzone"), "-i", "none", "-k", "ignore", ZONE, str(tmp_path / "exported.zone")]
    said = subprocess.run(named, capture_output=True, text=True, timeout=PATIENCE).stdout
    assert said.splitlines()[-1] == "OK", said
    unknown = [f" IN {type_} " for type_ in NUMBERS]
    readable = [line for line in lines if not any(type_ in line for type_ in unknown)]
    zone = dns.zone.from_text("".join(readable), ZONE, relativize=False)
    for number, sample in enumerate(SAMPLES):
        if f" IN {sample.split()[0]} " not in unknown and not sample.startswith("IPSECKEY 10 0 "):
            node = zone.find_node(owner(number))
            found = [(int(rdata.rdtype), rdata.to_wire()) for rdataset in node for rdata in rdataset]
            assert found == [expected(sample)], sample


def test_the_expectations_do_not_rest_on_our_own_types() -> None:
    program_text = (
        "import dns.rdata, dns.name, sys\n"
        "from tests.live.rdata_samples import SAMPLES\n"
        "from tests.live.test_file_content import OCTETS, expected\n"
        "[expected(sample) for sample in SAMPLES]\n"
        "assert 'pipebackend.dnsdata.rdtypes' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stderr == ""
