"""Rows of ``records`` whose cells are not of the types that their columns have, read as PowerDNS's gsqlite3 reads them.

SQLite keeps any value in any column. gsqlite3 takes each for text: one that is empty is a default, a number ends where
its digits do, and a priority is put before the content with a space. A row whose TTL is not a number it leaves out.
"""

from __future__ import annotations

from pipebackend.base import logs
from pipebackend.base.errors import NameFault, RecordFault
from pipebackend.dnsdata import names, rdtext
from pipebackend.dnsdata.records import MAX_TTL, PRIORITY_TYPES, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    Cell = str | bytes | int | float | None

__all__ = ["MAY_BE_EMPTY", "examined", "served", "text"]

_DEFAULT_TTL = 3600  # PowerDNS's default-ttl, for rows that have none
_LARGEST_TTL = 2**32 - 1  # PowerDNS's type of a TTL
_MAX_NUMBER_CHARS = 20


class _NotServed(RecordFault):
    """Of a row that gsqlite3 leaves out."""


# APL may have no prefixes (RFC 3123 section 4), and PowerDNS takes HINFO without any for two empty strings; the others
# without data are kept, and told to nobody (``answerable``)
MAY_BE_EMPTY = frozenset(("APL", "BRID", "DHCID", "HHIT", "HINFO", "OPENPGPKEY"))


def served(owner: Cell, type_: Cell, ttl: Cell, prio: Cell, content: Cell, auth: Cell) -> Record | None:
    """The record of a row, fit for the wire, None if gsqlite3 leaves it out; RecordFault where it fails."""
    try:
        return _record(_name(text(owner)), text(type_), text(ttl), text(prio), text(content), auth)
    except _NotServed as exc:
        logs.once(str(exc), f"{exc}: the record is not served")
        return None


def examined(owner: Cell, type_: Cell, ttl: Cell, prio: Cell, content: Cell, auth: Cell) -> Record | RecordFault:
    """The record of a row that is right, else what is wrong with it."""
    name = _name(text(owner))
    try:
        record = _record(name, text(type_), text(ttl), text(prio), text(content), auth)
    except RecordFault as exc:
        return exc
    try:
        if name != owner:
            raise RecordFault("PowerDNS does not find this name: it is to be text, with octets beside ASCII as \\DDD")
        if names.from_text(record.owner) != record.owner.lower():
            raise RecordFault("PowerDNS does not find this name: it is to be in lower case, without a dot at the end")
        rdtext.demand_readable(record.type, record.content)
    except (NameFault, RecordFault) as exc:
        return RecordFault(f"{record.owner or '.'} {record.type} {_shown(record.content)}: {exc}")
    return record


def _record(name: str, type_: str, ttl: str, prio: str, content: str, auth: Cell) -> Record:
    kind = type_.upper()  # PowerDNS knows types in any case
    try:
        if not (kind.isascii() and kind.replace("-", "").isalnum()):
            raise RecordFault("there is no such type")
        line = _line(f"{prio} {content}" if kind in PRIORITY_TYPES else content, kind)
        if not line and kind not in MAY_BE_EMPTY:
            raise RecordFault("the content is empty")
        if kind in PRIORITY_TYPES and " " not in line:
            raise RecordFault(f"{_shown(line)} is not a priority and what follows it")
        return Record(name, kind, _ttl(ttl), line, auth is None or auth is True or text(auth)[:1] == "1")
    except RecordFault as exc:
        raise type(exc)(f"{name or '.'} {kind}: {exc}") from None


def _name(words: str) -> str:
    """An owner in printable ASCII: a transfer has it as PowerDNS reads its octets, and no question finds it."""
    if words.isascii() and words.isprintable():
        return words
    return "".join(letter if letter.isascii() and letter.isprintable() else _escaped(letter) for letter in words)


def _escaped(letter: str) -> str:
    """Its octets as \\DDD."""
    return "".join(f"\\{octet:03d}" for octet in letter.encode("utf-8", "surrogateescape"))


def text(cell: Cell) -> str:
    """The cell as SQLite gives it to who asks for text; NULL is empty."""
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "surrogateescape")
    return str(cell)


def _ttl(cell: str) -> int:
    if not cell:
        return _DEFAULT_TTL
    number = cell.lstrip()
    digits = number[: len(number) - len(number.lstrip("0123456789"))][:_MAX_NUMBER_CHARS]
    if not digits or int(digits) > _LARGEST_TTL:
        raise _NotServed(f"the ttl {_shown(cell)} is not a number from 0 to {MAX_TTL}")
    return int(digits) if int(digits) <= MAX_TTL else 0  # RFC 2181 section 8


def _line(words: str, kind: str) -> str:
    """Content in printable ASCII: octets that are not so are \\DDD, which stands for the same."""
    if words.isascii() and words.isprintable():
        return words.strip(" ")
    found, is_quoted, is_escaped = [], False, False
    for letter in words:
        if letter.isascii() and letter.isprintable():
            found.append(letter)
        elif letter in "\t\r\n" and not is_quoted:
            found.append(" ")
        elif kind == "LUA" and letter in "\t\n":
            found.append(letter)  # code may have lines
        else:
            found.append(_escaped(letter))
        is_quoted ^= letter == '"' and not is_escaped
        is_escaped = letter == "\\" and not is_escaped
    return "".join(found).strip(" ")


def _shown(content: str) -> str:
    """Content for a message."""
    return ascii(content if len(content) <= 60 else content[:57] + "...")
