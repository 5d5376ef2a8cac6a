"""Whether the content of a record is as PowerDNS writes it, told quickly for the types of which zones have many.

PowerDNS sends what it has read and written itself, a million records in a row; the checks of ``records`` take a hundred
times as long for some of these types. What is not plainly right here is left to them.
"""

from __future__ import annotations

from pipebackend.base.errors import NameFault
from pipebackend.dnsdata import charstrings, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["checks"]

_HEX = frozenset("0123456789abcdefABCDEF")
# RFC 4034 section 3.1: algorithm, labels, original ttl, expiration and inception as YYYYMMDDHHmmSS, key tag
_SIGNATURE_LIMITS = (255, 127, 2**32 - 1, 99991231235959, 99991231235959, 65535)


def checks() -> dict[str, Callable[[str], bool]]:
    """By type: whether content needs nothing to be done to it."""
    from _socket import AF_INET, AF_INET6, inet_ntop, inet_pton  # the rest of socket takes 10 ms to import

    def is_address(family: int, content: str) -> bool:
        try:
            return inet_ntop(family, inet_pton(family, content)) == content
        except (OSError, ValueError):  # ValueError: a NUL, or no ASCII
            return False

    return {
        "A": lambda content: is_address(AF_INET, content),
        "AAAA": lambda content: is_address(AF_INET6, content),
        "TXT": _is_text,
        "DS": _is_digest,
        "RRSIG": _signature_check(),
    }


def _is_text(content: str) -> bool:
    inside = content[1:-1]
    return (
        content[:1] == content[-1:] == '"' != content
        and len(inside) <= charstrings.MAX_STRING_OCTETS
        and inside.isascii()
        and inside.isprintable()
        and '"' not in inside
        and "\\" not in inside
    )


def _is_digest(content: str) -> bool:
    tag, algorithm, kind, digest = content.split(" ") if content.count(" ") == 3 else ("", "", "", "")
    return kind == "2" and len(digest) == 64 and not set(digest) - _HEX and _are_numbers((tag, algorithm), (65535, 255))


def _signature_check() -> Callable[[str], bool]:
    from binascii import Error, a2b_base64

    def is_signature(content: str) -> bool:
        fields = content.split(" ")
        if len(fields) != 9 or not fields[0].isalnum() or not _are_numbers(fields[1:7], _SIGNATURE_LIMITS):
            return False
        try:
            return names.spelling(fields[7]) == fields[7] and bool(a2b_base64(fields[8], strict_mode=True))
        except (Error, NameFault, ValueError):
            return False

    return is_signature


def _are_numbers(fields: Sequence[str], limits: Sequence[int]) -> bool:
    return all(
        field.isascii() and field.isdigit() and len(field) <= 14 and int(field) <= limit
        for field, limit in zip(fields, limits, strict=True)
    )
