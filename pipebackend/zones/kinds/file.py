"""File zones: a zone file as RFC 1035 has it, with $ORIGIN, $TTL, $INCLUDE and $GENERATE.

    [[zone]]
    name = "example.org"
    kind = "file"
    file = "example.org.zone"

The file says everything, the SOA with its serial included. ``zonefile`` says what is an error, ``zonecheck`` what is
told and served all the same. A file that was signed elsewhere is served with its signatures: see ``presigned``.
"""

from __future__ import annotations

from pipebackend.zones.ring import TreeRing
from pipebackend.zones.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipebackend.config.configuration import Section
    from pipebackend.dnsdata.records import Client, Record
    from pipebackend.zones.text.presigned import Signatures
    from pipebackend.zones.text.zonetext import ZoneText

__all__ = ["FileZone", "load"]


class FileZone:
    """A zone as its file has it; see the module for its configuration."""

    kind = "file"
    dynamic = False
    narrow = False

    def __init__(self, ident: int, apex: str, text: ZoneText, signatures: Signatures | None = None) -> None:
        """``signatures`` is None for a file that is not signed, whose RRSIGs are then left out."""
        self.apex = apex
        self.ident = ident
        self.sources = tuple(text.sources)
        self._text = text
        self._signatures = signatures
        proves_insecure = signatures.proves_insecure if signatures is not None else None
        served = [r for r in text.records if r.type != "RRSIG"] if signatures is None else text.records
        self._tree = Tree(apex, served, proves_insecure=proves_insecure)
        if _has_doubles(self._tree):
            self._tree = Tree(apex, _distinct(served), proves_insecure=proves_insecure)
        self._faults: list[str] | None = None
        self._ring: TreeRing | None = None

    @property
    def settings(self) -> Mapping[str, Sequence[str]]:
        """The metadata that follow from the file, by kind."""
        return self._signatures.settings if self._signatures is not None else {}

    @property
    def proves_insecure(self) -> bool | None:
        """See ``Tree``."""
        return self._tree.proves_insecure

    @property
    def faults(self) -> Sequence[str]:
        """What was left out, and what ``zonecheck`` finds wrong, as ``file:line: what``; checked when first asked."""
        if self._faults is None:
            self._faults = self.checked(())
        return self._faults

    def checked(self, others: Sequence[Record]) -> list[str]:
        """The same faults, where these records are served beside those of the file."""
        from time import time

        from pipebackend.zones import zonecheck
        from pipebackend.zones.text import presigned

        is_signed = self._signatures is not None
        wrong = presigned.faults(self._text, self.apex, is_signed=is_signed, now=int(time()))
        found = zonecheck.check(self.apex, [*self._text.records, *others], self._text.lines)
        return [*self._text.left_out, *self._text.odd, *wrong, *found]

    @property
    def written(self) -> Tree:
        """The records that are written down."""
        return self._tree

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        return self._tree.answer(name)

    def names(self) -> Iterable[str]:
        """All canonical names, empty non-terminals included."""
        return self._tree.nodes

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return next(record for record in self._tree.nodes[self.apex] if record.type == "SOA")

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        return self._tree.listing()

    def ring(self) -> TreeRing:
        """See ``zones.base.Zone``."""
        if self._ring is None:
            self._ring = TreeRing(self._tree)
        return self._ring


def load(section: Section, apex: str, ident: int) -> FileZone | None:
    """The zone that ``section`` describes, or None after noting faults; raises ZoneFault if the file has errors."""
    path = section.file("file")
    spelled = section.name("name")
    if not path or (apex and not spelled):
        return None
    from pipebackend.zones.text import presigned, zonefile

    if section.table.get("kind") == "ranges":  # computed names have no signatures
        return FileZone(ident, apex, zonefile.read(path, spelled))
    text = zonefile.read(path, spelled, with_signatures=True)
    return FileZone(ident, apex, text, presigned.of(text, apex))


def _has_doubles(tree: Tree) -> bool:
    return any(
        len(found) > 1 and len({(record.type, record.content) for record in found}) < len(found)
        for found in tree.nodes.values()
    )


def _distinct(found: Iterable[Record]) -> Iterable[Record]:
    """The records without doubles, of which an RRset has none (RFC 2181 section 5).

    Names in them that differ in case are the same to DNS, but PowerDNS's bind backend answers both.
    """
    first: dict[tuple[str, str, str], Record] = {}
    for record in found:
        first.setdefault((record.owner.lower(), record.type, record.content), record)
    return first.values()
