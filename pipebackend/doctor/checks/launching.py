"""Whether PowerDNS can read its settings and load its backends."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

from pipebackend.doctor.case import Case
from pipebackend.doctor.coprocess import PROGRAMS
from pipebackend.doctor.findings import Finding, error, warning

__all__ = ["CHECKS"]

_OLDEST = (4, 7)
_CLOSE = 0.75  # of difflib: one or two letters of a word
# Without an installed server: the settings that these checks know by name
_OURS = {
    "pipe": ("abi-version", "command", "regex", "timeout"),
    "remote": ("connection-string", "dnssec"),
}


def unreadable(case: Case) -> Iterator[Finding]:
    for fault in case.conf.faults:
        found = error("unreadable", fault.file, fault.message)
        yield Finding(found.severity, found.code, fault.file, fault.line, fault.message)


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
    if case.conf.launched and not case.coprocesses:
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


def modules(case: Case) -> Iterator[Finding]:
    if not case.server.path:
        return
    for module in dict.fromkeys(launched.module for launched in case.conf.launched):
        file = case.server.module_file(module, case.conf.value("module-dir"))
        if not file or os.path.exists(file):
            continue
        close = difflib.get_close_matches(module, PROGRAMS, 1, _CLOSE)
        launch = case.conf.value("launch").replace(module, close[0]) if close else ""
        yield error(
            "module-missing",
            case.place("launch"),
            f"PowerDNS has no backend {module}: there is no {file}",
            f"launch={launch}" if launch else "",
            "" if launch else f"install it; on Debian and Ubuntu: apt install pdns-backend-{module}",
        )


def unknown_settings(case: Case) -> Iterator[Finding]:
    """Only what an installed server says is unknown is sure to be; without one a near miss is."""
    known = _known(case)
    ignored = case.conf.value("ignore-unknown-settings").replace(",", " ").split()
    is_sure = case.server.knows_backends
    for line in case.conf.lines:
        if line.name in known or line.name in ignored:
            continue
        close = difflib.get_close_matches(line.name, known, 1, _CLOSE)
        if close or is_sure:
            yield error(
                "unknown-setting",
                line,
                f"PowerDNS has no setting {line.name!r} and will not start",
                f"{close[0]}={line.value}" if close else "",
                "" if close else _suffix_hint(case, line.name),
            )


def _known(case: Case) -> set[str]:
    ours = {launched.setting(key) for launched in case.conf.launched for key in _OURS.get(launched.module, ())}
    return ours | set(case.server.defaults) | {"launch", "include-dir", "setuid", "zone-cache-refresh-interval"}


def _suffix_hint(case: Case, name: str) -> str:
    for module, keys in _OURS.items():
        if name in {f"{module}-{key}" for key in keys}:
            titles = [launched.title for launched in case.conf.launched if launched.module == module]
            if titles:
                wanted = name.replace(module, titles[0].replace(":", "-"), 1)
                return f"launch has {titles[0]}, so write {wanted}"
            return f"it belongs to launch={module}, which is not launched"
    return "delete the line"


def switches(case: Case) -> Iterator[Finding]:
    names = [launched.setting(key) for launched in case.conf.launched for key in ("dnssec", "hybrid")]
    for name in names:
        value = case.conf.value(name, "no")
        if value not in ("yes", "no", "on", "off"):
            meant = "no" if value.lower() in ("no", "off", "false", "0") else "yes"
            yield warning(
                "switch",
                case.place(name),
                f"{name}={value} means yes: to PowerDNS all but no and off is yes",
                f"{name}={meant}",
            )


def version(case: Case) -> Iterator[Finding]:
    if not case.server.path:
        yield warning(
            "server-missing",
            case.conf,
            "pdns_server is not on this machine's path: its version and backends were not checked",
            do="install it, or run this where PowerDNS runs",
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
    if case.user is None:
        names = "/".join(filter(None, (case.conf.value("setuid"), case.conf.value("setgid"))))
        yield error("user", case.place("setuid"), f"there is no user {names}", do="create it, or name another one")


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
    unknown_settings,
    switches,
    version,
    no_such_user,
    chroot,
)
