"""The entries of a zone file (RFC 1035 section 5.1): text cut where one ends, and what $GENERATE writes out."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from pipebackend.base.errors import RecordFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["cut", "generated"]

BLOCK = 200  # lines that are offered at once; when one of them is not plain, they are read one by one
MAX_GENERATED = 1_000_000  # a slip of the finger must not fill the memory
MAX_WIDTH = 127  # of a number in $GENERATE, as in BIND
_MARKS = re.compile(r'\\.|"(?:[^"\\]|\\.)*"?|;.*|[()]')
_RANGE = re.compile(r"(\d+)-(\d+)(?:/(\d+))?", re.ASCII)
_DOLLAR = re.compile(r"\\.|\$\$|\$(?:\{([^}]*)\})?")
_MODIFIER = re.compile(r"([+-]?\d+)(?:,(\d+)(?:,([doxXnN]))?)?", re.ASCII)


def cut(
    lines: Iterable[str], takes: Callable[[int, Sequence[str]], bool] = lambda number, block: False
) -> Iterator[tuple[int, str]]:
    """The entries, each with the number of its first line; empty lines and comments are left out.

    A parenthesis that is never closed ends its entry at the next line that opens one without being indented, or at
    the end of the file: the entry is then its first line alone, and reading goes on at the next line that is not
    indented, so that one slip does not hide the errors after it.

    ``takes`` is offered lines where an entry begins, with the number of the first, and says whether it took them.
    """
    coming = _Lines(lines, takes)
    ahead = coming.ahead
    while ahead or coming.fill():
        number, line = ahead.popleft()
        depth = _depth(line) if "(" in line else 0
        if depth > 0:
            yield _until_closed(coming, (number, line), depth)
        elif line.lstrip()[:1] not in ("", ";"):
            yield number, line.rstrip("\r\n")


class _Lines:
    """The lines to come, each with its number; ``ahead`` are those that were read and not used yet."""

    def __init__(self, lines: Iterable[str], takes: Callable[[int, Sequence[str]], bool]) -> None:
        self.ahead: deque[tuple[int, str]] = deque()
        self._rest = iter(lines)
        self._takes = takes
        self._count = 0

    def fill(self) -> bool:
        """Read lines ahead, after those that are taken as they come; false at the end of the file."""
        while block := list(islice(self._rest, BLOCK)):
            first = self._count + 1
            self._count += len(block)
            if not self._takes(first, block):
                self.ahead.extend(enumerate(block, first))
                return True
        return False

    def following(self) -> tuple[int, str] | None:
        """The next line within an entry; None at the end of the file."""
        if self.ahead:
            return self.ahead.popleft()
        line = next(self._rest, None)
        if line is None:
            return None
        self._count += 1
        return self._count, line

    def skip_indented(self) -> None:
        """Leave out the lines ahead that continue the one before them."""
        while self.ahead and self.ahead[0][1][:1] in " \t":
            self.ahead.popleft()


def _until_closed(coming: _Lines, first: tuple[int, str], depth: int) -> tuple[int, str]:
    """The entry that begins with ``first``, which opens that many parentheses; only that line if they stay open."""
    taken: list[tuple[int, str]] = []
    while depth > 0:
        line = coming.following()
        opened = _depth(line[1]) if line else 0
        if line is None or (opened > 0 and line[1][:1] not in " \t"):
            coming.ahead.extendleft(reversed([*taken, line] if line else taken))
            coming.skip_indented()
            return first
        taken.append(line)
        depth += opened
    return first[0], "".join(text for _, text in (first, *taken)).rstrip("\r\n")


def generated(text: str) -> Iterator[str]:
    """The entries that ``$GENERATE start-stop[/step] owner [ttl] [class] type content`` stands for; raises RecordFault.

    ``$`` is the number, ``${offset,width,base}`` the number in other dress, ``$$`` and ``\\$`` a dollar sign; base is
    one of d, o, x, X, or n and N for nibbles as ip6.arpa wants them.
    """
    words = text.split(None, 2)
    found = _RANGE.fullmatch(words[1]) if len(words) == 3 else None
    if found is None:
        raise RecordFault("must be written: $GENERATE start-stop[/step] owner [ttl] [class] type content")
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if start > stop or step < 1:
        raise RecordFault(f"the range {words[1]} is empty")
    if (stop - start) // step >= MAX_GENERATED:
        raise RecordFault(f"the range {words[1]} makes more than {MAX_GENERATED} records")
    for number in range(start, stop + 1, step):
        yield _DOLLAR.sub(lambda match, number=number: _written(match, number), words[2])  # type: ignore[misc]


def _depth(line: str) -> int:
    """How many more parentheses the line opens than it closes, outside strings and comments."""
    marks = _MARKS.findall(line)
    return marks.count("(") - marks.count(")")


def _written(match: re.Match[str], number: int) -> str:
    if match[0][0] == "\\":
        return match[0]
    if match[0] == "$$":
        return "\\$"
    if match[1] is None:
        return str(number)
    found = _MODIFIER.fullmatch(match[1])
    width = int(found[2] or 0) if found else 0
    if found is None or width > MAX_WIDTH:
        raise RecordFault(f"{match[0]} must be ${{offset,width,base}}, the width {MAX_WIDTH} at most")
    value, base = number + int(found[1]), found[3] or "d"
    if base not in "nN":
        return format(value, base).zfill(width)
    if value < 0:
        raise RecordFault(f"{match[0]} gives {value}, which has no nibbles")
    digits = format(value, "x" if base == "n" else "X").zfill((width + 1) // 2)
    # the width counts the dots, so an even one ends in a dot, as in BIND
    return ".".join(reversed(digits)) + ("." if width == 2 * len(digits) else "")
