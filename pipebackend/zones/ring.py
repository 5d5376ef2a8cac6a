"""The ring of a tree's names for NSEC and NSEC3: who is on it, and who stands next to whom."""

from __future__ import annotations

from bisect import bisect_right

from pipebackend.dnsdata import names
from pipebackend.dnsdata.nsec3 import hash_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Record
    from pipebackend.zones.tree import Tree

__all__ = ["TreeRing", "hashed_members", "members", "spelled"]

OPT_OUT = 1  # RFC 5155 section 3.1.2.1


def members(tree: Tree) -> list[str]:
    """The owners of NSEC records: authoritative names and zone cuts, nothing below a cut (RFC 4034 section 4).

    Where there are only signatures, they are those of NSEC3, whose owners are not on the chain (RFC 5155 section 7.1).
    """
    return [
        name
        for name, records in tree.nodes.items()
        if records
        and (records[0].type != "RRSIG" or any(record.type != "RRSIG" for record in records))
        and not tree.is_below_cut(name)
    ]


def hashed_members(tree: Tree, *, opt_out: bool) -> Iterable[str]:
    """The owners of NSEC3 records: the same and the empty non-terminals (RFC 5155 section 7.1).

    With opt-out, insecure delegations stay out, and so do empty non-terminals that only they make.
    """
    found = {tree.apex}
    opt_out = opt_out and not tree.proves_insecure
    for name in members(tree):
        if opt_out and name in tree.cuts and not _is_signed_cut(tree.nodes[name]):
            continue
        if name in found:
            continue
        found.add(name)
        for above in names.ancestors(name):
            if above in found:
                break
            found.add(above)
    return found


def spelled(tree: Tree, member: str) -> str:
    """The case of a next name is signed (RFC 6840 section 5.1): the same here as in a transfer, the zone's."""
    return member if member == tree.apex else tree.nodes[member][0].owner


class TreeRing:
    """The two rings of one tree, each put in order when first asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._ordered: tuple[list[bytes], list[str]] | None = None
        self._hashed: dict[tuple[bytes, int, bool], tuple[list[str], list[str]]] = {}

    def neighbours(self, name: str) -> tuple[str, str]:
        """See ``zones.base.Ring``."""
        if self._ordered is None:
            ordered = sorted((names.order_key(name), spelled(self._tree, name)) for name in members(self._tree))
            self._ordered = [key for key, _ in ordered], [member for _, member in ordered]
        keys, owners = self._ordered
        place = bisect_right(keys, names.order_key(name))
        return owners[place - 1], owners[place % len(owners)]

    def hashed_neighbours(self, label: str, param: Nsec3Param) -> tuple[str, str, str]:
        """See ``zones.base.Ring``."""
        kind = (param.salt, param.iterations, bool(param.flags & OPT_OUT))
        if kind not in self._hashed:
            hashed = sorted(
                (hash_label(member, param.salt, param.iterations), member)
                for member in hashed_members(self._tree, opt_out=kind[2])
            )
            self._hashed = {kind: ([digest for digest, _ in hashed], [member for _, member in hashed])}
        digests, owners = self._hashed[kind]
        place = bisect_right(digests, label)
        return owners[place - 1], digests[place - 1], digests[place % len(digests)]


def _is_signed_cut(records: Sequence[Record]) -> bool:
    return any(record.type == "DS" for record in records)
