"""Ranges of addresses as a configuration writes them: ``192.0.2.0/24`` or ``192.0.2.10-192.0.2.99``, and a TTL."""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.base.values import Value
from pipebackend.dnsdata.records import MAX_TTL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    from pipebackend.zones.kinds.addresses import Network

__all__ = ["Range", "from_text"]


class Range(Value):
    """Addresses from ``first`` to ``last``; sorted by them. ``text`` is how errors call the range."""

    first: int
    last: int
    version: int
    ttl: int
    text: str

    def overlaps(self, other: Range) -> bool:
        """Whether an address is in both."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    def networks(self) -> Sequence[Network]:
        """The fewest prefixes that hold the same addresses."""
        from ipaddress import IPv4Address, IPv6Address, summarize_address_range

        make = IPv4Address if self.version == 4 else IPv6Address
        return list(summarize_address_range(make(self.first), make(self.last)))


def from_text(text: str, ttl: int) -> Range:
    """The range that is written as ``PREFIX [TTL]`` or ``ADDRESS-ADDRESS [TTL]``; raises RecordFault."""
    where, _, number = text.strip().partition(" ")
    if number:
        if not (number.isascii() and number.isdigit()) or len(number) > 10 or int(number) > MAX_TTL:
            raise RecordFault(f"{text!r}: what stands after the range is its TTL, a number up to {MAX_TTL}")
        ttl = int(number)
    first, hyphen, last = where.partition("-")
    ends = _ends(first, last) if hyphen else _of_prefix(where)
    return Range(int(ends[0]), int(ends[1]), ends[0].version, ttl, where)


def _ends(first_text: str, last_text: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    from ipaddress import ip_address

    try:
        first, last = ip_address(first_text), ip_address(last_text)
    except ValueError as exc:
        raise RecordFault(f"{first_text}-{last_text} is not a range of addresses: {exc}") from None
    if first.version != last.version or int(first) > int(last):
        raise RecordFault(f"{first_text}-{last_text}: write the lower address first, both of one IP version")
    return first, last


def _of_prefix(text: str) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    from ipaddress import ip_network

    try:
        net = ip_network(text, strict=False)
    except ValueError:
        hint = "write one as in 192.0.2.0/24 or 2001:db8::/48, or two addresses as in 192.0.2.10-192.0.2.99"
        raise RecordFault(f"{text!r} is not an IP prefix; {hint}") from None
    if net.network_address != ip_network(text.partition("/")[0]).network_address:
        raise RecordFault(f"{text} has bits set after its prefix; write {net}")
    return net.network_address, net.broadcast_address
