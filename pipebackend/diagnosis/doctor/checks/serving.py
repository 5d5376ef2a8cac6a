"""Whether the coprocess can serve its configuration, and PowerDNS asks for its keys."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error
from pipebackend.diagnosis.doctor.pdnsconf import is_yes
from pipebackend.diagnosis.doctor.served import Served

__all__ = ["CHECKS"]


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


CHECKS = (configuration, refused_zones, store, remote_dnssec)
