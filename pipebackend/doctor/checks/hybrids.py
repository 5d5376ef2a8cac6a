"""Several backends beside each other: who has the records, who the keys (rules H-1 to H-4)."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.doctor.case import Case
from pipebackend.doctor.coprocess import Coprocess
from pipebackend.doctor.findings import Finding, error
from pipebackend.doctor.pdnsconf import Launched, is_yes
from pipebackend.doctor.served import keys_in

__all__ = ["CHECKS"]


def _remote(case: Case) -> Coprocess | None:
    return next((coprocess for coprocess in case.coprocesses if coprocess.protocol == "remote"), None)


def _key_keepers(case: Case) -> Iterator[tuple[Launched, str]]:
    """Other backends with the key of a zone of ours, each with that zone."""
    remote = _remote(case)
    served = case.served_by(remote) if remote else None
    for launched in case.conf.launched:
        if launched.module != "gsqlite3" or not is_yes(case.conf.value(launched.setting("dnssec"), "no")):
            continue
        signed = keys_in(case.conf.value(launched.setting("database"))) or ()
        shared = [apex for apex in signed if served is not None and apex in served.zones]
        if shared:
            yield launched, shared[0]


def poisonous(case: Case) -> Iterator[Finding]:
    """Rules D-4 and D-5: PowerDNS makes up the order of names, and signs it."""
    remote = _remote(case)
    if remote is None or is_yes(case.conf.value(remote.launched.setting("dnssec"), "no")):
        return
    for keeper, apex in _key_keepers(case):
        name = remote.launched.setting("dnssec")
        yield error(
            "poisonous",
            case.place(name),
            f"{keeper.title} has the keys of {apex} and {remote.launched.title} its records: without {name}=yes "
            "PowerDNS signs denials of names that exist",
            f"{name}=yes",
        )


def order(case: Case) -> Iterator[Finding]:
    """The first backend that answers for settings wins, and REMOTE always answers."""
    remote = _remote(case)
    titles = [launched.title for launched in case.conf.launched]
    for keeper, apex in _key_keepers(case):
        if remote is not None and titles.index(keeper.title) > titles.index(remote.launched.title):
            rest = [title for title in titles if title != keeper.title]
            yield error(
                "order",
                case.place("launch"),
                f"{keeper.title} has the keys of {apex} but comes after {remote.launched.title}, which answers "
                "before it: the zone stays unsigned",
                f"launch={','.join([keeper.title, *rest])}",
            )


def bind_hybrid(case: Case) -> Iterator[Finding]:
    """BIND's zones with keys in our store: the bind backend must leave keys and settings to the next."""
    remote = _remote(case)
    served = case.served_by(remote) if remote else None
    for launched in case.conf.launched:
        name = launched.setting("hybrid")
        if launched.module == "bind" and served and served.keys_only and not is_yes(case.conf.value(name, "no")):
            yield error(
                "bind-hybrid",
                case.place(name),
                f"the keys of {served.keys_only[0]} are in {served.store}, where the bind backend does not look",
                f"{name}=yes",
            )


CHECKS = (poisonous, order, bind_hybrid)
