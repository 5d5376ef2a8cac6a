"""How files look from outside: what tells that one was written, replaced or removed."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Fingerprint = tuple[tuple[str, int, int, int, int], ...]

__all__ = ["VERIFY_KEY", "is_settled", "of"]

# In the environment: compiled zones are looked through for damage before they are mapped, as after a fault of memory
VERIFY_KEY = "PIPEBACKEND_VERIFY"

_CLOCK_GRAIN = 10_000_000  # nanoseconds: a file's time comes from the kernel's coarse clock


def of(paths: Iterable[str]) -> Fingerprint:
    """Path, time, size, inode and time of status change of each file; a missing one has the size -1.

    The last is the clock's whatever ``touch`` or ``cp -p`` make of the first, so that it tells of a change that left
    time and size as they were.
    """
    found = []
    for path in paths:
        if not path:
            continue
        try:
            stat = os.stat(path)
            found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns))
        except OSError:
            found.append((path, 0, -1, 0, 0))
    return tuple(found)


def is_settled(files: Fingerprint, started: int) -> bool:
    """Whether no file was written at ``started`` (nanoseconds) or after it.

    Of a file whose time lies ahead this is never said: then two equal looks at it must do.
    """
    return all(written <= started - _CLOCK_GRAIN for _, written, *_ in files)
