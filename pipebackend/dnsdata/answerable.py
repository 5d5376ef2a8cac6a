"""Records in the words of the PowerDNS that asks, whichever version wrote them.

PowerDNS fails the whole name, and every transfer, for one record that it cannot read. What no form suits is left out,
and ``zoneutil zone check`` names it.
"""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata.records import ENT, Record
from pipebackend.dnsdata.versions import GENERIC, NEW, UNKNOWN, other_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipebackend.dnsdata.versions import Version

__all__ = ["VARYING", "all_of", "at_name", "fault", "in_words_of"]

_SERVICES = frozenset(("SVCB", "HTTPS"))
_WITH_DATA = frozenset(("CDNSKEY", "CERT", "DHCID", "DNSKEY", "KEY", "OPENPGPKEY", "RKEY"))
# The only types that a lookup has to look at
VARYING = frozenset((*GENERIC, *GENERIC.values(), *_SERVICES, *_WITH_DATA))
_WORDED = frozenset(("LOC", "CSYNC"))  # all versions read them in the words of another, and compare text of their own
_WHOLE = (" 0.000 ", " 60.000 ")  # the only seconds of LOC that they write differently
_HIGH = len("21474836.48")  # metres, from which on they write LOC's altitude as one below zero
_NO_OCTETS = ("\\# 0", "\\# 0 ")
_NEW_KEYS = ("key7", "key8", "key9", "dohpath", "ohttp", "tls-supported-groups")


def in_words_of(version: Version, record: Record) -> Record | None:
    """The record as this version reads it; None if it cannot."""
    return None if fault(version, record) else _translated(version, record)


def fault(version: Version, record: Record) -> str:
    """Why this version cannot be given the record; empty if it can."""
    type_, content = record.type, record.content
    if type_ in _WITH_DATA:
        is_short = not content or content[-1] == " " or len(content.split(" ")) < _FIELDS.get(type_, 1)
        return "there is no key or data in it, which PowerDNS cannot read" if is_short else ""
    try:
        changed = _translated(version, record)
    except RecordFault as exc:
        return str(exc)
    if version is UNKNOWN and _differs(changed):
        return 'PowerDNS 5.1 reads it in another form than those before: say which one it is, as powerdns = "4.9"'
    return ""


_FIELDS = {"CDNSKEY": 4, "CERT": 4, "DNSKEY": 4, "KEY": 4, "RKEY": 4}


def at_name(version: Version, records: Sequence[Record], qtype: str) -> Sequence[Record]:
    """The records of one name; where none can be told, the name is there all the same, without data."""
    found = list(all_of(version, records))
    if qtype == "ANY":
        return found or [Record(record.owner, ENT, 0, "") for record in records[:1]]
    return [record for record in found if record.type in (qtype, other_name(qtype))]


def all_of(version: Version, records: Iterable[Record]) -> Iterator[Record]:
    """All records that can be told."""
    is_known = version is not UNKNOWN
    for record in records:
        changed: Record | None = record
        if record.type in VARYING:
            changed = in_words_of(version, record)
        elif is_known and (record.type in _WORDED or record.content in _NO_OCTETS):
            changed = _worded(version, record)
        if changed is not None:
            yield changed


def _translated(version: Version, record: Record) -> Record:
    type_, content = record.type, record.content
    if type_ in _WITH_DATA or (type_ in _SERVICES and not any(key in content for key in _NEW_KEYS)):
        return record
    if version is UNKNOWN and type_ in NEW.types:
        return record  # only a version that knows it by name has written it so
    from pipebackend.dnsdata import rdtext

    type_, content = rdtext.own(type_, content, version.dialect)
    return record._replace(type=type_, content=content)


def _worded(version: Version, record: Record) -> Record:
    """The record in the version's own text, if it can be read at all."""
    content = record.content
    if record.type == "LOC" and not any(seconds in content for seconds in _WHOLE):
        altitude = content.partition("m")[0].rpartition(" ")[2]
        if len(altitude) < _HIGH:
            return record
    from pipebackend.dnsdata import rdtext

    try:
        return record._replace(content=rdtext.own(record.type, content, version.dialect)[1])
    except RecordFault:
        return record


def _differs(record: Record) -> bool:
    """Whether no form of it suits all versions."""
    if record.type in GENERIC:
        return True
    return record.type in _SERVICES and (" key8=" in record.content or " key9=" in record.content)
