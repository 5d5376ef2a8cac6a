"""What the content of a record is written as, for the message about one that is not: fields by name, and an example."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton

from pipebackend.dnsdata.typetable import number_of

__all__ = ["advice"]

# Type → its fields, those in brackets optional, and an example; fields that end in # are numbers
_FORMS = {
    "A": ("IPv4-address", "192.0.2.1"),
    "AAAA": ("IPv6-address", "2001:db8::1"),
    "AFSDB": ("subtype# host", "1 afs.example.net"),
    "CAA": ("flags# tag value", '0 issue "ca.example.net"'),
    "CERT": ("type# key-tag# algorithm# certificate", "1 12345 8 AwEAAc…"),
    "CNAME": ("target", "www.example.net"),
    "CSYNC": ("serial# flags# [types]", "66 3 A NS AAAA"),
    "DNAME": ("target", "example.net"),
    "DNSKEY": ("flags# protocol# algorithm# key", "257 3 13 mdsswUyr3DPW…"),
    "DS": ("key-tag# algorithm# digest-type# digest", "12345 13 2 6aa4af71…"),
    "HINFO": ("cpu os", '"RFC8482" ""'),
    "HTTPS": ("priority# target [params]", "1 . alpn=h2"),
    "IPSECKEY": ("precedence# gateway-type# algorithm# [gateway] [key]", "10 1 2 192.0.2.38 AQNRU3mG…"),
    "KX": ("preference# exchanger", "10 kx.example.net"),
    "L32": ("preference# locator", "10 10.1.2.0"),
    "L64": ("preference# locator", "10 2001:0db8:1140:1000"),
    "LOC": ("latitude N|S longitude E|W altitude [sizes]", "52 22 23.000 N 4 53 32.000 E -2.00m"),
    "LP": ("preference# target", "10 l64.example.net"),
    "MX": ("preference# exchange", "10 mail.example.net"),
    "NAPTR": ("order# preference# flags service regexp replacement", '100 50 "s" "SIP+D2U" "" _sip._udp.example.net'),
    "NID": ("preference# node-id", "10 0014:4fff:ff20:ee64"),
    "NS": ("target", "ns1.example.net"),
    "OPENPGPKEY": ("key", "mQENBFVHm5sB…"),
    "PTR": ("target", "host.example.net"),
    "RP": ("mailbox text-name", "admin.example.net info.example.net"),
    "SMIMEA": ("usage# selector# matching-type# data", "3 0 0 308202c5…"),
    "SOA": (
        "mname rname serial# refresh# retry# expire# minimum#",
        "ns1.example.net hostmaster.example.net 1 10800 3600 604800 3600",
    ),
    "SRV": ("priority# weight# port# target", "10 5 443 www.example.net"),
    "SSHFP": ("algorithm# type# fingerprint", "4 2 123456789abcdef6…"),
    "SVCB": ("priority# target [params]", "1 svc.example.net port=8443"),
    "SPF": ("text", '"v=spf1 -all"'),
    "TLSA": ("usage# selector# matching-type# data", "3 1 1 0c72ac70…"),
    "TXT": ("text", '"v=spf1 -all"'),
    "URI": ("priority# weight# target", '10 1 "https://www.example.net/"'),
    "ZONEMD": ("serial# scheme# hash# digest", "2018031900 1 1 c68090d9…"),
}
_IN_PARTS = ("certificate", "data", "digest", "fingerprint", "key", "text", "value", "os", "replacement")
_CLASSES = ("IN", "CH", "HS", "ANY")


def advice(type_: str, content: str) -> str:
    """What to write for ``content``, which does not fit ``type_``; empty where nothing is known."""
    if type_.upper() in _CLASSES:
        word = content.partition(" ")[0]
        return f"{type_} is a class, which is left out here; write the type first, as {word or 'A'}"
    if type_.isdigit():
        return f"{type_} stands where the type is written; a TTL comes before it, or is left out"
    if type_ not in _FORMS:
        return "" if number_of(type_) is not None else _unknown(type_)
    fields, example = _FORMS[type_]
    form = " ".join(field.removesuffix("#") for field in fields.split())
    return f"{_slip(fields.split(), content.split())}write {type_} as: {form}, such as {example}"


def _unknown(type_: str) -> str:
    import dns.exception
    import dns.rdatatype

    try:
        number = int(dns.rdatatype.from_text(type_))
    except (dns.rdatatype.UnknownRdatatype, dns.exception.SyntaxError, ValueError):
        return "there is no such type; write one as A or MX, or TYPE and its number"
    return f"PowerDNS does not know {type_} by name; write TYPE{number} \\# length hexadecimal (RFC 3597)"


def _slip(fields: list[str], words: list[str]) -> str:
    """Which field is missing or is not a number, with a semicolon behind it."""
    for at, field in enumerate(fields):
        if field.startswith("[") or "|" in field:
            return ""
        if at >= len(words):
            return f"{field.removesuffix('#')} is missing; "
        if field.endswith("#") and not words[at].isdecimal():
            return f"{field.removesuffix('#')} {words[at][:40]!r} is not a number; "
        if field.startswith("IP") and not _is_address(words[at], AF_INET6 if "6" in field else AF_INET):
            return f"{words[at][:40]!r} is not an {field.replace('-', ' ')}; "
    if len(words) > len(fields) and fields[-1] not in _IN_PARTS:
        return f"{words[len(fields)][:40]!r} is too much; "
    return ""


def _is_address(word: str, family: int) -> bool:
    try:
        return bool(inet_pton(family, word))
    except (OSError, ValueError):
        return False
