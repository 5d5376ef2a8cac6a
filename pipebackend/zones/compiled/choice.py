"""When a zone is served from a compiled file, and having one made.

Large zones are: in a folder ``.pipebackend`` beside the configuration, made by a process of its own that outlives
this one. Until a file is there, or again when the source has changed, a table is read into memory and a zone that was
served before goes on; a zone file that takes longer to read than PowerDNS waits has failures for answers, and never
wrong ones.
"""

from __future__ import annotations

import os
import time
from binascii import crc32

from pipebackend.base import logs, ownership
from pipebackend.base.errors import ZoneFault
from pipebackend.zones.compiled import fingerprints
from pipebackend.zones.compiled.target import FOLDER, Target, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Client, Record
    from pipebackend.zones.base import Zone
    from pipebackend.zones.compiled.layout import Head
    from pipebackend.zones.compiled.mapped import CompiledZone

__all__ = [
    "BACKGROUND",
    "FOREGROUND",
    "KINDS",
    "LOCK",
    "NEVER",
    "Pending",
    "compile_in",
    "current",
    "followed",
    "is_large",
    "lock_offset",
    "misplaced",
    "request",
    "served",
]

LOCK = "lock"
# Larger sources are compiled. Reading 1 MB costs a table 20 ms and a zone file over a second, which PowerDNS would have
# to wait for at each start: it gives up after 2 s.
KINDS = {"table": 1 << 20, "file": 1 << 17}
_MAX_WAIT_OCTETS = 1 << 19  # a larger zone file is not read at start, even when nothing else can answer
_RETRY_SECONDS = 30.0  # until a process that never brought the file about is replaced
_PYTHON_CODE = (
    "import os, sys; os.fork() and os._exit(0); sys.path.append(sys.argv.pop(1)); "
    "from pipebackend.zones.compiled.compiler import main; main(*sys.argv[1:])"
)
_LATE_SECONDS = 10.0  # so much longer than it should take may a change be compiled before a table is read into memory
_requested: dict[tuple[str, str], float] = {}
_waiting: dict[str, float] = {}  # since when a changed zone is served as before
BACKGROUND, FOREGROUND, NEVER = "background", "foreground", "never"
_compiles = BACKGROUND


class Pending:
    """A zone file that is too large to be read before the first answer, until its compiled form is there."""

    dynamic = True  # no answer may be kept
    narrow = False
    faults: Sequence[str] = ()

    def __init__(self, target: Target) -> None:
        self.apex = target.apex
        self.ident = target.ident
        self.kind = target.kind
        self.sources = (target.source,)
        self._target = target

    @property
    def settings(self) -> Mapping[str, Sequence[str]]:
        """See ``presigned``; always ZoneFault."""
        raise _being_compiled(self._target)

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``; always ZoneFault."""
        raise _being_compiled(self._target)

    def soa(self) -> Record:
        """See ``zones.base.Zone``; always ZoneFault."""
        raise _being_compiled(self._target)

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``; always ZoneFault."""
        raise _being_compiled(self._target)

    def ring(self) -> None:
        """See ``zones.base.Zone``; always ZoneFault."""
        raise _being_compiled(self._target)


def compile_in(place: str) -> None:
    """Where this process has zones compiled from now on: BACKGROUND, FOREGROUND (it does it itself) or NEVER."""
    global _compiles
    _compiles = place


def served(target: Target, before: Zone | None, read: Callable[[], Zone]) -> Zone | None:
    """The zone to serve now, if it need not be read into memory at once; raises ZoneFault if its source is refused.

    ``before`` is what was served so far, ``read`` what reads the source into memory.
    """
    if not target.config:  # the built-in configuration is small, and has no place of its own
        return None
    found = current(target)
    if found is not None:
        _waiting.pop(target.path, None)
        return found
    if not is_large(target):
        return None
    if _compiles == NEVER:
        from pipebackend.zones.compiled.deferred import Deferred  # for commands alone

        return Deferred(target, read)
    if not request(target):
        return None
    if before is not None and not isinstance(before, Pending) and not _is_late(target):
        logs.info(f"zone {target.apex or '.'} has changed; it is served as before until it is compiled")
        return before
    return Pending(target) if target.kind == "file" and size_of(target.source) > _MAX_WAIT_OCTETS else None


def _is_late(target: Target) -> bool:
    """Whether a source that can be read at once changes faster than it is compiled."""
    if target.kind == "file" and size_of(target.source) > _MAX_WAIT_OCTETS:
        return False
    now = time.monotonic()
    return now - _waiting.setdefault(target.path, now) > target.seconds + _LATE_SECONDS


def followed(target: Target) -> list[str]:
    """The files whose change brings another zone about, besides the sources: the compiled one, if there will be one."""
    return [target.path] if target.config and (is_large(target) or os.path.exists(target.path)) else []


def is_large(target: Target) -> bool:
    """Whether the zone is worth compiling."""
    return size_of(target.source) > KINDS[target.kind]


def current(target: Target) -> CompiledZone | None:
    """The zone from its compiled file; None if there is none, or another one; raises ZoneFault if it is refused."""
    if not os.path.exists(target.path):
        return None
    from pipebackend.zones.compiled import layout, mapped

    try:
        env = layout.open_file(target.path)
        with env.begin() as txn:
            head = layout.Head.from_bytes(txn.get(layout.HEAD) or b"")
            refusal = (txn.get(layout.FAULTS) or b"") if head.refused else b""
        if not _is_of(head, target):
            return None
        if head.refused:
            sources = [path for path, *_ in head.files]
            raise ZoneFault(refusal.decode("utf-8", "surrogateescape").splitlines(), sources)
        return mapped.CompiledZone(
            target.path, env, head, target.apex, target.ident, target.kind, lambda param: _chain_asked(target, param)
        )
    except layout.DAMAGED as exc:
        logs.warning(f"{target.path}: damaged ({exc}); zone {target.apex or '.'} is compiled again")
        return None


def request(target: Target, chain: str = "") -> bool:
    """Have the zone compiled by a process of its own; False if there is no place where that could be kept.

    ``chain`` are the NSEC3 parameters of a ring that is needed.
    """
    if _compiles != BACKGROUND:
        return _compiles == FOREGROUND
    folder = os.path.dirname(target.path)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        pass
    if not os.access(folder, os.W_OK | os.X_OK):
        logs.once(
            folder,
            f"zone {target.apex or '.'} is read into memory by each process, since {folder} cannot be written: make it "
            f"writable for their user, or run zoneutil --config {target.config} zone compile after each change",
        )
        return False
    if not _is_being_compiled(target):
        _requested[target.path, chain] = time.monotonic()
        _spawn([target.config, target.apex, str(target.ident), chain])
    return True


def misplaced(folder: str) -> list[str]:
    """What is wrong with the owners and links of the compiled files beside a configuration in ``folder``."""
    place = os.path.join(folder, FOLDER)
    if not os.path.lexists(place):
        return []
    inside = [] if os.path.islink(place) else [os.path.join(place, name) for name in sorted(os.listdir(place))]
    return [fault for path in (place, *inside) if (fault := ownership.misplaced(path))]


def lock_offset(path: str) -> int:
    """The octet of the folder's lock file that stands for the compiled file ``path``."""
    return crc32(os.fsencode(path))


def _is_being_compiled(target: Target) -> bool:
    """Whether a compiler of this zone is at work: it holds an octet of the lock file."""
    import fcntl

    try:
        descriptor = os.open(os.path.join(os.path.dirname(target.path), LOCK), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # nothing was compiled here so far, or only by a user whose files are closed to us
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, lock_offset(target.path))
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _is_of(head: Head, target: Target) -> bool:
    return head.decides == target.decides and fingerprints.of([file[0] for file in head.files]) == head.files


def _being_compiled(target: Target) -> ZoneFault:
    _ask_again(target, "")
    return ZoneFault([f"zone {target.apex or '.'} is being compiled; ready in about {target.seconds} s"])


def _chain_asked(target: Target, param: Nsec3Param) -> ZoneFault:
    from pipebackend.dnsdata import nsec3param

    chain = nsec3param.to_text(param)
    if not _ask_again(target, chain):
        return ZoneFault([f"zone {target.apex or '.'} has no NSEC3 ring for {chain}; run zoneutil zone compile"])
    return ZoneFault([f"the NSEC3 ring of zone {target.apex or '.'} is being made; ready in about {target.seconds} s"])


def _ask_again(target: Target, chain: str) -> bool:
    asked = _requested.get((target.path, chain))
    if asked is not None and time.monotonic() - asked < _RETRY_SECONDS + 4 * target.seconds:
        return True
    return request(target, chain)


def _spawn(words: list[str]) -> None:
    """Start the compiler; it forks and leaves at once, so that it is no child of ours."""
    import sys

    root = os.path.abspath(os.path.join(__file__, *[os.pardir] * 4))  # what holds the package
    quiet = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)]
    command = [sys.executable, "-P", "-c", _PYTHON_CODE, root, *words]
    try:
        pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet, setsid=True)
        os.waitpid(pid, 0)
    except ChildProcessError:  # PowerDNS has us ignore SIGCHLD: the kernel has buried it already
        pass
    except OSError as exc:
        logs.error(f"the compiler of zones could not be started: {exc}")
