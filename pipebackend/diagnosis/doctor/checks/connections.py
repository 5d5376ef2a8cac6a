"""REMOTE's connection string and what is at its other end."""

from __future__ import annotations

import difflib
import os
import socket
import stat
from collections.abc import Iterator

from pipebackend.base.errors import ConfigFault
from pipebackend.diagnosis.doctor import advised
from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import CONNECTORS, OUR_OPTIONS, SETTINGS, Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import Launched, Setting

__all__ = ["CHECKS", "remotes", "replaced"]

_CLOSE = 0.7
_LONGEST_PATH = 107  # octets of a socket's path (unix(7))
_PATIENCE = 2.0  # seconds


def remotes(case: Case, *connectors: str) -> Iterator[tuple[Coprocess, Setting]]:
    for coprocess in case.coprocesses:
        if coprocess.protocol == "remote" and coprocess.setting is not None:
            if connectors and coprocess.connector not in connectors:
                continue
            yield coprocess, coprocess.setting


def _whole_line(case: Case, coprocess: Coprocess) -> str:
    """The line that zoneutil pdns conf prints for it; empty where that cannot be."""
    try:
        lines = advised.lines(coprocess.protocol, case.here, "")
    except ConfigFault:
        return ""
    names = {line.name: line.value for line in lines}
    return f"{coprocess.setting_name}={names[Launched(coprocess.protocol).setting(SETTINGS[coprocess.protocol])]}"


def replaced(setting: Setting, old: str, new: str) -> str:
    return f"{setting.name}={setting.value.replace(old, new, 1)}"


def missing(case: Case) -> Iterator[Finding]:
    for coprocess in case.coprocesses:
        if coprocess.setting is None or not coprocess.setting.value:
            yield error(
                "command-missing",
                case.place(coprocess.setting_name),
                f"launch has {coprocess.launched.title}, but no line sets {coprocess.setting_name}",
                _whole_line(case, coprocess),
                "zoneutil pdns conf prints all lines",
            )


def connector(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case):
        if coprocess.connector in CONNECTORS or not setting.value:
            continue
        if setting.value.startswith('"'):  # quotes says that
            continue
        close = difflib.get_close_matches(coprocess.connector, CONNECTORS, 1, _CLOSE)
        fixed = f"{close[0] if close else 'pipe:command='}{setting.value[len(coprocess.connector) :]}"
        if not close:
            fixed = f"pipe:command={setting.value}" if setting.value.startswith("/") else ""
        yield error(
            "connector",
            setting,
            f"{setting.name} must begin with {', '.join(f'{name}:' for name in CONNECTORS)}, not with "
            f"{coprocess.connector!r}",
            f"{setting.name}={fixed}" if fixed else _whole_line(case, coprocess),
        )


def zeromq(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case, "zeromq"):
        yield error(
            "zeromq",
            setting,
            "this program does not speak ZeroMQ, and most packages of PowerDNS leave it out",
            _whole_line(case, coprocess),
            "use unix:, which zoneutil pdns conf --protocol remote-unix prints",
        )


def required(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case, *CONNECTORS):
        key, _ = CONNECTORS[coprocess.connector]
        if key not in coprocess.options and not _misspelt(coprocess, key):
            yield error(
                "option-missing",
                setting,
                f"{coprocess.connector}: needs {key}=…",
                _whole_line(case, coprocess) if coprocess.connector == "pipe" else "",
                f"add {key}=…, or let zoneutil pdns conf print the line",
            )


def unknown_options(case: Case) -> Iterator[Finding]:
    """An unknown option goes to ``initialize``, which takes no notice; a misspelt one is then missing."""
    for coprocess, setting in remotes(case, *CONNECTORS):
        key, others = CONNECTORS[coprocess.connector]
        known = (key, *others, *OUR_OPTIONS)
        for number, piece in enumerate(coprocess.pieces):
            name = piece.partition("=")[0]
            if name in known:
                continue
            if "=" not in piece and number and coprocess.pieces[number - 1].startswith("command="):
                yield _cut_command(setting, piece)
                continue
            close = difflib.get_close_matches(name.strip().lower(), known, 1, _CLOSE)
            fixed = piece.replace(name, close[0], 1) if close else ""
            kept = ",".join(other for other in coprocess.pieces if other != piece)
            make = error if close else warning
            yield make(
                "option",
                setting,
                f"{coprocess.connector}: has no option {name!r}; nobody reads it",
                replaced(setting, piece, fixed) if close else f"{setting.name}={coprocess.connector}:{kept}",
                "" if close else f"its options are {', '.join(known)}",
            )


def _cut_command(setting: Setting, piece: str) -> Finding:
    return error(
        "comma",
        setting,
        f"PowerDNS splits {setting.name} at each comma, so the command ends before {piece!r}",
        f"{setting.name}={setting.value.replace(f',{piece}', f' {piece.strip()}', 1)}",
        "give the program a path or a link without a comma, if it was a part of the path",
    )


def _misspelt(coprocess: Coprocess, key: str) -> bool:
    names = [piece.partition("=")[0].strip().lower() for piece in coprocess.pieces]
    return bool(difflib.get_close_matches(key, names, 1, _CLOSE))


def sockets(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case, "unix"):
        path = coprocess.options.get("path", "")
        if path:
            yield from _socket_faults(setting, path)


def _socket_faults(setting: Setting, path: str) -> Iterator[Finding]:
    start = f"start it: remoteshim --listen unix:{path}"
    if not path.startswith("/"):
        yield error("socket", setting, f"path={path} is not absolute", do="write the full path of the socket")
    elif len(os.fsencode(path)) > _LONGEST_PATH:
        yield error("socket", setting, f"path={path} is longer than {_LONGEST_PATH} octets", do="choose a shorter one")
    elif not os.path.exists(path):
        yield error("socket", setting, f"there is no socket {path}, so every question is SERVFAIL", do=start)
    elif not stat.S_ISSOCK(os.stat(path).st_mode):
        yield error("socket", setting, f"{path} is not a socket", do=f"remove it and {start}")
    elif refused := _not_listened(path):
        yield error("socket-dead", setting, f"nobody listens on {path}: {refused}", do=start)


def _not_listened(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PATIENCE)
        try:
            client.connect(path)
        except PermissionError:
            return ""  # this user may not; PowerDNS's may
        except OSError as exc:
            return exc.strerror or str(exc)
    return ""


CHECKS = (missing, connector, zeromq, required, unknown_options, sockets)
