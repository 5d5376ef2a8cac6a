"""Values that dnspython refuses and other servers read: it is given other ones to check the rest of the entry with, and
the octets are put back afterwards.

``ech`` of SVCB that is not an ECHConfigList, ZONEMD of scheme or hash 0, TLSA and SMIMEA whose digest has another
length than its kind, URI without a target, GPOS of other strings than degrees and metres, and parameters in AliasMode,
which are ignored (RFC 9460 section 2.4.2).
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from functools import reduce
from typing import TYPE_CHECKING

from pipebackend.dnsdata import charstrings

if TYPE_CHECKING:
    from collections.abc import Callable

    StandIn = tuple[str, Callable[[bytes], bytes]]  # in place of what was found, and octets to those that are meant

__all__ = ["stand_in"]

_STRING = r'("(?:[^"\\]|\\.)*"|(?:[^\s"();\\]|\\.)+)'  # RFC 1035 section 5.1
_ECH = re.compile(r'(?i)(\s(?:SVCB|HTTPS)\s.*\sech=)("?)([A-Za-z0-9+/=]+)\2(?=[\s)]|$)', re.DOTALL)
_ECH_KEY = b"\0\5"  # RFC 9460 section 14.3.2
_LIST = b"\0\4stnd"  # an ECHConfigList, as far as dnspython looks
_LIST_TEXT = "AARzdG5k"
_ZONEMD = re.compile(r"(?i)(\sZONEMD[\s(]+\d+[\s(]+)(\d{1,3})([\s(]+)(\d{1,3})(?=\s)")
_PRIVATE = 240  # RFC 8976 sections 5.2 and 5.3: no digest is known for it, so none is checked
_SCHEME = 4  # where it stands among the octets; the hash algorithm is the next one
_CERTIFICATE = re.compile(r"(?i)(\s(?:TLSA|SMIMEA)[\s(]+\d+[\s(]+\d+[\s(]+)([12])(?=\s)")
_MATCHING = 2  # where the matching type stands
_UNKNOWN_MATCHING = 255  # RFC 6698 section 7.4: for private use
_URI = re.compile(r'(?i)(\sURI[\s(]+\d+[\s(]+\d+[\s(]+)""')
_TARGET = 4  # where it begins
_GPOS = re.compile(rf"(?i)(\sGPOS[\s()]+){_STRING}([\s()]+){_STRING}([\s()]+){_STRING}(?=[\s);]|$)")
_ALIAS = re.compile(r"(?i)(\s(?:SVCB|HTTPS)[\s(]+)0+(?=[\s()]+[^\s()]+[\s()]+[^\s;()])")
_PRIORITY = 0  # where it stands, in two octets


def stand_in(entry: str) -> StandIn | None:
    """The entry with other values, and what makes the octets that it means of those that it then has; else None."""
    meant: list[Callable[[bytes], bytes]] = []
    for pattern, made in _KINDS:
        found = pattern.search(entry)
        stand = made(found) if found is not None else None
        if found is not None and stand is not None:
            entry = entry[: found.start()] + stand[0] + entry[found.end() :]
            meant.append(stand[1])
    return (entry, lambda octets: reduce(lambda made, put_back: put_back(made), meant, octets)) if meant else None


def _without_ech(found: re.Match[str]) -> StandIn | None:
    try:
        value = a2b_base64(found[3], strict_mode=True)
    except (Error, ValueError):
        return None
    known, meant = _parameter(_LIST), _parameter(value)
    return f"{found[1]}{_LIST_TEXT}", lambda octets: octets.replace(known, meant, 1)


def _parameter(value: bytes) -> bytes:
    return _ECH_KEY + len(value).to_bytes(2, "big") + value


def _with_private_digest(found: re.Match[str]) -> StandIn | None:
    numbers = int(found[2]), int(found[4])
    if 0 not in numbers or max(numbers) > 255:
        return None
    return f"{found[1]}{_PRIVATE}{found[3]}{_PRIVATE}", lambda octets: _with(octets, _SCHEME, bytes(numbers))


def _with_private_matching(found: re.Match[str]) -> StandIn:
    return f"{found[1]}{_UNKNOWN_MATCHING}", lambda octets: _with(octets, _MATCHING, bytes((int(found[2]),)))


def _with_target(found: re.Match[str]) -> StandIn:
    return f'{found[1]}"x"', lambda octets: octets[:_TARGET]


def _with_strings(found: re.Match[str]) -> StandIn | None:
    strings = [charstrings.string_at(found[n].encode("utf-8", "surrogateescape"), 0)[0] for n in (2, 4, 6)]
    if max(map(len, strings)) > charstrings.MAX_STRING_OCTETS:
        return None
    written = b"".join(bytes((len(string),)) + string for string in strings)
    return f"{found[1]}0{found[3]}0{found[5]}0", lambda _: written


def _with_priority(found: re.Match[str]) -> StandIn:
    return f"{found[1]}1", lambda octets: _with(octets, _PRIORITY, bytes(2))


def _with(octets: bytes, place: int, value: bytes) -> bytes:
    return octets[:place] + value + octets[place + len(value) :]


_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], StandIn | None]], ...] = (
    (_ALIAS, _with_priority),
    (_ECH, _without_ech),
    (_ZONEMD, _with_private_digest),
    (_CERTIFICATE, _with_private_matching),
    (_URI, _with_target),
    (_GPOS, _with_strings),
)
