"""Record content of every type that PowerDNS 4.7 knows: dnspython checks it, PowerDNS's form comes out.

dnspython takes 90 ms to import, so the serving path imports this module only for types that ``records`` leaves to it.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from pipebackend import names, records
from pipebackend.errors import RecordFault
from pipebackend.rdtypes import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.rdata import Rdata

    from pipebackend.records import Record

__all__ = ["ascii_only", "checked_content", "content_of", "reason", "to_rdata", "zone_line"]

# Where the content of a type has domain names, as places among its fields; -1 is the last one.
_NAME_FIELDS = {
    **dict.fromkeys(("ALIAS", "CNAME", "DNAME", "MB", "MG", "MR", "NS", "NSEC", "PTR"), (0,)),
    **dict.fromkeys(("MINFO", "RP", "SOA"), (0, 1)),
    **dict.fromkeys(("AFSDB", "HTTPS", "KX", "LP", "MX", "SVCB"), (1,)),
    **dict.fromkeys(("IPSECKEY", "SRV"), (3,)),
    "RRSIG": (7,),
    "NAPTR": (-1,),  # the fields before it are strings, which may hold spaces
}

_ZONE_FILE_SPECIAL = re.compile(r'\\.|["();@$]', re.DOTALL)
_NOT_ASCII = re.compile(r"(\\?)([^\x00-\x7f])|\\.", re.DOTALL)
_NO_GATEWAY = re.compile(r"^(\d+ 0 \d+) (?!\. )")  # as PowerDNS writes it
_MAX_LOC_CENTIMETRES = 2**32 - 1  # PowerDNS reads sizes into 32 bits
_SERVICE_KEYS = {
    0: "mandatory",
    1: "alpn",
    2: "no-default-alpn",
    3: "port",
    4: "ipv4hint",
    5: "ech",
    6: "ipv6hint",
}  # those that PowerDNS 4.7 knows (RFC 9460 section 14.3.2)


def checked_content(type_: str, content: str) -> str:
    """``content`` in PowerDNS's form; raises RecordFault if the type does not allow it or PowerDNS lacks the type."""
    rdata = to_rdata(type_, content)
    name = type_name(rdata.rdtype)
    if name != type_:
        raise RecordFault(f"write the type {type_} as {name}, as PowerDNS does")
    return content_of(rdata)


def content_of(rdata: Rdata) -> str:
    """The rdata's content in PowerDNS's form, for a record whose type is ``rdtypes.type_name(rdata.rdtype)``; raises
    RecordFault where PowerDNS 4.7 has no words for it."""
    type_ = type_name(rdata.rdtype)
    if type_ in _WRITERS:
        return _WRITERS[type_](rdata)
    if type_.startswith("TYPE"):
        return _generic(rdata)
    text = rdata.to_text()
    return _with_names(type_, text, _powerdns_name) if type_ in _NAME_FIELDS else text


def to_rdata(type_: str, content: str) -> Rdata:
    """The rdata that ``content`` writes, names being absolute with or without the dot; raises RecordFault."""
    if "\n" in content or "\r" in content:
        raise RecordFault("content must be one line")
    content = ascii_only(content)
    if type_ in _NAME_FIELDS and not content.startswith("\\#"):
        content = _with_names(type_, content, _escaped)
        if type_ == "IPSECKEY":
            content = _NO_GATEWAY.sub(r"\1 . ", content)
    try:
        rdtype = dns.rdatatype.from_text(type_)
        if dns.rdatatype.is_metatype(rdtype) or rdtype == dns.rdatatype.NONE:
            raise RecordFault(f"{type_} is for questions, not for records")
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, content, dns.name.root, False)
    except (dns.exception.DNSException, ValueError) as exc:
        raise RecordFault(f"{type_} {content!r}: {reason(exc)}") from None
    if rdata.rdcomment is not None:
        raise RecordFault(f"{type_} {content!r}: a semicolon begins a comment; write it in quotes or as \\;")
    return rdata


def zone_line(record: Record) -> str:
    """The record as a line of a zone file, names fully qualified; no empty non-terminals; raises RecordFault.

    PowerDNS's own ALIAS and LUA are written as TYPEnnn, so that other servers can load the file.
    """
    rdata = to_rdata(record.type, record.content)
    own = record.type in ("ALIAS", "LUA")
    type_ = f"TYPE{int(rdata.rdtype)}" if own else record.type
    text = _generic(rdata) if own or record.type.startswith("TYPE") else rdata.to_text()
    return f"{_escaped(record.owner)}. {record.ttl} IN {type_} {text}"


def reason(exc: Exception) -> str:
    """What dnspython has to say, without the names of its classes."""
    text = re.sub(r"caught exception <class '[^']*'>: ", "", str(exc)).strip()
    return text or type(exc).__name__


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


def _powerdns_name(text: str) -> str:
    return names.spelling(text) or "."


def _escaped(name: str) -> str:
    """A name with what a zone file gives a meaning (RFC 1035 section 5.1) behind backslashes."""
    return _ZONE_FILE_SPECIAL.sub(lambda match: match[0] if match[0][0] == "\\" else "\\" + match[0], name)


def _name(name: dns.name.Name) -> str:
    return names.from_labels(name.labels[:-1]) or "."


def _generic(rdata: Rdata) -> str:
    """RFC 3597 section 5, in one piece: PowerDNS refuses hexadecimal digits with spaces between them."""
    octets = rdata.to_wire() or b""
    return f"\\# {len(octets)} {octets.hex()}".rstrip()


def _cert(rdata: Any) -> str:
    """RFC 4398 section 2.2 with numbers: PowerDNS does not know the mnemonics."""
    certificate = rdata.to_text().split(None, 3)[3]
    return f"{int(rdata.certificate_type)} {rdata.key_tag} {int(rdata.algorithm)} {certificate}"


def _ipsec_key(rdata: Any) -> str:
    """RFC 4025 section 3.1; where there is no gateway PowerDNS wants none, not the dot."""
    text = _with_names("IPSECKEY", rdata.to_text(), _powerdns_name)
    return text.replace(" . ", " ", 1) if rdata.gateway_type == 0 else text


def _loc(rdata: Any) -> str:
    sizes = (rdata.size, rdata.horizontal_precision, rdata.vertical_precision)
    if max(sizes) > _MAX_LOC_CENTIMETRES:
        raise RecordFault(f"LOC size or precision {max(sizes) / 100:.0f}m is more than PowerDNS 4.7 can read")
    return str(rdata.to_text())


def _service(rdata: Any) -> str:
    """RFC 9460 section 2.1; keys that PowerDNS 4.7 does not know as keyNNN, the port without quotes."""
    fields = [str(rdata.priority), _name(rdata.target)]
    for key, value in sorted(rdata.params.items()):
        mnemonic = _SERVICE_KEYS.get(key)
        if mnemonic is None:
            fields.append(f"key{int(key)}={records.quoted(_octets_of(value))}")
        elif mnemonic == "mandatory":
            needed = (_SERVICE_KEYS.get(other) or f"key{int(other)}" for other in value.keys)
            fields.append("mandatory=" + ",".join(needed))
        elif mnemonic == "port":
            fields.append(f"port={value.port}")
        else:
            fields.append(f"{mnemonic}={value.to_text()}" if value is not None else mnemonic)
    return " ".join(fields)


def _octets_of(value: Any) -> bytes:
    if value is None:
        return b""
    wire = io.BytesIO()
    value.to_wire(wire)
    return wire.getvalue()


# The types whose text PowerDNS wants otherwise, and those that zones have most of, since dnspython's text is slow.
_WRITERS: dict[str, Callable[[Any], str]] = {
    "A": lambda rdata: str(rdata.address),
    "AAAA": lambda rdata: str(rdata.address),
    "CERT": _cert,
    "CNAME": lambda rdata: _name(rdata.target),
    "HTTPS": _service,
    "IPSECKEY": _ipsec_key,
    "LOC": _loc,
    "MX": lambda rdata: f"{rdata.preference} {_name(rdata.exchange)}",
    "NS": lambda rdata: _name(rdata.target),
    "PTR": lambda rdata: _name(rdata.target),
    "SPF": lambda rdata: " ".join(map(records.quoted, rdata.strings)),
    "SVCB": _service,
    "TXT": lambda rdata: " ".join(map(records.quoted, rdata.strings)),
}
