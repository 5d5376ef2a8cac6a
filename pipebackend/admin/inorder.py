"""A zone file that is written to the store while it is read, since it is in order, and never in memory as a whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any

from pipebackend.dnsdata.records import PRIORITY_TYPES
from pipebackend.store.rows import rrs
from pipebackend.store.zonedata import positions
from pipebackend.store.zonedata.columns import Block
from pipebackend.zones.text.fastlines import Columns

if TYPE_CHECKING:
    from pipebackend.dnsdata.records import Record
    from pipebackend.store.rows.rrs import Ordered

__all__ = ["NotInOrder", "Stream"]

_HEAD = 1000  # records
_MOST_SLOW = 20_000  # records, which take less than a second
_key = itemgetter(0)


class NotInOrder(Exception):
    """The records must be collected before they can be written."""


class Stream:
    """Hands blocks on as records come, in the order in which most zone files are: the owners' canonical one.

    The first thousand may be in any order: there people write their name servers and mail exchangers. Every method
    raises NotInOrder for records that cannot be handed on so, or may have to be refused: a CNAME beside other data,
    two DNAMEs at a name, signatures, and many that take long to read, for the store is locked meanwhile.
    """

    def __init__(self, apex: str, put: Callable[[Block], None]) -> None:
        self._apex = apex
        self._put = put
        self._head: list[Ordered] = []
        self._is_head = True
        self._slow = 0
        self._last_key = b""
        self._held = _block([[]] * len(Block._fields))  # the records of the last name: more may come

    def take_single(self, records: Sequence[Record], slow: int) -> None:
        """Records that were read one by one, so many of them slowly."""
        self._slow += slow
        if self._slow > _MOST_SLOW:
            raise NotInOrder
        if records:
            self.take(Columns.of(records))

    def take(self, columns: Columns) -> None:
        """Records, in columns."""
        if "RRSIG" in columns.types:
            raise NotInOrder
        owners, types, ttls, contents = columns
        prios: Sequence[int] = [0] * len(types)
        if not PRIORITY_TYPES.isdisjoint(types):
            prios, contents = zip(*map(rrs.split, types, contents), strict=True)
        block = Block(positions.keys(owners, self._apex), owners, types, ttls, prios, contents)
        if not self._is_head:
            self._take_in_order(block)
            return
        self._head += zip(*block, strict=True)
        if len(self._head) >= _HEAD:
            self._end_head()

    def finish(self) -> None:
        """No more records come."""
        self._end_head()
        rest = _merged(self._held, self._head)
        if rest.keys:
            self._hand_on(rest)

    def _end_head(self) -> None:
        self._head.sort(key=_key)
        self._is_head = False

    def _take_in_order(self, block: Block) -> None:
        if block.keys[0] < self._last_key or block.keys != sorted(block.keys):
            raise NotInOrder
        self._last_key = block.keys[-1]
        block = _block(map(add, self._held, map(list, block)))
        earlier = bisect_left(self._head, self._last_key, key=_key)
        block = _merged(block, self._head[:earlier])
        del self._head[:earlier]
        last_name = bisect_left(block.keys, self._last_key)
        self._held = _block(column[last_name:] for column in block)
        if last_name:
            self._hand_on(_block(column[:last_name] for column in block))

    def _hand_on(self, block: Block) -> None:
        if "CNAME" in block.types:
            aliases = {key for key, type_ in zip(block.keys, block.types, strict=True) if type_ == "CNAME"}
            if sum(key in aliases for key in block.keys) > len(aliases):
                raise NotInOrder
        if "DNAME" in block.types:
            owners = [key for key, type_ in zip(block.keys, block.types, strict=True) if type_ == "DNAME"]
            if len(owners) > len(set(owners)):
                raise NotInOrder
        self._put(block)


def _block(columns: Iterable[Sequence[Any]]) -> Block:
    return Block(*map(list, columns))


def _merged(block: Block, rows: Sequence[Ordered]) -> Block:
    if not rows:
        return block
    return _block(zip(*sorted([*rows, *zip(*block, strict=True)], key=_key), strict=True))
