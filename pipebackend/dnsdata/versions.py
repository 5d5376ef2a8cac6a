"""What the versions of PowerDNS ask, read and write differently, as far as we must decide on it: one table.

The version comes from the configuration alone, ``powerdns = "5.1"``: asking the server that started us would cost a
process at each start, and a server at the other end of a socket cannot be asked. Where it is not known, what all
versions read is answered, and kept in the words of 4.7 and 4.9; of what no form suits all, the record is left out of
answers and ``zoneutil zone check`` names it, since PowerDNS fails all of a name for one record that it cannot read.
"""

from __future__ import annotations

from pipebackend.base.values import Value

__all__ = ["GENERIC", "NEUTRAL", "NEW", "OLD", "UNKNOWN", "VERSIONS", "Dialect", "Version", "of", "other_name"]

_OLD_KEYS = ("mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint")


class Dialect(Value):
    """How a version writes content. All of them read each other's, but for the types and keys that they name apart.

    ``types`` are the mnemonics beside those of 4.7, and ``keys`` those of SVCB by number (RFC 9460 section 14.3.2): of
    these nothing is read in its generic form. ``rounds`` is for the minutes and seconds of LOC, which are cut out of a
    float: 60 9 0.000 becomes 60 8 60.000; ``wraps`` for its altitude, which counts in 32 bits with a sign, in all
    versions. All read LOC of another one, and without both. ``no_octets`` is content of an unknown type without any.
    """

    types: tuple[str, ...]
    keys: tuple[str, ...]
    rounds: bool
    wraps: bool
    no_octets: str


OLD = Dialect((), _OLD_KEYS, True, True, "\\# 0 ")
NEW = Dialect(
    ("HHIT", "BRID", "RESINFO", "WALLET"),
    (*_OLD_KEYS, "dohpath", "ohttp", "tls-supported-groups"),
    False,
    True,
    "\\# 0",
)
NEUTRAL = OLD._replace(rounds=False, wraps=False, no_octets="\\# 0")  # for people, and programs other than PowerDNS
GENERIC = {"TYPE67": "HHIT", "TYPE68": "BRID", "TYPE261": "RESINFO", "TYPE262": "WALLET"}  # in OLD and in NEW
_SPECIFIC = {name: generic for generic, name in GENERIC.items()}


class Version(Value):
    """What is decided by the version: ``dialect`` is what it reads, ``has_ents`` whether PIPE can tell it an empty
    non-terminal."""

    name: str
    dialect: Dialect
    has_ents: bool = False


UNKNOWN = Version("", OLD)
# From which release on; seen with 4.7.3, 4.9.18 and 5.1.5. 5.0 was not tried, so nothing is assumed of it.
VERSIONS = (
    ((4, 7), Version("4.7", OLD)),
    ((5, 0), UNKNOWN),
    ((5, 1), Version("5.1", NEW, has_ents=True)),
)


def other_name(type_: str) -> str:
    """The name of the type in versions that do not call it so; the same one for nearly all types."""
    return GENERIC.get(type_) or _SPECIFIC.get(type_) or type_


def of(text: str) -> Version | None:
    """The row of a version as the configuration names it, such as 4.9 or 5.1.5; None if it is not a version from 4.7.

    The empty text is the unknown version.
    """
    if not text:
        return UNKNOWN
    parts = text.split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return None
    release = int(parts[0]), int(parts[1])
    found = None
    for since, version in VERSIONS:
        if release >= since:
            found = version
    return found
