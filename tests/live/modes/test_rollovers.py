"""Keys are rolled over as docs/modes.md says, while a resolver that keeps its cache asks all the time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self

import dns.rcode
import pytest

from tests.live.modes.example import APEX, ZONE, ds_of, is_secure
from tests.live.modes.page import Section
from tests.live.servers import PdnsServer, Unbound

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
QUESTIONS = (("www", "A"), ("", "DNSKEY"), ("nope", "A"), ("www", "MX"), ("x.wild", "TXT"))


class Watching(threading.Thread):
    """Asks a resolver again and again; ``bad`` are the answers that were not validated."""

    def __init__(self, resolver: Unbound) -> None:
        super().__init__()
        self._resolver = resolver
        self._ended = threading.Event()
        self.asked = 0
        self.bad: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(0.05):
            for name, type_ in QUESTIONS:
                answer = self._resolver.query(f"{name}.{APEX}".lstrip("."), type_)
                self.asked += 1
                if not is_secure(answer):
                    self.bad.append(f"{name} {type_} {dns.rcode.to_text(answer.rcode())} at question {self.asked}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


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
        self.parent.said("replace-rrset", PARENT, "example", "DS", str(TTL), *kept)
        time.sleep(WAIT)

    def watching(self, folder: Path) -> Unbound:
        """A strict resolver: it demands signatures of every algorithm that the DS records name."""
        anchors = [line.partition(" ;")[0] for line in self.parent.said("export-zone-ds", PARENT).splitlines()]
        ports = {PARENT: self.parent.port, APEX: self.child.port}
        return Unbound(ports, folder, anchors, ["harden-algo-downgrade: yes"])


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    (tmp_path / "parent").mkdir()
    section, above = Section("Roll-overs", tmp_path), Section("Roll-overs", tmp_path / "parent")
    short = ZONE.replace("$TTL 60", f"$TTL {TTL}").replace("86400 2", f"86400 {TTL}")
    (section.folder / "example.org.zone").write_text(short)
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


def test_nobody_notices_a_roll_over(servers: Servers, tmp_path: Path) -> None:
    """ZSK, KSK and algorithm, one after the other."""
    before = servers.child.dig(APEX, "DNSKEY").answer[0]
    with servers.watching(tmp_path) as resolver, Watching(resolver) as watcher:
        for group in (2, 3, 4):  # the ZSK
            servers.run(group)
        old = tag_of_first_ksk(servers.child)
        servers.run(5)
        servers.change_ds(without=old)
        servers.run(6)
        old = tag_of_first_ksk(servers.child)
        for group in (7, 8):  # the algorithm
            servers.run(group)
        servers.change_ds(without=old)
        for group in (9, 10):
            servers.run(group)
    after = servers.child.dig(APEX, "DNSKEY").answer[0]
    assert {key.algorithm for key in after} == {15}
    assert len(after) == len(before) == 2
    assert watcher.asked > 50
    assert watcher.bad == []


def test_a_roll_over_without_patience_is_noticed(servers: Servers, tmp_path: Path) -> None:
    """The resolver would tell: here the KSK goes before the parent zone knows the new one."""
    with servers.watching(tmp_path) as resolver, Watching(resolver) as watcher:
        time.sleep(WAIT)
        assert watcher.bad == []
        servers.run(5)
        servers.run(6)
    assert any("SERVFAIL" in answer for answer in watcher.bad)
