"""The commands that PowerDNS runs: it splits them at single spaces, and knows no quotes, shell or PATH."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import PROGRAMS, Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import Setting

__all__ = ["CHECKS"]

_QUOTES = "'\"`$"


def _commands(case: Case) -> Iterator[tuple[Coprocess, Setting]]:
    for coprocess in case.coprocesses:
        if coprocess.setting is not None and coprocess.argv:
            yield coprocess, coprocess.setting


def quotes(case: Case) -> Iterator[Finding]:
    for setting in filter(None, (coprocess.setting for coprocess in case.coprocesses)):
        if any(sign in setting.value for sign in _QUOTES):
            fixed = "".join(sign for sign in setting.value if sign not in _QUOTES)
            yield error(
                "quotes",
                setting,
                f"{setting.name} has quotes or a $: no shell reads it, so they become part of the words",
                f"{setting.name}={fixed}",
            )


def double_spaces(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        if "" in coprocess.argv or "\t" in coprocess.command:
            fixed = " ".join(coprocess.command.split())
            yield error(
                "spaces",
                setting,
                f"{setting.name} has two spaces or a tab between words: PowerDNS splits at each space, so that the "
                "command gets an empty word",
                f"{setting.name}={setting.value.replace(coprocess.command, fixed)}",
            )


def not_absolute(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program = coprocess.argv[0]
        if program and not program.startswith(("/", *_QUOTES)):
            path = _installed(program)
            yield error(
                "relative",
                setting,
                f"the command {program} is not absolute: PowerDNS does not look along PATH",
                _with_program(setting, program, path) if path else "",
                "" if path else "write the command's full path",
            )


def not_there(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program = coprocess.argv[0]
        if not program.startswith("/") or os.path.exists(program):
            continue
        path = _installed(PROGRAMS[coprocess.protocol])
        yield error(
            "not-there",
            setting,
            f"there is no {program}",
            _with_program(setting, program, path) if path else "",
            "" if path else "install it there, or write where it is",
        )


def mixed_up(case: Case) -> Iterator[Finding]:
    for coprocess, setting in _commands(case):
        program, wanted = os.path.basename(coprocess.argv[0]), PROGRAMS[coprocess.protocol]
        if program in (*PROGRAMS.values(), "zoneutil") and program != wanted:
            yield error(
                "mixed-up",
                setting,
                f"{program} does not speak {coprocess.protocol.upper()}; {wanted} does",
                _with_program(setting, coprocess.argv[0], _beside(coprocess.argv[0], wanted)),
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
        if theirs is None or theirs == case.here:
            continue
        given = coprocess.config_word or coprocess.options.get("config", "")
        message = f"PowerDNS's command uses {theirs or 'the built-in configuration'}, zoneutil here "
        message += case.here or "the built-in one"
        write = f"{setting.name}={setting.value.replace(given, case.here, 1)}" if given and case.here else ""
        do = f"name one in both: config={case.here or theirs} there, or zoneutil --config {theirs or case.here} here"
        yield warning("other-config", setting, message, write, do)


def _installed(program: str) -> str:
    """The path of an installed program: beside this Python's, or along PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), program)
    return beside if os.access(beside, os.X_OK) else shutil.which(program) or ""


def _beside(program: str, wanted: str) -> str:
    """Another program of the same folder; the installed one if it is not there."""
    path = os.path.join(os.path.dirname(program), wanted)
    return path if os.path.exists(path) else _installed(wanted) or path


def _with_program(setting: Setting, program: str, path: str) -> str:
    """The line with another program; what stands before and after it stays as it is."""
    before, found, after = setting.value.partition(f"command={program}")
    if not found:
        return f"{setting.name}={path}{setting.value.removeprefix(program)}"
    return f"{setting.name}={before}command={path}{after}"


CHECKS = (
    quotes,
    double_spaces,
    not_absolute,
    not_there,
    mixed_up,
    relative_config,
    other_config,
)
