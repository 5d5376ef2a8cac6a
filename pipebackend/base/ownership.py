"""Whose files these are: root obeys nobody but root, and works in somebody's folder only as that user.

``zoneutil`` and ``pdnsutil`` run as root beside a server that runs as ``pdns``. What ``pdns`` may write must not decide
what root does: code, configurations, links in place of files.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Acting", "become_owner", "is_reader_trusted", "misplaced", "open_to_all", "owner_to_become", "replaceable",
    "untrusted", "user_name", "user_of_place",
]  # fmt: skip

_ROOT = 0


def untrusted(path: str, owners: Iterable[int] = ()) -> str:
    """Why the content of ``path`` may not come from root, the caller or one of ``owners`` alone; empty if it does.

    The file and each folder above it are looked at, as sshd does for its keys: to rename a folder is to replace all in
    it. In a folder with the sticky bit, such as /tmp, only the owner of an entry can do that. Raises OSError.
    """
    weak = _weak_place(path, {_ROOT, os.geteuid(), *owners}, frozenset())
    if weak is None:
        return ""
    place, found, writers = weak
    if not writers:
        return f"{place} belongs to {user_name(found.st_uid)}"
    return f"{place} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"


def replaceable(folder: str, owner: int) -> str:
    """Who besides root and ``owner`` could replace what is in a folder, with what stops them; empty if nobody.

    A group that has no other members than these two may write. Raises OSError.
    """
    weak = _weak_place(folder, {_ROOT, owner}, _groups_of(_ROOT) | _groups_of(owner))
    if weak is None:
        return ""
    place, found, writers = weak
    below = "" if place == os.path.realpath(folder) else f" and so {folder}"
    if not writers:
        whose = f"a folder of {user_name(owner)}, below folders of root"
        return (
            f"{place} belongs to {user_name(found.st_uid)}, who could replace what is in it{below}; move it to {whose}"
        )
    who = "everybody" if "o" in writers else f"the members of group {_group_name(found.st_gid)}"
    mode = stat.S_IMODE(found.st_mode)
    return f"{place} (mode {mode:04o}): {who} could replace what is in it{below}; chmod {writers}-w {place}"


def _weak_place(path: str, trusted: set[int], groups: frozenset[int]) -> tuple[str, os.stat_result, str] | None:
    """The first of a file and the folders above it that is not in the hands of these users and groups alone.

    And for which classes of users, as chmod calls them, its mode is to blame; "" if its owner is.
    """
    path = os.path.realpath(path)
    is_entry_safe = False  # whether others may add entries to this folder: only for those above the first
    while True:
        found = os.stat(path)
        if found.st_uid not in trusted:
            return path, found, ""
        writers = _writers(found, groups)
        if writers and not (is_entry_safe and found.st_mode & stat.S_ISVTX):
            return path, found, writers
        above = os.path.dirname(path)
        if above == path:
            return None
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
    groups = _all_groups(user)
    os.setgroups(groups)
    os.setresgid(groups[0], groups[0], groups[0])
    os.setresuid(user, user, user)


def _all_groups(user: int) -> list[int]:
    """The groups of a user, the first of them before the others; of one without a name its own number alone."""
    import pwd

    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        return [user]
    others = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return [entry.pw_gid, *(group for group in others if group != entry.pw_gid)]


def user_of_place(path: str) -> int:
    """As whom root must work on the file at ``path``, there or yet to be made; root (0) for callers other than root.

    Whose user may put a link or another file there, in the folder or above it, decides what it is: root works as that
    user, and so gets no further. A folder of root that others may write to is worked in as the owner of the file.
    """
    if os.geteuid() != _ROOT:
        return _ROOT
    try:
        for place in _above(path):  # as it is written: a link on the way could be replaced, too
            if user := os.lstat(place).st_uid:
                return user
        weak = _weak_place(os.path.dirname(os.path.realpath(path)), {_ROOT}, _groups_of(_ROOT))
        if weak is None:
            return _ROOT
        return os.lstat(path).st_uid if weak[2] else weak[1].st_uid
    except OSError:
        return _ROOT


def _above(path: str) -> Iterator[str]:
    place = os.path.abspath(path)
    while (above := os.path.dirname(place)) != place:
        yield above
        place = above


class Acting:
    """``with Acting(user):`` root is that user, and itself again behind it. Blocks may stand inside each other.

    A link then leads no further than the user could go, and what is made is the user's. It does not hold code that
    wants to become root again: that runs after ``become_owner``.
    """

    __slots__ = ("_before", "_depth", "_groups", "_user")

    def __init__(self, user: int) -> None:
        self._user = user
        self._groups = _all_groups(user) if user else []
        self._before: list[int] = []
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._user and self._depth == 1:
            self._before = os.getgroups()
            os.setgroups(self._groups)
            os.setegid(self._groups[0])
            os.seteuid(self._user)

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._user and not self._depth:
            os.seteuid(_ROOT)
            os.setegid(_ROOT)
            os.setgroups(self._before)


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


def _writers(found: os.stat_result, groups: frozenset[int]) -> str:
    """The classes of users besides the owner that may write; not the caller's own group, nor one of ``groups``."""
    is_own_group = found.st_gid in groups or (found.st_gid == os.getegid() and os.geteuid() != _ROOT)
    by_group = "g" if found.st_mode & stat.S_IWGRP and not is_own_group else ""
    return by_group + ("o" if found.st_mode & stat.S_IWOTH else "")


def _groups_of(user: int) -> frozenset[int]:
    """The group of a user, if nobody else is in it but root."""
    import grp
    import pwd

    try:
        own = pwd.getpwuid(user)
        listed = {pwd.getpwnam(name).pw_uid for name in grp.getgrgid(own.pw_gid).gr_mem}
    except KeyError:  # no such user or group; or a member that is none, and could be made
        return frozenset()
    members = listed | {entry.pw_uid for entry in pwd.getpwall() if entry.pw_gid == own.pw_gid}
    return frozenset((own.pw_gid,)) if members <= {_ROOT, user} else frozenset()


def _group_name(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
