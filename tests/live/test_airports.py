"""A real PowerDNS serves airports.aa: every airport, over REMOTE and over PIPE with each ABI.

What is expected is computed here from airports.tsv, straight to the octets of RFC 1035 and RFC 1876; nothing of the
package under test is imported.
"""

from __future__ import annotations

import struct
import subprocess
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from pipebackend.base.version import VERSION
from tests.live.flood import LOC, TXT, ask_all
from tests.live.servers import (
    PdnsServer,
    ServerFailed,
    installed_command,
    pipe_config,
    program,
    remote_config,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

ZONE = "airports.aa"
TTL = 60
TABLE = Path(__file__).parents[2] / "airports.tsv"
ABIS = (1, 2, 3, 4, 5)
PROTOCOLS = ("remote", "remote without timeout", *(f"pipe abi {abi}" for abi in ABIS))
# RFC 1876 section 2: the precisions 1 m, 10000 m and 10 m in centimetres, as base and power of ten
SIZES = b"\x00\x12\x16\x13"
EQUATOR = 2**31
ALTITUDE_BASE = 100_000 * 100  # centimetres below the WGS 84 spheroid
MAX_STRING = 255  # octets of one character-string (RFC 1035 section 3.3)


class Airport(NamedTuple):
    """The cells of one row that have a part in the answers."""

    iata: str
    name: str
    latitude: str
    longitude: str
    elevation: str

    def txt(self) -> bytes:
        octets = self.name.encode()
        parts = [octets[start : start + MAX_STRING] for start in range(0, len(octets), MAX_STRING)]
        return b"".join(bytes([len(part)]) + part for part in parts)

    def loc(self) -> bytes:
        centimetres = _rounded(Decimal(self.elevation) * 100)
        angles = [EQUATOR + _rounded(Decimal(degrees) * 3_600_000) for degrees in (self.latitude, self.longitude)]
        return SIZES + struct.pack("!3I", *angles, ALTITUDE_BASE + centimetres)


def _rounded(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), ROUND_HALF_EVEN))


def airports() -> list[Airport]:
    header, *rows = TABLE.read_text("utf-8").splitlines()
    columns = header.split("\t")
    wanted = [columns.index(name) for name in ("iata", "name", "latitude", "longitude", "elevation_m")]
    cells = [row.split("\t") for row in rows]
    return [Airport(*(row[index] for index in wanted)) for row in cells]


AIRPORTS = airports()


def _settings(protocol: str) -> dict[str, str]:
    if protocol.startswith("remote"):
        return remote_config(timeout=0) if protocol.endswith("without timeout") else remote_config()
    return pipe_config(abi=int(protocol.split()[-1]))


@pytest.fixture(scope="module", params=PROTOCOLS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdnsServer]:
    with PdnsServer(_settings(request.param), tmp_path_factory.mktemp("pdns")) as running:
        yield running


def test_the_table_is_the_whole_one() -> None:
    assert len(AIRPORTS) > 7_800
    assert len({airport.iata for airport in AIRPORTS}) == len(AIRPORTS)
    assert any('"' in airport.name for airport in AIRPORTS)
    assert any(not airport.name.isascii() for airport in AIRPORTS)


def test_every_airport_has_its_txt_and_its_loc(server: PdnsServer) -> None:
    """Asked in alternating case: names are the same in any (RFC 4343)."""
    expected = {}
    for number, airport in enumerate(AIRPORTS):
        name = f"{airport.iata}.{ZONE}" if number % 2 else f"{airport.iata.lower()}.Airports.AA"
        expected[name, TXT] = ((TXT, TTL, airport.txt()),)
        expected[name, LOC] = ((LOC, TTL, airport.loc()),)
    replies = ask_all(server.port, expected)
    failed = {question: reply for question, reply in replies.items() if reply.rcode or not reply.authoritative}
    assert not failed
    wrong = {question: (reply.records, expected[question]) for question, reply in replies.items()}
    assert {question: pair for question, pair in wrong.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize("name", ["lax.airports.aa", "LAX.AIRPORTS.AA", "lAx.aIrPoRtS.aA"])
def test_names_in_any_case(server: PdnsServer, name: str) -> None:
    answer = server.dig(name, "TXT")
    assert [rrset.to_text() for rrset in answer.answer] == [f'{name}. 60 IN TXT "Los Angeles International Airport"']
    assert answer.question[0].name.to_text() == f"{name}."


@pytest.mark.parametrize("name", ["lax.airports.aa", "airports.aa", "ns1.airports.aa"])
def test_a_type_that_a_name_lacks_is_nodata(server: PdnsServer, name: str) -> None:
    answer = server.dig(name, "MX")
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA
    assert not answer.answer
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("name", ["zzzz.airports.aa", "x.lax.airports.aa", "a.b.c.airports.aa", r"a\.b.airports.aa"])
def test_a_name_that_is_not_there_is_nxdomain(server: PdnsServer, name: str) -> None:
    answer = server.dig(name, "TXT")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AA
    assert [rrset.name.to_text() for rrset in answer.authority] == ["airports.aa."]


@pytest.mark.parametrize("name", ["example.org", "aa", "xairports.aa", "."])
def test_a_zone_that_is_not_ours_is_refused(server: PdnsServer, name: str) -> None:
    assert server.dig(name, "TXT").rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("label", [r"a\032b", r"\\", r"\@", r"\.", "*", "a/b", "_dmarc"])
def test_odd_letters_in_a_name(server: PdnsServer, label: str) -> None:
    """All that PowerDNS lets through; for a tab, a line end or a zero it gives SERVFAIL itself."""
    assert server.dig(f"{label}.airports.aa", "TXT").rcode() == dns.rcode.NXDOMAIN
    assert server.dig("lax.airports.aa", "TXT").answer


def test_the_apex(server: PdnsServer) -> None:
    soa = server.dig(ZONE, "SOA").answer[0]
    assert soa.ttl == TTL
    assert soa[0].mname.to_text() == "ns1.airports.aa."
    assert soa[0].rname.to_text() == "hostmaster.airports.aa."
    assert soa[0].serial == int(TABLE.stat().st_mtime)
    assert server.dig(ZONE, "NS").answer[0].to_text() == "airports.aa. 60 IN NS ns1.airports.aa."
    assert server.dig("ns1.airports.aa", "A").answer[0].to_text() == "ns1.airports.aa. 60 IN A 127.0.0.1"


def test_tcp_answers_too(server: PdnsServer) -> None:
    assert server.dig("lax.airports.aa", "LOC", "+tcp").answer


def test_the_transferred_zone_loads_without_a_warning(server: PdnsServer) -> None:
    path = server.folder / "transferred.zone"
    path.write_text(server.axfr(ZONE))
    done = subprocess.run([program("named-checkzone"), ZONE, path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert said[0].startswith(f"zone {ZONE}/IN: loaded serial ")
    assert said[1:] == ["OK"]
    lines = path.read_text().splitlines()
    assert len(lines) == 2 * len(AIRPORTS) + 3  # SOA, NS and the address of ns1


def test_pdnsutil_finds_no_fault_in_the_zone(tmp_path: Path) -> None:
    """Only over REMOTE: PIPE cannot tell pdnsutil about a zone.

    Its one complaint is about LOC: we leave out the decimals of the sizes, and PowerDNS itself turns a full minute
    into 60.000 seconds when it writes a LOC as text.
    """
    checked = PdnsServer(remote_config(), tmp_path).pdnsutil("check-zone", ZONE)
    *complaints, summary = checked.stdout.splitlines()
    assert checked.returncode == 0
    assert summary.startswith(f"Checked {2 * len(AIRPORTS) + 3} records of '{ZONE}', 0 errors, ")
    same_but_spelled_otherwise = "[Warning] Parsed and original record content are not equal: "
    assert [
        line for line in complaints if not (line.startswith(same_but_spelled_otherwise) and " IN LOC " in line)
    ] == []


@pytest.mark.parametrize("protocol", ["remote", "pipe"])
def test_backend_commands(protocol: str, tmp_path: Path) -> None:
    server = PdnsServer(remote_config() if protocol == "remote" else pipe_config(abi=5), tmp_path)
    lines = server.pdnsutil("backend-cmd", protocol, "version", "zones", "stats").stdout.splitlines()
    assert f"pipebackend {VERSION}" in lines
    assert any(line.startswith("airports.aa table id ") for line in lines)
    assert "questions 0" in lines


@pytest.mark.parametrize("protocol", ["remote", "pipe"])
def test_an_unknown_backend_command_is_said_and_the_next_one_answered(protocol: str, tmp_path: Path) -> None:
    server = PdnsServer(remote_config() if protocol == "remote" else pipe_config(abi=5), tmp_path)
    done = server.pdnsutil("backend-cmd", protocol, "no-such-command", "version")
    assert "unknown command 'no-such-command'" in done.stdout + done.stderr
    assert f"pipebackend {VERSION}" in done.stdout


def test_a_wrong_abi_is_servfail_with_the_reason_in_the_log(tmp_path: Path) -> None:
    """PowerDNS does not look at the answer to HELO; leaving would be a relaunch per question (rule P-4)."""
    with PdnsServer(pipe_config(abi=9), tmp_path) as server:
        server.wait_for_log("Done launching threads")
        before = server.coprocesses()
        assert server.dig("lax.airports.aa", "TXT").rcode() == dns.rcode.SERVFAIL
        assert "PIPE ABI '9' is not supported" in server.wait_for_log("is not supported")
        assert server.wait_for_log("HELO and the ABI version come first")
        assert server.coprocesses() == before


def _broken(folder: Path) -> Path:
    path = folder / "broken.toml"
    path.write_text('[[zone]]\nname = "airports.aa"\nkind = "table"\nfile = "none.tsv"\nkey = "iata"\ncolour = "red"\n')
    return path


@pytest.mark.parametrize("command", ["pipebackend", "remoteshim"])
def test_a_broken_configuration_is_said_in_full_and_nothing_is_answered(command: str, tmp_path: Path) -> None:
    path = _broken(tmp_path)
    words = [installed_command(command), "--config", str(path)]
    done = subprocess.run(words, input="HELO\t1\n", capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    for fault in ("zone airports.aa: file: there is no file", "zone airports.aa: colour: unknown key"):
        assert fault in done.stderr


def test_powerdns_shows_what_is_wrong_with_the_configuration(tmp_path: Path) -> None:
    """Over PIPE PowerDNS ends at once, and its log has our faults."""
    with pytest.raises(ServerFailed, match=r"zone airports\.aa: colour: unknown key"):
        PdnsServer(pipe_config(_broken(tmp_path)), tmp_path).start()


def test_over_remote_a_broken_configuration_is_servfail_with_the_faults_in_the_log(tmp_path: Path) -> None:
    with PdnsServer(remote_config(_broken(tmp_path)), tmp_path) as server:
        assert server.dig("lax.airports.aa", "TXT").rcode() == dns.rcode.SERVFAIL
        assert "zone airports.aa: colour: unknown key" in server.wait_for_log("colour")
