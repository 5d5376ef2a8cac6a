"""Which compiled file a zone of the configuration has, and what decides that it is current."""

from __future__ import annotations

import os
from binascii import crc32

from pipebackend.base.values import Value
from pipebackend.zones.compiled import fingerprints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.config.configuration import Section

__all__ = ["FOLDER", "Target", "size_of"]

FOLDER = ".pipebackend"
_FORMAT = "pipebackend zone 5"  # of compiled files; one of another format is made again
_OCTETS_PER_SECOND = {"table": 2_000_000, "file": 500_000}  # for telling how long it may take


class Target(Value):
    """One zone of a configuration, as a compiled file would have it; ``config`` is the configuration's path."""

    config: str
    apex: str
    ident: int
    kind: str
    path: str
    decides: str
    source: str
    powerdns: str  # its version, which decides on the words of some records

    @classmethod
    def of(cls, section: Section, apex: str, ident: int) -> Target:
        """What a section of the configuration describes; nothing of it is checked here."""
        config, table = section.config, section.table
        plain = "".join(c if c.isalnum() or c in ".-_" else "_" for c in apex[:80]) or "root"
        mark = crc32(f"{config.path}\n{apex}".encode("utf-8", "surrogateescape"))
        path = os.path.join(config.folder, FOLDER, f"{plain}.{mark:08x}.mdb")
        kind, source = str(table.get("kind")), os.path.join(config.folder, str(table.get("file")))
        # The serial of a table is the configuration's time, if that is the newest (zones.apex.serial_of)
        timed = kind == "table" and not _has_serial(table.get("soa"))
        changed = [time // 10**9 for _, time, *_ in fingerprints.of([config.path])] if timed else []
        powerdns = str(config.table.get("powerdns", ""))
        decides = f"{_FORMAT} {apex!r} {ident} {changed} {powerdns} {table!r}"
        return cls(config.path, apex, ident, kind, path, decides, source, powerdns)

    @property
    def seconds(self) -> int:
        """About how long it takes to compile the zone."""
        return 2 + max(size_of(self.source), 0) // _OCTETS_PER_SECOND[self.kind]


def _has_serial(soa: object) -> bool:
    return isinstance(soa, dict) and bool(soa.get("serial"))


def size_of(path: str) -> int:
    return fingerprints.of([path])[0][2] if path else -1
