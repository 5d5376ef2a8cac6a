"""Compiled zones: a large table or zone file as an LMDB file, made once and mapped by all processes.

The file is never changed: a newer one takes its place, and who has the old one open keeps it. So it is read without
locks, and a map stays valid for as long as it is held. ``layout`` says what it holds.
"""

from __future__ import annotations

import os

import lmdb

from pipebackend.base import logs
from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata import datalines
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import ENT, Record
from pipebackend.zones.compiled.layout import (
    ANSWERED,
    BELOW_CUT,
    DAMAGED,
    FAULTS,
    LONG,
    MAX_KEY,
    NAMES,
    ORDER,
    SETTINGS,
    Head,
    chain_name,
    check_digest,
    mapped_here,
    name_of,
    names_key,
    order_key,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipebackend.dnsdata.records import Client

    AskForChain = Callable[[Nsec3Param], ZoneFault]

__all__ = ["CompiledZone"]


class CompiledZone:
    """A zone from its compiled file; see the module."""

    dynamic = False
    narrow = False

    def __init__(
        self, path: str, env: lmdb.Environment, head: Head, apex: str, ident: int, kind: str, ask: AskForChain
    ) -> None:
        """``ask`` has an NSEC3 ring made that is not there, and says so; raises one of DAMAGED."""
        self.apex = apex
        self.ident = ident
        self.kind = kind
        self.size = head.entries  # names, as ``registry`` compares it after a change
        self.sources = tuple(file[0] for file in head.files)
        self._path = path
        self._env = env
        self._ask = ask
        names_db = env.open_db(NAMES, create=False)
        self._names = env.begin(db=names_db)
        if self._names.stat(names_db)["entries"] != head.entries:
            raise ValueError("names are missing")
        self._get = self._names.get
        with env.begin() as txn:
            lines = (txn.get(SETTINGS) or b"").decode("ascii").splitlines()
        self.settings = {kind: [value] for kind, _, value in (line.partition(" ") for line in lines)}
        self._order: lmdb.Cursor | None = None
        self._chain: tuple[bytes, lmdb.Cursor] | None = None

    @property
    def faults(self) -> Sequence[str]:
        """See ``zones.base.Zone``; read when asked, from any thread. A damaged file is one."""
        try:
            with self._env.begin() as txn:
                return (txn.get(FAULTS) or b"").decode("utf-8", "surrogateescape").splitlines()
        except DAMAGED as exc:
            return self._damaged(exc).faults

    def damage(self) -> Sequence[str]:
        """Looks at each octet of the file; what is wrong with it, after which it is removed."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # another one takes its place
            return ()
        try:
            check_digest(descriptor)
            return ()
        except ValueError as exc:
            return self._damaged(exc).faults
        finally:
            os.close(descriptor)

    def lines(self, key: bytes) -> bytes | None:
        """The DATA lines of a name; nothing if it does not exist, None if only ``find`` can tell.

        ``key`` need not be a canonical name: what is written in another way is not found.
        """
        if not 0 < len(key) <= MAX_KEY or key.startswith(LONG) or key == b".":  # not how the root is asked for
            return None
        try:
            value: bytes | None = self._get(key)
        except lmdb.Error:
            return None  # ``find`` reports it
        if value is None:
            return b""
        return value if len(value) > 1 and value.isascii() else None

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        try:
            value = self._get(names_key(name))
        except lmdb.Error as exc:
            raise self._damaged(exc) from exc
        if value is None:
            return None
        if not value.isascii():
            raise self._damaged(ValueError(f"the records of {name} are not text"))
        if len(value) > 1:
            return datalines.Prepared(value)  # type: ignore[return-value]
        return (Record(name, ENT, 0, "", auth=False),) if value in ANSWERED else ()

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        try:
            found = datalines.records(self._get(names_key(self.apex)) or b"")
        except DAMAGED as exc:
            raise self._damaged(exc) from exc
        for record in found:
            if record.type == "SOA":
                return record
        raise self._damaged(ValueError("the SOA is missing"))

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        try:
            yield from self._listed()
        except DAMAGED as exc:
            raise self._damaged(exc) from exc

    def _listed(self) -> Iterator[Record]:
        at_apex = datalines.records(self._get(names_key(self.apex)) or b"")
        yield from (record for record in at_apex if record.type == "SOA")
        yield from (record for record in at_apex if record.type != "SOA")
        with self._env.begin() as txn:
            for key, value in txn.cursor(db=self._env.open_db(NAMES, txn=txn, create=False)):
                name = name_of(key)
                if len(value) == 1:
                    yield Record(name, ENT, 0, "", auth=value not in BELOW_CUT)
                elif name != self.apex:
                    yield from datalines.records(value)

    def ring(self) -> CompiledZone:
        """See ``zones.base.Zone``: the zone itself."""
        return self

    def neighbours(self, name: str) -> tuple[str, str]:
        """See ``zones.base.Ring``."""
        try:
            if self._order is None:
                self._order = self._cursor(ORDER)
            (_, before), (_, after) = _around(self._order, order_key(name, self.apex))
            return before.decode("ascii"), after.decode("ascii")
        except DAMAGED as exc:
            raise self._damaged(exc) from exc

    def hashed_neighbours(self, label: str, param: Nsec3Param) -> tuple[str, str, str]:
        """See ``zones.base.Ring``; raises ZoneFault while the ring is being made."""
        chain = chain_name(param)
        try:
            if self._chain is None or self._chain[0] != chain:
                self._chain = chain, self._cursor(chain)
            (before, owner), (after, _) = _around(self._chain[1], label.encode())
            return owner.decode("ascii"), before.decode("ascii"), after.decode("ascii")
        except lmdb.NotFoundError:
            raise self._ask(param) from None
        except DAMAGED as exc:
            raise self._damaged(exc) from exc

    def _cursor(self, database: bytes) -> lmdb.Cursor:
        return self._names.cursor(db=self._env.open_db(database, txn=self._names, create=False))

    def _damaged(self, exc: Exception) -> ZoneFault:
        """Remove the file, so that it is compiled again; not the next one, which may be in its place before we look."""
        fault = f"{self._path}: damaged ({exc}); zone {self.apex or '.'} is compiled again"
        logs.once(self._path, fault)
        try:
            if mapped_here(self._path, os.stat(self._path, follow_symlinks=False).st_ino) is self._env:
                os.unlink(self._path)
        except OSError:
            pass
        return ZoneFault([fault])


def _around(cursor: lmdb.Cursor, key: bytes) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """The greatest entry that is not after ``key``, and its successor; both wrap."""
    found = cursor.set_range(key) and (cursor.key() == key or cursor.prev())
    if not found:
        cursor.last()
    before = cursor.item()
    if not cursor.next():
        cursor.first()
    return before, cursor.item()  # type: ignore[return-value]  # octets, as the transaction has no buffers
