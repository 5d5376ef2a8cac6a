"""What a serving process finds in the settings of the PowerDNS that launched it, and says in the log at its start.

``zoneutil pdns check`` looks at far more; this is for the faults that nobody would look for, since all seems well:
denials that PowerDNS signs without having asked us (rules D-4 and D-5), and zones that stay unsigned.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pipebackend.base import logs
from pipebackend.base.errors import BackendError
from pipebackend.diagnosis.doctor.pdnsconf import Launched, PdnsConf, Setting, is_yes, read
from pipebackend.store import open_store
from pipebackend.zones import dnames

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.backend.sessions import KeepingSession

__all__ = ["conf_of", "tell", "warnings"]

_USUAL_FOLDER = "/etc/powerdns"
_MOST = 1000  # zones that are looked at; this is no time for a million
_MOST_RECORDS = 10_000  # of a zone of the store
_POLL_SECONDS = 1.0
_WITH_KEYS = {"gpgsql": "dnssec", "gmysql": "dnssec", "godbc": "dnssec", "bind": "dnssec-db"}
_ALWAYS_WITH_KEYS = ("lmdb",)


def tell(process: int, program: str, session: KeepingSession) -> None:
    """Log what is dangerous in the settings of the process that launched us, once there is a configuration of ours."""
    while session.backend is None:
        time.sleep(_POLL_SECONDS)
    conf = conf_of(process)
    if conf is None:
        return
    try:
        for warning in warnings(conf, "pipe" if program == "pipebackend" else "remote", session.backend):
            logs.warning(warning)
    except BackendError as exc:
        logs.warning(f"{exc}: so {conf.path} was not compared with what is served; zoneutil pdns check does it")


def conf_of(process: int) -> PdnsConf | None:
    """The settings in force of a running PowerDNS; None if it is none, or if we may not read them."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            program, *words = os.fsdecode(file.read()).split("\0")[:-1]
        here = os.readlink(f"/proc/{process}/cwd")
    except (OSError, ValueError):
        return None
    if os.path.basename(program) != "pdns_server":
        return None
    given = dict(word.removeprefix("--").partition("=")[::2] for word in words)
    conf = read(os.path.join(here, given.get("config-dir", _USUAL_FOLDER)), given.get("config-name", ""))
    if any(not fault.line for fault in conf.faults):
        return None
    by_hand = {name: Setting(name, value, "command line", 0) for name, value in given.items()}
    return replace(conf, settings={**conf.settings, **by_hand})


def warnings(conf: PdnsConf, module: str, backend: Backend) -> Iterator[str]:
    """What goes wrong with zones of ours that PowerDNS reaches by this module, a line each."""
    ours = [launched for launched in conf.launched if launched.module == module]
    if ours and not is_yes(conf.value("dname-processing", "no")):
        yield from _dnames(backend)
    if not ours or any(_is_dnssec(conf, launched) for launched in ours):
        return
    apexes = _apexes(backend)
    found = [line for launched in conf.launched for line in _denials(conf, ours[0], launched, apexes)]
    yield from found
    if module == "remote" and not found:
        yield from _unsigned(conf, ours[0], backend, apexes)


def _dnames(backend: Backend) -> Iterator[str]:
    """The first DNAME of each zone, as far as it is found at once; PowerDNS takes it for data like any other."""
    zones = backend.registry
    store = open_store(zones.store_url, zones.config.folder) if zones.store_url else None
    try:
        found = {zone.apex: dnames.written_owner(zone) for zone in zones.zones[:_MOST]}
        for row in store.domains()[:_MOST] if store is not None else ():
            if store is not None and row.name not in zones.by_apex:
                found[row.name] = store.owner_of(row.id, "DNAME", _MOST_RECORDS)
        for apex, owner in found.items():
            if owner is not None:
                yield dnames.advice(apex, owner, is_signed=store is not None and bool(store.keys(apex)))
    finally:
        if store is not None:
            store.close()


def _denials(conf: PdnsConf, ours: Launched, other: Launched, apexes: list[str]) -> Iterator[str]:
    """Rule D-5: PowerDNS makes up the order of names, and signs it."""
    if other.module == "gsqlite3" and is_yes(conf.value(other.setting("dnssec"), "no")):
        yield from _poisonous(conf, ours, other, apexes)
    elif other.module in _ALWAYS_WITH_KEYS or _keeps_keys(conf, other):
        yield (
            f"if {other.title} has keys of a zone whose records come from {ours.title}, PowerDNS signs denials of "
            f"names that exist; {_remedy(conf, ours)}"
        )


def _is_dnssec(conf: PdnsConf, launched: Launched) -> bool:
    return launched.module == "remote" and is_yes(conf.value(launched.setting("dnssec"), "no"))


def _keeps_keys(conf: PdnsConf, launched: Launched) -> bool:
    key = _WITH_KEYS.get(launched.module)
    value = conf.value(launched.setting(key)) if key else ""
    return bool(value) and is_yes(value)


def _apexes(backend: Backend) -> list[str]:
    """Names of zones of ours, by a store of this thread's own: SQLite's connections stay in theirs."""
    zones = backend.registry
    found = [zone.apex for zone in zones.zones[:_MOST]]
    if zones.store_url:
        store = open_store(zones.store_url, zones.config.folder)
        try:
            found += store.served_apexes(_MOST)
        finally:
            store.close()
    return found


def _unsigned(conf: PdnsConf, ours: Launched, backend: Backend, apexes: list[str]) -> Iterator[str]:
    zones = backend.registry
    signed = _settings_of_signed(zones.store_url, zones.config.folder, apexes) if zones.store_url else {}
    for apex in list(signed)[:1]:
        name = ours.setting("dnssec")
        yield (
            f"{_named(signed)} in our store, but PowerDNS does not ask for them: {apex or '.'} stays unsigned; "
            f"set {name}=yes in {conf.path}"
        )


def _poisonous(conf: PdnsConf, ours: Launched, keeper: Launched, apexes: list[str]) -> Iterator[str]:
    database = conf.value(keeper.setting("database"))
    if not os.path.isfile(database):
        return
    signed = _settings_of_signed(f"sqlite:{database}", "/", apexes)
    if ours.module == "pipe":  # with NSEC3 in narrow mode PowerDNS needs no neighbours of a name
        signed = {apex: found for apex, found in signed.items() if "1" not in found.get("NSEC3NARROW", ())}
    if signed:
        yield (
            f"{_named(signed)} in {keeper.title} and records in {ours.title}, which PowerDNS does not ask for the "
            f"order of names: it signs denials of names that exist, or ends; {_remedy(conf, ours)}"
        )


def _settings_of_signed(url: str, folder: str, apexes: list[str]) -> Mapping[str, Mapping[str, list[str]]]:
    """The settings of those zones that have keys in a store."""
    store = open_store(url, folder)
    try:
        return {apex: store.metadata(apex) for apex in apexes if store.keys(apex)}
    finally:
        store.close()


def _named(signed: Mapping[str, object]) -> str:
    first, *others = signed
    more = f" and {len(others)} more" if others else ""
    return f"{first or '.'}{more} {'have' if others else 'has'} keys"


def _remedy(conf: PdnsConf, ours: Launched) -> str:
    if ours.module == "remote":
        return f"set {ours.setting('dnssec')}=yes in {conf.path}"
    return 'use REMOTE, or give such zones NSEC3 in narrow mode: pdnsutil set-nsec3 ZONE "1 0 0 -" narrow'
