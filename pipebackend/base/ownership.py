"""Whose files these are: root obeys nobody but root, and works in somebody's folder only as that user.

``zoneutil`` and ``pdnsutil`` run as root beside a server that runs as ``pdns``. What ``pdns`` may write must not decide
what root does: code, configurations, links in the place of files.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["become_owner", "is_reader_trusted", "misplaced", "open_to_all", "owner_to_become", "untrusted", "user_name"]

_ROOT = 0


def untrusted(path: str, owners: Iterable[int] = ()) -> str:
    """Why the content of ``path`` may not come from root, the caller or one of ``owners`` alone; empty if it does.

    The file and each folder above it are looked at, as sshd does for its keys: to rename a folder is to replace all in
    it. In a folder with the sticky bit, such as /tmp, only the owner of an entry can do that. Raises OSError.
    """
    trusted = {_ROOT, os.geteuid(), *owners}
    path = os.path.realpath(path)
    is_entry_safe = False  # whether others may add entries to this folder: only for those above the first
    while True:
        found = os.stat(path)
        if found.st_uid not in trusted:
            return f"{path} belongs to {user_name(found.st_uid)}"
        if _others_may_write(found) and not (is_entry_safe and found.st_mode & stat.S_ISVTX):
            return f"{path} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
        above = os.path.dirname(path)
        if above == path:
            return ""
        # The sticky bit protects entries of the trusted; it does not keep others from adding some beside them
        is_entry_safe = stat.S_ISDIR(found.st_mode)
        path = above


def is_reader_trusted(owner: int) -> bool:
    """Whether a file of ``owner`` may be given to a parser that a crafted file could take over."""
    return owner in (_ROOT, os.geteuid()) or os.geteuid() != _ROOT


def owner_to_become(folder: str) -> int:
    """The user as whom root must work in ``folder``, root (0) if it is root's own; 0 for callers other than root."""
    if os.geteuid() != _ROOT:
        return _ROOT
    try:
        return os.stat(folder).st_uid
    except OSError:
        return _ROOT


def become_owner(user: int) -> None:
    """Give up root for good: from now on this process is ``user``, with the groups of that user alone."""
    import pwd

    try:
        entry = pwd.getpwuid(user)
        os.initgroups(entry.pw_name, entry.pw_gid)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    except KeyError:  # a user without a name has no groups
        os.setgroups([])
        os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def misplaced(path: str) -> str:
    """What is wrong with a file or folder that its folder's owner must be able to use; empty if nothing is.

    Files that root made in the folder of another user lock that user out, and a link may lead anywhere.
    """
    try:
        found, above = os.lstat(path), os.stat(os.path.dirname(path))
    except OSError:
        return ""
    if stat.S_ISLNK(found.st_mode):
        return f"{path} is a link; put the file itself there"
    if above.st_uid not in (_ROOT, found.st_uid):
        owner, user = user_name(above.st_uid), user_name(found.st_uid)
        return f"{path} belongs to {user}, and its folder to {owner}, who cannot write it; chown {owner} {path}"
    return ""


def open_to_all(path: str) -> str:
    """How anybody could change or replace a file, with what closes it; empty if nobody can."""
    for place in (path, os.path.dirname(path)):
        try:
            found = os.stat(place)
        except OSError:
            continue
        if found.st_mode & stat.S_IWOTH and not (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX):
            return f"{place} can be written by everybody (mode {stat.S_IMODE(found.st_mode):04o}); chmod o-w {place}"
    return ""


def user_name(user: int) -> str:
    """The name of a user, the number if it has none."""
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _others_may_write(found: os.stat_result) -> bool:
    """Whether anybody but the owner may; the caller's own group may, where each user has a group of that name."""
    is_own_group = found.st_gid == os.getegid() and os.geteuid() != _ROOT
    return bool(found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not is_own_group))
