"""A record as a line of a zone file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdata, rdtext, typetable
from pipebackend.dnsdata.versions import NEUTRAL

if TYPE_CHECKING:
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect

__all__ = ["zone_line"]


def zone_line(record: Record, dialect: Dialect = NEUTRAL) -> str:
    """The record as a line of a zone file for PowerDNS of this dialect, names fully qualified; no empty non-terminals.

    Other servers read it, too, but for ALIAS, LUA, IPSECKEY without a gateway, and digests without octets, of which
    PowerDNS reads ``DS 1 8 2 -`` alone: the neutral dialect has these in the form of RFC 3597.

    Content that cannot be read is written as it is; raises RecordFault where not even the type is known.
    """
    number = typetable.number_of(record.type)
    if number is None:
        raise RecordFault(f"there is no type {record.type[:40]!r}")
    type_, content = record.type, rdtext.on_one_line(record.content) or record.content.replace("\n", "\\010")
    if type_ != "LUA":
        try:
            octets = rdtext.octets_of(type_, content)
            words = NEUTRAL._replace(types=dialect.types, keys=dialect.keys)
            content = rdtext.text_of(number, octets, words, rdata.absolute)
            type_ = f"TYPE{number}" if content.startswith("\\#") else typetable.type_of(number, dialect)
            if dialect is NEUTRAL and type_ in typetable.HEX_TYPES and content.endswith(" -"):
                content = f"\\# {len(octets)} {octets.hex()}"
        except RecordFault:
            pass
    return f"{rdata.escaped(record.owner)}. {record.ttl} IN {type_} {content}"
