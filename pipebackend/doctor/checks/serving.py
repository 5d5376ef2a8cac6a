"""Whether the coprocess will be able to read what it serves, and PowerDNS to sign it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipebackend.doctor.case import Case
from pipebackend.doctor.coprocess import Coprocess
from pipebackend.doctor.findings import Finding, error, warning
from pipebackend.doctor.pdnsconf import is_yes
from pipebackend.doctor.served import Served
from pipebackend.doctor.users import User, obstacle

__all__ = ["CHECKS"]


def _ours(case: Case) -> Iterator[tuple[Coprocess, Served]]:
    for coprocess in case.coprocesses:
        served = case.served_by(coprocess)
        if served is not None:
            yield coprocess, served


def _started(case: Case) -> Iterator[tuple[User, Served]]:
    """What runs as PowerDNS's user; a server behind a socket has a user of its own."""
    for coprocess, served in _ours(case):
        if case.user is not None and coprocess.connector not in ("unix", "http"):
            yield case.user, served


def configuration(case: Case) -> Iterator[Finding]:
    for _, served in _ours(case):
        for fault in served.faults:
            yield error("config", served.path or case.conf, fault, do="zoneutil zone list says whether it is mended")


def refused_zones(case: Case) -> Iterator[Finding]:
    for _, served in _ours(case):
        for apex in served.refused:
            yield error("zone", served.path, f"zone {apex} is not served", do=f"zoneutil zone check {apex} says why")


def files(case: Case) -> Iterator[Finding]:
    for user, served in _started(case):
        for path in filter(None, (served.path, *served.files)):
            refused = obstacle(user, path, "r")
            if refused:
                yield error(
                    "file", path, refused, do=f"let {user.name} read {path}, and enter the directories above it"
                )


def store(case: Case) -> Iterator[Finding]:
    """Also its directory: SQLite makes files beside a store that is written."""
    for user, served in _started(case):
        if served.store_fault:
            yield error("store", served.path, served.store_fault, do="zoneutil store check says more")
        if not served.store:
            continue
        folder = os.path.dirname(served.store)
        if not os.path.exists(served.store):
            refused = obstacle(user, folder, "w")
            if refused:
                yield warning("store-readonly", served.store, f"keys cannot be kept: {refused}", do=_own(user, folder))
            continue
        unreadable = obstacle(user, served.store, "r")
        if unreadable:
            yield error("store-closed", served.store, unreadable, do=_own(user, served.store))
            continue
        refused = obstacle(user, served.store, "w") or obstacle(user, folder, "w")
        if refused:
            yield warning(
                "store-readonly", served.store, f"keys and settings cannot be changed: {refused}", do=_own(user, folder)
            )


def _own(user: User, path: str) -> str:
    return f"chown -R {user.name} {path}, or another place in [store] url"


def remote_dnssec(case: Case) -> Iterator[Finding]:
    for coprocess, served in _ours(case):
        name = coprocess.launched.setting("dnssec")
        signed = [*served.signed, *served.keys_only]
        if coprocess.protocol == "remote" and signed and not is_yes(case.conf.value(name, "no")):
            yield error(
                "remote-dnssec",
                case.place(name),
                f"zone {signed[0]} has keys, but without {name}=yes PowerDNS never asks for them and answers unsigned",
                f"{name}=yes",
            )


CHECKS = (configuration, refused_zones, files, store, remote_dnssec)
