"""Settings that the zones need and pdns.conf does not have."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.findings import ERROR, Finding, error, warning
from pipebackend.diagnosis.doctor.needs import NOT_OVER_PIPE, Need, needs
from pipebackend.diagnosis.doctor.pdnsconf import is_yes

__all__ = ["CHECKS"]


def missing(case: Case) -> Iterator[Finding]:
    for coprocess in case.coprocesses:
        served = case.served_by(coprocess)
        for need in needs(served.contents) if served else ():
            if coprocess.protocol == "pipe" and need.name in NOT_OVER_PIPE:
                continue
            if not _is_met(case, need):
                make = error if need.severity == ERROR else warning
                yield make(need.code, case.place(need.name), f"zone {need.reason}", f"{need.name}={need.value}")


def _is_met(case: Case, need: Need) -> bool:
    value = case.conf.value(need.name) or case.server.defaults.get(need.name, "")
    if need.name == "resolver":
        return value not in ("", "no")
    if need.value in ("yes", "no"):
        return bool(value) and is_yes(value) == is_yes(need.value)
    return value == need.value


def lua_updates(case: Case) -> Iterator[Finding]:
    """Since 5.1 LUA records cannot be written from outside unless this is on."""
    name = "enable-lua-record-updates"
    writers = [key for key in ("dnsupdate", "api") if is_yes(case.conf.value(key, "no"))]
    if name not in case.server.defaults or name in case.conf.settings or not writers:
        return
    for coprocess in case.coprocesses:
        served = case.served_by(coprocess)
        apexes = served.contents.with_type.get("LUA", ()) if served else ()
        if apexes:
            message = f"zone {apexes[0]} has LUA records, which {writers[0]} cannot change without {name}=yes"
            yield warning(
                "lua-updates", case.place(name), message, f"{name}=yes", f"write {name}=no, if so it shall be"
            )


CHECKS = (missing, lua_updates)
