"""The numbers in the content of an SOA record (RFC 1035 section 3.3.13), which others may have written."""

from __future__ import annotations

__all__ = ["MINIMUM", "REFRESH", "SERIAL", "soa_number"]

SERIAL, REFRESH, MINIMUM = 2, 3, 6


def soa_number(content: str, field: int) -> int | None:
    """One of them; None if what stands there is none."""
    fields = content.split()
    text = fields[field] if len(fields) > field else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
