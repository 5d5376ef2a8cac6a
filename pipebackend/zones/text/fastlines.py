"""The lines that make up most of a large zone file, read without dnspython: a record of a common type, with its owner.

    www 300 IN A 192.0.2.1

What is not exactly so, an error included, is left to dnspython, which takes thirty times as long. Lines come in blocks:
what is done to a column of many lines at once costs a third of the same, line by line.
"""

from __future__ import annotations

import re
import sys
from itertools import repeat
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, Any

from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.dnsdata.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dns.name
    import dns.zonefile

__all__ = ["Columns", "PlainLines"]

# Possessive: nothing in here could match in another way, and trying takes most of the time. \w and \d take longer.
_NAME = r"[A-Za-z0-9_*-]{1,63}+(?:\.[A-Za-z0-9_*-]{1,63}+)*+\.?"
_CONTENT = r"[!-~]++(?:[ \t]++[!-~]++)*+"
_RECORD = rf"({_NAME}|@)[ \t]++(?:([0-9]{{1,9}}+)[ \t]++)?+(?:IN[ \t]++)?+([A-Z]++)[ \t]++({_CONTENT})[ \t]*+"
_LINE = re.compile(_RECORD, re.ASCII)
_EACH_LINE = re.compile(rf"{_RECORD}\r?\n|.*\n", re.ASCII)
_TARGET = re.compile(rf"{_NAME}|@", re.ASCII)
_PREFERENCE = re.compile(rf"(0|[1-9]\d{{0,4}})[ \t]+({_NAME}|@)", re.ASCII)
_OCTET = r"(?:1[0-9]{2}|2(?:[0-4][0-9]|5[0-5])|[1-9]?[0-9])"
_QUOTED = r'"[ !#-\[\]-~]{0,255}"'
_STRING = re.compile(_QUOTED)
_PART = re.compile(rf"{_QUOTED}|[!#-'*-:<-\[\]-~]{{1,255}}")  # quoted or not, without escapes, comments, parentheses
_PARTS = re.compile(rf"(?:{_PART.pattern})(?:[ \t]+(?:{_PART.pattern}))*")
_SAME = {  # contents that stay as they are written, each with the end of a line
    "A": re.compile(rf"(?:{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\n)++"),
    "TXT": re.compile(rf"(?:{_QUOTED}\n)++"),
}
_MAX_TEXT = 65_535  # octets of rdata, which are no more than the characters that write them
_MAX_CHARS = 253  # of a name without escapes (RFC 1035 section 2.3.4)


class Columns(Value):
    """The fields of many records: to make a record of each takes as long as to read it."""

    owners: Sequence[str]
    types: Sequence[str]
    ttls: Sequence[int]
    contents: Sequence[str]

    @classmethod
    def of(cls, records: Sequence[Record]) -> Columns:
        """Of records that there are."""
        return cls(*list(zip(*records, strict=True))[:4])

    def records(self) -> list[Record]:
        """The records."""
        fields = zip(*self, repeat(True), repeat(0))  # the rest is what a record has by itself
        return list(map(tuple.__new__, repeat(Record), fields))


class PlainLines:
    """The plain lines of one zone; what they and dnspython's reader must know of each other is kept in the reader."""

    def __init__(self, reader: dns.zonefile.Reader, spelled: str) -> None:
        self._reader = reader
        self._apex = spelled.lower()
        self._origin: dns.name.Name | None = None
        self._origin_text = ""
        self._is_origin_inside = False
        self._room = 0  # for the text of a name below the origin, if those are in the zone
        self._last_owner: str | None = None  # what the reader has not been told yet
        self._contents: dict[str, Callable[[str], str | None]] = {
            "A": lambda text: _address(AF_INET, text),
            "AAAA": lambda text: _address(AF_INET6, text),
            "CNAME": self._target,
            "MX": self._exchange,
            "NS": self._target,
            "PTR": self._target,
            "TXT": _strings,
        }

    def record(self, text: str) -> Record | None:
        """The record of an entry; None if it is not plain, or not in the zone."""
        found = _LINE.fullmatch(text)
        if found is None:
            return None
        owner_text, ttl_text, type_, rest = found.groups()
        read = self._contents.get(type_)
        if read is None:
            return None
        reader = self._reader
        if reader.current_origin is not self._origin:
            self._take_origin()
        owner = self._owner(owner_text)
        content = read(rest) if owner is not None else None
        ttl = int(ttl_text) if ttl_text is not None else self._default_ttl()
        if owner is None or content is None or ttl is None:
            return None
        if ttl_text is not None:
            reader.last_ttl, reader.last_ttl_known = ttl, True
        self._last_owner = owner
        return Record(owner, type_, ttl, content)

    def columns(self, lines: Sequence[str]) -> Columns | None:
        """The records of lines, a record each; None if one of them is not plain, or not in the zone."""
        if lines[-1][-1] != "\n":
            return None
        owners, ttl_texts, types, rests = zip(*_EACH_LINE.findall("".join(lines)), strict=True)
        if "" in owners or not self._contents.keys() >= set(types):
            return None
        if self._reader.current_origin is not self._origin:
            self._take_origin()
        ttls = {ttl: int(ttl) if ttl else self._default_ttl() for ttl in set(ttl_texts)}
        found = self._owners(owners)
        contents = self._each_content(types, rests)
        if None in found or None in contents or None in ttls.values():
            return None
        told = next(filter(None, reversed(ttl_texts)), None)
        if told is not None:
            self._reader.last_ttl, self._reader.last_ttl_known = int(told), True
        self._last_owner = found[-1]
        columns: Any = (found, list(map(sys.intern, types)), list(map(ttls.__getitem__, ttl_texts)), contents)
        return Columns(*columns)

    def tell_owner(self) -> None:
        """Before the reader goes on: a line without an owner has that of the line before (RFC 1035 section 5.1)."""
        if self._last_owner is not None:
            import dns.name

            self._reader.last_name = dns.name.Name([*names.labels(self._last_owner), b""])
            self._last_owner = None

    def _default_ttl(self) -> int | None:
        """That of $TTL (RFC 2308 section 4); without it there are more rules, which dnspython knows."""
        reader = self._reader
        return reader.default_ttl if reader.default_ttl_known and not reader.default_ttl_from_soa else None

    def _take_origin(self) -> None:
        self._origin = self._reader.current_origin
        assert self._origin is not None
        self._origin_text = names.from_labels(self._origin.labels[:-1])
        self._is_origin_inside = names.is_below(self._origin_text.lower(), self._apex)
        is_suffix = self._is_origin_inside and self._origin_text
        self._room = _MAX_CHARS - len(self._origin_text) - 1 if is_suffix else 0

    def _absolute(self, text: str) -> str | None:
        if text == "@":
            return self._origin_text
        name = text[:-1] if text[-1] == "." else f"{text}.{self._origin_text}" if self._origin_text else text
        return name if len(name) <= _MAX_CHARS else None

    def _owner(self, text: str) -> str | None:
        """The owner; None if it is too long, or not in the zone."""
        name = self._absolute(text)
        if name is None or text[-1] != ".":
            return name if self._is_origin_inside else None
        return name if names.is_below(name.lower(), self._apex) else None

    def _owners(self, texts: Sequence[str]) -> Sequence[str | None]:
        """As ``_owner`` for each."""
        if max(map(len, texts)) > self._room:
            return [self._owner(text) for text in texts]
        return [self._owner(text) if text[-1] in ".@" else f"{text}.{self._origin_text}" for text in texts]

    def _each_content(self, types: Sequence[str], texts: Sequence[str]) -> Sequence[str | None]:
        """The contents, None where one is not plain."""
        kinds = set(types)
        if kinds <= _SAME.keys() and all(_SAME[kind].fullmatch(_joined(kind, types, texts)) for kind in kinds):
            return texts
        return [self._contents[type_](text) for type_, text in zip(types, texts, strict=True)]

    def _target(self, text: str) -> str | None:
        name = self._absolute(text) if _TARGET.fullmatch(text) else None
        return name if name is None else name or "."

    def _exchange(self, text: str) -> str | None:
        found = _PREFERENCE.fullmatch(text)
        target = self._target(found[2]) if found and int(found[1]) < 2**16 else None
        return f"{found[1]} {target}" if found and target is not None else None


def _joined(kind: str, types: Sequence[str], texts: Sequence[str]) -> str:
    chosen = (
        texts if types.count(kind) == len(types) else [text for t, text in zip(types, texts, strict=True) if t == kind]
    )
    return "\n".join((*chosen, ""))


def _strings(text: str) -> str | None:
    """Character strings, each in quotes, with a space between them (RFC 1035 section 3.3.14)."""
    if _STRING.fullmatch(text):
        return text
    if len(text) >= _MAX_TEXT or not _PARTS.fullmatch(text):
        return None
    return " ".join([part if part[0] == '"' else f'"{part}"' for part in _PART.findall(text)])


def _address(family: int, text: str) -> str | None:
    try:
        return text if inet_ntop(family, inet_pton(family, text)) == text else None
    except (OSError, ValueError):
        return None
