"""The store as a file: where it may lie, who may read it, how it is made.

It holds private keys. So it is made with mode 0600, and never in a directory where others could put a file of
their own in its place.
"""

from __future__ import annotations

import os
import stat

from pipebackend.base import ownership
from pipebackend.base.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    Identity = tuple[int, ...]

__all__ = [
    "check_place",
    "drop_backup",
    "identity",
    "make",
    "make_backup",
    "privacy_faults",
    "replaceable",
    "snapshot_identity",
    "uri",
]

PRIVATE = 0o600
_FILES = ("", "-wal", "-shm")  # of a store that is in use
_ROOT = 0


def identity(path: str) -> Identity | None:
    """Which file is at ``path``: it differs after the file was replaced. None if there is none."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise StoreFault(f"store {path}: {exc.strerror}; let this user enter its directory") from exc
    if not stat.S_ISREG(found.st_mode):
        raise StoreFault(f"store {path}: not a file; name a file in the configuration")
    return found.st_dev, found.st_ino


def snapshot_identity(path: str) -> Identity:
    """Which content is at ``path``: it differs after each change by a writer that uses a write-ahead log."""
    try:
        found = os.stat(path)
    except OSError as exc:  # since we looked whether it is there
        raise StoreFault(f"store {path}: {exc.strerror}; try again") from exc
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size, log_size(path)


def log_size(path: str) -> int:
    """Octets in the store's write-ahead log; 0 if there is none."""
    try:
        return os.stat(path + "-wal").st_size
    except OSError:
        return 0


def check_place(path: str) -> None:
    """StoreFault unless the directory of ``path`` exists and keeps strangers from replacing the store."""
    directory = os.path.dirname(path)
    try:
        found = os.stat(directory)
    except OSError as exc:
        raise StoreFault(f"store {path}: directory {directory}: {exc.strerror}; create it") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise StoreFault(f"store {path}: {directory} is not a directory; name another file in the configuration")
    fault = _open_directory_fault(directory, found)
    if fault:
        raise StoreFault(f"store {path}: {fault}")


def make(path: str) -> None:
    """An empty private file at ``path``, unless something is there already; StoreFault."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, PRIVATE)
    except FileExistsError:  # made by another process since we looked
        return
    except OSError as exc:
        raise StoreFault(
            f"store {path}: cannot be made: {exc.strerror}; it needs a directory that this user may write to"
        ) from exc
    try:
        if os.geteuid() == _ROOT:
            # Made from a root shell it would be closed to the server, which runs as the owner of its directory.
            found = os.stat(os.path.dirname(path))
            os.chown(descriptor, found.st_uid, found.st_gid)
    finally:
        os.close(descriptor)


def make_backup(path: str) -> None:
    """An empty private file at ``path``, where none may be yet; StoreFault."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, PRIVATE))
    except OSError as exc:
        raise StoreFault(f"backup {path}: {exc.strerror}; name a new file in a directory that exists") from exc


def drop_backup(path: str) -> None:
    """Half a backup is worse than none."""
    try:
        os.unlink(path)
    except FileNotFoundError:  # somebody else may write to its folder
        pass


def privacy_faults(path: str) -> list[str]:
    """A line for each way in which others could read or replace the store."""
    faults = []
    directory = os.path.dirname(path)
    try:
        mode, folder = stat.S_IMODE(os.stat(path).st_mode), os.stat(directory)
    except OSError as exc:
        return [f"store {path}: {exc.strerror}; try again"]
    if mode & 0o077:
        faults.append(f"store {path}: mode is {mode:04o}, so others may reach the private keys; chmod 600 {path}")
    fault = _open_directory_fault(directory, folder) or replaceable(path)
    if fault:
        faults.append(f"store {path}: {fault}")
    faults += [f"store {path}: {found}" for end in _FILES if (found := ownership.misplaced(path + end))]
    return faults


def replaceable(path: str) -> str:
    """Who could put another file in place of this store or its journal; empty if only its owner and root."""
    folder = os.path.dirname(path)
    try:
        return ownership.replaceable(folder, os.stat(folder).st_uid or os.stat(path).st_uid)
    except OSError:
        return ""


def uri(path: str, options: str) -> str:
    """The file as SQLite's URI, with ``options`` such as ``mode=rw``."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file://{quoted}?{options}"


def _open_directory_fault(directory: str, found: os.stat_result) -> str:
    if not found.st_mode & stat.S_IWOTH:
        return ""
    if found.st_mode & stat.S_ISVTX and found.st_uid in (_ROOT, os.geteuid()):
        return ""  # as /tmp: everybody may add files, but only the owner may replace them
    return f"everybody may write to the directory {directory} and replace the private keys; chmod o-w {directory}"
