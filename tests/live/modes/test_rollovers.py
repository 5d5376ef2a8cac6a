"""Keys are rolled over as docs/modes.md says, while a resolver that keeps its cache asks all the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import dns.dnssec
import dns.rcode
import dns.rdatatype
import pytest

from tests.live.modes.example import APEX, EXPECTED, ZONE, Expected, ds_of, fault_of, until
from tests.live.modes.page import Section
from tests.live.repeating import Repeating
from tests.live.servers import PdnsServer, Unbound, owner_for_pdnsutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

PARENT = "org"
TTL = 1  # seconds, of all records here
WAIT = 2.2  # a TTL of one second may be used for nearly two
PARENT_ZONE = f"""\
$ORIGIN org.
$TTL {TTL}
@        SOA ns1.example hostmaster 1 1 1 86400 {TTL}
@        NS  ns1.example
example  NS  ns1.example
"""
# Names that are asked for once, so that each answer is signed at that moment, with the DNSKEYs in the resolver's cache;
# EXPECTED are the same names again and again, which it may have in its cache, too.
FRESH = (
    Expected("www{}", "A"),
    Expected("www{}", "MX", has_answer=False),
    Expected("nope{}", "A", dns.rcode.NXDOMAIN, False),
    Expected("x{}.wild", "TXT"),
    Expected("x{}.wild", "A", has_answer=False),
    Expected("b{}.ent", "A", has_answer=False),
    Expected("secure{}", "DS"),
    Expected("insecure{}", "DS", has_answer=False),
)
FRESH_NAMES = 1500  # of each kind; a round takes at least ROUND
FRESH_RECORDS = """\
www{0}       A   203.0.113.80
a.b{0}.ent   TXT "below an empty non-terminal"
secure{0}    NS  ns1
secure{0}    DS  12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
insecure{0}  NS  ns1
"""
ROUND = 0.15  # seconds
QUESTIONS = 100  # of each step, at least: four rounds


class Watching(Repeating):
    """Asks a resolver again and again; ``bad`` are the answers that were not right or not validated."""

    def __init__(self, resolver: Unbound) -> None:
        super().__init__(self._ask_all, ROUND)
        self._resolver = resolver
        self.asked = 0
        self.rounds = 0
        self.bad: list[str] = []
        self.signers: set[int] = set()  # the tags of the keys whose signatures were seen

    def _ask_all(self) -> None:
        for expected in (*EXPECTED, *(each._replace(name=each.name.format(self.rounds)) for each in FRESH)):
            self._ask(expected)
        self.rounds += 1

    def _ask(self, expected: Expected) -> None:
        answer = self._resolver.query(expected.question, expected.type)
        self.asked += 1
        self.signers.update(
            signature.key_tag
            for rrset in (*answer.answer, *answer.authority)
            if rrset.rdtype == dns.rdatatype.RRSIG
            for signature in rrset
        )
        fault = fault_of(answer, expected)
        if fault:
            self.bad.append(f"question {self.asked}: {fault}")


class Servers(NamedTuple):
    """The zone's PowerDNS, and that of its parent zone."""

    section: Section
    child: PdnsServer
    parent: PdnsServer

    def run(self, group: int) -> None:
        """A group of commands of the page, and the wait after it."""
        self.section.run(group, self.child)
        time.sleep(WAIT)

    def change_ds(self, without: int | None = None) -> None:
        """The parent zone has the DS of all keys, or of all but those with a key tag."""
        found = [line.split(" DS ")[1].strip() for line in ds_of(self.child)]
        kept = [ds for ds in found if ds.split()[2] == "2" and ds.split()[0] != str(without)]
        self.parent.said("replace-rrset", PARENT, owner_for_pdnsutil("example", PARENT), "DS", str(TTL), *kept)
        time.sleep(WAIT)

    def watching(self, folder: Path) -> Unbound:
        """A strict resolver: it demands signatures of every algorithm that the DS records name."""
        ports = {PARENT: self.parent.port, APEX: self.child.port}
        # What was not asked before must be asked for (no RFC 8198): its signature is to be a fresh one
        return Unbound(ports, folder, self.parent.ds_of(PARENT), ["harden-algo-downgrade: yes", "aggressive-nsec: no"])


@pytest.fixture
def servers(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The parameter is another TTL of the zone's records."""
    ttl = getattr(request, "param", TTL)
    (tmp_path / "parent").mkdir()
    section, above = Section("Roll-overs", tmp_path), Section("Roll-overs", tmp_path / "parent")
    short = ZONE.replace("$TTL 60", f"$TTL {ttl}").replace("86400 2", f"86400 {ttl}")
    (section.folder / "example.org.zone").write_text(short + "".join(map(FRESH_RECORDS.format, range(FRESH_NAMES))))
    (above.folder / "org.zone").write_text(PARENT_ZONE)
    child, parent = section.pdns("192.0.2.53"), above.pdns("192.0.2.53")
    section.run(1, child)
    above.tool("zoneutil", "zone", "import", PARENT, "org.zone")
    parent.said("secure-zone", PARENT)
    with child, parent:
        made = Servers(section, child, parent)
        made.change_ds()
        yield made


def tag_of_first_ksk(server: PdnsServer) -> int:
    return int(ds_of(server)[0].split(" DS ")[1].split()[0])


def tags_shown(server: PdnsServer) -> set[int]:
    return {dns.dnssec.key_id(key) for key in server.dig(APEX, "DNSKEY").answer[0]}


def roll_everything(servers: Servers) -> Iterator[None]:
    """ZSK, KSK and algorithm, one after the other; yields after each step."""
    for group in (2, 3, 4):  # the ZSK
        yield servers.run(group)
    old = tag_of_first_ksk(servers.child)
    yield servers.run(5)
    yield servers.change_ds(without=old)
    yield servers.run(6)
    old = tag_of_first_ksk(servers.child)
    for group in (7, 8):  # the algorithm
        yield servers.run(group)
    yield servers.change_ds(without=old)
    for group in (9, 10):
        yield servers.run(group)


@pytest.mark.parametrize("denial", ["nsec", pytest.param("nsec3", marks=pytest.mark.slow)])
def test_nobody_notices_a_roll_over(servers: Servers, tmp_path: Path, denial: str) -> None:
    """Every kind of answer is right and validated all the time, and the signatures of each key are met."""
    if denial == "nsec3":
        servers.child.said("set-nsec3", APEX, "1 0 0 ab")
    before = servers.child.dig(APEX, "DNSKEY").answer[0]
    shown = tags_shown(servers.child)
    with servers.watching(tmp_path) as resolver, Watching(resolver) as watcher:
        for _ in roll_everything(servers):
            shown |= tags_shown(servers.child)
            enough = watcher.asked + QUESTIONS
            until(lambda enough=enough: watcher.asked >= enough, "the answers of this step")
    after = servers.child.dig(APEX, "DNSKEY").answer[0]
    assert {key.algorithm for key in after} == {15}
    assert len(after) == len(before) == 2
    assert watcher.bad == []
    assert watcher.rounds < FRESH_NAMES
    assert watcher.signers == shown


def test_a_roll_over_without_patience_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """The resolver would tell: here the KSK goes before the parent zone knows the new one."""
    with servers.watching(tmp_path) as resolver, Watching(resolver) as watcher:
        time.sleep(WAIT)
        assert watcher.bad == []
        servers.run(5)
        servers.run(6)
    assert any("SERVFAIL" in answer for answer in watcher.bad)


@pytest.mark.parametrize("servers", [60], indirect=True)
def test_a_zsk_that_signs_before_it_is_known_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """The names that were not asked for before tell: their signatures meet the DNSKEYs in the cache."""
    with servers.watching(tmp_path) as resolver, Watching(resolver) as watcher:
        time.sleep(1)
        assert watcher.bad == []
        for group in (2, 3):
            servers.section.run(group, servers.child)
        time.sleep(1)
    assert any("SERVFAIL" in answer for answer in watcher.bad)
