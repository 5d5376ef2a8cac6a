"""Zone cuts, DNAME records and what they hide: one place for every kind of zone, the store, the check and compiling.

A name below a zone cut or a DNAME is occluded (RFC 9499 section 7): no question reaches it, so it has no place on an
NSEC or NSEC3 chain. What a zone may have below a cut are the addresses of name servers, glue (RFC 1034 section 4.2.1);
below a DNAME there is nothing (RFC 6672 section 2.4). Of several such owners above a name the uppermost counts.
"""

from __future__ import annotations

from pipebackend.dnsdata import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from pipebackend.dnsdata.records import Record

__all__ = ["DNAME", "GLUE", "NS", "Hiding", "hider", "is_hidden", "marked", "uppermost"]

NS, DNAME = "NS", "DNAME"
GLUE = frozenset(("A", "AAAA"))


def uppermost(name: str, apex: str, hiding: Container[str]) -> str | None:
    """The uppermost name above this one that is among ``hiding``; None if there is none. The apex may be one."""
    found = None
    for above in names.ancestors(name) if name != apex else ():
        if above in hiding:
            found = above
        if above == apex:
            break
    return found


def is_hidden(name: str, apex: str, hiding: Container[str]) -> bool:
    """Whether ``uppermost`` finds one; it does not look further than the first."""
    for above in names.ancestors(name) if name != apex else ():
        if above in hiding:
            return True
        if above == apex:
            break
    return False


def marked(records: Iterable[Record], *, is_apex: bool, above: str) -> tuple[Record, ...]:
    """What questions may reach of one owner's records, with ``auth`` as RFC 4035 section 2.2 has it.

    ``above`` is what hides the name, as ``Hiding.above``. At a cut only DS (and what proves it) is authoritative; NS
    and glue there, and all below, are not.
    """
    if above:
        return tuple(record._replace(auth=False) for record in records if above == NS and record.type in GLUE)
    found = tuple(records)
    if is_apex or not any(record.type == NS for record in found):
        return found
    return tuple(record if record.type == "DS" else record._replace(auth=False) for record in found)


def hider(types: Container[str], *, is_apex: bool) -> str:
    """The type at a name that hides what is below: NS, DNAME, or "" if there is neither."""
    if NS in types and not is_apex:
        return NS
    return DNAME if DNAME in types else ""


class Hiding:
    """The owners in a zone that hide what is below them."""

    def __init__(self, apex: str, cuts: Iterable[str], dnames: Iterable[str]) -> None:
        """Canonical owners of NS, of which the apex is not a cut, and of DNAME."""
        self.apex = apex
        self.cuts = frozenset(cuts) - {apex}
        self._owners = self.cuts | frozenset(dnames)
        self.hides_some = bool(self._owners)
        self.hides_all = apex in self._owners  # below it; a DNAME at the apex

    @classmethod
    def of(cls, apex: str, records: Iterable[Record]) -> Hiding:
        """Those among all records of a zone."""
        cuts, dnames = set(), set()
        for record in records:
            if record.type == NS:
                cuts.add(record.owner.lower())
            elif record.type == DNAME:
                dnames.add(record.owner.lower())
        return cls(apex, cuts, dnames)

    def above(self, name: str) -> str:
        """The type of the uppermost owner above the name: NS, DNAME, or "" if nothing hides it."""
        found = uppermost(name, self.apex, self._owners) if self._owners else None
        return "" if found is None else NS if found in self.cuts else DNAME

    def hides(self, name: str) -> bool:
        """Whether the name is below a zone cut or a DNAME."""
        return bool(self._owners) and is_hidden(name, self.apex, self._owners)

    def is_below_cut(self, name: str) -> bool:
        """Whether a zone cut lies above the name; the cut itself is not below."""
        return bool(self.cuts) and is_hidden(name, self.apex, self.cuts)
