"""Compiled zones: a large table or zone file as an LMDB file, made once and mapped by all processes.

The file is never changed: a newer one takes its place, and whoever has the old one open keeps it. So it is read without
locks, and a map stays valid for as long as it is held. It holds

    head          what the zone was made from (``Head``); ``faults``: what was left out of it; ``settings``: metadata
    db names      canonical name → DATA lines (``datalines``); of an empty non-terminal one of EMPTY
    db order      the NSEC ring: order key relative to the apex → name, as spelled
    db nsec3 …    an NSEC3 ring, made when it is first asked for: hash → name
"""

from __future__ import annotations

import os
from _weakref import ref  # the module weakref defines much more, 1 ms of a start
from binascii import a2b_base64, b2a_base64

import lmdb

from pipebackend.base import logs, ownership
from pipebackend.base.errors import ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import datalines, names
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import ENT, Record
from pipebackend.zones.compiled.fingerprints import VERIFY_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipebackend.dnsdata.records import Client
    from pipebackend.zones.compiled.fingerprints import Fingerprint

    AskForChain = Callable[[Nsec3Param], ZoneFault]

__all__ = [
    "DAMAGED", "EMPTY", "FAULTS", "HEAD", "MAX_DBS", "NAMES", "ORDER", "SETTINGS", "VERIFY_KEY",
    "CompiledZone", "Head", "chain_name", "chain_of", "check_digest", "name_of", "names_key", "open_file", "order_key",
    "write_digest",
]  # fmt: skip

HEAD, FAULTS, NAMES, ORDER = b"head", b"faults", b"names", b"order"
SETTINGS = b"settings"
MAX_DBS = 8
# What reading a file may raise that is not one of ours, or not as it was written
DAMAGED = (lmdb.Error, UnicodeDecodeError, ValueError, IndexError, OSError)
_DIGEST_OCTETS = 32  # at the end of a file, behind the pages that LMDB knows of
_BLOCK = 1 << 20
_MAX_KEY = 511  # octets of a key in LMDB
_LONG = b"\0"  # starts the key of a name whose text is longer than that: its wire form follows
# Empty non-terminals: whether ``Tree.answer`` has a record for it, and whether it lies below a cut
EMPTY = {(False, False): b"1", (False, True): b"0", (True, False): b"+", (True, True): b"-"}
_ANSWERED, _BELOW_CUT = (EMPTY[True, False], EMPTY[True, True]), (EMPTY[False, True], EMPTY[True, True])


class Head(Value):
    """What a compiled file was made from: it is served only while all of this is so.

    ``config`` is the configuration's path, ``decides`` the text of all else but the files; ``entries`` is the number
    of names; a zone that was ``refused`` has none.
    """

    config: str
    decides: str
    refused: bool
    entries: int
    files: Fingerprint

    def to_bytes(self) -> bytes:
        """One line for each field and file."""
        files = [f"{os.fsencode(path).hex()} {' '.join(map(str, looks))}" for path, *looks in self.files]
        texts = [os.fsencode(self.config).hex(), self.decides.encode("utf-8", "surrogateescape").hex()]
        return "\n".join([*texts, f"{self.refused:d} {self.entries}", *files]).encode()

    @classmethod
    def from_bytes(cls, octets: bytes) -> Head:
        """The head that ``to_bytes`` wrote; raises ValueError."""
        config, decides, counts, *lines = octets.decode().split("\n")
        refused, entries = map(int, counts.split(" "))
        files = []
        for line in lines:
            path, time, size, inode, changed = line.split(" ")
            files.append((os.fsdecode(bytes.fromhex(path)), int(time), int(size), int(inode), int(changed)))
        texts = os.fsdecode(bytes.fromhex(config)), bytes.fromhex(decides).decode("utf-8", "surrogateescape")
        return cls(*texts, bool(refused), entries, tuple(files))


_opened: dict[tuple[str, int], ref[lmdb.Environment]] = {}


def open_file(path: str) -> lmdb.Environment:
    """The file, to be read, closed when nobody holds it any more; one of DAMAGED if missing, cut short or no LMDB.

    LMDB trusts what it maps, so root opens no file that another user may have crafted.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        known = _mapped(path, found.st_ino)
        if known is not None:  # LMDB opens a file only once in a process, and a zone may be looked at again
            return known
        if not ownership.is_reader_trusted(found.st_uid):
            raise PermissionError(f"root does not read a compiled file of {ownership.user_name(found.st_uid)}")
        if os.environ.get(VERIFY_KEY):
            check_digest(descriptor)
        # For root the file that was looked at; for others the path, which needs no /proc
        place = path if os.geteuid() else f"/proc/self/fd/{descriptor}"
        env = lmdb.open(place, subdir=False, create=False, readonly=True, lock=False, readahead=False, max_dbs=MAX_DBS)
    finally:
        os.close(descriptor)
    if found.st_size < (env.info()["last_pgno"] + 1) * env.stat()["psize"]:
        env.close()
        raise ValueError("the file is cut short")  # reading the pages behind its end would kill this process
    identity = (path, found.st_ino)
    _opened[identity] = ref(env, lambda _: _opened.pop(identity))
    return env


def _mapped(path: str, inode: int) -> lmdb.Environment | None:
    """This file as it is mapped here, None if it is not."""
    found = _opened.get((path, inode))
    return None if found is None else found()


def write_digest(descriptor: int) -> None:
    """Add the digest of all that is in a file to its end."""
    os.pwrite(descriptor, _digest(descriptor, os.fstat(descriptor).st_size), os.fstat(descriptor).st_size)


def check_digest(descriptor: int) -> None:
    """ValueError unless the file is as it was written, octet for octet."""
    size = os.fstat(descriptor).st_size - _DIGEST_OCTETS
    if size < 0 or os.pread(descriptor, _DIGEST_OCTETS, size) != _digest(descriptor, size):
        raise ValueError("its digest is wrong")


def _digest(descriptor: int, size: int) -> bytes:
    from hashlib import blake2b

    found, at = blake2b(digest_size=_DIGEST_OCTETS), 0
    while at < size and (block := os.pread(descriptor, min(_BLOCK, size - at), at)):
        found.update(block)
        at += len(block)
    return found.digest()


def names_key(name: str) -> bytes:
    """The key of a canonical name among the names."""
    key = name.encode() or b"."
    return key if len(key) <= _MAX_KEY else _LONG + names.to_wire(name)


def name_of(key: bytes) -> str:
    """The name that ``names_key`` gives this key."""
    if not key.startswith(_LONG):
        return "" if key == b"." else key.decode()
    labels, at = [], len(_LONG)
    while key[at]:
        labels.append(key[at + 1 : at + 1 + key[at]])
        at += 1 + key[at]
    return names.from_labels(labels)


def order_key(name: str, apex: str) -> bytes:
    """The key of a canonical name on the NSEC ring; LMDB has no empty keys, so all begin with an octet."""
    return b"\0" + names.order_key(names.relative(name, apex))


def chain_name(param: Nsec3Param) -> bytes:
    """The database of one NSEC3 ring; names of databases have no zero octets and at most 511 of others."""
    return b"nsec3 %d %d " % (param.opt_out, param.iterations) + b2a_base64(param.salt, newline=False)


def chain_of(database: bytes) -> Nsec3Param | None:
    """The parameters of the NSEC3 ring in this database, None if it has another purpose."""
    if not database.startswith(b"nsec3 "):
        return None
    _, opt_out, iterations, salt = database.split(b" ")
    return Nsec3Param(int(opt_out), int(iterations), a2b_base64(salt))


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

    def lines(self, text: bytes) -> bytes | None:
        """The DATA lines of a name if ``text`` in lower case is canonical and it has records; None says nothing."""
        key = text.lower()
        try:
            value: bytes | None = self._get(key) if 0 < len(key) <= _MAX_KEY and not key.startswith(_LONG) else None
        except lmdb.Error as exc:
            raise self._damaged(exc) from exc
        return value if value is not None and len(value) > 1 and value.isascii() else None

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
        return (Record(name, ENT, 0, "", auth=False),) if value in _ANSWERED else ()

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
                    yield Record(name, ENT, 0, "", auth=value not in _BELOW_CUT)
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
            if _mapped(self._path, os.stat(self._path, follow_symlinks=False).st_ino) is self._env:
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
