"""Files that are read while questions wait: no pipe, which may never end, and no device, which may never either."""

from __future__ import annotations

import errno
import os
import stat

__all__ = ["opener"]


def opener(path: str, flags: int) -> int:
    """For ``open``: OSError unless ``path`` is, or leads to, a regular file or a folder, which cannot be read."""
    _check(os.stat(path))
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor))  # another one may be there by now
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe, socket or device, not a file")
