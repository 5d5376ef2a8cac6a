"""The line of the configuration file that a table or a key of it stands in, for messages about it."""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_PART = re.compile(r"(\w+)(?:\[(\d+)\])?")


def line_of(path: str, place: str, key: str) -> int:
    """The line of ``key`` in the table at ``place``, as in ``zone[2].soa``, else that of the table; 0 if not found."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:  # the built-in configuration has none
        return 0
    start, end, header = 0, len(lines), ""
    for name, number in _PART.findall(place):
        header = f"{header}.{name}".lstrip(".")
        found = [index for index in range(start, end) if _is_header(lines[index], header, "[[" if number else "[")]
        if len(found) <= int(number or 0):  # an inline table
            return _line_of_key(lines, start, name) or start
        start = found[int(number or 0)] + 1
        following = [index for index in found if index >= start]
        end = following[0] if following else end
    return _line_of_key(lines, start, key) or start


def _is_header(line: str, name: str, opening: str) -> bool:
    found = _HEADER.match(line)
    return found is not None and found[1] == opening and found[2].replace('"', "") == name


def _line_of_key(lines: list[str], start: int, key: str) -> int:
    """Before the next table begins."""
    for index in range(start, len(lines) if key else start):
        if _HEADER.match(lines[index]):
            break
        if re.match(rf"\s*[\"\']?{re.escape(key)}[\"\']?\s*[=.]", lines[index]):
            return index + 1
    return 0
