"""Unbound and delv validate every kind of answer of every kind of zone, for each algorithm and each denial.

One PowerDNS serves all of them, each a zone of its own name; one Unbound has all their DS records as trust anchors.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from tests.live.servers import HOST, PdnsServer, Unbound, program, remote_config
from tests.live.signed import MODES, SignedZone, sign_all, write_zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import dns.message

pytestmark = pytest.mark.live

ALGORITHMS = (8, 10, 13, 14, 15, 16)
MAKERS = ("zoneutil", "pdnsutil", "dnssec-keygen")
THERE, NODATA, NXDOMAIN, WILDCARD, WILDCARD_NODATA, UNSIGNED = (
    "there",
    "nodata",
    "nxdomain",
    "*",
    "* nodata",
    "unsigned",
)
# RFC 5155 section 9.2: what follows from an opt-out NSEC3 may be an unsigned delegation, so nothing is proved
NOT_PROVED_BY_OPT_OUT = (NXDOMAIN, WILDCARD, WILDCARD_NODATA, UNSIGNED)
LONG = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"


def _zones() -> Iterator[SignedZone]:
    """The matrix; who makes the keys goes round, so that each of the three does for each algorithm."""
    kinds = ("airports", "file", "ranges")
    for (row, algorithm), (column, mode), (layer, kind) in product(*map(enumerate, (ALGORITHMS, MODES, kinds))):
        maker = MAKERS[(row + column + layer) % len(MAKERS)]
        yield SignedZone(f"{kind}-{mode}-{algorithm}.aa", kind, mode, algorithm, maker)
    yield SignedZone("airports.aa", "airports", "nsec")
    for mode in MODES:
        yield SignedZone(f"listed-{mode}.aa", "listed", mode)
    yield SignedZone("unlisted.aa", "unlisted", "nsec")  # narrow NSEC3 without being told so
    yield SignedZone("unlisted-opt-out.aa", "unlisted", "opt-out")
    yield SignedZone("100.51.198.in-addr.arpa", "reverse", "nsec")
    yield SignedZone("101.51.198.in-addr.arpa", "reverse", "narrow")


ZONES = {zone.name: zone for zone in _zones()}
QUESTIONS = {
    "airports": [
        ("aaa", "TXT", THERE),
        ("AAB", "LOC", THERE),
        ("", "SOA", THERE),
        ("", "DNSKEY", THERE),
        ("aaa", "MX", NODATA),
        ("", "MX", NODATA),
        ("zzzz", "TXT", NXDOMAIN),
        ("0", "A", NXDOMAIN),
        ("x.aaa", "TXT", NXDOMAIN),
        ("x.wild", "TXT", WILDCARD),
        ("x.y.wild", "A", WILDCARD_NODATA),
        ("wild", "TXT", NODATA),
        ("insecure", "DS", UNSIGNED),
    ],
    "file": [
        ("", "TXT", THERE),
        ("www", "HTTPS", THERE),
        ("www", "LOC", THERE),
        ("new", "TYPE65281", THERE),
        ("MIXED.case", "TXT", THERE),
        (r"a\.b", "TXT", THERE),
        (r"sp\032ace", "TXT", THERE),
        (r"back\\slash", "TXT", THERE),
        (r"\"quoted\"", "TXT", THERE),
        (r"H\195\182he", "TXT", THERE),
        (f"a.{LONG}.{LONG}.{LONG}", "TXT", THERE),
        ("alias", "A", THERE),
        ("ns.inside.tree", "A", THERE),
        ("secure", "DS", THERE),
        ("x.*.literal", "TXT", THERE),
        ("mail", "TXT", NODATA),
        ("inside.tree", "A", NODATA),
        ("deep", "A", NODATA),
        ("inside.deep", "A", NODATA),
        ("case", "TXT", NODATA),
        (LONG, "A", NODATA),
        (f"{LONG}.{LONG}", "A", NODATA),
        ("both", "A", NODATA),
        (r"h\195\182he", "A", NODATA),
        ("wild", "TXT", NODATA),
        ("ent.wild", "TXT", NODATA),
        ("empty.names", "TXT", NODATA),
        ("nothing", "A", NXDOMAIN),
        ("a", "TXT", NXDOMAIN),
        ("/", "TXT", NXDOMAIN),
        (r"\000", "TXT", NXDOMAIN),
        (r"h\195\182hf", "TXT", NXDOMAIN),
        (r"\255\255", "TXT", NXDOMAIN),
        (r"\009.www", "TXT", NXDOMAIN),
        ("x.ns1", "A", NXDOMAIN),
        ("x.ent.wild", "TXT", NXDOMAIN),
        ("x.fixed.wild", "TXT", NXDOMAIN),
        ("y.literal", "TXT", WILDCARD_NODATA),  # *.literal is empty, yet it is there (RFC 4592 section 2.2.3)
        ("anything.wild", "TXT", WILDCARD),
        (r"\195\000.wild", "TXT", WILDCARD),  # names before * meet a fault of Unbound 1.17 (RFC 8198)
        ("two.labels.wild", "MX", WILDCARD),
        ("x.under.empty.names", "TXT", WILDCARD),
        ("x.alias", "A", WILDCARD),
        ("alias-to-wild", "TXT", WILDCARD),
        ("anything.wild", "A", WILDCARD_NODATA),
        ("insecure", "DS", UNSIGNED),
        ("sibling", "DS", UNSIGNED),
        ("lonely.ent", "DS", UNSIGNED),
        ("half.both", "DS", UNSIGNED),
        ("ent", "A", UNSIGNED),
    ],
    "ranges": [
        ("host-192-0-2-9.v", "A", THERE),
        ("host-2001-0db8-0000-0000-0000-0000-0000-003f.v", "AAAA", THERE),
        ("host-192-0-2-5.v", "TXT", THERE),
        ("host-192-0-2-5.v", "A", NODATA),
        ("host-192-0-2-9.v", "MX", NODATA),
        ("v", "A", NODATA),
        ("b", "A", NODATA),
        ("host-192-0-2-64.v", "A", NXDOMAIN),
        ("host-192-0-2-09.v", "A", NXDOMAIN),
        ("x.host-192-0-2-9.v", "A", NXDOMAIN),
        ("x.wild", "TXT", WILDCARD),
        ("x.wild", "A", WILDCARD_NODATA),
        ("insecure", "DS", UNSIGNED),
    ],
    "reverse": [
        ("7", "PTR", THERE),
        ("7", "A", NODATA),
        ("", "PTR", NODATA),
        ("128", "PTR", NXDOMAIN),
        ("x.7", "PTR", NXDOMAIN),
        ("x.200", "TXT", WILDCARD),
        ("x.200", "PTR", WILDCARD_NODATA),
        ("201", "DS", UNSIGNED),
    ],
    "listed": [
        ("a", "AAAA", THERE),
        ("a", "A", NODATA),
        ("b", "A", NODATA),
        ("d", "A", NXDOMAIN),
        ("x.a", "A", NXDOMAIN),
        ("x.wild", "TXT", WILDCARD),
        ("x.wild", "A", WILDCARD_NODATA),
        ("insecure", "DS", UNSIGNED),
    ],
}
QUESTIONS["unlisted"] = QUESTIONS["listed"]


class Running(NamedTuple):
    server: PdnsServer
    resolver: Unbound
    anchors: Mapping[str, list[str]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("validation")
    config = write_zones(folder, ZONES.values(), whole_table="airports.aa")
    anchors = sign_all(folder, ZONES.values())
    settings = {
        **remote_config(config, dnssec=True),
        "dnssec-key-cache-ttl": "60",  # keys do not change from here on
        "zone-metadata-cache-ttl": "60",
        "8bit-dns": "yes",  # else it fails each question for a name like h\195\182he
        "dname-processing": "yes",  # PowerDNS's default is to serve DNAME as any other data, which no resolver believes
    }
    with PdnsServer(settings, folder) as server:
        ports = dict.fromkeys(ZONES, server.port)
        with Unbound(ports, folder, [line for lines in anchors.values() for line in lines]) as resolver:
            yield Running(server, resolver, anchors)


def _absolute(name: str, zone: str) -> str:
    return f"{name}.{zone}" if name else zone


def _wanted(zone: SignedZone, outcome: str) -> tuple[str, bool, bool]:
    """The code, whether the asked type is in the answer, and whether it is proved."""
    proved = zone.mode != "opt-out" or outcome not in NOT_PROVED_BY_OPT_OUT
    if zone.is_narrow and outcome == UNSIGNED:
        proved = True  # narrow mode makes an NSEC3 for the delegation itself
    return "NXDOMAIN" if outcome == NXDOMAIN else "NOERROR", outcome in (THERE, WILDCARD), proved


def _got(answer: dns.message.Message, rdtype: str) -> tuple[str, bool, bool]:
    found = any(rrset.rdtype == dns.rdatatype.from_text(rdtype) for rrset in answer.answer)
    return dns.rcode.to_text(answer.rcode()), found, bool(answer.flags & dns.flags.AD)


@pytest.mark.parametrize("name", ZONES)
def test_unbound(running: Running, name: str) -> None:
    zone = ZONES[name]
    wanted, got = {}, {}
    for label, rdtype, outcome in QUESTIONS[zone.kind]:
        asked = _absolute(label, name)
        wanted[asked, rdtype] = _wanted(zone, outcome)
        got[asked, rdtype] = _got(running.resolver.query(asked, rdtype), rdtype)
    assert got == wanted


def _verdict(zone: SignedZone, outcome: str) -> str:
    """To delv an opt-out NSEC3 proves what Unbound says it does not, save for wildcards."""
    if zone.mode == "opt-out" and outcome == WILDCARD:
        return "; unsigned answer"
    return "; fully validated" if outcome in (THERE, WILDCARD) else "; negative response, fully validated"


def _delv(running: Running, zone: SignedZone, label: str, rdtype: str, anchors: Path) -> str:
    """delv's verdict on PowerDNS's own answer."""
    command = [program("delv"), f"@{HOST}", "-p", str(running.server.port), "-a", str(anchors), f"+root={zone.name}"]
    done = subprocess.run([*command, _absolute(label, zone.name), rdtype], capture_output=True, text=True, timeout=60)
    return next((line for line in done.stdout.splitlines() if line.startswith("; ")), done.stderr)


@pytest.mark.parametrize("name", ZONES)
def test_delv(running: Running, tmp_path: Path, name: str) -> None:
    """One question for each outcome."""
    zone = ZONES[name]
    lines = [line.split()[-4:] for line in running.anchors[name]]
    anchors = [f'"{name}." static-ds {" ".join(words[:3])} "{words[3]}";' for words in lines]
    (tmp_path / "anchors").write_text("trust-anchors {" + "".join(anchors) + "};")
    questions = {outcome: (label, rdtype) for label, rdtype, outcome in reversed(QUESTIONS[zone.kind])}
    with ThreadPoolExecutor(4) as pool:
        verdicts = pool.map(lambda question: _delv(running, zone, *question, tmp_path / "anchors"), questions.values())
    got = dict(zip(questions, verdicts, strict=True))
    assert got == {outcome: _verdict(zone, outcome) for outcome in questions}
