"""Content that is odd, or that the PowerDNS that asks cannot be given: it is kept, and named here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import answerable, canonical, rdata, rdtext, records, typetable
from pipebackend.dnsdata.answerable import VARYING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Version

__all__ = ["check", "unanswered"]


def check(apex: str, found: Iterable[Record], powerdns: Version) -> list[str]:
    """A line for each record of a stored zone that is odd, or that this PowerDNS cannot be given."""
    is_plain = canonical.checks()
    checked = ((record, _fault(record, powerdns, is_plain.get(record.type))) for record in found if record.type)
    return [_line(apex, record, fault) for record, fault in checked if fault]


def unanswered(apex: str, found: Iterable[Record], powerdns: Version) -> Iterator[str]:
    """A line for each record that this PowerDNS cannot be given."""
    for record in found:
        if record.type in VARYING and (fault := answerable.fault(powerdns, record)):
            yield _line(apex, record, f"not answered: {fault}")


def _line(apex: str, record: Record, fault: str) -> str:
    return f"{apex or '.'}: {record.owner or '.'} {record.type}: {fault}"


def _fault(record: Record, powerdns: Version, is_plain: Callable[[str], bool] | None) -> str:
    type_, content = record.type, record.content
    if type_ in VARYING and (fault := answerable.fault(powerdns, record)):
        return f"not answered: {fault}"
    if is_plain is not None and is_plain(content):
        return ""
    try:
        if type_ in records.ADDRESSES_AND_NAMES:
            records.checked_content(type_, content)
            return ""
        octets = rdtext.demand_readable(type_, content)
    except RecordFault as exc:
        return f"PowerDNS may fail all of the name for it: {exc}"
    if octets is None:
        return ""
    number = dns.rdatatype.RdataType.make(typetable.number_of(type_) or 0)
    if dns.rdatatype.is_metatype(number):
        return f"odd, and answered as it is: {type_} is for questions, not for records (RFC 6895 section 3.1)"
    try:
        dns.rdata.from_wire(dns.rdataclass.IN, number, octets, 0, len(octets))
    except (dns.exception.DNSException, ValueError) as exc:
        return f"odd, and answered as it is: {rdata.reason(exc)}"
    return ""
