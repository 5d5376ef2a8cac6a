"""The fields of which record content is made: octets to PowerDNS's text and back.

Each kind is a pair: ``read(octets, i)`` gives the text of the field at ``i`` and where the next one begins, and
``write(words)`` takes the words of a field off a list and gives its octets. Both raise RecordFault. What is read here
is what PowerDNS writes, which is more than RFCs allow; a zone file that a person wrote is read by ``rdata``.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from pipebackend.base.errors import NameFault, RecordFault
from pipebackend.dnsdata import charstrings, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[bytes, int], tuple[str, int]]
    Write = Callable[[list[str]], bytes]
    Field = tuple[Read, Write]

__all__ = ["FIELDS", "name_octets", "text_octets", "words"]

_NO_DATA = "there is no key or data, which PowerDNS cannot read"


def words(content: str, *, quotes: bool) -> list[str]:
    """The words of content; with ``quotes`` those that begin with a quote, alone or behind ``key=``, may hold spaces.

    Names have no quotes: PowerDNS writes one of their octets as it is.
    """
    if not quotes or '"' not in content:
        return content.split()
    found, start, i, is_quoted = [], 0, 0, False
    while i < len(content):
        if content[i] == "\\":
            i += 1
        elif content[i] == '"' and (is_quoted or i == start or content[i - 1] == "="):
            is_quoted = not is_quoted
        elif content[i] in " \t" and not is_quoted:
            found.append(content[start:i])
            start = i + 1
        i += 1
    if is_quoted:
        raise RecordFault("a quote that is never closed")
    return [word for word in (*found, content[start:]) if word]


def text_octets(word: str) -> bytes:
    """The octets that a word stands for, in quotes or not, of any length."""
    octets = word.encode("utf-8", "surrogateescape")
    found, end = charstrings.string_at(octets, 0)
    if end < len(octets):
        raise RecordFault(f"something follows the quotes in {word[:40]!r}")
    return found


def name_octets(word: str) -> bytes:
    """The octets of a name, its case kept (RFC 1035 section 3.1)."""
    try:
        return names.to_wire(names.spelling(word))
    except NameFault as exc:
        raise RecordFault(str(exc)) from None


def _taken(octets: bytes, i: int, count: int) -> bytes:
    if i + count > len(octets):
        raise RecordFault("the octets end too early")
    return octets[i : i + count]


def _word(found: list[str]) -> str:
    if not found:
        raise RecordFault("a field is missing")
    return found.pop(0)


def _number(count: int) -> Field:
    def read(octets: bytes, i: int) -> tuple[str, int]:
        return str(int.from_bytes(_taken(octets, i, count), "big")), i + count

    def write(found: list[str]) -> bytes:
        word = _word(found)
        if not (word.isascii() and word.isdigit()) or len(word) > 10 or int(word) >> 8 * count:
            raise RecordFault(f"{word[:40]!r} is not a number from 0 to {256**count - 1}")
        return int(word).to_bytes(count, "big")

    return read, write


def _read_name(octets: bytes, i: int) -> tuple[str, int]:
    labels = []
    while length := _taken(octets, i, 1)[0]:
        if length > names.MAX_LABEL_OCTETS:
            raise RecordFault("a name that is compressed, or broken")
        labels.append(_taken(octets, i + 1, length))
        i += 1 + length
    try:
        return names.from_labels(labels) or ".", i + 1
    except NameFault as exc:
        raise RecordFault(str(exc)) from None


def _read_string(octets: bytes, i: int) -> tuple[str, int]:
    length = _taken(octets, i, 1)[0]
    return charstrings.quoted(_taken(octets, i + 1, length)), i + 1 + length


def _write_string(found: list[str]) -> bytes:
    octets = text_octets(_word(found))
    if len(octets) > charstrings.MAX_STRING_OCTETS:
        raise RecordFault(f"a string of {len(octets)} octets; at most {charstrings.MAX_STRING_OCTETS} are allowed")
    return bytes((len(octets),)) + octets


def _read_strings(octets: bytes, i: int) -> tuple[str, int]:
    found = []
    while i < len(octets):
        string, i = _read_string(octets, i)
        found.append(string)
    if not found:
        raise RecordFault("at least one string is needed")
    return " ".join(found), i


def _write_strings(found: list[str]) -> bytes:
    """Longer strings in parts of 255 octets, as PowerDNS makes them."""
    if not found:
        return b"\0"  # as PowerDNS takes no string for an empty one
    parts = [part for word in found for part in charstrings.parts(text_octets(word))]
    found.clear()
    return b"".join(bytes((len(part),)) + part for part in parts)


def _read_text(octets: bytes, i: int) -> tuple[str, int]:
    """All that is left, without a length. An empty one in quotes: PowerDNS 4.7 writes none, and reads what it wrote as
    a text of one octet."""
    return charstrings.quoted(octets[i:]), len(octets)


def _write_text(found: list[str]) -> bytes:
    return text_octets(found.pop(0)) if found else b""


def _read_tag(octets: bytes, i: int) -> tuple[str, int]:
    """That of CAA (RFC 8659 section 4.1): not in quotes, so nothing but letters and digits can be read back."""
    length = _taken(octets, i, 1)[0]
    tag = _taken(octets, i + 1, length).decode("latin-1")
    if not (tag.isascii() and tag.isalnum()):
        raise RecordFault("a CAA tag must be of letters and digits (RFC 8659 section 4.1)")
    return tag, i + 1 + length


def _write_tag(found: list[str]) -> bytes:
    tag = _word(found)
    if not (tag.isascii() and tag.isalnum()) or len(tag) > charstrings.MAX_STRING_OCTETS:
        raise RecordFault(f"the CAA tag {tag[:40]!r} is not of letters and digits (RFC 8659 section 4.1)")
    return bytes((len(tag),)) + tag.encode()


def _read_hex(octets: bytes, i: int) -> tuple[str, int]:
    return octets[i:].hex() or "-", len(octets)


def _write_hex(found: list[str]) -> bytes:
    digits = "".join(found)
    found.clear()
    if not digits:
        raise RecordFault("a field is missing")
    return _unhexed("" if digits == "-" else digits)


def _unhexed(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise RecordFault(f"{digits[:40]!r} is not hexadecimal") from None


def _read_base64(octets: bytes, i: int) -> tuple[str, int]:
    if i == len(octets):
        raise RecordFault(_NO_DATA)
    return b2a_base64(octets[i:], newline=False).decode(), len(octets)


def _write_base64(found: list[str]) -> bytes:
    text = "".join(found)
    found.clear()
    if not text:
        raise RecordFault(_NO_DATA)
    try:
        return a2b_base64(text, strict_mode=True)
    except (Error, ValueError):
        raise RecordFault(f"{text[:40]!r} is not Base64") from None


def _address(is_ipv6: bool) -> Field:
    def read(octets: bytes, i: int) -> tuple[str, int]:
        from _socket import AF_INET, AF_INET6, inet_ntop

        count = 16 if is_ipv6 else 4
        return inet_ntop(AF_INET6 if is_ipv6 else AF_INET, _taken(octets, i, count)), i + count

    def write(found: list[str]) -> bytes:
        from _socket import AF_INET, AF_INET6, inet_pton

        word = _word(found)
        try:
            return inet_pton(AF_INET6 if is_ipv6 else AF_INET, word)
        except (OSError, ValueError):
            raise RecordFault(f"{word[:60]!r} is not an IPv{6 if is_ipv6 else 4} address") from None

    return read, write


def _grouped(count: int, size: int, separator: str, *, upper: bool) -> Field:
    """Octets in hexadecimal groups."""

    def read(octets: bytes, i: int) -> tuple[str, int]:
        text = _taken(octets, i, count).hex(separator, size)
        return text.upper() if upper else text, i + count

    def write(found: list[str]) -> bytes:
        word = _word(found)
        groups = word.split(separator)
        if len(groups) != count // size or not all(1 <= len(group) <= 2 * size for group in groups):
            raise RecordFault(f"{word[:40]!r} is not {count // size} groups of hexadecimal digits")
        return _unhexed("".join(group.rjust(2 * size, "0") for group in groups))

    return read, write


def _read_salt(octets: bytes, i: int) -> tuple[str, int]:
    length = _taken(octets, i, 1)[0]
    return _taken(octets, i + 1, length).hex() or "-", i + 1 + length


def _write_salt(found: list[str]) -> bytes:
    word = _word(found)
    octets = b"" if word == "-" else _unhexed(word)
    if len(octets) > charstrings.MAX_STRING_OCTETS:
        raise RecordFault(f"a salt of {len(octets)} octets; at most {charstrings.MAX_STRING_OCTETS} are allowed")
    return bytes((len(octets),)) + octets


FIELDS: dict[str, Field] = {
    "u8": _number(1),
    "u16": _number(2),
    "u32": _number(4),
    "name": (_read_name, lambda found: name_octets(_word(found))),
    "string": (_read_string, _write_string),
    "strings": (_read_strings, _write_strings),
    "text": (_read_text, _write_text),
    "tag": (_read_tag, _write_tag),
    "hex": (_read_hex, _write_hex),
    "base64": (_read_base64, _write_base64),
    "ipv4": _address(False),
    "ipv6": _address(True),
    "eui48": _grouped(6, 1, "-", upper=False),
    "eui64": _grouped(8, 1, "-", upper=False),
    "node": _grouped(8, 2, ":", upper=True),
    "salt": (_read_salt, _write_salt),
}
