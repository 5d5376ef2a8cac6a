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

__all__ = ["kind_of_file", "rewritten"]

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
# By their first octets: what the file is, and what makes a zone file of it
_FILES = (
    (b"\x1f\x8b", "compressed by gzip", "gunzip it"),
    (b"BZh", "compressed by bzip2", "bunzip2 it"),
    (b"\xfd7zXZ", "compressed by xz", "unxz it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unzstd it"),
    (b"PK\x03\x04", "a ZIP archive", "unzip it"),
    (b"\xff\xfe", "UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16", "save it as UTF-8"),
    (b"\0\0\0\x02", "of BIND's raw format", "run named-compilezone -f raw -F text -o NEW ZONE FILE"),
    (b"\0\0\0\x03", "of BIND's map format", "run named-compilezone -f map -F text -o NEW ZONE FILE of BIND 9.18"),
    (b"SQLite format 3\0", "an SQLite database", "name it as the store"),
)


def kind_of_file(head: bytes) -> str:
    """What a file that begins so is, if it is no zone file, and what to do; "" if it may be one."""
    for start, kind, advice in _FILES:
        if head.startswith(start):
            return f"the file is {kind}, not a zone file; {advice}"
    return ""


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
