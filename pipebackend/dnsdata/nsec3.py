"""The NSEC3 hash of a name (RFC 5155 section 5)."""

from __future__ import annotations

from pipebackend.dnsdata import names

__all__ = ["hash_label"]

_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # RFC 4648 section 7, in lower case as PowerDNS compares them
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]  # ten bits at a time


def hash_label(name: str, salt: bytes, iterations: int) -> str:
    """The base32hex label of a canonical name's hash: 32 digits in lower case."""
    from hashlib import sha1

    digest = sha1(names.to_wire(name) + salt, usedforsecurity=False).digest()
    for _ in range(iterations):
        digest = sha1(digest + salt, usedforsecurity=False).digest()
    number = int.from_bytes(digest)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(150, -1, -10)])
