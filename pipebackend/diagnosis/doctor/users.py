"""The user that PowerDNS runs as, and what keeps that user from a file: modes on the way to it, systemd's fences."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipebackend.diagnosis.doctor.units import NO_UNIT, Unit

__all__ = ["PACKAGE_USER", "Obstacle", "User", "current", "named", "obstacle"]

_BITS = {"r": 4, "w": 2, "x": 1}
_WORDS = {"r": "read", "w": "write", "x": "run"}
_ROOT = 0
PACKAGE_USER = "pdns"  # which the packages of Debian, Red Hat and PowerDNS itself make


@dataclass(frozen=True, slots=True)
class User:
    """A user with all its groups, behind the fences of a systemd unit."""

    name: str
    uid: int
    gid: int
    groups: frozenset[int] = field(default_factory=frozenset)
    unit: Unit = NO_UNIT

    @property
    def group(self) -> str:
        """The name of its group."""
        return _group_name(self.gid)

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


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a user from a file: the file itself, or directories above it, which it may not enter.

    ``run`` takes it out of the way; empty where a unit does, or where there is no such file.
    """

    path: str
    text: str
    run: str = ""
    is_directory: bool = False


def obstacle(user: User, path: str, need: str) -> Obstacle | None:
    """Why this user cannot read (``r``), write (``w``) or run (``x``) ``path``; None if it can. Knows no ACLs."""
    fence = user.unit.fence(path, need == "w") or user.unit.fence(os.path.realpath(path), need == "w")
    if fence:
        return Obstacle(path, fence)
    shut = dict[str, os.stat_result]()
    for part in _way_to(path):
        try:
            found = os.stat(part)
        except OSError as exc:
            return Obstacle(part, f"{part}: {exc.strerror}")
        if part != path and stat.S_ISDIR(found.st_mode) and not _may(user, found, "x"):
            shut[part] = found
        if part == path and not shut and not _may(user, found, need):
            text = f"{_described(part, found)}: {user.name} may not {_WORDS[need]} it"
            return Obstacle(part, text, f"chmod {_class(user, found)}+{need} {shlex.quote(part)}")
    return _shut(user, list(shut.items())) if shut else None


def _shut(user: User, found: list[tuple[str, os.stat_result]]) -> Obstacle:
    described = ", ".join(_described(part, status) for part, status in found)
    commands = dict.fromkeys(f"chmod {_class(user, status)}+x {shlex.quote(part)}" for part, status in found)
    return Obstacle(found[0][0], f"{described}: {user.name} may not enter it", " && ".join(commands), is_directory=True)


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
    shift = {"u": 6, "g": 3, "o": 0}[_class(user, found)]
    return bool(found.st_mode >> shift & _BITS[need])


def _class(user: User, found: os.stat_result) -> str:
    """Whose bits of the mode count for a user: the owner's, the group's or the others', as chmod calls them."""
    return "u" if found.st_uid == user.uid else "g" if found.st_gid in user.groups | {user.gid} else "o"


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
