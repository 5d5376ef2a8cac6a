"""What every configured zone says in the same words: its SOA, its NS and its fixed records.

soa = { mname = "ns1.example.net", rname = "hostmaster.example.net", refresh = 10800, retry = 3600,
        expire = 604800, minimum = 3600, serial = 1 }     # all but mname and rname may be left out
ns = ["ns1.example.net"]
records = ["ns1 A 192.0.2.1", "@ MX 10 mail.example.net", "www.sub 300 AAAA 2001:db8::1"]
"""

from __future__ import annotations

import os

from pipebackend.base.errors import BackendError, NameFault, RecordFault
from pipebackend.dnsdata import names, records
from pipebackend.dnsdata.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.config.configuration import Section

__all__ = ["fixed_record", "read", "serial_of"]

_UNITS = {"S": 1, "M": 60, "H": 3600, "D": 86400, "W": 604800}
_TIMERS = (("refresh", 10800), ("retry", 3600), ("expire", 604800))


def read(section: Section, apex: str, ttl: int, serial_files: Sequence[str]) -> list[Record]:
    """SOA (first), NS and fixed records as ``section`` has them; faults are noted in the section."""
    spelled = section.name("name") if apex else ""  # a faulty name was noted by the registry already
    found = [_soa(section.section("soa"), spelled, ttl, [section.config.path, *serial_files])]
    targets = section.texts("ns")
    if section.table.get("ns") == []:
        section.fault("ns", "at least one name server is needed")
    for target in targets:
        found.append(Record(spelled, "NS", ttl, section.checked_name("ns", target) or "."))
    for line in section.texts("records", []):
        try:
            found.append(fixed_record(line, spelled, ttl))
        except BackendError as exc:
            section.fault("records", f"{line!r}: {exc}")
    return found


def fixed_record(line: str, apex: str, ttl: int) -> Record:
    """The record written as ``owner [ttl] type content``; the owner is relative to ``apex``. NameFault, RecordFault.

    Class IN may stand before or behind the ttl, as in a zone file (RFC 1035 section 5.1).
    """
    owner, first, content = _words(line)
    is_timed = has_class = False
    while True:
        if not is_timed and first.isascii() and first.isdigit():
            if len(first) > 10 or int(first) > records.MAX_TTL:
                raise RecordFault(f"the ttl is above {records.MAX_TTL}")
            ttl, is_timed = int(first), True
        elif not has_class and first.upper() == "IN":
            has_class = True
        else:
            break
        _, first, content = _words(f". {content}")
    if not content:
        raise RecordFault("must be written: owner [ttl] type content, such as 'www 300 A 192.0.2.1'")
    type_ = first.upper()
    if type_ in ("CH", "HS"):
        raise RecordFault(f"class {type_} is not served; leave it out, or write IN")
    if type_[:-1].isdecimal() and type_[-1] in _UNITS:
        raise RecordFault(f"ttl {first!r} is not a number of seconds; write {int(first[:-1]) * _UNITS[type_[-1]]}")
    if type_ == "SOA":
        raise RecordFault("the SOA record is written as soa = { … }")
    type_, content = records.checked(type_, content)
    return Record(_absolute(owner, apex), type_, ttl, content)


def _words(line: str) -> tuple[str, str, str]:
    """The first word, the second, and the rest."""
    found = [*line.split(None, 2), "", "", ""]
    return found[0], found[1], found[2].strip()


def serial_of(paths: Sequence[str]) -> int:
    """The SOA serial: the newest of the files' times, so that all processes agree (RFC 1982 needs it to grow)."""
    times = [1]
    for path in paths:
        try:
            times.append(int(os.stat(path).st_mtime))
        except OSError:  # the fault is noted where the file is read
            continue
    return max(times) & 0xFFFFFFFF


def _soa(section: Section, apex: str, ttl: int, serial_files: Sequence[str]) -> Record:
    mname = section.name("mname")
    rname = section.name("rname")
    if "@" in rname:
        section.fault("rname", f"write the mail address with a dot for the @: {rname.replace('@', '.')}")
    timers = [section.integer(key, default) for key, default in _TIMERS]
    timers.append(section.integer("minimum", ttl))  # RFC 2308 section 4: how long a denial is kept
    serial = section.integer("serial", 0, most=2**32 - 1) or serial_of([path for path in serial_files if path])
    section.finish()
    return Record(apex, "SOA", ttl, records.soa_content(mname or ".", rname or ".", serial, timers))


def _absolute(owner: str, apex: str) -> str:
    if owner == "@":
        return apex
    if not owner.endswith("."):
        return names.spelling(names.join(names.spelling(owner), apex))
    absolute = names.spelling(owner)
    if not names.is_below(absolute.lower(), apex.lower()):
        raise NameFault(f"{owner} is not in the zone {apex}; a name without the dot at its end is relative to the zone")
    return absolute
