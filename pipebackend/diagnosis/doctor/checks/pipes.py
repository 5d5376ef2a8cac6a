"""What the PIPE backend of PowerDNS needs and cannot do."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning

__all__ = ["CHECKS"]

_ZONE_CACHE = "zone-cache-refresh-interval"
_BEST_ABI = 5


def _pipes(case: Case) -> Iterator[Coprocess]:
    return (coprocess for coprocess in case.coprocesses if coprocess.protocol == "pipe")


def zone_cache(case: Case) -> Iterator[Finding]:
    """Rule P-3; PowerDNS's default is 300."""
    pipes = list(_pipes(case))
    if pipes and case.conf.number(_ZONE_CACHE, 300) != 0:
        yield error(
            "zone-cache",
            case.place(_ZONE_CACHE),
            f"with launch={pipes[0].launched.title} PowerDNS does not start while its zone cache is on, "
            "as it is by default",
            f"{_ZONE_CACHE}=0",
        )


def abi(case: Case) -> Iterator[Finding]:
    """What each version lacks: Rules P-6, P-8, P-10. PowerDNS's default is 1."""
    for coprocess in _pipes(case):
        name = coprocess.launched.setting("abi-version")
        value = case.conf.value(name, "1")
        place, fixed = case.place(name), f"{name}={_BEST_ABI}"
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= _BEST_ABI:
            yield error("abi-unknown", place, f"{name}={value}: the versions are 1 to {_BEST_ABI}", fixed)
        elif int(value) < 3:
            yield warning("abi", place, f"{name} is {value}: zones do not hear which client asks; 5 tells all", fixed)
        elif int(value) < _BEST_ABI:
            lacks = "pdnsutil backend-cmd does not work" + (", nor are transfers by name" if int(value) < 4 else "")
            yield warning("abi", place, f"{name} is {value}: {lacks}", fixed)


def regex(case: Case) -> Iterator[Finding]:
    """It holds for the SOA question as well, so a zone's own name must match (rule P-2)."""
    for coprocess in _pipes(case):
        name = coprocess.launched.setting("regex")
        served = case.served_by(coprocess)
        try:
            matches = re.compile(case.conf.value(name), re.IGNORECASE).search
        except re.error:  # PowerDNS reads another dialect
            continue
        unmatched = [zone or "." for zone in (served.zones if served else ()) if not matches(zone or ".")]
        if unmatched:
            yield error(
                "regex",
                case.place(name),
                f"{name} does not match {unmatched[0]}, so PowerDNS never finds that zone",
                f"{name}=",
                "write one that matches the zone's own name, too",
            )


def no_dnssec(case: Case) -> Iterator[Finding]:
    for coprocess in _pipes(case):
        served = case.served_by(coprocess)
        if served is not None and served.signed:
            yield error(
                "pipe-signed",
                case.place("launch"),
                f"zone {served.signed[0]} has keys, and PowerDNS's pipe backend cannot sign: resolvers that have its "
                "DS will refuse the answers",
                do="use REMOTE; zoneutil pdns conf prints the lines",
            )


def socket_command(case: Case) -> Iterator[Finding]:
    """Rule P-21: no timeout then, and a connection that breaks hangs the thread."""
    for coprocess in _pipes(case):
        path = coprocess.command
        if coprocess.setting is not None and os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
            yield warning(
                "pipe-socket",
                coprocess.setting,
                f"{path} is a socket: PowerDNS then knows no timeout, and hangs when the connection breaks",
                do="use REMOTE; zoneutil pdns conf --protocol remote-unix prints the lines",
            )


CHECKS = (zone_cache, abi, regex, no_dnssec, socket_command)
