"""Files that are given for a zone file or a table and are something else, told by their first octets."""

from __future__ import annotations

__all__ = ["HEAD", "UTF16_MARKS", "of_table", "of_zone_file"]

HEAD = 512  # octets to look at
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_AS_TEXT, _AS_UTF8, _AS_CSV = "save it as plain text", "save it as UTF-8", "save the sheet as CSV in UTF-8"
# What the file is, and how a zone file is made of it
_MARKS = {
    b"\x1f\x8b": ("compressed by gzip", "gunzip it"),
    b"BZh": ("compressed by bzip2", "bunzip2 it"),
    b"\xfd7zXZ": ("compressed by xz", "unxz it"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unzstd it"),
    b"PK\x03\x04": ("a ZIP archive", "unzip it"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("a document of Microsoft Office", _AS_TEXT),
    b"%PDF-": ("a PDF document", _AS_TEXT),
    b"{\\rtf": ("rich text (RTF)", _AS_TEXT),
    b"\0\0\0\x02": ("of BIND's raw format", "run named-compilezone -f raw -F text -o NEW ZONE FILE"),
    b"\0\0\0\x03": ("of BIND's map format", "run named-compilezone -f map -F text -o NEW ZONE FILE of BIND 9.18"),
    b"SQLite format 3\0": ("an SQLite database", "name it as the store"),
}
# And a table, where that is another way
_OF_TABLES = {
    b"PK\x03\x04": ("a workbook or another ZIP archive", _AS_CSV),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("a document of Microsoft Office", _AS_CSV),
    b"SQLite format 3\0": ("an SQLite database", "export the table as CSV"),
}
_TAR = slice(257, 262)
_CONTROLS = bytes(octet for octet in range(32) if octet not in b"\t\n\v\f\r")


def of_zone_file(head: bytes) -> str:
    """What a file that begins so is, if it is not a zone file, and what to do; "" if it may be one."""
    return _said(head, "zone file", _MARKS)


def of_table(head: bytes) -> str:
    """The same for a table, which may be UTF-16."""
    is_utf16 = head.startswith(UTF16_MARKS) and not head.startswith(_UTF32_MARKS)
    return "" if is_utf16 else _said(head, "table", _MARKS | _OF_TABLES)


def _said(head: bytes, wanted: str, marks: dict[bytes, tuple[str, str]]) -> str:
    found = next((said for start, said in marks.items() if head.startswith(start)), None) or _by_its_octets(head)
    return f"the file is {found[0]}, not a {wanted}; {found[1]}" if found else ""


def _by_its_octets(head: bytes) -> tuple[str, str] | None:
    if head[_TAR] == b"ustar":
        return "a tar archive", "unpack it with tar -xf"
    if head.startswith(_UTF32_MARKS):
        return "UTF-32", _AS_UTF8
    if head.startswith(UTF16_MARKS) or _is_every_other_nul(head[:16]):
        return "UTF-16", _AS_UTF8
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return ("binary", "name the one that is text") if controls * 10 > len(head) else None


def _is_every_other_nul(octets: bytes) -> bool:
    """Whether this is text in UTF-16 without the mark in front."""
    even, odd = octets[::2], octets[1::2]
    return len(octets) > 1 and (not even.strip(b"\0")) != (not odd.strip(b"\0"))
