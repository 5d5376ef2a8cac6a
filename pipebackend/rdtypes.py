"""The record types that PowerDNS 4.7 knows, and those of them that dnspython has to be taught."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import dns.exception
import dns.immutable
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.RP
import dns.rdtypes.dnskeybase
import dns.rdtypes.nsbase

from pipebackend import records

__all__ = ["type_name"]

_KNOWN = """A AAAA AFSDB ALIAS APL CAA CDNSKEY CDS CERT CNAME CSYNC DHCID DLV DNAME DNSKEY DS EUI48 EUI64 HINFO HTTPS
    IPSECKEY KEY KX L32 L64 LOC LP LUA MB MG MINFO MR MX NAPTR NID NS NSEC NSEC3 NSEC3PARAM OPENPGPKEY PTR RKEY RP
    RRSIG SMIMEA SOA SPF SRV SSHFP SVCB TLSA TXT URI ZONEMD"""


def type_name(rdtype: int) -> str:
    """The type as PowerDNS 4.7 calls it: its mnemonic if it reads the type's own text, else TYPEnnn (RFC 3597)."""
    return _MNEMONICS.get(rdtype) or f"TYPE{int(rdtype)}"


@dns.immutable.immutable
class _Lua(dns.rdata.Rdata):
    """PowerDNS's LUA: the type that the code makes, and the code as character strings."""

    def __init__(self, rdclass: Any, rdtype: Any, made: Any, strings: Any) -> None:
        super().__init__(rdclass, rdtype)
        self.made = dns.rdatatype.RdataType.make(made)
        self.strings = tuple(strings)

    def to_text(self, *args: Any, **kw: Any) -> str:
        return f"{type_name(self.made)} " + " ".join(map(records.quoted, self.strings))

    @classmethod
    def from_text(cls, rdclass: Any, rdtype: Any, tok: Any, *args: Any, **kw: Any) -> _Lua:
        made = dns.rdatatype.from_text(tok.get_string())
        code = [token.unescape_to_bytes().value for token in tok.get_remaining()]
        if not code:
            raise ValueError('LUA is written: LUA A "code"')
        chunks = [
            text[i : i + records.MAX_STRING_OCTETS]
            for text in code
            for i in range(0, len(text), records.MAX_STRING_OCTETS)
        ]
        return cls(rdclass, rdtype, made, chunks)

    def _to_wire(self, file: Any, compress: Any = None, origin: Any = None, canonicalize: bool = False) -> None:
        file.write(self.made.to_bytes(2, "big"))
        for string in self.strings:
            file.write(bytes((len(string),)) + string)

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, origin: Any = None) -> _Lua:
        made = parser.get_uint16()
        strings = []
        while parser.remaining() > 0:
            strings.append(parser.get_counted_bytes())
        return cls(rdclass, rdtype, made, strings)


def _teach_dnspython() -> None:
    """Tell dnspython about the types that PowerDNS knows and it does not."""
    one_name = dns.rdtypes.nsbase.UncompressedNS
    unknown: tuple[tuple[str, int, Any], ...] = (
        ("ALIAS", 65401, one_name),
        ("LUA", 65402, _Lua),
        ("MB", 7, one_name),
        ("MG", 8, one_name),
        ("MR", 9, one_name),
        ("MINFO", 14, dns.rdtypes.ANY.RP.RP),
        ("RKEY", 57, dns.rdtypes.dnskeybase.DNSKEYBase),
    )
    for name, number, implementation in unknown:
        with contextlib.suppress(dns.rdata.RdatatypeExists):  # a later dnspython has learnt it
            dns.rdata.register_type(SimpleNamespace(**{name: implementation}), number, name)


_teach_dnspython()
_MNEMONICS = {int(dns.rdatatype.from_text(name)): name for name in _KNOWN.split()}
