"""The names of types, and those types that dnspython has to be taught."""

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

from pipebackend.dnsdata import rdtext, typetable
from pipebackend.dnsdata.versions import OLD, Dialect

__all__ = ["type_name"]


def type_name(rdtype: int, dialect: Dialect = OLD) -> str:
    """The type as PowerDNS reads it, every version where none is named: its mnemonic, else TYPEnnn (RFC 3597)."""
    return typetable.type_of(int(rdtype), dialect)


@dns.immutable.immutable
class _Lua(dns.rdata.Rdata):
    """PowerDNS's LUA: the type that the code makes, and the code; as text, which PowerDNS runs as it stands."""

    def __init__(self, rdclass: Any, rdtype: Any, content: str) -> None:
        super().__init__(rdclass, rdtype)
        self.content = content

    def to_text(self, *args: Any, **kw: Any) -> str:
        return self.content

    @classmethod
    def from_text(cls, rdclass: Any, rdtype: Any, tok: Any, *args: Any, **kw: Any) -> _Lua:
        made = tok.get_string()
        strings = [f'"{token.value}"' for token in tok.get_remaining()]
        return cls(rdclass, rdtype, rdtext.code(" ".join([made, *strings])))

    def _to_wire(self, file: Any, compress: Any = None, origin: Any = None, canonicalize: bool = False) -> None:
        file.write(rdtext.octets_of("LUA", self.content))

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, origin: Any = None) -> _Lua:
        octets = parser.get_remaining()
        return cls(rdclass, rdtype, rdtext.code(rdtext.text_of(typetable.NUMBERS["LUA"], octets)))


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
