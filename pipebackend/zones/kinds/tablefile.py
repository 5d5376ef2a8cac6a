"""The file of a table: fields between tabs, or between commas with quotes (RFC 4180).

A file with tabs is kept as text, and a line is cut only when its row is asked for. In one with quotes a field may hold
the separator and line ends: it is read whole by the standard library, and kept as lines with a separator that no field
has.
"""

from __future__ import annotations

from pipebackend.base import regular
from pipebackend.base.errors import NameFault, RecordFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.zones import otherfiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Table", "read"]

_UTF8_MARK = b"\xef\xbb\xbf"  # as spreadsheets write before the text
_NEAR = 2000  # characters in which a header is looked for
_UNIT_SEPARATOR = "\x1f"  # of ASCII, made for this
_OTHERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


class Table(Value):
    """The rows as text, without the header, and the column names; ``numbers`` has the line of each row, if not its own.

    ``separator`` is what stands between the cells of ``lines``.
    """

    path: str
    lines: Sequence[str]
    columns: Sequence[str]
    key: int
    separator: str
    numbers: Sequence[int]

    def row(self, number: int) -> list[str]:
        """The cells of the row with this index; raises RecordFault if it is not a full row of UTF-8."""
        line = self.lines[number]
        cells = line.rstrip("\r").split(self.separator)
        if len(cells) != len(self.columns):
            raise RecordFault(f"{len(cells)} fields, where the header names {len(self.columns)}")
        if not line.isascii():
            _check_text(line)
        return cells

    def line_of(self, number: int) -> int:
        """The line of the file in which the row with this index begins."""
        return self.numbers[number] if self.numbers else number + 2

    def place(self, number: int) -> str:
        """``file:line`` of the row with this index, as an error shows it."""
        return f"{self.path}:{self.line_of(number)}"

    def quoted(self, number: int) -> Iterator[str]:
        """A fault for each cell in quotes where quotes are text: who wrote them meant something else."""
        if self.numbers or '"' not in self.lines[number]:
            return
        for column, cell in zip(self.columns, self.row(number), strict=True):
            if len(cell) > 1 and cell[0] == cell[-1] == '"':
                shown = cell if len(cell) <= 40 else cell[:37] + "..."
                yield (
                    f"{self.place(number)}: {column} is {shown} with its quotes, which are text in a file with tabs; "
                    "remove them, or write the file with commas"
                )

    def by_key(self) -> dict[str, int]:
        """Row numbers by lower-case key; of rows with the same key the first counts."""
        separator, key = self.separator, self.key
        if key == 0:
            keys = [line.partition(separator)[0] for line in self.lines]
        else:
            keys = [(line.split(separator, key + 1)[key : key + 1] or [""])[0] for line in self.lines]
        if key == len(self.columns) - 1:
            keys = [found.rstrip("\r") for found in keys]
        if not _are_plain(keys):
            keys = [_folded(found) for found in keys]
        last = len(keys) - 1
        rows = dict(zip(map(str.lower, reversed(keys)), range(last, -1, -1), strict=True))
        rows.pop("", None)
        return rows


def read(path: str, key: str, separator: str) -> Table:
    """The table in a file whose column ``key`` names the owners; raises ZoneFault if it is not one."""
    try:
        with open(path, "rb", opener=regular.opener) as file:
            octets = file.read()
    except OSError as exc:
        raise ZoneFault([f"{path}: cannot be read: {exc.strerror}"]) from exc
    other = otherfiles.of_table(octets[: otherfiles.HEAD])
    if other:
        raise ZoneFault([f"{path}: {other}"])
    text = _decoded(path, octets)
    numbers: list[int] = []
    if separator == "\t":
        lines = text.split("\n") if "\n" in text else text.split("\r")  # CR alone, as an old Mac writes it
        columns = lines.pop(0).rstrip("\r").split("\t")
    else:
        columns, lines, numbers = _quoted_rows(path, text, separator)
        separator = _UNIT_SEPARATOR
    if key not in columns:
        raise ZoneFault([f"{path}:1: no column {key!r}; {_meant(text, key, columns)}"])
    doubled = {column for column in columns if columns.count(column) > 1}
    if doubled:
        raise ZoneFault([f"{path}:1: column {column!r} is named twice" for column in sorted(doubled)])
    return Table(path, lines, columns, columns.index(key), separator, numbers)


def _decoded(path: str, octets: bytes) -> str:
    if octets[:2] in otherfiles.UTF16_MARKS:
        try:
            return octets.decode("utf-16")
        except UnicodeDecodeError as exc:
            raise ZoneFault([f"{path}: begins as UTF-16 and is not: {exc.reason}; write it as UTF-8"]) from None
    return octets.removeprefix(_UTF8_MARK).decode("utf-8", "surrogateescape")


def _quoted_rows(path: str, text: str, separator: str) -> tuple[list[str], list[str], list[int]]:
    """The column names, and each row with its line."""
    import csv
    from io import StringIO

    if _UNIT_SEPARATOR in text:
        raise ZoneFault([f"{path}: has the control character \\x1f; remove it"])
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] = []
    lines: list[str] = []
    numbers: list[int] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return columns, lines, numbers
        except csv.Error as exc:
            advice = "quotes stand around a whole field, and are doubled in it"
            if "field limit" in str(exc):
                advice = "is a quote missing at the end of a field before?"
            raise ZoneFault([f"{path}:{line}: {exc}; {advice}"]) from None
        if not columns:
            columns = cells
        elif any(cells):  # a sheet has empty rows at its end
            lines.append(_UNIT_SEPARATOR.join(cells))
            numbers.append(line)


def _meant(text: str, key: str, columns: Sequence[str]) -> str:
    """What to do about a header in which the key is not found."""
    header, *rest = text[:_NEAR].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not text.strip():
        return "the file is empty"
    if header.startswith("sep=") and len(header) == 5:
        return f"{header} is for spreadsheets alone: remove the line, and write separator = {_toml(header[4])}"
    for number, line in enumerate([header, *rest], 1):
        for separator, called in _OTHERS.items():
            if separator not in line or key not in [word.strip('"') for word in line.split(separator)]:
                continue
            if number > 1:
                return f"line {number} has it: remove the lines before it"
            if len(columns) == 1:
                return f"its fields are separated by {called}: write separator = {_toml(separator)}"
    return f"the columns are {', '.join(columns)[:200]}"


def _toml(separator: str) -> str:
    return '"\\t"' if separator == "\t" else f'"{separator}"'


def _are_plain(keys: Sequence[str]) -> bool:
    """Whether no key can have a name that is written in another way than the key; one look at all of them."""
    text = "".join(keys)
    return text.isascii() and text.isprintable() and not any(character in text for character in "\\. ")


def _folded(key: str) -> str:
    try:
        return names.from_text(key)
    except NameFault:
        return ""


def _check_text(line: str) -> None:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise RecordFault("not UTF-8; save the file as UTF-8") from None
