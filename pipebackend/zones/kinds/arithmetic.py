"""Names that are counted and never stored: a range's names in canonical order, and their place on the NSEC ring.

A range's names differ in a few *digits* (octets of in-addr.arpa, nibbles of ip6.arpa, or the same inside one label).
Every digit takes each of its texts whatever the others are, so a name's place among 2^80 is arithmetic: the places
of its digits in the order of their texts, weighted like the digits of a number.

Keys here are ``names.order_key`` with a 0 octet at the end. That keeps the canonical order (RFC 4034 section 6.1) and
no text of a digit is the start of another one.
"""

from __future__ import annotations

from bisect import bisect_right

from pipebackend.base.errors import NotListable
from pipebackend.dnsdata import names
from pipebackend.zones.ring import members, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.zones.tree import Tree

__all__ = ["CountedRing", "Run", "bounds_below", "key_of", "start_below"]

_END = b"\x00"  # ends a label in a key
_AFTER_END = b"\x01"  # sorts after everything below a name and before its next sibling


def key_of(name: str) -> bytes:
    """The key of a name."""
    return names.order_key(name) + _END


def start_below(name: str) -> bytes:
    """What the keys of all names below ``name`` start with."""
    return key_of(name) if name else b""


def bounds_below(name: str) -> tuple[bytes, bytes]:
    """Two keys with all names below ``name``, and no other ones, between them."""
    return start_below(name), names.order_key(name) + _AFTER_END


class Run:
    """The names of one range, by their place in canonical order; some of them may be hidden."""

    def __init__(self, head: bytes, digits: Iterable[Sequence[bytes]], covers: Iterable[str] = ()) -> None:
        """``head`` starts every key, ``digits`` are the sorted texts that follow; names below ``covers`` are hidden."""
        rest = list(digits)
        while rest and len(rest[0]) == 1:
            head += rest.pop(0)[0]
        self._head = head
        self.size = 1
        weighted: list[tuple[Sequence[bytes], int]] = []
        for texts in reversed(rest):
            weighted.append((texts, self.size))
            self.size *= len(texts)
        self._digits = tuple(reversed(weighted))
        self._gaps = self._merged(covers)
        self.shown = self.size - sum(end - start for start, end in self._gaps)
        if self.shown:
            self._least = self.key(self._shown_from(0))
            self._greatest = self.key(self._shown_until(self.size - 1))

    def count(self, key: bytes) -> int:
        """How many of the names, hidden ones included, sort at ``key`` or before it."""
        if not key.startswith(self._head):
            return self.size if key > self._head else 0
        at, before = len(self._head), 0
        for texts, weight in self._digits:
            rest = key[at:]
            place = bisect_right(texts, rest)
            if not place or not rest.startswith(texts[place - 1]):
                return before + place * weight
            before += (place - 1) * weight
            at += len(texts[place - 1])
        return before + 1

    def key(self, place: int) -> bytes:
        """The key of the name with this place, from 0."""
        parts = [self._head]
        for texts, weight in self._digits:
            digit, place = divmod(place, weight)
            parts.append(texts[digit])
        return b"".join(parts)

    def around(self, key: bytes) -> tuple[bytes | None, bytes | None]:
        """The keys of the greatest name that is not after ``key``, and of the next one; None where there is none."""
        if not self.shown:
            return None, None
        if key < self._least:
            return None, self._least
        if key >= self._greatest:
            return self._greatest, None
        count = self.count(key)
        return self.key(self._shown_until(count - 1)), self.key(self._shown_from(count))

    def has_between(self, start: bytes, end: bytes) -> bool:
        """Whether a name that is not hidden sorts after ``start`` and not after ``end``."""
        return self._shown_from(self.count(start)) < self.count(end)

    def _merged(self, covers: Iterable[str]) -> list[tuple[int, int]]:
        """The places hidden below ``covers``, as gaps in order that do not touch each other."""
        gaps: list[tuple[int, int]] = []
        bounds = map(bounds_below, covers)
        for start, end in sorted((self.count(start), self.count(end)) for start, end in bounds):
            if gaps and start <= gaps[-1][1]:
                gaps[-1] = gaps[-1][0], max(end, gaps[-1][1])
            elif start < end:
                gaps.append((start, end))
        return gaps

    def _shown_from(self, place: int) -> int:
        """The first place from ``place`` on that is not hidden; ``size`` if there is none."""
        gap = bisect_right(self._gaps, (place, self.size)) - 1
        if gap >= 0 and place < self._gaps[gap][1]:
            return self._gaps[gap][1]
        return place

    def _shown_until(self, place: int) -> int:
        """The last place up to ``place`` that is not hidden; -1 if there is none."""
        gap = bisect_right(self._gaps, (place, self.size)) - 1
        if gap >= 0 and place < self._gaps[gap][1]:
            return self._gaps[gap][0] - 1
        return place


class CountedRing:
    """The NSEC ring of a tree's names and of runs; see ``zones.base.Ring``."""

    def __init__(self, tree: Tree, runs: Sequence[Run], spelling: Callable[[str], str]) -> None:
        """``spelling`` gives that of a computed name."""
        self._apex = tree.apex
        self._spelling = spelling
        self._fixed = {key_of(member): spelled(tree, member) for member in members(tree)}
        self._keys = sorted(self._fixed)
        self._runs = [run for run in runs if run.shown]

    def neighbours(self, name: str) -> tuple[str, str]:
        """See ``zones.base.Ring``."""
        key = key_of(name)
        place = bisect_right(self._keys, key)
        before = self._keys[place - 1]  # there is one: nothing in the zone sorts before its apex
        after = self._keys[place] if place < len(self._keys) else None
        for run in self._runs:
            run_before, run_after = run.around(key)
            if run_before is not None and run_before > before:
                before = run_before
            if run_after is not None and (after is None or run_after < after):
                after = run_after
        return self._name(before), self._name(after) if after else self._apex

    def hashed_neighbours(self, label: str, param: Nsec3Param) -> tuple[str, str, str]:
        """Always NotListable: a hash cannot be turned back into a name, and 2^80 names cannot be hashed."""
        raise NotListable(f"zone {self._apex}: the hashes of computed names have no order; use NSEC3 narrow or NSEC")

    def _name(self, key: bytes) -> str:
        fixed = self._fixed.get(key)
        return fixed if fixed is not None else self._spelling(".".join(reversed(key[:-1].decode().split("\0"))))
