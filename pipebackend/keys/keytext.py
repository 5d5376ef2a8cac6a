"""The text of a key file, however an editor saved it, and whether it is of a TSIG key."""

from __future__ import annotations

import re

from pipebackend.base.errors import KeyFault

__all__ = ["is_tsig", "read"]

_MAX_OCTETS = 200_000  # more than any reader of keys takes: they say what is wrong with it
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TSIG = re.compile(
    r"^\s*(?:key\s+\S+\s*\{|key:|[^;#\n]*\sKEY\s+\d+\s+3\s+(?:157|158|159|16[1-5])\s)|^[^;#\n]*\bhmac-(?:md5|sha\d)",
    re.MULTILINE | re.IGNORECASE,
)


def read(path: str, wanted: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark, or in UTF-16; KeyFault says what is wanted."""
    try:
        with open(path, "rb") as file:
            octets = file.read(_MAX_OCTETS)
    except OSError as exc:
        raise KeyFault(f"{path}: cannot be read: {exc.strerror}; {wanted}") from exc
    except ValueError:  # a NUL in the path
        raise KeyFault(f"{path!r}: is not the name of a file; {wanted}") from None
    try:
        return octets.decode("utf-16" if octets[:2] in _UTF_16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise KeyFault(f"{path}: is not text; {wanted}") from None


def is_tsig(text: str) -> bool:
    """Whether ``text`` looks like a TSIG key of named.conf, knot.conf or nsd.conf, a KEY record, or PowerDNS's line."""
    return "Private-key-format" not in text and _TSIG.search(text) is not None
