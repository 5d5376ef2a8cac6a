"""The commands that PowerDNS runs: it splits them at single spaces, and knows no quotes, shell or PATH."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator

from pipebackend.doctor.case import Case
from pipebackend.doctor.coprocess import PROGRAMS, Coprocess
from pipebackend.doctor.findings import Finding, error, warning
from pipebackend.doctor.pdnsconf import Setting
from pipebackend.doctor.users import obstacle

__all__ = ["CHECKS"]

_QUOTES = "'\"`$"


def _commands(case: Case) -> Iterator[tuple[Coprocess, Setting]]:
    for coprocess in case.coprocesses:
        if coprocess.setting is not None and coprocess.argv:
            yield coprocess, coprocess.setting


def quotes(case: Case) -> Iterator[Finding]:
    for setting in filter(None, (coprocess.setting for coprocess in case.coprocesses)):
        if any(sign in setting.value for sign in _QUOTES):
            mended = "".join(sign for sign in setting.value if sign not in _QUOTES)
            yield error(
                "quotes",
                setting,
                f"{setting.name} has quotes or a $: no shell reads it, so they become part of the words",
                f"{setting.name}={mended}",
            )


def double_spaces(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        if "" in coprocess.argv or "\t" in coprocess.command:
            mended = " ".join(coprocess.command.split())
            yield error(
                "spaces",
                setting,
                f"{setting.name} has two spaces or a tab between words: PowerDNS splits at each space, so that the "
                "command gets an empty word",
                f"{setting.name}={setting.value.replace(coprocess.command, mended)}",
            )


def not_absolute(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program = coprocess.argv[0]
        if program and not program.startswith(("/", *_QUOTES)):
            path = _installed(program)
            mended = setting.value.replace(program, path, 1) if path else ""
            yield error(
                "relative",
                setting,
                f"the command {program} is not absolute: PowerDNS does not look along PATH",
                f"{setting.name}={mended}" if mended else "",
                "" if mended else "write the command's full path",
            )


def not_there(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program = coprocess.argv[0]
        if not program.startswith("/") or os.path.exists(program):
            continue
        path = _installed(os.path.basename(program)) or _installed(PROGRAMS[coprocess.protocol])
        yield error(
            "not-there",
            setting,
            f"there is no {program}",
            f"{setting.name}={setting.value.replace(program, path, 1)}" if path else "",
            "" if path else "install it there, or write where it is",
        )


def not_executable(case: Case) -> Iterator[Finding]:
    """The program, and the interpreter that its first line names."""
    for coprocess, setting in _commands(case):
        program = coprocess.argv[0]
        if case.user is None or not program.startswith("/") or not os.path.exists(program):
            continue
        if coprocess.protocol == "pipe" and stat.S_ISSOCK(os.stat(program).st_mode):
            continue
        for path, needs in ((program, "rx"), (_interpreter(program), "x")):
            refused = next(filter(None, (obstacle(case.user, path, need) for need in needs if path)), "")
            if refused:
                yield error("not-executable", setting, refused, do=f"let {case.user.name} read and run {path}")
                break


def mixed_up(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program, wanted = os.path.basename(coprocess.argv[0]), PROGRAMS[coprocess.protocol]
        if program in (*PROGRAMS.values(), "zoneutil") and program != wanted:
            yield error(
                "mixed-up",
                setting,
                f"{program} does not speak {coprocess.protocol.upper()}; {wanted} does",
                f"{setting.name}={setting.value.replace(program, wanted, 1)}",
            )


def relative_config(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        given = coprocess.config_word or coprocess.options.get("config", "")
        if coprocess.is_ours and given and not given.startswith("/"):
            path = os.path.abspath(given) if os.path.exists(given) else f"/etc/powerdns/{os.path.basename(given)}"
            yield error(
                "relative-config",
                setting,
                f"the configuration {given} is not absolute: PowerDNS runs the command in its own directory, usually /",
                f"{setting.name}={setting.value.replace(given, path)}",
            )


def other_config(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        theirs = coprocess.config
        if theirs is not None and theirs != case.here:
            yield warning(
                "other-config",
                setting,
                f"PowerDNS's command uses {theirs or 'the built-in configuration'}, zoneutil here "
                f"{case.here or 'the built-in one'}",
                do=f"name one of them in both: config={case.here or theirs} there, zoneutil --config here",
            )


def _installed(program: str) -> str:
    """The path of an installed program: beside this Python's, or along PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), program)
    return beside if os.access(beside, os.X_OK) else shutil.which(program) or ""


def _interpreter(program: str) -> str:
    try:
        with open(program, "rb") as file:
            first = file.readline(256)
    except OSError:
        return ""
    words = first[2:].split() if first.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""


CHECKS = (
    quotes,
    double_spaces,
    not_absolute,
    not_there,
    not_executable,
    mixed_up,
    relative_config,
    other_config,
)
