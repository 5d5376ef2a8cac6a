"""How files look from outside: what tells that one was written, replaced or removed."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Fingerprint = tuple[tuple[str, int, int, int], ...]

__all__ = ["is_settled", "of"]

_CLOCK_GRAIN = 10_000_000  # nanoseconds: a file's time comes from the kernel's coarse clock


def of(paths: Iterable[str]) -> Fingerprint:
    """Path, time, size and inode of each file; a missing one has the size -1."""
    found = []
    for path in paths:
        if not path:
            continue
        try:
            stat = os.stat(path)
            found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append((path, 0, -1, 0))
    return tuple(found)


def is_settled(files: Fingerprint, started: int) -> bool:
    """Whether no file was written at ``started`` (nanoseconds) or after it."""
    return all(changed <= started - _CLOCK_GRAIN for _, changed, _, _ in files)
