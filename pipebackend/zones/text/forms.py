"""Forms of zone files that other servers write and dnspython does not read, put into those that it reads.

Named by the program that writes them: a NID or L64 whose groups are short (BIND), DS with the digest's name (BIND),
IPSECKEY without a key (PowerDNS, NSD; RFC 4025 section 2.6 has the key as optional) or without the dot for no gateway,
60 seconds in LOC, SVCB's ``tls-supported-groups``, a dash for a digest without octets, and KEY with a key
though its flags say that there is none (PowerDNS). Strings of TXT that are longer than 255 octets, which PowerDNS cuts.
"""

from __future__ import annotations

import re

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import charstrings, rdata, rdtext, typetable

__all__ = ["rewritten"]

_NODE = re.compile(r"(?i)(\s(?:NID|L64)\s+\d+\s+)([0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3})(?=\s*(?:;.*)?$)")
_DIGEST = re.compile(r"(?i)(\sC?DS\s+\d+\s+\S+\s+)(SHA-?1|SHA-?256|GOST|SHA-?384)(?=\s)")
_DIGESTS = {"SHA1": "1", "SHA256": "2", "GOST": "3", "SHA384": "4"}  # RFC 3658, 4509, 5933, 6605
_WORDS = re.compile(r"(?i)\s(?:LOC|SVCB|HTTPS)\s")
_GATEWAY = re.compile(r"(?i)\sIPSECKEY\s+(\d+\s+[0-3]\s+\d+(?:\s+\S+)?)\s*(?:;.*)?$")
_NO_DIGEST = re.compile(rf"(?i)\s({'|'.join(sorted(typetable.HEX_TYPES))})\s+((?:\d+\s+)+-)\s*(?:;.*)?$")
_KEY = re.compile(r"(?i)\s(KEY)\s+(\d+\s+\d+\s+\d+\s+[a-z0-9+/=]+)\s*(?:;.*)?$")
_TEXTS = re.compile(r"(?i)\s(?:TXT|SPF)\s")
_LONG = re.compile(r'"(?:[^"\\]|\\.){256,}"|(?<![^\s(])[^\s"();]{256,}', re.DOTALL)
_NO_GATEWAY = re.compile(r"(?i)(\sIPSECKEY\s+\d+\s+0\s+\d+\s+)(?=[^.;\s])")


def rewritten(entry: str) -> str:
    """The entry as dnspython reads it; as it is if it has none of these forms."""
    found = _NODE.sub(lambda m: m[1] + ":".join(group.zfill(4) for group in m[2].split(":")), entry)
    found = _DIGEST.sub(lambda m: m[1] + _DIGESTS[m[2].upper().replace("-", "")], found)
    found = _LONG.sub(_cut, found) if _TEXTS.search(found) else found
    found = rdata.of_dnspython(found) if _WORDS.search(found) else found
    for pattern in (_NO_DIGEST, _KEY):
        found = pattern.sub(lambda m: _generic(m[1].upper(), m[2]) or m[0], found)
    found = _GATEWAY.sub(_without_key, found)
    return _NO_GATEWAY.sub(r"\1. ", found) if "\\#" not in found else found


def _cut(match: re.Match[str]) -> str:
    try:
        return " ".join(map(charstrings.quoted, charstrings.character_strings(match[0])))
    except RecordFault:
        return match[0]


def _without_key(match: re.Match[str]) -> str:
    fields = match[1].split()
    if fields[1] == "0" and fields[3:] == ["."]:
        del fields[3]
    if len(fields) != (3 if fields[1] == "0" else 4) or (fields[1] == "3" and not fields[3].endswith(".")):
        return match[0]
    return _generic("IPSECKEY", " ".join(fields)) or match[0]


def _generic(type_: str, content: str) -> str:
    """The type and content in the form of RFC 3597; empty if the content cannot be read."""
    try:
        octets = rdtext.octets_of(type_, content)
    except RecordFault:
        return ""
    return f" {type_} \\# {len(octets)} {octets.hex()}"
