"""What a new zone has, and what may be said of its account and primaries."""

from __future__ import annotations

from collections.abc import Sequence

from pipebackend.base.errors import MetadataFault, RequestFault
from pipebackend.dnsdata import metadata, names, records
from pipebackend.dnsdata.records import Record

__all__ = [
    "DEFAULT_TTL",
    "MAX_ACCOUNT_CHARS",
    "checked_account",
    "checked_primaries",
    "demand_primaries_fit",
    "first_records",
]

DEFAULT_TTL = 3600
_TIMERS = (10800, 3600, 604800, 3600)  # refresh, retry, expire, minimum in seconds, as PowerDNS has them
MAX_ACCOUNT_CHARS = 40  # the columns ``account`` of PowerDNS's schema


def checked_account(text: str) -> str:
    """``text`` as the account of a zone; RequestFault if PowerDNS's schema cannot hold it."""
    if len(text) > MAX_ACCOUNT_CHARS or not text.isprintable():
        raise RequestFault(f"account {text[:60]!r}: write at most {MAX_ACCOUNT_CHARS} printable characters")
    return text


def first_records(apex: str, nameservers: Sequence[str], serial: int) -> list[Record]:
    servers = [names.from_text(server) for server in nameservers] or [names.join("ns1", apex)]
    soa = records.soa_content(servers[0] or ".", names.join("hostmaster", apex), serial, _TIMERS)
    return [
        Record(apex, "SOA", DEFAULT_TTL, records.checked_content("SOA", soa)),
        *(Record(apex, "NS", DEFAULT_TTL, server) for server in dict.fromkeys(servers)),
    ]


def demand_primaries_fit(apex: str, kind: str, primaries: Sequence[str]) -> None:
    if kind == "secondary" and not primaries:
        raise RequestFault(f"zone {apex or '.'}: a secondary zone needs --primary ADDRESS")
    if kind != "secondary" and primaries:
        raise RequestFault(f"zone {apex or '.'}: only a secondary zone has primaries; say --kind secondary")


def checked_primaries(apex: str, primaries: Sequence[str]) -> list[str]:
    try:  # the same form: addresses with or without port
        return metadata.checked("ALSO-NOTIFY", primaries, tsig_key_exists=lambda name: False)
    except MetadataFault as exc:
        raise RequestFault(f"zone {apex or '.'}: primary {str(exc).removeprefix('ALSO-NOTIFY: ')}") from None
