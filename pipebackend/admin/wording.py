"""In which version's words commands write, where the configuration does not say which PowerDNS asks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pipebackend.base.errors import RecordFault
from pipebackend.config import installed
from pipebackend.dnsdata import rdtext, records
from pipebackend.dnsdata.versions import NEW, UNKNOWN, of

if TYPE_CHECKING:
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.zones.registry import Registry

__all__ = ["dialect", "own"]


def dialect(registry: Registry) -> Dialect:
    """That of the configured version; else of all versions, but for LOC, which is written as the PowerDNS that is
    installed here writes it.

    All versions read LOC of each other, and DNS UPDATE finds it in a version's own text alone. What a wrong guess
    would make unreadable is not guessed.
    """
    if registry.powerdns is not UNKNOWN:
        return registry.powerdns.dialect
    return UNKNOWN.dialect._replace(rounds=_installed_rounds())


def own(registry: Registry, record: Record) -> Record:
    """The record as PowerDNS writes it; as it is where it cannot be read."""
    if record.type in records.ADDRESSES_AND_NAMES or record.type == records.ENT:
        return record
    words = dialect(registry) if record.type == "LOC" else registry.powerdns.dialect  # the first may cost a process
    try:
        type_, content = rdtext.own(record.type, record.content, words)
    except RecordFault:
        return record
    return record._replace(type=type_, content=content)


@functools.cache
def _installed_rounds() -> bool:
    version = of(".".join(map(str, installed.release(installed.path()))))
    return version is None or version.dialect is not NEW
