"""Keys roll over by a policy while resolvers ask all the time; a script is the registry, which follows CDS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import dns.dnssec
import dns.rdatatype
import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.rollover.maintainer import Maintainer, Report
from tests.live.modes.example import APEX, ZONE, until
from tests.live.modes.page import Section
from tests.live.modes.test_rollovers import FRESH_NAMES, FRESH_RECORDS, PARENT, PARENT_ZONE, Watching
from tests.live.repeating import Repeating
from tests.live.servers import PdnsServer, Unbound, owner_for_pdnsutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dns.rrset import RRset

pytestmark = pytest.mark.live

QUESTIONS, MANY_QUESTIONS = 2000, 5000
LAG = 5  # seconds
NO_DS = "0 0 0 00"  # the CDS that asks for none
PATIENCE = 600.0  # seconds for a roll-over, most of which is spent waiting for other programs
SHORT = """
[[policy]]
name = "{name}"
keys = "{keys}"
propagation_delay = 0
server_cache = {cache}
publish_safety = 0
retire_safety = 0
parent_ds_ttl = 1
parent_check = ["127.0.0.1:{port}"]
{more}
"""
CACHE = 2  # seconds that PowerDNS keeps keys and settings, where a test wants that
CACHES = {"dnssec-key-cache-ttl": f"{CACHE}", "zone-metadata-cache-ttl": f"{CACHE}"}
POLICIES = [  # name, keys, and more of it
    ("two", "ksk+zsk", ""),
    ("one", "csk", ""),
    ("hashed", "ksk+zsk", "nsec3 = true"),
    ("plain", "csk", "nsec3 = false"),
    ("unsigned", "none", ""),
]


class Zone:
    """The zone with two servers on one store, its parent, and both's resolvers."""

    def __init__(self, section: Section, above: Section, servers: list[PdnsServer], parent: PdnsServer) -> None:
        self.section, self.above, self.servers, self.parent = section, above, servers, parent

    def zoneutil(self, *words: str) -> str:
        return self.section.tool("zoneutil", *words)

    def maintained(self) -> Report:
        """As ``zoneutil key maintain``, which takes a second to start."""
        backend = open_backend(str(self.section.folder / "pipebackend.toml"))
        try:
            return Maintainer(backend).maintain(APEX)
        finally:
            backend.close()

    def registry(self) -> None:
        """The parent's DS becomes what CDS says (RFC 7344 section 4.1, RFC 8078 section 4); without CDS it stays."""
        wanted = {rdata.to_text() for rdata in records(self.servers[0], "CDS")}
        has = {rdata.to_text() for rdata in records(self.parent, "DS")}
        if wanted and wanted != has:
            set_ds(self.parent, wanted - {NO_DS})

    def settled(self) -> list[tuple[str, int, int]]:
        """The roles, algorithms and tags of the keys when there is nothing left to do."""
        deadline = time.monotonic() + PATIENCE
        while not _is_done(report := self.maintained()):
            assert time.monotonic() < deadline, report
            time.sleep(0.3)
        return [(key.role, key.algorithm, key.tag) for key in report.zone.keys]


def set_ds(parent: PdnsServer, texts: set[str]) -> None:
    owner = owner_for_pdnsutil("example", PARENT)
    if texts:
        parent.said("replace-rrset", PARENT, owner, "DS", "1", *sorted(texts))
    else:
        parent.said("delete-rrset", PARENT, owner, "DS")


def _is_done(report: Report) -> bool:
    keys = report.zone.keys
    return not report.plan.blocked and all(
        key.goal == "in" and not any(span.is_moving for span in key.spans) for key in keys
    )


def records(server: PdnsServer, rdtype: str) -> RRset | list[Any]:
    kind = dns.rdatatype.from_text(rdtype)
    return next((rrset for rrset in server.dig(APEX, rdtype).answer if rrset.rdtype == kind), [])


@pytest.fixture
def zone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Zone]:
    """The parameter is for how long PowerDNS keeps keys and settings."""
    cache = getattr(request, "param", 0)
    settings = CACHES if cache else {}
    (tmp_path / "parent").mkdir()
    section, above = Section("Roll-overs", tmp_path), Section("Roll-overs", tmp_path / "parent")
    short = ZONE.replace("$TTL 60", "$TTL 1").replace("86400 2", "86400 1")
    (section.folder / "example.org.zone").write_text(short + "".join(map(FRESH_RECORDS.format, range(FRESH_NAMES))))
    (above.folder / "org.zone").write_text(PARENT_ZONE)
    servers = [section.pdns("192.0.2.53", **settings), section.pdns("192.0.2.54", **settings)]
    parent = above.pdns("192.0.2.53")
    config = section.folder / "pipebackend.toml"
    values = {"port": parent.port, "cache": cache}
    policies = [SHORT.format(name=name, keys=keys, more=more, **values) for name, keys, more in POLICIES]
    config.write_text(config.read_text() + "".join(policies))
    section.tool("zoneutil", "zone", "import", APEX, "example.org.zone")
    above.tool("zoneutil", "zone", "import", PARENT, "org.zone")
    above.tool("zoneutil", "key", "secure", PARENT)
    with servers[0], servers[1], parent:
        yield Zone(section, above, servers, parent)


def resolvers(zone: Zone, folder: Path) -> list[Unbound]:
    """Strict ones, which demand signatures of every algorithm that the DS records name; one for each server."""
    anchors = zone.parent.ds_of(PARENT)
    options = ["harden-algo-downgrade: yes", "aggressive-nsec: no"]
    return [Unbound({PARENT: zone.parent.port, APEX: server.port}, folder, anchors, options) for server in zone.servers]


def test_nobody_notices_a_roll_over(zone: Zone, tmp_path: Path, is_long: bool) -> None:
    """ZSK, KSK, algorithm, to one key, CSK: every answer is right and validated, at both servers."""
    least = MANY_QUESTIONS if is_long else QUESTIONS
    zone.zoneutil("zone", "set-policy", APEX, "two")
    first, second = resolvers(zone, tmp_path)
    with first, second, Repeating(zone.registry):
        before = zone.settled()
        assert [role for role, *_ in before] == ["ksk", "zsk"]
        with Watching(first) as one, Watching(second) as other:
            zone.zoneutil("key", "roll", APEX, "--zsk", "--now")
            after_zsk = zone.settled()
            assert (after_zsk[0], len(after_zsk)) == (before[0], 2)
            assert after_zsk[1] != before[1]
            zone.zoneutil("key", "roll", APEX, "--ksk", "--now")
            after_ksk = zone.settled()
            assert before[0] not in after_ksk
            zone.zoneutil("key", "roll", APEX, "--algorithm", "ed25519", "--now")
            assert [found[:2] for found in zone.settled()] == [("ksk", 15), ("zsk", 15)]
            zone.zoneutil("zone", "set-policy", APEX, "one")
            [(role, algorithm, tag)] = zone.settled()
            assert (role, algorithm) == ("csk", 15)
            zone.zoneutil("key", "roll", APEX, "--now")
            assert zone.settled()[0][2] != tag
            deadline = time.monotonic() + PATIENCE
            while min(one.asked, other.asked) < least and time.monotonic() < deadline:
                time.sleep(0.1)
    assert (one.bad, other.bad) == ([], [])
    assert min(one.asked, other.asked) >= least
    assert one.rounds < FRESH_NAMES
    [key] = zone.maintained().zone.keys
    assert {ds.key_tag for ds in records(zone.parent, "DS")} == {key.tag}


def denials(zone: Zone) -> set[str]:
    """The types of the records with which both servers deny a name."""
    answers = [server.dig(f"nothere.{APEX}", "A", "+dnssec") for server in zone.servers]
    return {dns.rdatatype.to_text(rrset.rdtype) for answer in answers for rrset in answer.authority} - {"SOA", "RRSIG"}


@pytest.mark.slow
@pytest.mark.parametrize("zone", [CACHE], indirect=True)
def test_nobody_notices_another_denial(zone: Zone, tmp_path: Path) -> None:
    """NSEC3, NSEC with one key, back to both, insecure and signed again, where PowerDNS has its caches."""
    zone.zoneutil("zone", "set-policy", APEX, "hashed")
    first, second = resolvers(zone, tmp_path)
    with first, second, Repeating(zone.registry):
        zone.settled()
        assert denials(zone) == {"NSEC3"}
        with Watching(first) as one, Watching(second) as other:
            for policy, roles, types in (("plain", ["csk"], {"NSEC"}), ("hashed", ["ksk", "zsk"], {"NSEC3"})):
                zone.zoneutil("zone", "set-policy", APEX, policy)
                assert [role for role, *_ in zone.settled()] == roles
                until(lambda types=types: zone.maintained() and denials(zone) == types, f"denials with {types}")
        assert (one.bad, other.bad) == ([], [])
        with Watching(first) as one, Watching(second) as other:
            zone.zoneutil("zone", "set-policy", APEX, "unsigned")
            assert zone.settled() == []
            assert records(zone.parent, "DS") == []
            zone.zoneutil("zone", "set-policy", APEX, "hashed")
            assert [role for role, *_ in zone.settled()] == ["ksk", "zsk"]
        assert [bad for bad in (*one.bad, *other.bad) if "SERVFAIL" in bad] == []
        assert one.bad, "it was insecure for a while"


class Lagging:
    """A server of the parent zone that gets each DS RRset some seconds after the first one."""

    def __init__(self, zone: Zone, folder: Path) -> None:
        folder.mkdir()
        self._first = zone.parent
        section = Section("Roll-overs", folder)
        [store] = (folder.parent / "parent" / "etc").glob("*.db")
        zone.above.tool("zoneutil", "store", "backup", str(section.folder / store.name))
        self.server = section.pdns("192.0.2.53")
        self._seen: list[tuple[float, set[str]]] = []
        self._has: set[str] = set()

    def follow(self) -> None:
        """Give it what the first one had LAG seconds ago."""
        now = time.monotonic()
        self._seen.append((now, {rdata.to_text() for rdata in records(self._first, "DS")}))
        due = [texts for at, texts in self._seen if at <= now - LAG]
        if due and due[-1] != self._has:
            set_ds(self.server, due[-1])
            self._has = due[-1]


@pytest.mark.slow
def test_the_slowest_server_of_the_parent_is_waited_for(zone: Zone, tmp_path: Path) -> None:
    """One lags, and is then down for a while: a resolver that asks it alone never sees a bogus answer."""
    lagging = Lagging(zone, tmp_path / "lagging")
    config = zone.section.folder / "pipebackend.toml"
    both = f'"127.0.0.1:{zone.parent.port}", "127.0.0.1:{lagging.server.port}"'
    policy = SHORT.format(name="lagged", keys="ksk+zsk", more="", port=0, cache=0)
    config.write_text(config.read_text() + re.sub("parent_check = .*", f"parent_check = [{both}]", policy))
    zone.zoneutil("zone", "set-policy", APEX, "lagged")
    with lagging.server, Repeating(zone.registry), Repeating(lagging.follow):
        old = ksk(zone.settled())
        anchors = zone.parent.ds_of(PARENT)
        with Unbound({PARENT: lagging.server.port, APEX: zone.servers[0].port}, tmp_path, anchors) as resolver:
            with Watching(resolver) as before:
                zone.zoneutil("key", "roll", APEX, "--ksk", "--now")
                until(lambda: zone.maintained() and tags_of_ds(zone.parent) - {old}, "the first one has a new DS")
            lagging.server.stop()
            until(lambda: "does not answer" in zone.maintained().zone.parent, "that one is down is said")
            assert old in tags(zone).values()
            lagging.server.start()
            with Watching(resolver) as after:
                new = ksk(zone.settled())
        assert tags_of_ds(zone.parent) == tags_of_ds(lagging.server) == {new}
    assert (before.bad, after.bad) == ([], [])
    assert old != new


def ksk(keys: list[tuple[str, int, int]]) -> int:
    [tag] = [tag for role, _, tag in keys if role == "ksk"]
    return tag


def tags_of_ds(parent: PdnsServer) -> set[int]:
    return {ds.key_tag for ds in records(parent, "DS")}


def signers(server: PdnsServer, rdtype: str) -> set[int]:
    answer = server.dig(APEX, rdtype, "+dnssec").answer
    return {one.key_tag for rrset in answer if rrset.rdtype == dns.rdatatype.RRSIG for one in rrset}


def tags(zone: Zone) -> dict[str, int]:
    """The tags of the keys by id."""
    return {str(key["id"]): key["tag"] for key in json.loads(zone.zoneutil("key", "list", APEX, "--json"))}


def test_who_signs_what(zone: Zone) -> None:
    server = zone.servers[0]
    for flags in ("--ksk", "--zsk", "--zsk"):
        zone.zoneutil("key", "generate", APEX, flags)
    ksk, zsk, other = tags(zone).values()
    zone.zoneutil("key", "unpublish", APEX, "3")
    assert (signers(server, "DNSKEY"), signers(server, "SOA")) == ({ksk}, {zsk, other})
    assert {dns.dnssec.key_id(key) for key in records(server, "DNSKEY")} == {ksk, zsk}
    for key_id in ("2", "3"):
        zone.zoneutil("key", "deactivate", APEX, key_id)
    assert (signers(server, "DNSKEY"), signers(server, "SOA")) == ({ksk}, {ksk})
    [rrset] = [rrset for rrset in server.dig(APEX, "DNSKEY").answer if rrset.rdtype == dns.rdatatype.DNSKEY]
    assert rrset.ttl == 1, "that of the SOA's minimum"


def test_who_has_a_cds(zone: Zone) -> None:
    server = zone.servers[0]
    for flags in ("--ksk", "--zsk", "--ksk"):
        zone.zoneutil("key", "generate", APEX, flags)
    first, zsk, second = tags(zone).values()
    zone.zoneutil("meta", "set", APEX, "PUBLISH-CDS", "2")
    zone.zoneutil("meta", "set", APEX, "PUBLISH-CDNSKEY", "1")
    assert {ds.key_tag for ds in records(server, "CDS")} == {first, second}
    assert {dns.dnssec.key_id(key) for key in records(server, "CDNSKEY")} == {first, second}
    zone.zoneutil("key", "deactivate", APEX, "3")
    assert {ds.key_tag for ds in records(server, "CDS")} == {first, second}
    for change in ("unpublish", "activate"):
        zone.zoneutil("key", change, APEX, "3")
        assert {ds.key_tag for ds in records(server, "CDS")} == {first}
    zone.zoneutil("meta", "set", APEX, "PUBLISH-CDS", "0")
    zone.zoneutil("meta", "set", APEX, "PUBLISH-CDNSKEY", "0")
    assert [ds.to_text() for ds in records(server, "CDS")] == [NO_DS]
    assert [key.to_text() for key in records(server, "CDNSKEY")] == ["0 3 0 AA=="]
    zone.zoneutil("meta", "unset", APEX, "PUBLISH-CDS")
    zone.zoneutil("record", "add", APEX, "CDS", f"12345 13 2 {'ab' * 32}")
    assert {ds.key_tag for ds in records(server, "CDS")} == {12345}
    assert signers(server, "CDS") == {first, zsk, second}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a network of its own")
def test_the_parent_is_found_by_the_resolver_of_the_system(tmp_path: Path) -> None:
    words = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.live.own_network", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    assert not done.returncode, done.stderr
    without, with_ds, with_one_down = map(json.loads, done.stdout.splitlines())
    [tag] = [key["tag"] for key in without["keys"]]
    assert (without["ds_wanted"], without["parent"]) == ([tag], None)
    assert (with_ds["ds_wanted"], with_ds["parent"]) == ([], None)
    assert with_ds["keys"][0]["ds"]["until"], "all servers have it, and its TTL is waited for"
    assert [(key["tag"], key["goal"]) for key in with_one_down["keys"]] == [(tag, "in")]
    assert with_one_down["parent"].startswith("the parent's server 127.0.0.4 port 53 does not answer")
