"""Ranges zones: names computed from IP prefixes, forward and reverse; nothing is stored for them.

    [[zone]]
    name = "dyn.example.net"             # forward: A and AAAA of host-192-0-2-7.dyn.example.net …
    kind = "ranges"
    ranges = ["192.0.2.0/24", "198.51.100.10-198.51.100.99 300", "2001:db8::/48"]   # the number is a TTL
    template = "host-{address}"          # one label
    domain = "dyn.example.net"           # where the hosts are; the zone's name if left out
    ttl = 3600                           # seconds; 3600 if left out
    max_listed = 65536                   # a zone with more names is not transferred; 65536 if left out
    soa = { mname = "ns1.example.net", rname = "hostmaster.example.net" }
    ns = ["ns1.example.net"]
    records = ["host-192-0-2-1 A 192.0.2.1"]

    [[zone]]
    name = "2.0.192.in-addr.arpa"        # reverse, since it is in in-addr.arpa or ip6.arpa: PTR
    kind = "ranges"
    ranges = ["192.0.2.0/24"]
    template = "host-{address}"
    domain = "dyn.example.net"           # where the PTR records point; must be there

With ``file = "example.net.zone"`` in place of soa, ns and records, a zone file says these.

A name among ``records``, or in the file, has those records alone. What lies below one with NS or DNAME is not computed.
"""

from __future__ import annotations

from bisect import bisect_right

from pipebackend.base.errors import NameFault, NotListable, RecordFault
from pipebackend.dnsdata import names, records
from pipebackend.dnsdata.records import Record
from pipebackend.zones import apex as apex_records
from pipebackend.zones.kinds import file, iprange
from pipebackend.zones.kinds.addresses import HostNames, ReverseNames, reverse_root
from pipebackend.zones.kinds.arithmetic import CountedRing, Run, bounds_below
from pipebackend.zones.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.config.configuration import Section
    from pipebackend.dnsdata.records import Client
    from pipebackend.zones.kinds.addresses import Address
    from pipebackend.zones.kinds.file import FileZone
    from pipebackend.zones.kinds.iprange import Range

__all__ = ["RangesZone", "load"]

DEFAULT_TEMPLATE = "host-{address}"
DEFAULT_LISTED = 65_536


class RangesZone:
    """A zone computed from prefixes; see the module for its configuration."""

    kind = "ranges"
    dynamic = False
    narrow = True  # no hash can be turned back into one of 2^80 names

    def __init__(
        self,
        ident: int,
        fixed: Tree,
        ranges: Sequence[Range],
        hosts: HostNames,
        reverse: ReverseNames | None,
        max_listed: int,
        file: FileZone | None = None,
    ) -> None:
        """``ranges`` do not overlap and, with ``reverse``, lie in its zone; ``fixed`` are the records of ``file``."""
        self.apex = fixed.apex
        self.ident = ident
        self._fixed = fixed
        self._hosts, self._reverse = hosts, reverse
        self._names = reverse or hosts
        self._file = file
        self.sources = file.sources if file is not None else ()
        self._max_listed = max_listed
        self._covers = frozenset(
            name for name, found in fixed.nodes.items() if name in fixed.cuts or any(r.type == "DNAME" for r in found)
        )
        self._ordered = {version: sorted(r for r in ranges if r.version == version) for version in (4, 6)}
        nets = [net for one in ranges for net in one.networks()]
        self._runs = [Run(self._names.key_start(), self._names.digits(net), self._covers) for net in nets]
        self._ring = CountedRing(fixed, self._runs, self._spelling)

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with the zone file; the computed hosts that it names have their addresses."""
        if self._file is None:
            return ()
        targets = {word.lower() for record in self._file.listing() for word in record.content.split(" ")[-4:]}
        unwritten = [name for name in targets if names.is_below(name, self.apex) and not self._fixed.find(name)]
        computed = [self._computed_at(name) for name in unwritten]
        return self._file.checked([record for record in computed if record is not None])

    @property
    def written(self) -> Tree:
        """The records that are written down."""
        return self._fixed

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        fixed = self._fixed.find(name)
        if fixed:
            return fixed
        computed = self._computed_at(name)
        if computed is not None:
            return (computed,)
        if fixed is not None:
            return fixed
        start, end = bounds_below(name)
        return () if any(run.has_between(start, end) for run in self._runs) else None

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return self._fixed.nodes[self.apex][0]

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        count = sum(run.shown for run in self._runs)
        if count > self._max_listed:
            raise NotListable(
                f"zone {self.apex} has {count} computed names, more than max_listed = {self._max_listed};"
                " set max_listed of the zone higher to have it transferred"
            )
        return self._tree().listing()

    def ring(self) -> CountedRing:
        """See ``zones.base.Zone``."""
        return self._ring

    def _tree(self) -> Tree:
        fixed = [record._replace(auth=True) for found in self._fixed.nodes.values() for record in found]
        return Tree(self.apex, (*fixed, *self._all_computed()))

    def _all_computed(self) -> Iterator[Record]:
        for version, ranges in self._ordered.items():
            for one in ranges:
                for value in range(one.first, one.last + 1):
                    record = self._computed((version, value), one.ttl)
                    name = record.owner.lower()
                    if not self._fixed.find(name) and not self._is_covered(name):
                        yield record

    def _computed_at(self, name: str) -> Record | None:
        """The computed record of a canonical name that has no fixed ones."""
        address = self._names.address(name)
        if address is None or self._is_covered(name):
            return None
        version, value = address
        ranges = self._ordered[version]
        place = bisect_right(ranges, value, key=lambda one: one.first)
        if not place or value > ranges[place - 1].last:
            return None
        return self._computed(address, ranges[place - 1].ttl)

    def _computed(self, address: Address, ttl: int) -> Record:
        if self._reverse:
            return Record(self._reverse.name(address), "PTR", ttl, self._hosts.name(address))
        from ipaddress import IPv4Address, IPv6Address

        version, value = address
        if version == 4:
            return Record(self._hosts.name(address), "A", ttl, str(IPv4Address(value)))
        return Record(self._hosts.name(address), "AAAA", ttl, str(IPv6Address(value)))

    def _spelling(self, name: str) -> str:
        """How a computed name is spelled."""
        address = self._names.address(name)
        return name if address is None else self._names.name(address)

    def _is_covered(self, name: str) -> bool:
        """Whether the name lies below a delegation (RFC 1034 section 4.2.1) or a DNAME (RFC 6672 section 2.4)."""
        return bool(self._covers) and any(above in self._covers for above in names.ancestors(name))


def load(section: Section, apex: str, ident: int) -> RangesZone | None:
    """The zone that ``section`` describes, or None after noting faults."""
    known = len(section.faults)
    ttl = section.integer("ttl", 3600, most=records.MAX_TTL)
    max_listed = section.integer("max_listed", DEFAULT_LISTED)
    section.text("file", "")  # one of the keys here, there or not
    base = file.load(section, apex, ident) if section.has("file") else None
    fixed = () if section.has("file") else apex_records.read(section, apex, ttl, serial_files=[])
    ranges = _ranges(section, ttl)
    reverse = _reverse(section, apex, ranges) if reverse_root(apex) else None
    hosts = _hosts(section, apex, {one.version for one in ranges})
    if hosts is None or len(section.faults) > known:
        return None
    tree = base.written if base is not None else Tree(apex, fixed)
    return RangesZone(ident, tree, ranges, hosts, reverse, max_listed, base)


def _ranges(section: Section, ttl: int) -> list[Range]:
    found: list[Range] = []
    texts = section.texts("ranges")
    if not texts and section.has("ranges"):
        section.fault("ranges", 'is empty; write prefixes, as in ["192.0.2.0/24"]')
    for text in texts:
        try:
            one = iprange.from_text(text, ttl)
        except RecordFault as exc:
            section.fault("ranges", str(exc))
            continue
        for other in found:
            if one.overlaps(other):
                section.fault("ranges", f"{text} overlaps {other.text}; write each address in one range")
        found.append(one)
    return found


def _reverse(section: Section, apex: str, ranges: Sequence[Range]) -> ReverseNames | None:
    try:
        reverse = ReverseNames(section.name("name"))
    except NameFault as exc:
        section.fault("name", str(exc))
        return None
    for one in ranges:
        if not all(map(reverse.covers, one.networks())):
            section.fault("ranges", f"{one.text} is not inside the zone {apex}; give it a zone of its own")
    return reverse


def _hosts(section: Section, apex: str, versions: set[int]) -> HostNames | None:
    template = section.text("template", DEFAULT_TEMPLATE)
    domain = section.name("domain", None if reverse_root(apex) else section.name("name") or apex)
    if not reverse_root(apex) and not names.is_below(domain.lower(), apex):
        section.fault("domain", f"{domain} is not in the zone {apex}; the addresses of the hosts belong there")
    try:
        return HostNames(template, domain, versions)
    except NameFault as exc:
        section.fault("template", str(exc))
        return None
