"""The files of a zone, read entry by entry, with what $INCLUDE and $GENERATE stand for (RFC 1035 section 5.1).

dnspython stops at the first error, so it is handed one entry at a time: a line, or the lines up to the closing
parenthesis, which count as their first. $INCLUDE and $GENERATE are done here: the first so that errors name the
included file, the second so that each record goes the same way as one that is written out. The path in $INCLUDE is
relative to the folder of the file that has it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.tokenizer

from pipebackend.base import regular
from pipebackend.base.errors import BackendError, RecordFault
from pipebackend.dnsdata import rdata
from pipebackend.zones import otherfiles
from pipebackend.zones.text import lexer, othertexts, slips
from pipebackend.zones.text.entries import EntryReader, Found, without_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.zones.text.fastlines import Columns

    Progress = Callable[[int], None]

    class Stream(Protocol):
        """What takes records as they are read; ``slow`` of them were read by dnspython, which takes long."""

        def take(self, columns: Columns) -> None: ...

        def take_single(self, records: Sequence[Record], slow: int) -> None: ...


__all__ = ["Reading"]


class Reading:
    """One reading of a zone; ``found`` has what came of it, and ``read`` in ``zonefile`` explains the arguments."""

    def __init__(
        self,
        origin: str,
        leaves_out: frozenset[str],
        progress: Progress | None,
        stream: Stream | None,
        dialect: Dialect,
        known: Mapping[str, Record],
    ) -> None:
        self.found = Found()
        self._entries = EntryReader(origin, self.found, leaves_out, dialect)
        self._known = known
        self._progress = progress
        self._stream = stream
        self._slow = 0  # entries that dnspython read since records were handed over
        self._apex = origin.lower()
        self._path, self._line = "", 0
        self._open_files: list[str] = []

    def include(self, path: str) -> None:
        """Read one file; the origin and the last owner are then again what they were (RFC 1035 section 5.1)."""
        real = os.path.realpath(path)
        if real in self._open_files:
            raise RecordFault(f"$INCLUDE {path}: the file includes itself")
        if path not in self.found.sources:
            self.found.sources.append(path)
        plain, state = self._entries.plain, self._entries.state
        plain.tell_owner()
        outside = self._path, self._line, state.current_origin, state.last_name
        self._open_files.append(real)
        try:
            self._read_file(path)
        except OSError as exc:
            place = f"{outside[0]}:{outside[1]}: $INCLUDE " if outside[0] else ""
            self.found.faults.append(f"{place}{path}: cannot be read: {exc.strerror}")
        finally:
            self._open_files.pop()
            plain.tell_owner()
            self._path, self._line, state.current_origin, state.last_name = outside

    def _read_file(self, path: str) -> None:
        with open(path, "rb", opener=regular.opener) as octets:
            head = octets.read(otherfiles.HEAD)
        kind = otherfiles.of_zone_file(head) or othertexts.advice(head)
        if kind:
            self.found.faults.append(f"{path}: {kind}")
            return
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n", opener=regular.opener) as file:
            self._read_entries(path, file)

    def _read_entries(self, path: str, file: Iterable[str]) -> None:
        found, plain = self.found, self._entries.plain
        for line, text in lexer.cut(file, lambda number, lines: self._take_plain(path, number, lines)):
            record = self._known.get(text) or plain.record(text)
            if record is not None and (record.type != "SOA" or record.owner != self._apex):
                found.records.append(record)
                found.lines.append(path, line)
                continue
            self._path, self._line = path, line
            self._read_entry(text)

    def _read_entry(self, text: str) -> None:
        """Read an entry that is not plain; a fault in it is noted."""
        entry = text
        try:
            if text[:8].upper() == "$INCLUDE":
                self._include_as_told(text)
                return
            for entry in lexer.generated(text) if text[:9].upper() == "$GENERATE" else (text,):
                self._slow += 1
                if not self._entries.read(entry, self._path, self._line):
                    break
        except (dns.exception.DNSException, BackendError, ValueError) as exc:
            reason = slips.explained(entry, without_place(exc))
            self.found.faults.append(f"{self._path}:{self._line}: {reason}, in {_shown(text)}")

    def _take_plain(self, path: str, number: int, lines: Sequence[str]) -> bool:
        """Takes lines that are all plain."""
        self.hand_over()
        if self._progress is not None:
            self._progress(len(self.found.lines))
        columns = self._entries.plain.columns(lines)
        if columns is None:
            return False
        if self._stream is None:
            self.found.records += columns.records()
        elif not self.found.faults:
            self._stream.take(columns)
        self.found.lines.append(path, number, len(lines))
        return True

    def hand_over(self) -> None:
        """Gives the stream, if there is one, what was read line by line."""
        if self._stream is None:
            return
        if not self.found.faults:
            self._stream.take_single(self.found.records, self._slow)
        self.found.records.clear()
        self._slow = 0

    def _include_as_told(self, text: str) -> None:
        """``$INCLUDE file [origin]``."""
        tok = dns.tokenizer.Tokenizer(text)
        words = [token.value for token in tok.get_remaining()][1:]
        if len(words) not in (1, 2):
            raise RecordFault("must be written: $INCLUDE file [origin]")
        state = self._entries.state
        origin = state.current_origin
        if len(words) == 2:
            state.current_origin = dns.name.from_text(rdata.ascii_only(words[1]), origin)
        try:
            self.include(os.path.join(os.path.dirname(self._path), words[0]))
        finally:
            state.current_origin = origin


def _shown(text: str) -> str:
    first = text.partition("\n")[0].strip()
    return ascii(first if len(first) <= 60 else first[:57] + "...")
