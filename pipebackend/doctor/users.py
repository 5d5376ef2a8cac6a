"""The user that PowerDNS runs as, and what keeps that user from a file: modes on the way to it, systemd's fences."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipebackend.doctor.units import NO_UNIT, Unit

__all__ = ["User", "current", "named", "obstacle"]

_BITS = {"r": 4, "w": 2, "x": 1}
_WORDS = {"r": "read", "w": "write", "x": "run"}
_ROOT = 0


@dataclass(frozen=True, slots=True)
class User:
    """A user with all its groups, behind the fences of a systemd unit."""

    name: str
    uid: int
    gid: int
    groups: frozenset[int] = field(default_factory=frozenset)
    unit: Unit = NO_UNIT

    @property
    def is_us(self) -> bool:
        """Whether this process runs as that user."""
        return self.uid == os.geteuid()


def current(unit: Unit = NO_UNIT) -> User:
    """The user of this process."""
    uid = os.geteuid()
    return User(_user_name(uid), uid, os.getegid(), frozenset((os.getegid(), *os.getgroups())), unit)


def named(name: str, group: str = "", unit: Unit = NO_UNIT) -> User | None:
    """The user of that name or number, None if there is none; ``group`` replaces its own, as ``setgid`` does."""
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        gid = entry.pw_gid if not group else int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        return None
    return User(entry.pw_name, entry.pw_uid, gid, frozenset((gid, *os.getgrouplist(entry.pw_name, gid))), unit)


def obstacle(user: User, path: str, need: str) -> str:
    """Why this user cannot read (``r``), write (``w``) or run (``x``) ``path``; empty if it can. Knows no ACLs."""
    fence = user.unit.fence(path, need == "w") or user.unit.fence(os.path.realpath(path), need == "w")
    if fence:
        return fence
    for part in _way_to(path):
        try:
            found = os.stat(part)
        except OSError as exc:
            return f"{part}: {exc.strerror}"
        if part != path and stat.S_ISDIR(found.st_mode) and not _may(user, found, "x"):
            return f"{_described(part, found)}: {user.name} may not enter it"
        if part == path and not _may(user, found, need):
            return f"{_described(part, found)}: {user.name} may not {_WORDS[need]} it"
    return ""


def _way_to(path: str) -> Iterator[str]:
    """The directories above a path, and those above what it links to, then the path."""
    real = os.path.realpath(path)
    for target in dict.fromkeys((path, real)):
        parts = target.strip("/").split("/")[:-1]
        yield from ("/" + "/".join(parts[:count]) for count in range(len(parts) + 1))
    yield path


def _may(user: User, found: os.stat_result, need: str) -> bool:
    if user.uid == _ROOT:
        return need != "x" or stat.S_ISDIR(found.st_mode) or bool(found.st_mode & 0o111)
    shift = 6 if found.st_uid == user.uid else 3 if found.st_gid in user.groups | {user.gid} else 0
    return bool(found.st_mode >> shift & _BITS[need])


def _described(path: str, found: os.stat_result) -> str:
    return f"{path} ({stat.filemode(found.st_mode)} {_user_name(found.st_uid)} {_group_name(found.st_gid)})"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
