"""Whether the coprocess can serve its configuration, and PowerDNS asks for its keys."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.checks.timing import processes
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import is_yes
from pipebackend.diagnosis.doctor.served import Served

__all__ = ["CHECKS"]

_WRITING = ("api", "secondary", "slave", "dnsupdate", "autosecondary", "superslave")


def _ours(case: Case) -> Iterator[tuple[Coprocess, Served]]:
    for coprocess in case.coprocesses:
        served = case.served_by(coprocess)
        if served is not None:
            yield coprocess, served


def configuration(case: Case) -> Iterator[Finding]:
    for _, served in _ours(case):
        for fault in served.faults:
            yield error("config", served.path or case.conf, fault, do="zoneutil zone list says whether it is fixed")


def refused_zones(case: Case) -> Iterator[Finding]:
    for _, served in _ours(case):
        for apex in served.refused:
            yield error("zone", served.path, f"zone {apex} is not served", do=f"zoneutil zone check {apex} says why")


def store(case: Case) -> Iterator[Finding]:
    for _, served in _ours(case):
        if served.store_fault:
            yield error("store", served.path, served.store_fault, do="zoneutil store check says more")


def read_only_store(case: Case) -> Iterator[Finding]:
    """PowerDNS writes, and the store cannot be written."""
    for _, served in _ours(case):
        why = served.standing.read_only if served.standing is not None else ""
        setting = next((name for name in _WRITING if is_yes(case.conf.value(name, "no"))), "")
        if why and setting:
            yield warning(
                "database-read-only",
                case.place(setting),
                f"{setting}=yes lets PowerDNS write, but the store cannot be written: {why}",
                do="name all hosts in [store] url, or a role with the rights of docs/postgresql.md",
            )


def connections(case: Case) -> Iterator[Finding]:
    """Each process has one connection, and each thread of PowerDNS its process, but for those of a socket."""
    needed = processes(case)
    for coprocess, served in _ours(case):
        free = served.standing.free_connections if served.standing is not None else needed
        if free < needed and coprocess.connector not in ("unix", "http"):
            yield warning(
                "database-connections",
                case.place("distributor-threads"),
                f"PowerDNS starts {needed} processes, and the database has {max(free, 0)} connections free",
                do="raise max_connections of PostgreSQL, or serve a socket with few --workers",
            )


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


CHECKS = (configuration, refused_zones, store, read_only_store, connections, remote_dnssec)
