"""Text that is given for a zone file and is in another language, told by how it begins."""

from __future__ import annotations

import re

__all__ = ["advice"]

# Each as no zone file begins, what it is, and what to do
_KINDS = [
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), kind, todo)
    for pattern, kind, todo in (
        (
            r"<(?:!--|(?:!doctype|\?xml|html|head|body|title|meta|main|div|table|pre|p|h1|center)\b)",
            "HTML or XML",
            "save the zone file, not the page that shows it",
        ),
        (r'[\[{]\s*["\[{}]', "JSON", "export the zone as a zone file"),
        (r"""---[ \t]*\r?\n|["']?[a-z0-9_][\w.*"'-]*:[ \t]*\r?$""", "YAML", "export the zone as a zone file"),
        (r"-----BEGIN ", "PEM or PGP, as keys are", "name the zone file"),
        (
            r'(?:zone\s+"[^"\n]*"[^\n{]*|options\s*|(?:acl|view|key)\s+\S+\s*)\{',
            "named.conf or a part of it",
            "name the file that is written behind file in it",
        ),
        (
            r"[.&=+@'^CZ:%-][a-z0-9*_.-]+:[^\s;]*[ \t]*\r?$",
            "the data file of tinydns",
            "save what dig @SERVER ZONE axfr prints, and name that",
        ),
    )
]
_COMMENTS = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)  # of named.conf and tinydns


def advice(head: bytes) -> str:
    """What a text that begins so is, if it is not a zone file, and what to do; "" if it may be one."""
    text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    start = _COMMENTS.match(text)
    assert start is not None
    found = next(((kind, todo) for pattern, kind, todo in _KINDS if pattern.match(text, start.end())), None)
    return f"the file is {found[0]}, not a zone file; {found[1]}" if found else ""
