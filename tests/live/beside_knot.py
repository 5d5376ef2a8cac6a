"""A ZSK and a KSK rolled over by us and by Knot at the same time, with the same TTLs and delays, as a client sees it.

Both zones are below one parent, whose DS follow the CDS of each.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.dnssec
import dns.rdatatype

from pipebackend.backend.opening import open_backend
from pipebackend.rollover import states
from pipebackend.rollover.maintainer import Maintainer
from tests.live.knot import Knot
from tests.live.modes.page import Section
from tests.live.repeating import Repeating
from tests.live.servers import PdnsServer, owner_for_pdnsutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipebackend.rollover.maintainer import Report
    from pipebackend.rollover.states import Key

__all__ = ["KNOT", "OURS", "PROPAGATION", "RECORDS", "TTL", "Seen", "rolled"]

OURS, KNOT, PARENT = "ours.example", "knot.example", "example"
TTL, PROPAGATION = 4, 2
PATIENCE = 300.0
RECORDS = ("DNSKEY", "signs DNSKEY", "signs zone", "CDS", "DS")
ZONE = f"""\
$TTL {TTL}
@    SOA ns1 hostmaster 1 1 1 86400 {TTL}
@    NS  ns1
ns1  A   127.0.0.1
www  A   203.0.113.80
"""
PARENT_ZONE = f"""\
$TTL {TTL}
@     SOA ns1 hostmaster 1 1 1 86400 {TTL}
@     NS  ns1
ns1   A   127.0.0.1
ours  NS  ns1
knot  NS  ns1
"""
POLICY = f"""
[[policy]]
name = "own"
keys = "ksk+zsk"
propagation_delay = {PROPAGATION}
server_cache = 0
publish_safety = 0
retire_safety = 0
parent_ds_ttl = {TTL}
parent_check = ["127.0.0.1:{{port}}"]
"""


def _records(server: Any, name: str, rdtype: str) -> list[Any]:
    kind = dns.rdatatype.from_text(rdtype)
    return next((list(rrset) for rrset in server.dig(name, rdtype).answer if rrset.rdtype == kind), [])


def _signers(server: Any, name: str, rdtype: str) -> set[int]:
    answer = server.dig(name, rdtype, "+dnssec").answer
    return {one.key_tag for rrset in answer if rrset.rdtype == dns.rdatatype.RRSIG for one in rrset}


@dataclass
class Seen:
    """When each record of each key was first and last there, in seconds; by record and key tag."""

    apex: str
    first: dict[tuple[str, int], float] = field(default_factory=dict)
    last: dict[tuple[str, int], float] = field(default_factory=dict)

    def note(self, moment: float, record: str, tags: set[int]) -> None:
        for tag in tags:
            self.first.setdefault((record, tag), moment)
            self.last[record, tag] = moment

    def look(self, server: Any, parent: PdnsServer, start: float) -> None:
        moment = round(time.monotonic() - start, 2)
        self.note(moment, "DNSKEY", {dns.dnssec.key_id(key) for key in _records(server, self.apex, "DNSKEY")})
        self.note(moment, "signs DNSKEY", _signers(server, self.apex, "DNSKEY"))
        self.note(moment, "signs zone", _signers(server, self.apex, "SOA"))
        self.note(moment, "CDS", {ds.key_tag for ds in _records(server, self.apex, "CDS")})
        self.note(moment, "DS", {ds.key_tag for ds in _records(parent, self.apex, "DS")})


class Both:
    """The two zones and their parent, whose servers run."""

    def __init__(self, folder: Path) -> None:
        (folder / "parent").mkdir()
        self.section, above = Section("Roll-overs", folder), Section("Roll-overs", folder / "parent")
        self.parent, self.ours = above.pdns("192.0.2.53"), self.section.pdns("192.0.2.53")
        config = self.section.folder / "pipebackend.toml"
        config.write_text(config.read_text() + POLICY.format(port=self.parent.port))
        (self.section.folder / "zone").write_text(f"$ORIGIN {OURS}.\n{ZONE}")
        (above.folder / "zone").write_text(f"$ORIGIN {PARENT}.\n{PARENT_ZONE}")
        self.section.tool("zoneutil", "zone", "import", OURS, "zone")
        above.tool("zoneutil", "zone", "import", PARENT, "zone")
        self.section.tool("zoneutil", "zone", "set-policy", OURS, "own")
        self.knot = Knot(KNOT, f"$ORIGIN {KNOT}.\n{ZONE}", folder, parent=self.parent.port, ttl=TTL,
                         propagation=PROPAGATION)  # fmt: skip
        self.longest: dict[tuple[int, str, str], int] = {}  # of our waits: the seconds by key, record and state

    def registry(self, server: Any, apex: str) -> None:
        """The parent's DS becomes what CDS says (RFC 7344 section 4.1)."""
        wanted = {rdata.to_text() for rdata in _records(server, apex, "CDS")}
        if wanted and wanted != {rdata.to_text() for rdata in _records(self.parent, apex, "DS")}:
            label = apex.split(".", 1)[0]
            owner = owner_for_pdnsutil(label, PARENT)
            self.parent.said("replace-rrset", PARENT, owner, "DS", str(TTL), *sorted(wanted))

    @contextmanager
    def watched(self, seen: Mapping[str, Seen], start: float) -> Iterator[None]:
        """Looks at both zones again and again from the moment ``start`` on, while the parent follows their CDS."""

        def look(apex: str) -> None:
            server = self.ours if apex == OURS else self.knot
            self.registry(server, apex)
            seen[apex].look(server, self.parent, start)

        with Repeating(lambda: look(OURS), 0.1), Repeating(lambda: look(KNOT), 0.1):
            yield

    def maintain(self, roles: tuple[str, ...] = ()) -> Report:
        backend = open_backend(str(self.section.folder / "pipebackend.toml"))
        try:
            report = Maintainer(backend).maintain(OURS, roles=roles)
        finally:
            backend.close()
        for key in report.zone.keys:
            self._note_waits(key)
        return report

    def _note_waits(self, key: Key) -> None:
        for name in states.RECORDS:
            span = getattr(key, name)
            if span.end is not None:
                self.longest[key.tag, name, span.state] = span.end - span.since


def _is_idle(report: Report) -> bool:
    return not report.plan.blocked and all(
        key.goal == "in" and not any(span.is_moving for span in key.spans) for key in report.zone.keys
    )


def _until_idle(both: Both, tags: set[int] | None = None) -> None:
    """Waits for both zones to have two keys, other ones than before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        is_ours = _is_idle(both.maintain())
        keys = {dns.dnssec.key_id(key) for key in _records(both.knot, KNOT, "DNSKEY")}
        has_ds = {ds.key_tag for ds in _records(both.parent, KNOT, "DS")} & keys
        if is_ours and has_ds and len(keys) == 2 and keys != tags:
            return
        time.sleep(0.2)
    raise AssertionError(f"not settled: {both.maintain()} and Knot's {keys}, of which {has_ds} have a DS")


def rolled(folder: Path) -> tuple[dict[str, dict[str, Seen]], dict[tuple[int, str, str], int]]:
    """What was seen of both zones while a key of each role was replaced, and how long our waits were to be."""
    both = Both(folder)
    found: dict[str, dict[str, Seen]] = {}
    with both.parent, both.ours, both.knot:
        with both.watched({OURS: Seen(OURS), KNOT: Seen(KNOT)}, 0):
            _until_idle(both)
        time.sleep(2 * TTL)  # Knot's waits are over, too
        for role in ("zsk", "ksk"):
            tags = {dns.dnssec.key_id(key) for key in _records(both.knot, KNOT, "DNSKEY")}
            found[role] = {OURS: Seen(OURS), KNOT: Seen(KNOT)}
            with both.watched(found[role], time.monotonic()):
                time.sleep(1)
                both.knot.roll(role)
                both.maintain((role,))
                _until_idle(both, tags)
                time.sleep(TTL)
    return found, both.longest
