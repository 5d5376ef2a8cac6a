"""Writing a compiled file: one compiler at a time in a folder, and the file is there whole or not at all."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import lmdb

from pipebackend.base import ownership
from pipebackend.base.errors import ZoneFault
from pipebackend.zones.compiled import choice, fingerprints, layout
from pipebackend.zones.compiled.target import Target

__all__ = ["NEW", "locked", "new_file", "opened_folder"]

NEW = ".new"  # at the end of the name of a file that is being written
_MAP_OCTETS = 1 << 38  # address space, not memory: the file becomes as large as its contents
_TRIES, _TRY_SECONDS = 3, 0.02  # a process that only looks at the lock holds it for a moment


@contextmanager
def new_file(target: Target, folder: int, files: fingerprints.Fingerprint) -> Iterator[lmdb.Environment]:
    """A file that takes the place of the zone's if all goes well; who may read the source may read it."""
    new = os.urandom(8).hex() + NEW
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        env = lmdb.open(
            f"/proc/self/fd/{descriptor}", subdir=False, map_size=_MAP_OCTETS, max_dbs=layout.MAX_DBS, lock=False,
            sync=False, metasync=False,
        )  # fmt: skip
        try:
            yield env
            env.sync(True)
        finally:
            env.close()
        layout.write_digest(descriptor)
        os.fsync(descriptor)
        _share(descriptor, target, files)
        os.rename(new, os.path.basename(target.path), src_dir_fd=folder, dst_dir_fd=folder)
    except lmdb.Error as exc:
        os.unlink(new, dir_fd=folder)  # on a full disk a half file would keep it full
        raise ZoneFault([f"{target.path}: cannot be written: {exc}; make room for it"]) from exc
    except BaseException:
        os.unlink(new, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
    os.fsync(folder)


def _share(descriptor: int, target: Target, files: fingerprints.Fingerprint) -> None:
    """Give the file the mode, and if root made it the owner, of the source that was read."""
    source = os.stat(target.source) if os.path.exists(target.source) else None
    if source is None or source.st_ino not in (inode for _, _, _, inode, _ in files):
        return
    if not os.geteuid():
        os.fchown(descriptor, source.st_uid, source.st_gid)
    os.fchmod(descriptor, source.st_mode & 0o644)


@contextmanager
def opened_folder(path: str) -> Iterator[int]:
    """The folder of compiled files, made if need be; ZoneFault if something else is there."""
    try:
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            pass
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as exc:
        raise ZoneFault([f"{path}: {exc.strerror}; it must be a folder that {_me()} may write, and no link"]) from exc
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def locked(folder: int, path: str) -> Iterator[bool]:
    """One compiler for a zone and one at work in a folder; the kernel lets go of the locks when a process dies."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(choice.LOCK, flags, 0o644, dir_fd=folder)
    except PermissionError:  # of another user, in our folder
        os.unlink(choice.LOCK, dir_fd=folder)
        descriptor = os.open(choice.LOCK, flags, 0o644, dir_fd=folder)
    try:
        is_ours = _has_zone_lock(descriptor, path)
        if is_ours:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield is_ours
    finally:
        os.close(descriptor)


def _has_zone_lock(descriptor: int, path: str) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, choice.lock_offset(path))
            return True
        except OSError:
            time.sleep(_TRY_SECONDS)
    return False


def _me() -> str:
    return ownership.user_name(os.geteuid())
