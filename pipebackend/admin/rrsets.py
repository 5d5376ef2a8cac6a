"""Records as RRsets, to be compared and written."""

from __future__ import annotations

from collections.abc import Iterable

from pipebackend.dnsdata.records import Record

__all__ = ["RRsets", "rrsets"]

RRsets = dict[tuple[str, str], list[Record]]  # by canonical owner and type


def rrsets(found: Iterable[Record]) -> RRsets:
    """The records by owner and type, without empty non-terminals and without saying which are authoritative."""
    grouped: RRsets = {}
    for record in found:
        if record.type:
            plain = Record(record.owner.lower(), record.type, record.ttl, record.content)
            grouped.setdefault((plain.owner, plain.type), []).append(plain)
    for rrset in grouped.values():
        rrset.sort()
    return grouped
