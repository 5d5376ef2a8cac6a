"""The names of a compiled zone with as much of their records as its NSEC and NSEC3 chains need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipebackend.dnsdata import occlusion
from pipebackend.dnsdata.records import Record
from pipebackend.zones.compiled import layout
from pipebackend.zones.tree import Tree

__all__ = ["Outline"]

_NS, _DS, _RRSIG = (
    b"\tIN\tNS\t",
    b"\tIN\tDS\t",
    b"\tIN\tRRSIG\t",
)  # in DATA lines; contents have no tabs that would make them ambiguous
_SOMETHING = (Record("", "TXT", 0, ""),)
_SIGNATURES = (Record("", "RRSIG", 0, ""),)
_CUT = (Record("", "NS", 0, ""),)
_SIGNED_CUT = (*_CUT, Record("", "DS", 0, ""))


class Outline(Tree):
    """The names of a zone with as much of their records as the rings need to know, read from a compiled file."""

    def __init__(self, apex: str, entries: Iterable[tuple[bytes, bytes]], proves_insecure: bool | None) -> None:
        self.apex = apex
        self.proves_insecure = proves_insecure
        nodes: dict[str, Sequence[Record]] = {}
        self.spelled: dict[str, str] = {}
        for key, value in entries:
            name = layout.name_of(key)
            if len(value) == 1:
                nodes[name] = ()
                continue
            if _RRSIG in value and value.count(_RRSIG) == value.count(b"\n"):
                nodes[name] = _SIGNATURES
                continue
            nodes[name] = _SOMETHING if _NS not in value else _SIGNED_CUT if _DS in value else _CUT
            owner = value.split(b"\t", 4)[3].decode()
            if owner != name and name != apex:
                self.spelled[name] = owner
        self.nodes = nodes  # type: ignore[assignment]
        self.hiding = occlusion.Hiding(apex, (n for n, found in nodes.items() if found in (_CUT, _SIGNED_CUT)), ())
        self.cuts = self.hiding.cuts
