"""Rows that wait in a temporary table of this process, where they lock nothing and fill no memory, for ``fill``."""

from __future__ import annotations

from pipebackend.dnsdata import names
from pipebackend.store.zonedata import fill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from pipebackend.store.database.database import Database
    from pipebackend.store.rows.rrs import Ordered, Row

__all__ = ["add", "check_nonterminals", "forget", "in_order"]

_OCTETS_OF_LABEL = 2  # in a key, at least
_TABLE = "temp.pipebackend_aside"
_MAKE = f"CREATE TEMP TABLE IF NOT EXISTS {_TABLE.removeprefix('temp.')} (key, name, type, ttl, prio, content)"


def add(db: Database, rows: Iterable[Row]) -> None:
    """Keeps rows made by ``rrs.row``, their owners as they were spelled."""
    scratch = db.scratch()
    scratch.execute(_MAKE)
    scratch.execute("SAVEPOINT aside")  # else each statement would be a transaction
    scratch.insert(f"INSERT INTO {_TABLE} (key, name, type, ttl, prio, content)", _keyed(rows))
    scratch.execute("RELEASE aside")


def in_order(db: Database, apex: str) -> Generator[Ordered]:
    """The rows in the order of their owners, those of one as they came: its first spelling and ttls are kept."""
    db.scratch().execute(_MAKE)
    skipped = len(names.order_key(apex)) + 1 if apex else 0
    yield from db.scratch().stream(
        # SQLite's substr(x'', 1), for the apex of the root zone, is NULL
        f"SELECT coalesce(substr(key, ?), x''), name, type, ttl, prio, content FROM {_TABLE} ORDER BY key, rowid",
        (skipped + 1,),
    )


def check_nonterminals(db: Database, apex: str, count: int) -> None:
    """StoreFault if the ``count`` rows have more empty non-terminals than a zone may; looked at before any is written.

    Who sends a zone need not be trusted, and names of 118 labels each make a gigabyte of 20,000.
    """
    db.scratch().execute(_MAKE)
    most = fill.MAX_NONTERMINALS + fill.NONTERMINALS_EACH * count
    [(octets,)] = db.scratch().rows(f"SELECT coalesce(sum(length(key)), 0) FROM {_TABLE}")
    if octets // _OCTETS_OF_LABEL <= most:  # as of almost every zone: there cannot be that many
        return
    skipped = len(names.split(apex))
    found, before = 0, [b""]
    for (key,) in db.scratch().stream(f"SELECT DISTINCT key FROM {_TABLE} ORDER BY key"):
        labels = key.split(b"\x00")[skipped:]
        known = next((n for n, (one, other) in enumerate(zip(labels, before)) if one != other), len(before))  # noqa: B905
        found += max(0, len(labels) - known - 1)
        before = labels
        if found > most:
            raise fill.too_many_nonterminals(apex, found)


def forget(db: Database) -> None:
    """Drops the rows."""
    db.scratch().rows(f"DROP TABLE IF EXISTS {_TABLE}")


def _keyed(rows: Iterable[Row]) -> Iterator[Ordered]:
    last, key, name = None, b"", ""
    for _, stored, type_, ttl, prio, content, _, _ in rows:
        if stored != last:
            last, name = stored, "" if stored == "." else stored
            key = names.order_key(name)
        yield key, name, type_, ttl, prio, content
