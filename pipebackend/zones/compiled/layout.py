"""The compiled file: its databases and keys, what it was made from, its digest, and how it is opened.

It holds

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

from pipebackend.base import ownership
from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.zones.compiled.fingerprints import VERIFY_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.zones.compiled.fingerprints import Fingerprint

__all__ = [
    "ANSWERED",
    "BELOW_CUT",
    "DAMAGED",
    "EMPTY",
    "FAULTS",
    "HEAD",
    "LONG",
    "MAX_DBS",
    "MAX_KEY",
    "NAMES",
    "ORDER",
    "SETTINGS",
    "Head",
    "chain_name",
    "chain_of",
    "check_digest",
    "mapped_here",
    "name_of",
    "names_key",
    "open_file",
    "order_key",
    "write_digest",
]

HEAD, FAULTS, NAMES, ORDER = b"head", b"faults", b"names", b"order"
SETTINGS = b"settings"
MAX_DBS = 8
# What reading a file may raise that is not one of ours, or not as it was written
DAMAGED = (lmdb.Error, UnicodeDecodeError, ValueError, IndexError, OSError)
_DIGEST_OCTETS = 32  # at the end of a file, behind the pages that LMDB knows of
_BLOCK = 1 << 20
MAX_KEY = 511  # octets of a key in LMDB
LONG = b"\0"  # starts the key of a name whose text is longer than that: its wire form follows
# Empty non-terminals: whether ``Tree.answer`` has a record for it, and whether it lies below a cut
EMPTY = {(False, False): b"1", (False, True): b"0", (True, False): b"+", (True, True): b"-"}
ANSWERED, BELOW_CUT = (EMPTY[True, False], EMPTY[True, True]), (EMPTY[False, True], EMPTY[True, True])


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
        known = mapped_here(path, found.st_ino)
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


def mapped_here(path: str, inode: int) -> lmdb.Environment | None:
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
    return key if len(key) <= MAX_KEY else LONG + names.to_wire(name)


def name_of(key: bytes) -> str:
    """The name that ``names_key`` gives this key."""
    if not key.startswith(LONG):
        return "" if key == b"." else key.decode()
    labels, at = [], len(LONG)
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
