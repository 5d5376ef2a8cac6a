"""The whole check: read, look, try."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipebackend.diagnosis.doctor import coprocess, pdnsconf, served, server, units, users
from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.checks import all_findings
from pipebackend.diagnosis.doctor.checks.access import CLOSED
from pipebackend.diagnosis.doctor.checks.timing import with_timeout
from pipebackend.diagnosis.doctor.findings import ERROR, Finding, error, warning
from pipebackend.diagnosis.doctor.probe import Trial, try_out

__all__ = ["DEFAULT_FOLDER", "Report", "examine", "gather"]

DEFAULT_FOLDER = "/etc/powerdns"
_USUAL_TIMEOUT = 2000
_LONGER_TIMEOUT = 5000
_HALF = 0.5  # of the timeout: a busy machine can need twice as long


@dataclass(frozen=True, slots=True)
class Report:
    """``untried`` says what could not be tried, and why."""

    path: str
    server: server.Server
    findings: Sequence[Finding]
    trials: Sequence[Trial]
    untried: Sequence[str]

    @property
    def errors(self) -> int:
        """How many findings would fail."""
        return sum(finding.severity == ERROR for finding in self.findings)


def gather(folder: str, name: str, here: str, powerdns: server.Server | str = "") -> Case:
    """Read all that is to be checked; ``here`` is the configuration of ours that was found, ``""`` for the built-in.

    ``powerdns`` is the server to ask, or its path; the installed one if empty. Only the usual folder of pdns.conf is
    taken for that of the systemd unit.
    """
    conf = pdnsconf.read(folder, name)
    unit = units.find(name) if os.path.realpath(folder) == os.path.realpath(DEFAULT_FOLDER) else units.NO_UNIT
    processes = coprocess.found(conf)
    paths = {here, *(process.config for process in processes if process.config is not None)}
    return Case(
        conf,
        _server(conf, powerdns) if isinstance(powerdns, str) else powerdns,
        _user(conf, unit),
        tuple(processes),
        {path: served.look(path) for path in paths},
        here,
    )


def examine(case: Case) -> Report:
    """All findings, and those of trying each coprocess that the findings leave a chance."""
    findings = all_findings(case)
    hopeless = {(finding.file, finding.line) for finding in findings if finding.severity == ERROR and finding.line}
    is_closed = any(finding.code in CLOSED and finding.severity == ERROR for finding in findings)
    trials, untried = [], []
    for process in case.coprocesses:
        reason = _untriable(case, process, hopeless)
        if not reason and is_closed and process.connector != "unix":
            reason = "let its user use the files first"
        if reason:
            untried.append(f"{process.launched.title} was not tried: {reason}")
            continue
        assert case.user is not None
        user = case.user
        if not user.is_us and os.geteuid() != 0:
            user = users.current()
            message = f"{process.launched.title} was tried as {user.name}, not as {case.user.name}: that takes root"
            untried.append(message)
        trials.append(_tried(case, user, process))
        findings += _trial_findings(case, process, trials[-1])
    return Report(case.conf.path, case.server, findings, trials, untried)


def _server(conf: pdnsconf.PdnsConf, program: str) -> server.Server:
    titles = list(dict.fromkeys(launched.title for launched in conf.launched))
    return server.find(titles, conf.value("module-dir"), program)


def _user(conf: pdnsconf.PdnsConf, unit: units.Unit) -> users.User | None:
    """``setuid`` wins over the unit's user; without both it is the user who starts it, taken for the present one."""
    name, group = conf.value("setuid") or unit.user, conf.value("setgid") or unit.group
    if name or group:
        return users.named(name or str(os.geteuid()), group, unit)
    return users.current(unit)


def _untriable(case: Case, process: coprocess.Coprocess, hopeless: set[tuple[str, int]]) -> str:
    if case.user is None:
        return "its user does not exist"
    if process.setting is None or not (process.argv or process.options):
        return "no command is set"
    if (process.setting.file, process.setting.line) in hopeless:
        return "fix its line first"
    if process.connector not in ("", "pipe", "unix"):
        return f"{process.connector} is not tried from here"
    if process.command and os.path.exists(process.command) and not os.path.isfile(process.command):
        return "PIPE over a socket is not tried from here"
    return "chroot is set" if case.conf.value("chroot") else ""


def _tried(case: Case, user: users.User, process: coprocess.Coprocess) -> Trial:
    known = case.served_by(process) or case.served[case.here]
    return try_out(
        process,
        case.conf.value(process.launched.setting("abi-version"), "1"),
        _timeout(case, process),
        user,
        known.zones,
    )


def _timeout(case: Case, process: coprocess.Coprocess) -> int:
    if process.protocol == "pipe":
        return case.conf.number(process.launched.setting("timeout"), _USUAL_TIMEOUT)
    value = process.options.get("timeout", "")
    return int(value) if value.isascii() and value.isdigit() else _USUAL_TIMEOUT


def _trial_findings(case: Case, process: coprocess.Coprocess, trial: Trial) -> list[Finding]:
    is_pipe = process.protocol == "pipe"
    timeouts = case.place(process.launched.setting("timeout")) if is_pipe else process.setting or case.conf
    place = timeouts if trial.is_late else process.setting or case.conf
    if trial.fault:
        said = f"; it said:\n{trial.stderr}" if trial.stderr else ""
        write = with_timeout(process, _LONGER_TIMEOUT) if trial.is_late else ""
        return [error("trial", place, f"{trial.title}, tried as {trial.user}: {trial.fault}{said}", write)]
    timeout = _timeout(case, process) / 1000
    if timeout and trial.seconds > timeout * _HALF:
        message = f"{trial.title} took {trial.seconds:.2f} s to start; PowerDNS waits {timeout:g} s"
        return [warning("slow-start", timeouts, message, with_timeout(process, _LONGER_TIMEOUT))]
    return []
