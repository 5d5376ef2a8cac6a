"""Records in memory as a tree of names: zone cuts, glue and empty non-terminals where they belong."""

from __future__ import annotations

from pipebackend import names
from pipebackend.records import ENT, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Tree", "marked"]


def marked(records: Iterable[Record], *, is_apex: bool, below_cut: bool) -> tuple[Record, ...]:
    """One owner's records with ``auth`` as RFC 4035 section 2.2 has it.

    At a cut only DS (and what proves it) is authoritative; NS and glue there, and all below, are not.
    """
    found = tuple(records)
    if below_cut:
        return tuple(record._replace(auth=False) for record in found)
    if is_apex or not any(record.type == "NS" for record in found):
        return found
    return tuple(record if record.type == "DS" else record._replace(auth=False) for record in found)


class Tree:
    """The names of a zone, each with its records; built once and never changed."""

    def __init__(self, apex: str, records: Iterable[Record], *, proves_insecure: bool | None = None) -> None:
        """``records`` are at or below the canonical ``apex``, in any order.

        ``proves_insecure`` says of a signer with opt-out whether it made NSEC3 for insecure delegations all the same
        (RFC 5155 section 6); None if there is no opt-out, or PowerDNS signs.
        """
        self.apex = apex
        self.proves_insecure = proves_insecure
        grouped: dict[str, list[Record]] = {apex: []}
        for record in records:
            grouped.setdefault(record.owner.lower(), []).append(record)
        self.cuts = frozenset(
            name for name, rrs in grouped.items() if name != apex and any(rr.type == "NS" for rr in rrs)
        )
        self.nodes: Mapping[str, tuple[Record, ...]] = self._nodes(grouped)
        self._unsigned: frozenset[str] | None = None

    def find(self, name: str) -> Sequence[Record] | None:
        """The records at a canonical name, ``()`` at an empty non-terminal, None where nothing is."""
        return self.nodes.get(name)

    def answer(self, name: str) -> Sequence[Record] | None:
        """The same for PowerDNS: an empty non-terminal that only unsigned delegations make is a record of type ``""``.

        It is not authoritative. Opt-out has no NSEC3 for it (RFC 5155 section 7.1), and PowerDNS takes the nearest
        authoritative name above a denied one for the closest provable encloser.
        """
        found = self.nodes.get(name)
        if found or found is None or not self.cuts or name not in self._unsigned_nonterminals():
            return found
        if self.proves_insecure and not self.is_below_cut(name):
            return found
        return (Record(name, ENT, 0, "", auth=False),)

    def is_below_cut(self, name: str) -> bool:
        """Whether a zone cut lies above the name; the cut itself is not below."""
        if not self.cuts:
            return False
        for above in names.ancestors(name):
            if above == self.apex:
                return False
            if above in self.cuts:
                return True
        return False

    def listing(self) -> Iterator[Record]:
        """All records, the SOA first, empty non-terminals as records of type ``""``."""
        apex_records = self.nodes[self.apex]
        yield from (record for record in apex_records if record.type == "SOA")
        yield from (record for record in apex_records if record.type != "SOA")
        for name, records in self.nodes.items():
            if name == self.apex:
                continue
            if records:
                yield from records
            else:
                is_left_out = self.proves_insecure is False and name in self._unsigned_nonterminals()
                yield Record(name, ENT, 0, "", auth=not (is_left_out or self.is_below_cut(name)))

    def _unsigned_nonterminals(self) -> frozenset[str]:
        if self._unsigned is None:
            above_signed: set[str] = set()
            for name, records in self.nodes.items():
                if not any(record.auth for record in records):
                    continue
                for above in names.ancestors(name):
                    if above in above_signed:
                        break
                    above_signed.add(above)
            self._unsigned = frozenset(
                name for name, records in self.nodes.items() if not records and name not in above_signed
            )
        return self._unsigned

    def _nodes(self, grouped: Mapping[str, list[Record]]) -> dict[str, tuple[Record, ...]]:
        nodes: dict[str, tuple[Record, ...]] = {}
        for name, records in grouped.items():
            nodes[name] = marked(records, is_apex=name == self.apex, below_cut=self.is_below_cut(name))
        for name in grouped:
            if name == self.apex:
                continue
            for above in names.ancestors(name):  # RFC 8499: an empty non-terminal has names below it and no records
                if above in nodes:
                    break
                nodes[above] = ()
        return nodes
