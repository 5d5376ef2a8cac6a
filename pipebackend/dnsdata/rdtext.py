"""Record content as PowerDNS writes it: octets to text and back, for each type that 4.7 to 5.1 know by name.

PowerDNS compares content as text: prerequisites and deletions by value of a DNS UPDATE, and ``pdnsutil check-zone``. So
what is kept must be its text to the letter. A version's own way is its ``versions.Dialect``; which text came from which
server is seen by hand in the tests, against a real one.
"""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import charstrings, rdparams, rdplaces
from pipebackend.dnsdata.rdfields import FIELDS, text_octets, words
from pipebackend.dnsdata.typetable import NAMES, TYPES, demanded_number, number_of, type_of
from pipebackend.dnsdata.versions import NEW, OLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.dnsdata.versions import Dialect

__all__ = [
    "code",
    "demand_readable",
    "kept",
    "octets_of",
    "on_one_line",
    "own",
    "text_of",
]

_QUOTING = frozenset(("string", "strings", "text", "params"))


def text_of(number: int, octets: bytes, dialect: Dialect = OLD, spelled: Callable[[str], str] | None = None) -> str:
    """The content of a type in this dialect; raises RecordFault where there is no text that PowerDNS could read.

    ``spelled`` writes names in another way.
    """
    type_ = type_of(number, dialect)
    if type_ not in TYPES:
        return f"\\# {len(octets)} {octets.hex()}" if octets else dialect.no_octets
    found, i = [], 0
    for field in TYPES[type_][1].split():
        if field in FIELDS:
            text, i = FIELDS[field][0](octets, i)
        else:
            text, i = _read_special(field, octets, i, dialect, spelled)
        found.append(spelled(text) if spelled is not None and field == "name" else text)
    if i != len(octets):
        raise RecordFault(f"{len(octets) - i} octets are left over")
    return " ".join(found) if found[-1] else " ".join(found[:-1])  # no types, or no parameters


def octets_of(type_: str, content: str) -> bytes:
    """The octets that content stands for, in whichever version's words; raises RecordFault."""
    if content[:2] == "\\#":
        return _generic_octets(content)
    if type_ not in TYPES:
        number = number_of(type_)
        name = None if number is None else NAMES.get(number)
        if name is None:
            raise RecordFault(f"{type_} is not known by name: its content is written \\# length hexadecimal (RFC 3597)")
        type_ = name
    fields = TYPES[type_][1].split()
    found = words(content, quotes=not _QUOTING.isdisjoint(fields))
    octets = b""
    for field in fields:
        octets += FIELDS[field][1](found) if field in FIELDS else _write_special(field, found)
    if found:
        raise RecordFault(f"{' '.join(found)[:60]!r} is too much")
    return octets


def demand_readable(type_: str, content: str) -> bytes | None:
    """The octets that PowerDNS reads; None where they are its to make, of code and of hints that it fills in.

    Raises RecordFault for what it cannot read.
    """
    if type_ == "LUA":
        code(content)
        return None
    if type_ in ("SVCB", "HTTPS") and any(f" {key}hint=auto" in content for key in ("ipv4", "ipv6")):
        return None
    return octets_of(type_, content)


def own(type_: str, content: str, dialect: Dialect) -> tuple[str, str]:
    """The type and content as PowerDNS of this dialect writes what stands in the words of any; raises RecordFault."""
    if type_ == "LUA":
        return type_, code(content)
    number = number_of(type_)
    if number is None:
        raise RecordFault(f"there is no type {type_}")
    return type_of(number, dialect), text_of(number, octets_of(type_, content), dialect)


def kept(type_: str, content: str, dialect: Dialect) -> tuple[str, str]:
    """The type and content to keep of a record that PowerDNS handed over, to be given back with the same octets.

    What a version writes itself stays as it is. Other content, which pdnsutil load-zone lets through, gets the form of
    this dialect; so does what PowerDNS writes and cannot read again. What we cannot read stays as it is, too; raises
    RecordFault for what no answer could carry.
    """
    if type_ == "LUA":
        return type_, code(content)
    if dialect is NEW:  # 5.1 writes the missing value of an unknown key as one of two quotes, and would serve that
        content = content.replace('="\\"\\""', '=""') if type_ in ("SVCB", "HTTPS") else content
    number = number_of(type_)
    if number is None:
        raise RecordFault(f"there is no type {type_}")
    try:
        octets = octets_of(type_, content)
        text = text_of(number, octets, dialect)
    except RecordFault:
        if not content.isascii() or not content.isprintable() or "strings" in TYPES.get(type_, (0, ""))[1]:
            raise
        return type_, content
    if any(_is_own(type_, number, content, octets, other) for other in (OLD, NEW)):
        return type_, content
    return type_of(number, dialect), text


def _is_own(type_: str, number: int, content: str, octets: bytes, dialect: Dialect) -> bool:
    """Whether a version writes these octets so; 5.1 has no text for some, under keys that 4.7 does not know."""
    try:
        return (type_, content) == (type_of(number, dialect), text_of(number, octets, dialect))
    except RecordFault:
        return False


def code(content: str) -> str:
    """LUA content: a type and code in quotes, of any length and with ends of lines; raises RecordFault.

    PowerDNS runs the text as it stands, with a space between strings. Those that were cut at 255 octets, by a transfer
    or by earlier releases of this program, are joined: the space would be in the middle of a word.
    """
    made, _, rest = content.strip().partition(" ")
    found: list[str] = []
    is_cut = False
    for string in words(rest.strip(), quotes=True):
        inside = string[1:-1] if string[0] == '"' else string
        if is_cut:
            found[-1] += inside
        else:
            found.append(inside)
        is_cut = _length(inside) == charstrings.MAX_STRING_OCTETS
    if not found or number_of(made) is None:
        raise RecordFault('LUA is written: LUA A "code"')
    return " ".join([made, *(f'"{_ascii(inside)}"' for inside in found)])


def on_one_line(content: str) -> str | None:
    """LUA content without ends of lines, which are space to Lua; None if they may end a comment, or are in a string."""
    if "\n" not in content:
        return content
    return None if "--" in content or "[[" in content else content.replace("\n", " ")


def _length(inside: str) -> int:
    try:
        return len(text_octets(f'"{inside}"'))
    except RecordFault:  # an escape that is Lua's
        return 0


def _ascii(inside: str) -> str:
    """Lua reads \\DDD in its strings, and so nothing else need be done to letters outside ASCII."""
    if inside.isascii() and inside.isprintable():
        return inside
    octets = inside.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if 0x20 <= octet < 0x7F or octet in b"\t\n" else f"\\{octet:03d}" for octet in octets)


def _generic_octets(content: str) -> bytes:
    _, _, rest = content.partition(" ")
    length, _, digits = rest.strip().partition(" ")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise RecordFault(f"{digits[:40]!r} is not hexadecimal") from None
    if not length.isascii() or not length.isdigit() or int(length) != len(octets):
        raise RecordFault(f"{length[:40]!r} octets were announced, {len(octets)} follow")
    return octets


def _read_special(
    field: str, octets: bytes, i: int, dialect: Dialect, spelled: Callable[[str], str] | None
) -> tuple[str, int]:
    if field == "type":
        return type_of(int.from_bytes(octets[i : i + 2], "big"), dialect), i + 2
    if field == "types":
        return rdplaces.types_text(octets[i:], lambda number: type_of(number, dialect)), len(octets)
    if field == "params":
        return rdparams.text(octets[i:], dialect), len(octets)
    if field == "place":
        return rdplaces.place_text(octets, rounds=dialect.rounds, wraps=dialect.wraps), len(octets)
    if field == "prefixes":
        return rdplaces.prefixes_text(octets), len(octets)
    if field == "gateway":
        return rdplaces.gateway_text(octets, spelled), len(octets)
    if field == "time":
        return rdplaces.time_text(int.from_bytes(octets[i : i + 4], "big")), i + 4
    return rdplaces.hash_text(octets, i)


def _write_special(field: str, found: list[str]) -> bytes:
    if field == "types":
        octets = rdplaces.types_octets([demanded_number(word) for word in found])
    elif field == "params":
        octets = rdparams.octets(found)
    elif field == "place":
        octets = rdplaces.place_octets(found)
    elif field == "prefixes":
        octets = rdplaces.prefixes_octets(found)
    elif field == "gateway":
        octets = rdplaces.gateway_octets(found)
    else:
        if not found:
            raise RecordFault("a field is missing")
        word = found.pop(0)
        if field == "type":
            return demanded_number(word).to_bytes(2, "big")
        return rdplaces.time_octets(word) if field == "time" else rdplaces.hash_octets(word)
    found.clear()
    return octets
