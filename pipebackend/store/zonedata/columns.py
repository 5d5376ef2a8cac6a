"""Records of a zone in the canonical order of their owners, as ``fill`` takes them: a block of them at a time.

A block is kept column by column, since what is done to a column at once costs a third of the same, row by row.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from operator import itemgetter

from pipebackend.base.values import Value
from pipebackend.store.rows import rrs
from pipebackend.store.zonedata import positions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipebackend.dnsdata.records import Record
    from pipebackend.store.rows.rrs import Ordered

__all__ = ["Block", "of_records", "of_rows"]

_ROWS = 500
_key = itemgetter(0)


class Block(Value):
    """Columns of records, ordered by ``keys``; all records of a name are in one block.

    ``keys`` are those of ``names.order_key_in``, ``owners`` as they are spelled; the rest is as in PowerDNS's tables.
    """

    keys: Sequence[bytes]
    owners: Sequence[str]
    types: Sequence[str]
    ttls: Sequence[int]
    prios: Sequence[int]
    contents: Sequence[str]


def of_records(apex: str, records: Sequence[Record], progress: Callable[[int], None]) -> Iterator[Block]:
    """The records in any order; ``progress`` is told now and then how many of them were taken."""
    keys = positions.keys([record.owner for record in records], apex)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    done = 0
    for block in of_rows(_rows(keys, records, order)):
        progress(done)
        done += len(block.keys)
        yield block


def of_rows(rows: Iterable[Ordered]) -> Iterator[Block]:
    """Rows that are in order."""
    todo = iter(rows)
    held: list[Ordered] = []
    while part := list(islice(todo, _ROWS)):
        held += part
        last_name = bisect_left(held, held[-1][0], key=_key)
        if last_name:
            yield Block(*zip(*held[:last_name], strict=True))
            del held[:last_name]
    if held:
        yield Block(*zip(*held, strict=True))


def _rows(keys: Sequence[bytes], records: Sequence[Record], order: Iterable[int]) -> Iterator[Ordered]:
    for place in order:
        owner, type_, ttl, content, _, _ = records[place]
        prio, content = rrs.split(type_, content)
        yield keys[place], owner, type_, ttl, prio, content
