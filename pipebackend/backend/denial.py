"""What PowerDNS needs to deny a name: the names before and after it, in the forms that it expects.

PowerDNS builds NSEC and NSEC3 itself; it asks for neighbours in the zone's order and trusts what it gets. An answer of
"no" makes it sign a denial of the whole zone (rule D-4), so here every failure is an error instead.
"""

from __future__ import annotations

from pipebackend.base.errors import NotListable
from pipebackend.base.values import Value
from pipebackend.dnsdata import names, nsec3param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.zones.base import Ring, Zone

__all__ = ["Neighbours", "neighbours"]

HASH_LETTERS = 32  # of SHA-1 in base32hex (RFC 5155 section 3.3)


class Neighbours(Value):
    """The answer to getBeforeAndAfterNamesAbsolute.

    NSEC: ``before`` and ``after`` are relative to the zone, the apex is ``""``, ``unhashed`` is ``""``. NSEC3: they
    are hashes, and ``unhashed`` is the absolute name whose hash ``before`` is (rules D-2 and D-3).
    """

    unhashed: str
    before: str
    after: str


def neighbours(zone: Zone, qname: str, nsec3param_text: str | None) -> Neighbours:
    """The neighbours of a relative name, or of a hash where the zone has NSEC3PARAM metadata.

    Raises NotListable for a zone without order, NameFault for a question that is not a name.
    """
    ring = zone.ring()
    if ring is None:
        raise NotListable(f"zone {zone.apex} cannot list its names: set NSEC3 narrow for it wherever its metadata is")
    if nsec3param_text is None or not _is_hash(qname):  # a server that still has the metadata of before wants NSEC
        return _in_canonical_order(zone, ring, qname)
    return _in_hash_order(ring, qname, nsec3param_text)


def _is_hash(qname: str) -> bool:
    label = qname.rstrip(".")
    return len(label) == HASH_LETTERS and label.isalnum()


def _in_canonical_order(zone: Zone, ring: Ring, qname: str) -> Neighbours:
    name = names.join(names.from_text(qname), zone.apex)
    before, after = ring.neighbours(name)
    return Neighbours("", names.relative(before, zone.apex), names.relative(after, zone.apex))


def _in_hash_order(ring: Ring, qname: str, text: str) -> Neighbours:
    owner, before, after = ring.hashed_neighbours(qname.rstrip(".").lower(), nsec3param.from_text(text))
    return Neighbours(owner or ".", before, after)
