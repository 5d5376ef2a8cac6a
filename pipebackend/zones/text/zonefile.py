"""Zone files (RFC 1035 section 5) as records, each with the line that wrote it, and every error of the file at once.

dnspython reads the records. It stops at the first error, so this module hands it one entry at a time: a line, or the
lines up to the closing parenthesis, which count as their first. $INCLUDE and $GENERATE are done here: the first so that
errors name the included file, the second so that each record goes the same way as one that is written out. The path in
$INCLUDE is relative to the folder of the file that says it.

Octets outside ASCII stand for themselves, as in BIND and PowerDNS, and not for IDNA.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from pipebackend.base import regular
from pipebackend.base.errors import BackendError, RecordFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names, rdata, records
from pipebackend.dnsdata.rdtypes import type_name
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import NEUTRAL
from pipebackend.zones import otherfiles
from pipebackend.zones.text import forms, lexer, othertexts, slips, standins
from pipebackend.zones.text.fastlines import Columns, PlainLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from pipebackend.dnsdata.versions import Dialect

    Progress = Callable[[int], None]

    class Stream(Protocol):
        """What takes records as they are read; ``slow`` of them were read by dnspython, which takes long."""

        def take(self, columns: Columns) -> None: ...

        def take_single(self, records: Sequence[Record], slow: int) -> None: ...


__all__ = ["Lines", "ZoneText", "read"]

_MAX_RDATA = 65_535
_LIMITS_OF_LOC = ("argument out of range", "'I' format requires 0 <= number <= 4294967295")  # as struct says it
# PowerDNS makes these itself, also those of a presigned zone save the signatures; a second set would break its answers.
_MADE_BY_POWERDNS = frozenset(("NSEC", "NSEC3", "NSEC3PARAM", "RRSIG"))
_MADE_FOR_PRESIGNED = _MADE_BY_POWERDNS - {"RRSIG"}  # rule S-2


class Lines:
    """The place of each record as ``file:line``, by the record's index; four octets a record."""

    def __init__(self) -> None:
        self._numbers = array("I")
        self._starts: list[int] = []  # where the records of another file begin, and which
        self._paths: list[str] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> str:
        path = self._paths[bisect_right(self._starts, index) - 1]
        return f"{path}:{self._numbers[index]}"

    def append(self, path: str, number: int, count: int = 1) -> None:
        """Note that the next record is on this line, and with ``count`` those after it on the lines after it."""
        if not self._paths or self._paths[-1] != path:
            self._starts.append(len(self._numbers))
            self._paths.append(path)
        self._numbers.extend(range(number, number + count))


class ZoneText(Value):
    """A zone file that was read: its records, their places, all files that took part, and what was left out and why.

    ``soa`` is one of the records.

    ``nsec3`` are the different parameters of its NSEC3 and NSEC3PARAM records, as ``nsec3param.from_text`` takes them.
    """

    records: Sequence[Record]
    soa: Record
    lines: Lines
    sources: Sequence[str]
    left_out: Sequence[str]
    nsec3: Sequence[str] = ()
    has_chain: bool = False  # whether there are NSEC or NSEC3 records
    odd: Sequence[str] = ()  # what was read though an RFC forbids it, and why


def read(
    path: str,
    origin: str,
    *,
    for_store: bool = False,
    with_signatures: bool = False,
    progress: Progress | None = None,
    stream: Stream | None = None,
    dialect: Dialect = NEUTRAL,
    known: Mapping[str, Record] | None = None,
) -> ZoneText:
    """The zone file at ``path`` for the zone ``origin``, as spelled; raises ZoneFault with every error.

    Errors are what makes a record unreadable, a file that cannot be read or includes itself, and an SOA that is
    missing, double or not at the apex, as for named-checkzone. Records outside the zone are left out, as in BIND; so
    are NSEC, NSEC3, NSEC3PARAM and RRSIG, which PowerDNS makes. What PowerDNS's own bind backend serves, though named
    would refuse the zone (no NS at the apex, CNAME beside other data), is read as it is.

    ``with_signatures`` keeps the RRSIGs, for a zone that stays signed as it is. ``for_store`` does, too, and takes
    records outside the zone for errors, as pdnsutil load-zone does. ``progress`` is told each few hundred lines how
    many records there are so far. ``stream`` is given the records as they are read, up to the first error; the result
    has none of them then. What it raises goes through. ``dialect`` is that of the PowerDNS for which it is read.
    Lines that are ``known`` stand for these records, whatever may be wrong with them.
    """
    leaves_out = _MADE_FOR_PRESIGNED if for_store or with_signatures else _MADE_BY_POWERDNS
    reading = _Reading(origin, leaves_out, progress, stream, dialect, known or {})
    reading.include(path)
    reading.hand_over()
    faults = reading.faults + _soa_faults(reading.soas, reading.lines, origin.lower())
    if not faults and not reading.soas:
        faults = [_without_soa(path, origin, reading)]
    if for_store and len(reading.lines):
        faults += reading.left_out
    if faults:
        raise ZoneFault(faults, reading.sources)
    made = reading.made_by_powerdns
    for type_, count in () if with_signatures and reading.has_signatures else sorted(made.items()):
        reading.left_out.append(f"{path}: {count} {type_} records are left out: PowerDNS makes them itself")
    [(soa, _)] = reading.soas
    has_chain = bool(made["NSEC"] or made["NSEC3"])
    return ZoneText(
        reading.records,
        soa,
        reading.lines,
        reading.sources,
        reading.left_out,
        sorted(reading.nsec3),
        has_chain,
        reading.odd,
    )


def _without_soa(path: str, origin: str, reading: _Reading) -> str:
    if not len(reading.lines) and reading.left_out:
        place, _, rest = reading.left_out[0].partition(": ")
        return (
            f"{place}: {rest.partition(' ')[0]} and all other names of the file are outside of the zone "
            f"{origin or '.'}: it is the file of another zone"
        )
    return f"{path}: the zone {origin or '.'} has no SOA record; add one, with @ as its owner"


def _soa_faults(soas: Sequence[tuple[Record, int]], lines: Lines, apex: str) -> list[str]:
    faults, first = [], ""
    for record, index in soas:
        if record.owner.lower() != apex:
            faults.append(f"{lines[index]}: SOA at {record.owner}; it belongs at the zone's name {apex or '.'}")
        elif first:
            faults.append(f"{lines[index]}: a second SOA; the first is at {first}")
        else:
            first = lines[index]
    return faults


class _Reading:
    """The state of one reading, and what dnspython's reader takes for its transaction."""

    def __init__(
        self,
        origin: str,
        leaves_out: frozenset[str],
        progress: Progress | None,
        stream: Stream | None,
        dialect: Dialect,
        known: Mapping[str, Record],
    ) -> None:
        self.records: list[Record] = []
        self.soas: list[tuple[Record, int]] = []  # and their indices
        self.lines = Lines()
        self.sources: list[str] = []
        self.faults: list[str] = []
        self.left_out: list[str] = []
        self.odd: list[str] = []
        self.made_by_powerdns: Counter[str] = Counter()
        self.nsec3: set[str] = set()
        self.has_signatures = False
        self._leaves_out = leaves_out
        self._dialect = dialect
        self._known = known
        self._progress = progress
        self._stream = stream
        self._meant: Callable[[bytes], bytes] | None = None  # octets of an entry, by those of its stand-in
        self._slow = 0  # entries that dnspython read since records were handed over
        self._apex = origin.lower()
        self._origin = dns.name.Name([*names.labels(origin), b""])
        self._path, self._line = "", 0
        self._open_files: list[str] = []
        self._owner_name, self._owner = self._origin, origin
        self._reader = dns.zonefile.Reader(
            dns.tokenizer.Tokenizer("", ""),
            dns.rdataclass.IN,
            self,  # type: ignore[arg-type]  # of a transaction, the reader uses the four names below
            allow_directives=("$ORIGIN", "$TTL"),
        )
        self._plain = PlainLines(self._reader, origin)

    @property
    def manager(self) -> _Reading:
        return self

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return self._origin, False, self._origin

    def check_put_rdataset(self, check: Any) -> None:
        """dnspython would refuse CNAME beside other data; ``zonecheck`` tells of it."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        """The zone's name comes from the configuration; $ORIGIN does not change it."""

    def add(self, name: dns.name.Name, ttl: int, rd: dns.rdata.Rdata) -> None:
        """Take one record."""
        if self._meant is not None:
            rd = dns.rdata.GenericRdata(rd.rdclass, rd.rdtype, self._meant(rd.to_wire() or b""))
        type_ = type_name(rd.rdtype, self._dialect)
        if dns.rdatatype.is_metatype(rd.rdtype) or rd.rdtype == dns.rdatatype.NONE:
            raise RecordFault(f"{type_} is for questions, not for records")
        if ttl > records.MAX_TTL:
            raise RecordFault(f"ttl {ttl} is above {records.MAX_TTL}")
        if type_ in ("NSEC3", "NSEC3PARAM"):
            self.nsec3.add(" ".join(rd.to_text().split(None, 4)[:4]))
        if type_ in self._leaves_out:
            self.made_by_powerdns[type_] += 1
            return
        if name is not self._owner_name:
            self._owner_name, self._owner = name, names.from_labels(name.labels[:-1])
        record = Record(self._owner, type_, ttl, rdata.content_of(rd, self._dialect))
        self.has_signatures |= type_ == "RRSIG"
        if type_ == "LUA" and not record.content.partition(" ")[2].strip('" '):
            raise RecordFault("LUA without code")
        if len(record.content) > _MAX_RDATA and len(rd.to_wire() or b"") > _MAX_RDATA:
            raise RecordFault(f"its content takes more than {_MAX_RDATA} octets (RFC 1035 section 3.2.1)")
        if type_ == "SOA" and self._is_known_soa(record):
            return  # ``dig axfr`` writes it again at the end
        if type_ == "SOA":
            self.soas.append((record, len(self.lines)))
        self.records.append(record)
        self.lines.append(self._path, self._line)

    def _is_known_soa(self, soa: Record) -> bool:
        known = ((one.owner.lower(), one.content) for one, _ in self.soas)
        return (soa.owner.lower(), soa.content) in known

    def include(self, path: str) -> None:
        """Read one file; the origin and the last owner are then again what they were (RFC 1035 section 5.1)."""
        real = os.path.realpath(path)
        if real in self._open_files:
            raise RecordFault(f"$INCLUDE {path}: the file includes itself")
        if path not in self.sources:
            self.sources.append(path)
        self._plain.tell_owner()
        outside = self._path, self._line, self._reader.current_origin, self._reader.last_name
        self._open_files.append(real)
        try:
            with open(path, "rb", opener=regular.opener) as octets:
                head = octets.read(otherfiles.HEAD)
            kind = otherfiles.of_zone_file(head) or othertexts.advice(head)
            if kind:
                self.faults.append(f"{path}: {kind}")
                return
            with open(
                path, encoding="utf-8-sig", errors="surrogateescape", newline="\n", opener=regular.opener
            ) as file:
                self._read_entries(path, file)
        except OSError as exc:
            place = f"{outside[0]}:{outside[1]}: $INCLUDE " if outside[0] else ""
            self.faults.append(f"{place}{path}: cannot be read: {exc.strerror}")
        finally:
            self._open_files.pop()
            self._plain.tell_owner()
            self._path, self._line, self._reader.current_origin, self._reader.last_name = outside

    def _read_entries(self, path: str, file: Iterable[str]) -> None:
        for line, text in lexer.cut(file, lambda number, lines: self._take_plain(path, number, lines)):
            record = self._known.get(text) or self._plain.record(text)
            if record is not None and (record.type != "SOA" or record.owner != self._apex):
                self.records.append(record)
                self.lines.append(path, line)
                continue
            self._path, self._line = path, line
            entry = text
            try:
                if text[:8].upper() == "$INCLUDE":
                    self._include_as_told(text)
                elif text[:9].upper() == "$GENERATE":
                    for entry in lexer.generated(text):
                        if not self._read_entry(entry):
                            break
                else:
                    self._read_entry(text)
            except (dns.exception.DNSException, BackendError, ValueError) as exc:
                self.faults.append(f"{path}:{line}: {slips.explained(entry, _without_place(exc))}, in {_shown(text)}")

    def _take_plain(self, path: str, number: int, lines: Sequence[str]) -> bool:
        """Takes lines that are all plain."""
        self.hand_over()
        if self._progress is not None:
            self._progress(len(self.lines))
        columns = self._plain.columns(lines)
        if columns is None:
            return False
        if self._stream is None:
            self.records += columns.records()
        elif not self.faults:
            self._stream.take(columns)
        self.lines.append(path, number, len(lines))
        return True

    def hand_over(self) -> None:
        """Gives the stream, if there is one, what was read line by line."""
        if self._stream is None:
            return
        if not self.faults:
            self._stream.take_single(self.records, self._slow)
        self.records.clear()
        self._slow = 0

    def _include_as_told(self, text: str) -> None:
        """``$INCLUDE file [origin]``."""
        tok = dns.tokenizer.Tokenizer(text)
        words = [token.value for token in tok.get_remaining()][1:]
        if len(words) not in (1, 2):
            raise RecordFault("must be written: $INCLUDE file [origin]")
        origin = self._reader.current_origin
        if len(words) == 2:
            self._reader.current_origin = dns.name.from_text(rdata.ascii_only(words[1]), origin)
        try:
            self.include(os.path.join(os.path.dirname(self._path), words[0]))
        finally:
            self._reader.current_origin = origin

    def _read_entry(self, text: str) -> bool:
        """Read one record or directive; false if the record is outside the zone."""
        self._slow += 1
        self._plain.tell_owner()
        known = len(self.records) + self.made_by_powerdns.total()
        self._read_by_dnspython(text)
        if len(self.records) + self.made_by_powerdns.total() > known or text.startswith("$"):
            return True
        owner = self._reader.last_name
        if owner is None or owner.is_subdomain(self._origin):
            return True
        self.left_out.append(f"{self._path}:{self._line}: {owner} is not in the zone {self._origin}; left out")
        return False

    def _read_by_dnspython(self, text: str) -> None:
        try:
            self._reader.tok = dns.tokenizer.Tokenizer(rdata.ascii_only(text), "")
            self._reader.read()
        except (dns.exception.DNSException, ValueError) as exc:
            other = forms.rewritten(text)
            if other == text:
                other, self._meant = standins.stand_in(text) or (text, None)
            if other == text:
                raise
            try:
                self._reader.tok = dns.tokenizer.Tokenizer(rdata.ascii_only(other), "")
                self._reader.read()
                if self._meant is not None:
                    self.odd.append(f"{self._path}:{self._line}: odd, and served as it is: {_without_place(exc)}")
            finally:
                self._meant = None


def _without_place(exc: Exception) -> str:
    """What is wrong, without the place inside the entry that dnspython puts in front."""
    if rdata.reason(exc) in _LIMITS_OF_LOC:
        return rdata.LOC_OUT_OF_RANGE
    first, colon, rest = rdata.reason(exc).partition(": ")
    return (rest if colon and first.startswith(":") else first + colon + rest).rstrip(".")


def _shown(text: str) -> str:
    first = text.partition("\n")[0].strip()
    return ascii(first if len(first) <= 60 else first[:57] + "...")
