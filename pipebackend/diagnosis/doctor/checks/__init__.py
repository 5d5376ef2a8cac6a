"""The checks: a small function for each thing that can be wrong, all called with a Case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.checks import (
    access,
    commands,
    connections,
    http,
    hybrids,
    launching,
    listening,
    pipes,
    serving,
    settings,
    timing,
    zoneneeds,
)
from pipebackend.diagnosis.doctor.findings import ERROR, Finding

__all__ = ["all_findings"]

Check = Callable[[Case], Iterator[Finding]]
_CHECKS: tuple[Check, ...] = (
    *launching.CHECKS,
    *settings.CHECKS,
    *commands.CHECKS,
    *connections.CHECKS,
    *http.CHECKS,
    *access.CHECKS,
    *listening.CHECKS,
    *pipes.CHECKS,
    *serving.CHECKS,
    *zoneneeds.CHECKS,
    *hybrids.CHECKS,
    *timing.CHECKS,
)


def all_findings(case: Case) -> list[Finding]:
    """What every check finds: errors first, then in the order of files and lines."""
    found = dict.fromkeys(finding for check in _CHECKS for finding in check(case))
    return sorted(found, key=lambda finding: (finding.severity != ERROR, finding.file, finding.line))
