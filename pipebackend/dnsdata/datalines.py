"""The records of one answer as PIPE's DATA lines (rule P-10), from ABI 3 on.

Compiled zones keep them so, since nothing is then left to do for an answer; who wants records reads them back.
"""

from __future__ import annotations

from pipebackend.dnsdata.records import PRIORITY_TYPES, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.dnsdata.records import Fields

__all__ = ["Prepared", "fields", "line", "plain", "records"]

_PLAIN_HEAD = "DATA\t0\t1\t"
_NOT_PLAIN = PRIORITY_TYPES | {"SOA", "DS", "RRSIG"}  # with a field of its own, or the zone's id over REMOTE


def line(record: Record, ident: int) -> str:
    """The line of one record that is no empty non-terminal, with its line end."""
    owner, type_, ttl, content, auth, scope = record
    if type_ in PRIORITY_TYPES:
        content = content.replace(" ", "\t", 1)
    return f"DATA\t{scope}\t{auth:d}\t{owner or '.'}\tIN\t{type_}\t{ttl}\t{ident}\t{content}\n"


def fields(lines: bytes) -> Iterator[Fields]:
    """What the fields of the records were that these lines were made from."""
    for text in lines.decode("ascii").split("\n")[:-1]:
        _, scope, auth, owner, _, type_, ttl, _, content = text.split("\t", 8)
        if type_ in PRIORITY_TYPES:
            content = content.replace("\t", " ", 1)
        yield "" if owner == "." else owner, type_, int(ttl), content, auth == "1", int(scope)


def plain(lines: bytes) -> tuple[str, list[tuple[str, str, str]]] | None:
    """The owner, and types, TTLs as text and contents of the records; None unless all are plain, and it is one."""
    found: list[tuple[str, str, str]] = []
    owner = ""
    for text in lines.decode("ascii").split("\n")[:-1]:
        head, _, rest = text.partition("\tIN\t")
        type_, ttl, _, content = rest.split("\t", 3)
        if not head.startswith(_PLAIN_HEAD) or type_ in _NOT_PLAIN or (found and head != owner):
            return None
        owner = head
        found.append((type_, ttl, content))
    return owner[len(_PLAIN_HEAD) :], found


def records(lines: bytes) -> list[Record]:
    """The records that these lines were made from."""
    return [Record(*each) for each in fields(lines)]


class Prepared:
    """At least one record, as finished lines; a ``Sequence[Record]`` for everybody else."""

    __slots__ = ("_records", "lines")

    def __init__(self, lines: bytes) -> None:
        self.lines = lines
        self._records: Sequence[Record] | None = None

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[Record]:
        return iter(self._read())

    def __getitem__(self, index: int) -> Record:
        return self._read()[index]

    def _read(self) -> Sequence[Record]:
        if self._records is None:
            self._records = records(self.lines)
        return self._records
