"""The counts of the workers of one socket, each in a file that the others read; what dead workers counted is kept."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipebackend.base import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.base.stats import Numbers

__all__ = ["FOLDER_KEY", "folder", "publish", "read", "retire"]

FOLDER_KEY = "PIPEBACKEND_NUMBERS"  # where the workers write, set by the master
_INTERVAL = 0.5  # seconds between two writes of a worker that is asked something
_GONE = "gone"  # the counts of the workers that have ended
_LOCK = "lock"
_PREFIX = "pipebackend-"
_MEMORY = "/dev/shm"  # files that are never written to a disk


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """A place for the counts of one service; those of services that were killed are removed."""
    top = _MEMORY if os.access(_MEMORY, os.W_OK) else tempfile.gettempdir()
    for entry in Path(top).glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), open(entry, "r+b", opener=_own) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its service would hold it
            shutil.rmtree(entry.parent, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=top) as where, open(os.path.join(where, _LOCK), "xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield where


def _own(path: str, flags: int) -> int:
    """The descriptor of a file in a folder of this user: everybody may make some with such names."""
    if os.lstat(os.path.dirname(path)).st_uid != os.geteuid():
        raise PermissionError(path)
    return os.open(path, flags | os.O_NOFOLLOW)


def publish(where: str, numbers: Callable[[], Numbers]) -> Callable[[], None]:
    """Write the counts of this process from now on; returns what writes them at once, for the end of the process."""
    path = os.path.join(where, str(os.getpid()))
    written: list[Numbers] = []

    def write() -> None:
        found = numbers()
        if written != [found]:
            with contextlib.suppress(OSError):  # a full memory must not end the answers
                _replace(path, found)
            written[:] = [found]

    def run() -> None:
        while True:
            write()
            time.sleep(_INTERVAL)

    threading.Thread(target=run, daemon=True).start()
    return write


def read(where: str, but: int = 0) -> list[Numbers]:
    """The counts of all workers, save of the process ``but``, which knows its own."""
    found = []
    for name in os.listdir(where):
        if name not in (str(but), _LOCK) and not name.endswith("~"):
            with contextlib.suppress(OSError, ValueError), open(os.path.join(where, name), encoding="utf-8") as file:
                found.append(json.load(file))
    return found


def retire(where: str, process: int) -> None:
    """Add the counts of a worker that has ended to those of the others that have."""
    own, gone = os.path.join(where, str(process)), os.path.join(where, _GONE)
    parts = []
    for path in (own, gone):
        with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
            parts.append(json.load(file))
    with contextlib.suppress(OSError):
        if parts:
            _replace(gone, {**stats.added(parts), "processes": 0})
        os.unlink(own)


def _replace(path: str, numbers: Numbers) -> None:
    with open(f"{path}~", "w", encoding="utf-8") as file:
        json.dump(numbers, file)
    os.replace(f"{path}~", path)
