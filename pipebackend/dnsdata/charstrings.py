"""Character strings (RFC 1035 sections 3.3 and 5.1): octets, and the text of TXT and its like."""

from __future__ import annotations

from pipebackend.base.errors import RecordFault

__all__ = ["MAX_STRING_OCTETS", "character_strings", "parts", "quoted", "string_at", "txt_content"]

MAX_STRING_OCTETS = 255  # RFC 1035 section 3.3


def txt_content(value: str) -> str:
    """One text of any length as TXT content: UTF-8, quoted, in strings of 255 octets at most (RFC 1035 section 3.3)."""
    if len(value) <= MAX_STRING_OCTETS and _needs_no_escape(value):
        return f'"{value}"'
    return " ".join(map(quoted, parts(value.encode("utf-8", "surrogateescape"))))


def parts(octets: bytes) -> list[bytes]:
    """The octets as character strings: one, or as many of 255 octets as are needed, where PowerDNS cuts, too."""
    if len(octets) <= MAX_STRING_OCTETS:
        return [octets]
    return [octets[i : i + MAX_STRING_OCTETS] for i in range(0, len(octets), MAX_STRING_OCTETS)]


def quoted(octets: bytes) -> str:
    """A character string (RFC 1035 section 5.1) in quotes, all outside printable ASCII as \\DDD."""
    text = octets.decode("latin-1")
    if _needs_no_escape(text):
        return f'"{text}"'
    return '"' + "".join(map(_string_octet, octets)) + '"'


def character_strings(text: str) -> list[bytes]:
    """The character strings written in ``text``, quoted or not (RFC 1035 section 5.1); raises RecordFault.

    Longer ones are cut as PowerDNS cuts them.
    """
    octets = text.encode("utf-8", "surrogateescape")
    strings: list[bytes] = []
    i = 0
    while i < len(octets):
        if octets[i] in b" \t":
            i += 1
            continue
        string, i = string_at(octets, i)
        strings += parts(string)
    if not strings:
        raise RecordFault("at least one string is needed")
    return strings


def string_at(octets: bytes, i: int) -> tuple[bytes, int]:
    """The string that starts at ``i``, and where it ends."""
    ends_at = b'"' if octets[i : i + 1] == b'"' else b" \t"
    string = bytearray()
    i += ends_at == b'"'
    while i < len(octets) and octets[i] not in ends_at:
        if octets[i] != 0x5C:
            string.append(octets[i])
            i += 1
            continue
        digits = octets[i + 1 : i + 4]
        if len(digits) == 3 and digits.isdigit() and int(digits) < 256:
            string.append(int(digits))
            i += 4
        elif digits and not digits[:1].isdigit():
            string.append(digits[0])
            i += 2
        else:
            raise RecordFault("a backslash that escapes nothing; write a backslash as \\\\")
    if ends_at == b'"':
        if i >= len(octets):
            raise RecordFault("a quote that is never closed")
        i += 1
    return bytes(string), i


def _needs_no_escape(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _string_octet(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
