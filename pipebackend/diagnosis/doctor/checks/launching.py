"""Whether PowerDNS can read its settings and load its backends."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import PROGRAMS
from pipebackend.diagnosis.doctor.findings import DELETE, ERROR, Finding, error, warning
from pipebackend.diagnosis.doctor.users import PACKAGE_USER, named

__all__ = ["CHECKS"]

_OLDEST = (4, 7)
_CLOSE = 0.75  # of difflib: one or two letters of a word
_PACKAGES = {"gsqlite3": "sqlite3", "gmysql": "mysql", "gpgsql": "pgsql", "godbc": "odbc"}  # Debian's


def unreadable(case: Case) -> Iterator[Finding]:
    for fault in case.conf.faults:
        yield Finding(ERROR, "unreadable", fault.file, fault.line, fault.message, fault.write, run=fault.run)


def no_launch(case: Case) -> Iterator[Finding]:
    if not case.conf.launched and not case.conf.faults:
        yield error(
            "launch-missing",
            case.place("launch"),
            "no backend is launched, so PowerDNS has nothing to serve",
            "launch=remote",
            "zoneutil pdns conf prints all lines",
        )


def nothing_of_ours(case: Case) -> Iterator[Finding]:
    if case.conf.launched and not case.coprocesses and not any(_meant(one) for one in _not_loaded(case)):
        launch = case.conf.value("launch")
        yield error(
            "launch-not-ours",
            case.place("launch"),
            f"launch={launch} starts neither remote nor pipe, so nothing is asked of this program",
            f"launch={launch},remote",
            "zoneutil pdns conf prints all lines",
        )


def launched_twice(case: Case) -> Iterator[Finding]:
    titles = [launched.title for launched in case.conf.launched]
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        yield error(
            "launch-twice",
            case.place("launch"),
            f"{title} is launched twice, which PowerDNS refuses; name them apart, as {title}:one",
            f"launch={','.join(dict.fromkeys(titles))}",
        )


def _not_loaded(case: Case) -> list[str]:
    launched = dict.fromkeys(launched.module for launched in case.conf.launched)
    return [module for module in launched if module in case.server.not_loaded]


def _meant(module: str) -> str:
    """The backend of ours that a word of ``launch`` was meant to be; PowerDNS tells ``Remote`` and ``remote`` apart."""
    close = difflib.get_close_matches(module.lower(), PROGRAMS, 1, _CLOSE)
    return close[0] if close and close[0] != module else ""


def modules(case: Case) -> Iterator[Finding]:
    """What the server itself says when it loads them."""
    for module in _not_loaded(case):
        reason = f"PowerDNS has no backend {module}: {case.server.not_loaded[module]}"
        if module in case.server.in_usual_folder:
            usual = case.server.defaults.get("module-dir", "")
            yield error("module-dir", case.place("module-dir"), reason, f"module-dir={usual}" if usual else "", DELETE)
        elif meant := _meant(module):
            titles = [
                one.title.replace(module, meant, 1) if one.module == module else one.title for one in case.conf.launched
            ]
            launch = ",".join(dict.fromkeys(titles))
            yield error("module-missing", case.place("launch"), reason, f"launch={launch}")
        else:
            apt = f"apt install pdns-backend-{_PACKAGES.get(module, module)}"
            yield error("module-missing", case.place("launch"), reason, run=apt, do="that is for Debian and Ubuntu")


def more_modules(case: Case) -> Iterator[Finding]:
    """``load-modules``, of which each is a path, or a name as in ``launch``."""
    folder = case.conf.value("module-dir") or case.server.defaults.get("module-dir", "")
    words = re.split(r"[ ,\t]+", case.conf.value("load-modules"))
    for word in filter(None, words):
        path = word if word.startswith((".", "/")) else os.path.join(folder, f"lib{word}backend.so")
        if folder and not os.path.exists(path):
            kept = ",".join(other for other in words if other and other != word)
            message = f"load-modules has {word}, but there is no {path}: PowerDNS will not start"
            yield error("load-modules", case.place("load-modules"), message, f"load-modules={kept}")


def version(case: Case) -> Iterator[Finding]:
    if not case.server.path:
        yield warning(
            "server-missing",
            case.conf,
            "pdns_server is not on this machine's path: its version and backends were not checked",
            do="run this where PowerDNS runs, or name its pdns_server with --pdns-server",
        )
    elif case.server.version < _OLDEST:
        shown = ".".join(map(str, case.server.version)) or "of an unknown version"
        yield warning(
            "version",
            case.conf,
            f"{case.server.path} is {shown}; this program is tested with 4.7 and later",
            do="update PowerDNS",
        )


def no_such_user(case: Case) -> Iterator[Finding]:
    if case.user is not None:
        return
    name = case.conf.value("setuid")
    wrong = "setuid" if name and named(name) is None else "setgid"
    write = f"{wrong}={PACKAGE_USER}" if wrong in case.conf.settings and named(PACKAGE_USER, PACKAGE_USER) else ""
    message = f"there is no user and group {case.conf.value('setuid')} {case.conf.value('setgid')}".rstrip()
    yield error("user", case.place(wrong), message, write, "create it, or name another one")


def chroot(case: Case) -> Iterator[Finding]:
    folder = case.conf.value("chroot")
    if not folder:
        return
    for coprocess in case.coprocesses:
        inside = os.path.join(folder, coprocess.argv[0].lstrip("/")) if coprocess.argv else ""
        if inside and not os.path.exists(inside):
            yield error(
                "chroot",
                case.place("chroot"),
                f"PowerDNS will look for the command at {inside}, where it is not; Python and its libraries would have "
                "to be inside, too",
                "chroot=",
            )


CHECKS = (
    unreadable,
    no_launch,
    nothing_of_ours,
    launched_twice,
    modules,
    more_modules,
    version,
    no_such_user,
    chroot,
)
