"""Several backends beside each other: who has the records, who the keys (rules H-1 to H-4)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error
from pipebackend.diagnosis.doctor.pdnsconf import Launched, is_yes
from pipebackend.diagnosis.doctor.served import keys_in

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


def _databases(case: Case) -> Iterator[tuple[Launched, str]]:
    """The backends of gsqlite3, each with its database; PowerDNS runs in ``socket-dir`` or ``/``."""
    for launched in case.conf.launched:
        if launched.module == "gsqlite3":
            yield launched, case.conf.value(launched.setting("database"))


def _is_before(case: Case, first: str, second: str) -> bool:
    titles = [launched.title for launched in case.conf.launched]
    return titles.index(first) < titles.index(second)


def one_file(case: Case) -> Iterator[Finding]:
    """Behind REMOTE, gsqlite3 is asked for what REMOTE does not have, of the same rows: zones are there, but empty."""
    remote = _remote(case)
    served = case.served_by(remote) if remote else None
    for launched, database in _databases(case):
        if remote is None or served is None or not _is_same(database, served.store):
            continue
        if _is_before(case, remote.launched.title, launched.title):
            rest = [one.title for one in case.conf.launched if one.title != launched.title]
            yield error(
                "one-file",
                case.place("launch"),
                f"{remote.launched.title} and, after it, {launched.title} have one database, {database}: zones of "
                "the one are empty in the other, and they lock each other out",
                f"launch={','.join([launched.title, *rest])}",
            )


def no_database(case: Case) -> Iterator[Finding]:
    for launched, database in _databases(case):
        name = launched.setting("database")
        if not database or not os.path.exists(database):
            remote = _remote(case)
            served = case.served_by(remote) if remote else None
            store = served.store if served and os.path.exists(served.store) else ""
            yield error(
                "database",
                case.place(name),
                f"{name}: there is no {database or 'line that sets it'}, so {launched.title} fails every question",
                f"{name}={store}" if store else "",
                "" if store else "make it: zoneutil store init makes one with PowerDNS's tables",
            )


def other_file(case: Case) -> Iterator[Finding]:
    """gsqlite3 in front answers for keys, with none; nobody asks further."""
    remote = _remote(case)
    served = case.served_by(remote) if remote else None
    for launched, database in _databases(case):
        if remote is None or served is None or not served.signed or _is_same(database, served.store):
            continue
        has_keys = is_yes(case.conf.value(launched.setting("dnssec"), "no"))
        signed = keys_in(database)
        unseen = [apex for apex in served.signed if signed is not None and apex not in signed]
        if has_keys and unseen and _is_before(case, launched.title, remote.launched.title):
            name = launched.setting("database")
            yield error(
                "other-file",
                case.place(name),
                f"the keys of {unseen[0]} are in {served.store}, but {launched.title}, which PowerDNS asks first, has "
                f"{database}: the zone stays unsigned",
                f"{name}={served.store}",
            )


def keys_unused(case: Case) -> Iterator[Finding]:
    for launched, database in _databases(case):
        name = launched.setting("dnssec")
        signed = keys_in(database)
        if signed and not is_yes(case.conf.value(name, "no")) and not _are_ours(case, database):
            yield error(
                "gsqlite3-dnssec",
                case.place(name),
                f"{database} has keys of {signed[0]}, but without {name}=yes PowerDNS does not look for them",
                f"{name}=yes",
            )


def _are_ours(case: Case, database: str) -> bool:
    """Whether REMOTE hands out the keys of this database."""
    remote = _remote(case)
    served = case.served_by(remote) if remote else None
    if remote is None or served is None or not _is_same(database, served.store):
        return False
    return is_yes(case.conf.value(remote.launched.setting("dnssec"), "no"))


def _is_same(database: str, store: str) -> bool:
    return bool(database and store) and os.path.realpath(database) == os.path.realpath(store)


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


CHECKS = (poisonous, order, one_file, no_database, other_file, keys_unused, bind_hybrid)
