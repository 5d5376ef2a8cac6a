"""Whether the user that PowerDNS runs as can use the files: commands, configurations, zone files, stores, sockets."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from pipebackend.base import ownership
from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import ERROR, WARNING, Finding, Place, error, warning
from pipebackend.diagnosis.doctor.users import PACKAGE_USER, Obstacle, User, named, obstacle
from pipebackend.store.database import files
from pipebackend.zones.compiled import choice

__all__ = ["CHECKS", "CLOSED"]

CLOSED = frozenset(("directory", "file", "not-executable", "store-closed"))  # with these no trial can succeed
_ROOT = 0
_ELSEWHERE = "put it where this user can use it, and write that path in the configuration"


@dataclass(frozen=True, slots=True)
class _Need:
    """A file, how it is used (``r``, ``w``, ``x``), and the finding if it cannot be."""

    path: str
    how: str
    code: str
    place: Place
    severity: str = ERROR
    before: str = ""
    run: str = ""


def closed(case: Case) -> Iterator[Finding]:
    """Each file that is closed; of a directory that may not be entered one finding, whatever is in it."""
    if case.user is None:
        return
    directories = dict[str, tuple[Obstacle, list[str]]]()
    for need in _needs(case, case.user):
        found = obstacle(case.user, need.path, need.how)
        if found is None:
            continue
        if found.is_directory:
            directories.setdefault(found.text, (found, []))[1].append(need.path)
            continue
        make = error if need.severity == ERROR else warning
        run = need.run if found.run else ""
        yield make(
            need.code, need.place, need.before + found.text, run=run or found.run, do="" if found.run else _ELSEWHERE
        )
    for found, paths in directories.values():
        yield error("directory", found.path, f"{found.text}, but must for {_listed(paths)}", run=found.run)


def _needs(case: Case, user: User) -> Iterator[_Need]:
    for coprocess in case.coprocesses:
        yield from _command(coprocess)
        served = case.served_by(coprocess)
        if served is None or coprocess.connector in ("unix", "http"):  # that server has a user of its own
            continue
        for path in filter(None, (served.path, *served.files)):
            yield _Need(path, "r", "file", path)
        if served.store:
            yield from _store(user, served.store)


def _command(coprocess: Coprocess) -> Iterator[_Need]:
    """The program, and the interpreter that its first line names."""
    program = coprocess.argv[0] if coprocess.argv else ""
    if coprocess.setting is None or not program.startswith("/") or not os.path.exists(program):
        return
    if coprocess.protocol == "pipe" and stat.S_ISSOCK(os.stat(program).st_mode):
        return
    for path, needs in ((program, "rx"), (_interpreter(program), "x")):
        for how in needs if path else "":
            yield _Need(path, how, "not-executable", coprocess.setting)


def _interpreter(program: str) -> str:
    try:
        with open(program, "rb") as file:
            first = file.readline(256)
    except OSError:
        return ""
    words = first[2:].split() if first.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""


def _store(user: User, path: str) -> Iterator[_Need]:
    """Also its directory: SQLite makes files beside a store that is written."""
    folder = os.path.dirname(path)
    share = f"chgrp {user.group} {shlex.quote(folder)} && chmod g+rwx {shlex.quote(folder)}"
    if not os.path.exists(path):
        yield _Need(folder, "w", "store-readonly", path, WARNING, "keys cannot be kept: ", share)
        return
    own = f"chown {user.name} {shlex.quote(path)} && chmod u+rw {shlex.quote(path)}"
    yield _Need(path, "r", "store-closed", path, run=own)
    if obstacle(user, path, "r") is None:
        before = "keys and settings cannot be changed: "
        yield _Need(path, "w", "store-readonly", path, WARNING, before, own)
        if obstacle(user, path, "w") is None:
            yield _Need(folder, "w", "store-readonly", path, WARNING, before, share)


def _listed(paths: list[str]) -> str:
    first, *others = dict.fromkeys(paths)
    return f"{first} and {len(others)} more" if others else first


def sockets(case: Case) -> Iterator[Finding]:
    """A socket is opened to others by the server that makes it."""
    for coprocess in case.coprocesses:
        path = coprocess.options.get("path", "") if coprocess.connector == "unix" else ""
        if case.user is None or coprocess.setting is None or not _is_socket(path):
            continue
        found = obstacle(case.user, path, "w")
        if found is not None:
            if found.is_directory:
                yield error("directory", found.path, found.text, run=found.run)
            else:
                do = "to keep it so, start remoteshim with --owner or --mode"
                yield error("socket-closed", coprocess.setting, found.text, do=do, run=found.run)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def misplaced(case: Case) -> Iterator[Finding]:
    """What root or others could do to the files of a configuration: owners, links and modes."""
    for served in case.served.values():
        if not served.path:
            continue
        faults = choice.misplaced(os.path.dirname(served.path))
        faults += filter(None, (ownership.misplaced(f"{served.store}{end}") for end in ("", "-wal", "-shm")))
        for message, run, do in map(_advised, faults):
            yield warning("misplaced", served.path, message, run=run, do=do)
        open_ = (*map(ownership.open_to_all, (served.path, *served.files)), files.replaceable(served.store))
        for message, run, do in map(_advised, dict.fromkeys(filter(None, open_))):
            yield warning("open-to-all", served.path, message, run=run, do=do)


def _advised(fault: str) -> tuple[str, str, str]:
    """What is wrong, and the command or else the advice with which the line ends."""
    message, _, advice = fault.rpartition("; ")
    return (message, advice, "") if advice.startswith(("chown ", "chmod ")) else (message, "", advice)


def runs_as_root(case: Case) -> Iterator[Finding]:
    """What root makes, as the store and its journal, is closed to PowerDNS once it runs as another user."""
    user = case.user
    if user is None or user.uid != _ROOT or not any(coprocess.command for coprocess in case.coprocesses):
        return
    yield warning(
        "root",
        case.place("setuid"),
        "no line sets setuid, so that PowerDNS and what it starts run as root; their files, as the store, will be "
        "root's, and closed to PowerDNS once it is started as another user",
        f"setuid={PACKAGE_USER}" if named(PACKAGE_USER) else "",
        "" if named(PACKAGE_USER) else "make a user for PowerDNS, and write setuid=NAME",
    )


CHECKS = (closed, sockets, misplaced, runs_as_root)
