"""Serial numbers of zones (RFC 1982)."""

from __future__ import annotations

from pipebackend.dnsdata.records import Record

__all__ = ["is_newer", "serial_of", "with_serial"]

_SERIALS = 1 << 32


def serial_of(soa: Record) -> int:
    """The serial of an SOA."""
    return int(soa.content.split()[2])


def with_serial(soa: Record, serial: int) -> Record:
    """The SOA with another serial."""
    fields = soa.content.split()
    fields[2] = str(serial % _SERIALS)
    return soa._replace(content=" ".join(fields))


def is_newer(serial: int, than: int) -> bool:
    """Whether a secondary would fetch the first serial (RFC 1982 section 3.2)."""
    return 0 < (serial - than) % _SERIALS < _SERIALS // 2
