"""Serial numbers of zones (RFC 1982)."""

from __future__ import annotations

from pipebackend.base.errors import RequestFault
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.soa import SERIAL, soa_number

__all__ = ["is_newer", "serial_of", "with_serial"]

_SERIALS = 1 << 32


def serial_of(soa: Record) -> int:
    """The serial of an SOA; raises RequestFault for one that others wrote without a number there."""
    serial = soa_number(soa.content, SERIAL)
    if serial is None:
        where = f"{soa.owner or '.'} SOA"
        raise RequestFault(f"{where} {soa.content!r} has no serial; write it again: zoneutil record replace {where} …")
    return serial


def with_serial(soa: Record, serial: int) -> Record:
    """The SOA with another serial."""
    fields = soa.content.split()
    fields[2] = str(serial % _SERIALS)
    return soa._replace(content=" ".join(fields))


def is_newer(serial: int, than: int) -> bool:
    """Whether a secondary would fetch the first serial (RFC 1982 section 3.2)."""
    return 0 < (serial - than) % _SERIALS < _SERIALS // 2
