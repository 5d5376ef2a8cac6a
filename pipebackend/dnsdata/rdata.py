"""Record content that a person wrote: dnspython checks it, PowerDNS's form comes out (``rdtext``).

dnspython takes 90 ms to import, so the serving path imports this module only for types that ``records`` leaves to it.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdforms, rdtext, typetable
from pipebackend.dnsdata.rdtypes import type_name
from pipebackend.dnsdata.versions import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.rdata import Rdata

    from pipebackend.dnsdata.versions import Dialect

__all__ = [
    "LOC_OUT_OF_RANGE",
    "absolute",
    "ascii_only",
    "checked",
    "checked_content",
    "content_of",
    "escaped",
    "of_dnspython",
    "reason",
    "to_rdata",
]

LOC_OUT_OF_RANGE = "altitude, size or precision out of range: from -100000.00m to 42849672.95m (RFC 1876 section 2)"
# Where the content of a type has domain names, as places among its fields; -1 is the last one.
_NAME_FIELDS = {
    **dict.fromkeys(("ALIAS", "CNAME", "DNAME", "MB", "MG", "MR", "NS", "NSEC", "PTR"), (0,)),
    **dict.fromkeys(("MINFO", "RP", "SOA"), (0, 1)),
    **dict.fromkeys(("AFSDB", "HTTPS", "KX", "LP", "MX", "SVCB"), (1,)),
    **dict.fromkeys(("IPSECKEY", "SRV"), (3,)),
    "RRSIG": (7,),
    "NAPTR": (-1,),  # the fields before it are strings, which may hold spaces
}

_LOC, _LUA = typetable.NUMBERS["LOC"], typetable.NUMBERS["LUA"]
_ZONE_FILE_SPECIAL = re.compile(r'\\.|["();@$]', re.DOTALL)
_NOT_ASCII = re.compile(r"(\\?)([^\x00-\x7f])|\\.", re.DOTALL)
_SIXTY = re.compile(r"\b(\d+) (\d+) 60\.000 ")  # of LOC, as PowerDNS before 5.1 writes some whole minutes
_GROUPS = re.compile(r"\btls-supported-groups=([0-9,]+)")  # of SVCB, as PowerDNS 5.1 writes it
_VAGUE = (
    *("malformed", "expecting a", "type is unknown", "unknown rdatatype", "unpack", "invalid literal", "expected EOL"),
    *("unexpectedly", "not zone's class"),
)
_NO_GATEWAY = re.compile(r"^(\d+ 0 \d+) (?!\. )")  # as PowerDNS writes it


def checked_content(type_: str, content: str) -> str:
    """``content`` in PowerDNS's form; raises RecordFault if the type does not allow it or has another name there."""
    name, content = checked(type_, content)
    if name != type_:
        raise RecordFault(f"write the type {type_} as {name}, as PowerDNS does")
    return content


def checked(type_: str, content: str) -> tuple[str, str]:
    """The type and ``content`` as all versions of PowerDNS read them; raises RecordFault."""
    rdata = to_rdata(type_, content)
    return type_name(rdata.rdtype), content_of(rdata)


def content_of(rdata: Rdata, dialect: Dialect = NEUTRAL) -> str:
    """The rdata's content in PowerDNS's form, for a record whose type is ``rdtypes.type_name(rdata.rdtype, dialect)``;
    raises RecordFault where PowerDNS could not read it."""
    if rdata.rdtype == _LUA:
        return rdata.to_text()
    if rdata.rdtype == _LOC:
        rdata = _in_whole_centimetres(rdata)
    try:
        octets = rdata.to_wire() or b""
    except struct.error:  # from dnspython, which reads such a LOC and cannot write it
        raise RecordFault(LOC_OUT_OF_RANGE) from None
    except (dns.exception.DNSException, ValueError) as exc:
        raise RecordFault(reason(exc)) from None
    return rdtext.text_of(int(rdata.rdtype), octets, dialect)


def _in_whole_centimetres(loc: Any) -> Rdata:
    """dnspython has 67772.15m as 6777214.999 cm, and cuts that off when it writes the octets."""
    sizes = (loc.altitude, loc.size, loc.horizontal_precision, loc.vertical_precision)
    made: Rdata = type(loc)(loc.rdclass, loc.rdtype, loc.latitude, loc.longitude, *map(round, sizes))
    return made


def to_rdata(type_: str, content: str) -> Rdata:
    """The rdata that ``content`` writes, names being absolute with or without the dot; raises RecordFault."""
    if "\n" in content or "\r" in content:
        raise RecordFault("content must be one line")
    content = ascii_only(content)
    if type_ in _NAME_FIELDS and not content.startswith("\\#"):
        content = _with_names(type_, content, escaped)
        if type_ == "IPSECKEY":
            content = _NO_GATEWAY.sub(r"\1 . ", content)
    if type_ in ("LOC", "SVCB", "HTTPS"):
        content = of_dnspython(content)
    try:
        rdtype = dns.rdatatype.from_text(type_)
        if dns.rdatatype.is_metatype(rdtype) or rdtype == dns.rdatatype.NONE:
            raise RecordFault(f"{type_} is for questions, not for records")
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, content, dns.name.root, False)
    except (dns.exception.DNSException, ValueError) as exc:
        hint = rdforms.advice(type_, content)
        why = "" if hint and is_vague(str(exc)) else reason(exc)
        raise RecordFault(f"{type_} {content!r}: " + "; ".join(part for part in (why, hint) if part)) from None
    if rdata.rdcomment is not None:
        raise RecordFault(f"{type_} {content!r}: a semicolon begins a comment; write it in quotes or as \\;")
    return rdata


def of_dnspython(content: str) -> str:
    """Content of LOC, SVCB or HTTPS that PowerDNS wrote, or a line with it, in words that dnspython reads."""
    content = _SIXTY.sub(lambda found: _carried(int(found[1]), int(found[2]) + 1), content)
    return _GROUPS.sub(_groups, content).replace("tls-supported-groups", "key9")


def _carried(degrees: int, minutes: int) -> str:
    return f"{degrees + minutes // 60} {minutes % 60} 0.000 "


def _groups(found: re.Match[str]) -> str:
    numbers = [int(number) for number in found[1].split(",") if number]
    if not numbers or max(numbers) >> 16:
        return found[0]
    return 'key9="' + "".join(f"\\{number >> 8:03d}\\{number & 255:03d}" for number in numbers) + '"'


def absolute(name: str) -> str:
    return name if name == "." else f"{escaped(name)}."


def reason(exc: Exception) -> str:
    """What dnspython has to say, without the names of its classes."""
    text = re.sub(r"caught exception <class '[^']*'>: ", "", str(exc)).strip()
    return text or type(exc).__name__


def is_vague(said: str) -> bool:
    """Whether dnspython says neither which field is wrong nor why."""
    return any(words in said for words in _VAGUE)


def ascii_only(text: str) -> str:
    """``text`` with each octet outside ASCII as \\DDD, letters as UTF-8, so that dnspython takes none for IDNA."""
    return text if text.isascii() else _NOT_ASCII.sub(_octets, text)


def _octets(match: re.Match[str]) -> str:
    if match[2] is None:
        return match[0]
    return "".join(f"\\{octet:03d}" for octet in match[2].encode("utf-8", "surrogateescape"))


def _with_names(type_: str, text: str, write: Callable[[str], str]) -> str:
    """``text`` with ``write`` done to each field that is a name; fields are parted by one space."""
    places = _NAME_FIELDS[type_]
    fields = text.rsplit(None, 1) if places == (-1,) else text.split(None, max(places) + 1)
    for place in places:
        if -len(fields) <= place < len(fields):
            fields[place] = write(fields[place])
    return " ".join(fields)


def escaped(name: str) -> str:
    """A name with what a zone file gives a meaning (RFC 1035 section 5.1) behind backslashes."""
    return _ZONE_FILE_SPECIAL.sub(lambda match: match[0] if match[0][0] == "\\" else "\\" + match[0], name)
