"""Which records may stand together at a name, by RFC: one table for import, transfer, edit and check.

What is a refusal and what a finding is for these to say; here is what is wrong.
"""

from __future__ import annotations

from pipebackend.dnsdata.records import ENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["beside_cname", "is_same", "misplaced", "more_than_one", "shares_ttl"]

# RFC 2181 section 10.1; RFC 4034 sections 3 and 4; KEY and SIG by RFC 4035 section 2.5 as updated from RFC 2535
_BESIDE_CNAME = frozenset(("CNAME", "KEY", "NSEC", "RRSIG", "SIG", "TYPE24", ENT))
# Types of which a name has one, with the rule
_SINGLE = {
    "CNAME": "RFC 2181 section 10.1",
    "DNAME": "RFC 6672 section 2.4",
    "SOA": "RFC 1035 section 5.2",
}
_OWN_TTL = frozenset(("RRSIG",))  # each has that of the RRset that it signs (RFC 4034 section 3)
_GLUE = frozenset(("A", "AAAA", "RRSIG"))  # what a zone may have below a delegation (RFC 1034 section 4.2.1)
_NAMES = frozenset(("CNAME", "DNAME", "NS", "PTR", "MX", "SRV"))  # content that differs in case alone is the same


def beside_cname(types: Iterable[str]) -> list[str]:
    """The types among those of a name that must not be beside its CNAME (RFC 1034 section 3.6.2)."""
    found = set(types)
    return sorted(found - _BESIDE_CNAME) if "CNAME" in found else []


def more_than_one(type_: str, contents: Iterable[str]) -> str:
    """The rule that is broken by these records of one type at a name; "" if none is."""
    rule = _SINGLE.get(type_)
    return rule if rule is not None and len({is_same(type_, content) for content in contents}) > 1 else ""


def is_same(type_: str, content: str) -> str:
    """The content in a form that equal records share: names are compared without case (RFC 4343 section 3)."""
    return content.lower() if type_ in _NAMES else content


def shares_ttl(type_: str) -> bool:
    """Whether all records of the type at a name have one TTL (RFC 2181 section 5.2)."""
    return type_ not in _OWN_TTL


def misplaced(
    owner: str, types: Sequence[str] | dict[str, list[int]], *, is_apex: bool, is_below_cut: bool
) -> Iterator[tuple[str, str]]:
    """The types that must not be at this name, and why."""
    if "DS" in types and is_apex:
        yield "DS", "DS at the apex: it belongs to the parent zone (RFC 4035 section 2.4)"
    elif "DS" in types and "NS" not in types:
        yield "DS", f"{owner} has DS without NS: only a delegation has it (RFC 4035 section 2.4)"
    if "NS" in types and owner.startswith("*."):
        yield "NS", f"NS at the wildcard {owner}: what it delegates is undefined (RFC 4592 section 4.2)"
    for type_ in types if is_below_cut else ():
        if type_ not in _GLUE:
            yield type_, f"{type_} at {owner}, which is below a delegation and so never seen (RFC 9499: occluded name)"
    if "DNAME" in types and "NS" in types and not is_apex:
        yield "DNAME", f"{owner} has DNAME beside NS, which only the apex may have (RFC 6672 section 2.3)"
