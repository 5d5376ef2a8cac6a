"""Entries of a zone file, read one by one by dnspython, and what they come to: records, their places, faults.

An entry that dnspython refuses though another server writes it is put into a form that dnspython reads.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import names, rdata, records
from pipebackend.dnsdata.rdtypes import type_name
from pipebackend.dnsdata.records import Record
from pipebackend.zones.text import forms, standins
from pipebackend.zones.text.fastlines import PlainLines
from pipebackend.zones.text.zonetext import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.dnsdata.versions import Dialect

__all__ = ["EntryReader", "Found", "without_place"]

_MAX_RDATA = 65_535
_LIMITS_OF_LOC = ("argument out of range", "'I' format requires 0 <= number <= 4294967295")  # as struct says it


class Found:
    """Collects what a zone file has; the fields are explained at ZoneText."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.soas: list[tuple[Record, int]] = []  # and their indices
        self.lines = Lines()
        self.sources: list[str] = []
        self.faults: list[str] = []
        self.left_out: list[str] = []
        self.odd: list[str] = []
        self.made_by_powerdns: Counter[str] = Counter()  # records of types that are left out, by type
        self.nsec3: set[str] = set()
        self.has_signatures = False

    def put(self, record: Record, path: str, line: int) -> None:
        """Add one record, but not the same SOA again, which ``dig axfr`` writes at the end."""
        if record.type == "SOA":
            if any(_is_same(record, soa) for soa, _ in self.soas):
                return
            self.soas.append((record, len(self.lines)))
        self.records.append(record)
        self.lines.append(path, line)


class EntryReader:
    """Reads the entries of one zone; for dnspython's reader it is also the transaction that takes the records.

    ``leaves_out`` are the types that are counted and not kept.
    """

    def __init__(self, origin: str, found: Found, leaves_out: frozenset[str], dialect: Dialect) -> None:
        self._found = found
        self._leaves_out = leaves_out
        self._dialect = dialect
        self._meant: Callable[[bytes], bytes] | None = None  # octets of an entry, by those of its stand-in
        self._origin = dns.name.Name([*names.labels(origin), b""])
        self._path, self._line = "", 0
        self._has_added = False  # whether the entry that is being read has a record of the zone
        self._owner_name, self._owner = self._origin, origin
        self.state = dns.zonefile.Reader(  # with the origin, owner and TTL that the next entry inherits
            dns.tokenizer.Tokenizer("", ""),
            dns.rdataclass.IN,
            self,  # type: ignore[arg-type]  # of a transaction, the reader uses the four names below
            allow_directives=("$ORIGIN", "$TTL"),
        )
        self.plain = PlainLines(self.state, origin)

    def read(self, text: str, path: str, line: int) -> bool:
        """Read one record or directive, which is at that place; false if the record is outside the zone."""
        self._path, self._line = path, line
        self._has_added = False
        self.plain.tell_owner()
        try:
            self._hand_to_dnspython(text)
        except (dns.exception.DNSException, ValueError) as exc:
            if not self._read_in_another_form(text, exc):
                raise
        if self._has_added or text.startswith("$"):
            return True
        owner = self.state.last_name
        if owner is None or owner.is_subdomain(self._origin):
            return True
        self._found.left_out.append(f"{path}:{line}: {owner} is not in the zone {self._origin}; left out")
        return False

    def _hand_to_dnspython(self, text: str) -> None:
        self.state.tok = dns.tokenizer.Tokenizer(rdata.ascii_only(text), "")
        self.state.read()

    def _read_in_another_form(self, text: str, reason: Exception) -> bool:
        """Read an entry that dnspython refused for that reason in a form that it takes; false if there is none."""
        other = forms.rewritten(text)
        if other != text:
            self._hand_to_dnspython(other)
            return True
        other, self._meant = standins.stand_in(text) or (text, None)
        if self._meant is None:
            return False
        try:
            self._hand_to_dnspython(other)
        finally:
            self._meant = None
        self._found.odd.append(f"{self._path}:{self._line}: odd, and served as it is: {without_place(reason)}")
        return True

    @property
    def manager(self) -> EntryReader:
        return self

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return self._origin, False, self._origin

    def check_put_rdataset(self, check: Any) -> None:
        """dnspython would refuse CNAME beside other data; ``zonecheck`` tells of it."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        """The zone's name comes from the configuration; $ORIGIN does not change it."""

    def add(self, name: dns.name.Name, ttl: int, rd: dns.rdata.Rdata) -> None:
        """Take one record; raises RecordFault."""
        self._has_added = True
        if self._meant is not None:
            rd = dns.rdata.GenericRdata(rd.rdclass, rd.rdtype, self._meant(rd.to_wire() or b""))
        type_ = type_name(rd.rdtype, self._dialect)
        _refuse_head(rd, type_, ttl)
        if type_ in ("NSEC3", "NSEC3PARAM"):
            self._found.nsec3.add(" ".join(rd.to_text().split(None, 4)[:4]))
        if type_ in self._leaves_out:
            self._found.made_by_powerdns[type_] += 1
            return
        if name is not self._owner_name:
            self._owner_name, self._owner = name, names.from_labels(name.labels[:-1])
        record = Record(self._owner, type_, ttl, rdata.content_of(rd, self._dialect))
        self._found.has_signatures |= type_ == "RRSIG"
        _refuse_content(rd, record)
        self._found.put(record, self._path, self._line)


def _refuse_head(rd: dns.rdata.Rdata, type_: str, ttl: int) -> None:
    if dns.rdatatype.is_metatype(rd.rdtype) or rd.rdtype == dns.rdatatype.NONE:
        raise RecordFault(f"{type_} is for questions, not for records")
    if ttl > records.MAX_TTL:
        raise RecordFault(f"ttl {ttl} is above {records.MAX_TTL}")


def _refuse_content(rd: dns.rdata.Rdata, record: Record) -> None:
    if record.type == "LUA" and not record.content.partition(" ")[2].strip('" '):
        raise RecordFault("LUA without code")
    if len(record.content) > _MAX_RDATA and len(rd.to_wire() or b"") > _MAX_RDATA:
        raise RecordFault(f"its content takes more than {_MAX_RDATA} octets (RFC 1035 section 3.2.1)")


def _is_same(record: Record, soa: Record) -> bool:
    return record.content == soa.content and record.owner.lower() == soa.owner.lower()


def without_place(exc: Exception) -> str:
    """The reason of dnspython's error, without the place inside the entry that is in front of it."""
    if rdata.reason(exc) in _LIMITS_OF_LOC:
        return rdata.LOC_OUT_OF_RANGE
    first, colon, rest = rdata.reason(exc).partition(": ")
    return (rest if colon and first.startswith(":") else first + colon + rest).rstrip(".")
