"""Records in memory as a tree of names, without those that are occluded; see ``occlusion``."""

from __future__ import annotations

from pipebackend.dnsdata import names
from pipebackend.dnsdata.occlusion import Hiding, marked
from pipebackend.dnsdata.records import ENT, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Tree"]


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
        self.hiding = Hiding.of(apex, (record for found in grouped.values() for record in found))
        self.cuts = self.hiding.cuts
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
        if self.proves_insecure:
            return found
        return (Record(name, ENT, 0, "", auth=False),)

    def is_below_cut(self, name: str) -> bool:
        """Whether a zone cut lies above the name; the cut itself is not below."""
        return self.hiding.is_below_cut(name)

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
                yield Record(name, ENT, 0, "", auth=not is_left_out)

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
            seen = marked(records, is_apex=name == self.apex, above=self.hiding.above(name))
            if seen or name == self.apex:
                nodes[name] = seen
        for name in tuple(nodes):
            if name == self.apex or self.hiding.hides(name):  # what is below a cut is the child zone's to say
                continue
            for above in names.ancestors(name):  # RFC 8499: an empty non-terminal has names below it and no records
                if above in nodes:
                    break
                nodes[above] = ()
        return nodes
