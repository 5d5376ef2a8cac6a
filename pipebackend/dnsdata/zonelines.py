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

    Other servers read it, too, but for ALIAS, LUA and IPSECKEY without a gateway.

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
        except RecordFault:
            pass
    return f"{rdata.escaped(record.owner)}. {record.ttl} IN {type_} {content}"
