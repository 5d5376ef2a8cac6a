"""Table zones: each row of a tab-separated file is a name, templates make its records.

    [[zone]]
    name = "airports.aa"
    kind = "table"
    file = "airports.tsv"        # UTF-8, the first line names the columns
    key = "iata"                 # the column that names the owner, one label below the zone
    ttl = 60                     # seconds; 3600 if left out
    soa = { mname = "ns1.airports.aa", rname = "hostmaster.airports.aa" }
    ns = ["ns1.airports.aa"]
    records = ["ns1 A 127.0.0.1"]
    [[zone.record]]
    type = "TXT"
    content = "{name}"

Rows are rendered when they are asked for: at start only the key of each row is looked at.
"""

from __future__ import annotations

from pipebackend import names, records
from pipebackend.errors import NameFault, RecordFault, ZoneFault
from pipebackend.records import Record
from pipebackend.values import Value
from pipebackend.zones import apex as apex_records
from pipebackend.zones.tree import Tree, marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.config import Section
    from pipebackend.records import Client
    from pipebackend.zones.ring import TreeRing

__all__ = ["TableZone", "load"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # as spreadsheets write it before UTF-8


class Template(Value):
    """One ``[[zone.record]]``: ``pattern`` has a ``%s`` for the cell of each of ``columns``."""

    type: str
    ttl: int
    pattern: str
    columns: tuple[int, ...]

    def fill(self, row: Sequence[str]) -> str:
        """The template's text for one row; empty where all the columns that it names are empty."""
        cells = tuple([row[column] for column in self.columns])
        if cells and not any(cells):
            return ""
        return self.pattern % cells


class Table(Value):
    """The file: its lines as text, without the header, and the column names."""

    path: str
    lines: Sequence[str]
    columns: Sequence[str]
    key: int

    def row(self, number: int) -> list[str]:
        """The cells of the line with this index; raises RecordFault if it is not a full row of UTF-8."""
        line = self.lines[number]
        cells = line.rstrip("\r").split("\t")
        if len(cells) != len(self.columns):
            raise RecordFault(f"{len(cells)} fields, where the header names {len(self.columns)}")
        if not line.isascii():
            _check_text(line)
        return cells

    def place(self, number: int) -> str:
        """``file:line`` of the line with this index, as an error shows it."""
        return f"{self.path}:{number + 2}"


class TableZone:
    """A zone made from a table; see the module for its configuration."""

    kind = "table"
    dynamic = False
    narrow = False

    def __init__(
        self, ident: int, fixed: Tree, table: Table, templates: Sequence[Template], sources: Sequence[str]
    ) -> None:
        self.apex = fixed.apex
        self.ident = ident
        self.sources = tuple(sources)
        self._fixed = fixed
        self._spelled_apex = self.soa().owner
        self._table = table
        self._templates = tuple(templates)
        self._rows = _index(table)
        self._delegates = any(template.type == "NS" for template in templates)
        self._faults: list[str] | None = None
        self._ring: TreeRing | None = None

    @property
    def faults(self) -> Sequence[str]:
        """A line for each row that is left out, as ``file:line: what is wrong``; renders the table when first asked."""
        if self._faults is None:
            self._faults = list(self._check_rows())
        return self._faults

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        number = self._rows.get(names.relative(name, self.apex))
        if number is None and not self._delegates:
            return self._fixed.answer(name)
        fixed = self._fixed.find(name)
        below_cut = self._is_below_cut(name)
        rendered = [] if number is None else self._rendered(number)
        if not rendered and not (fixed and below_cut):  # a row that is faulty or all empty makes no name
            return self._fixed.answer(name)
        if not fixed and not below_cut and not self._delegates:
            return tuple(rendered)
        return marked((*(fixed or ()), *rendered), is_apex=False, below_cut=below_cut)

    def names(self) -> Iterator[str]:
        """All canonical names at which ``find`` may find something, each once."""
        yield from self._fixed.nodes
        for key in self._rows:
            name = names.join(key, self.apex)
            if name not in self._fixed.nodes:
                yield name

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return self._fixed.nodes[self.apex][0]

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        return self._tree().listing()

    def ring(self) -> TreeRing:
        """See ``zones.base.Zone``."""
        if self._ring is None:
            from pipebackend.zones.ring import TreeRing

            self._ring = TreeRing(self._tree())
        return self._ring

    def render(self, number: int) -> list[Record]:
        """The records of one row; raises RecordFault or NameFault with what is wrong with it."""
        row = self._table.row(number)
        owner = names.join(_key_label(row[self._table.key]), self._spelled_apex)
        found = []
        for template in self._templates:
            filled = template.fill(row)
            if filled:
                found.append(Record(owner, template.type, template.ttl, _content(template.type, filled)))
        return found

    def _is_below_cut(self, name: str) -> bool:
        if self._fixed.is_below_cut(name):
            return True
        if not self._delegates:
            return False
        above = names.split(names.relative(name, self.apex))[-1:]  # rows stand one label below the apex
        number = self._rows.get(above[0]) if above else None
        if number is None or above[0] == names.relative(name, self.apex):
            return False
        return any(record.type == "NS" for record in self._rendered(number))

    def _rendered(self, number: int) -> list[Record]:
        try:
            return self.render(number)
        except (RecordFault, NameFault):
            return []

    def _tree(self) -> Tree:
        fixed = (record for rrs in self._fixed.nodes.values() for record in rrs)
        rows = (record for number in self._rows.values() for record in self._rendered(number))
        return Tree(self.apex, (record._replace(auth=True) for record in (*fixed, *rows)))

    def _check_rows(self) -> Iterator[str]:
        for number, line in enumerate(self._table.lines):
            if not line.strip("\r"):
                continue
            try:
                self.render(number)
            except (RecordFault, NameFault) as exc:
                yield f"{self._table.place(number)}: {exc}"
                continue
            key = names.from_text(self._table.row(number)[self._table.key])
            if self._rows[key] != number:
                place = self._table.place(number)
                yield f"{place}: key {key} is already on line {self._rows[key] + 2}; this row is left out"


def load(section: Section, apex: str, ident: int) -> TableZone | None:
    """The zone that ``section`` describes, or None after noting faults; raises ZoneFault if the file is no table."""
    known = len(section.faults)
    path = section.file("file")
    key = section.text("key")
    readable = len(section.faults) == known
    ttl = section.integer("ttl", 3600, most=records.MAX_TTL)
    templates = section.sections("record")
    fixed = apex_records.read(section, apex, ttl, serial_files=[path])
    section.finish()
    table, refusal = None, None
    try:
        table = _read_table(path, key) if readable else None
    except ZoneFault as exc:
        refusal = exc  # faults of the configuration come first: they would be lost behind it
    columns = table.columns if table else ()
    made = [_template(template, columns, ttl, table is not None) for template in templates]
    if refusal is not None and len(section.faults) == known:
        raise refusal
    if table is None or len(section.faults) > known:
        return None
    return TableZone(ident, Tree(apex, fixed), table, [template for template in made if template], [path])


def _read_table(path: str, key: str) -> Table:
    try:
        with open(path, "rb") as file:
            text = file.read().removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")
    except OSError as exc:
        raise ZoneFault([f"{path}: cannot be read: {exc.strerror}"]) from exc
    header, *lines = text.split("\n")
    columns = header.rstrip("\r").split("\t")
    if key not in columns:
        raise ZoneFault([f"{path}:1: no column {key!r}; the columns are {', '.join(columns)[:200]}"])
    doubled = {column for column in columns if columns.count(column) > 1}
    if doubled:
        raise ZoneFault([f"{path}:1: column {column!r} is named twice" for column in sorted(doubled)])
    return Table(path, lines, columns, columns.index(key))


def _template(section: Section, columns: Sequence[str], zone_ttl: int, columns_known: bool) -> Template | None:
    type_ = section.text("type").upper()
    if type_ == "SOA":
        section.fault("type", "the SOA record is written as soa = { … } of the zone")
    ttl = section.integer("ttl", zone_ttl, most=records.MAX_TTL)
    content = section.text("content")
    section.finish()
    pattern, named = "", []
    rest = content.replace("{{", "\0").replace("}}", "\1")
    while rest:
        literal, brace, rest = rest.partition("{")
        if "}" in literal:
            section.fault("content", "a } without its {; write }} for a brace")
        pattern += literal.replace("\0", "{").replace("\1", "}").replace("%", "%%")
        if not brace:
            break
        column, closed, rest = rest.partition("}")
        if not closed:
            section.fault("content", "a { that is never closed; write {{ for a brace")
        elif columns_known and column not in columns:
            section.fault("content", f"there is no column {column!r}; the columns are {', '.join(columns)}")
        pattern += "%s"
        named.append(columns.index(column) if column in columns else 0)
    return Template(type_, ttl, pattern, tuple(named)) if type_ else None


def _index(table: Table) -> dict[str, int]:
    """Row numbers by lower-case key; of rows with the same key the first counts."""
    if table.key == 0:
        keys = [line.partition("\t")[0] for line in table.lines]
    else:
        keys = [(line.split("\t", table.key + 1)[table.key : table.key + 1] or [""])[0] for line in table.lines]
    if table.key == len(table.columns) - 1:
        keys = [key.rstrip("\r") for key in keys]
    if not _are_plain(keys):
        keys = [_folded(key) for key in keys]
    last = len(keys) - 1
    rows = dict(zip(map(str.lower, reversed(keys)), range(last, -1, -1), strict=True))
    rows.pop("", None)
    return rows


def _are_plain(keys: Sequence[str]) -> bool:
    """Whether no key can have a name that is written in another way than the key; one look at all of them."""
    text = "".join(keys)
    return text.isascii() and text.isprintable() and not any(character in text for character in "\\. ")


def _folded(key: str) -> str:
    try:
        return names.from_text(key)
    except NameFault:
        return ""


def _key_label(key: str) -> str:
    if key.isalnum() and key.isascii() and len(key) <= names.MAX_LABEL_OCTETS:
        return key
    if not key:
        raise RecordFault("the key is empty")
    label = names.spelling(key)
    if " " in key or names.label_count(label) != 1:
        raise RecordFault(f"key {key!r} is not one label; write a space as \\032 and a dot as \\.")
    return label


def _check_text(line: str) -> None:
    try:
        line.encode()
    except UnicodeEncodeError:
        raise RecordFault("not UTF-8") from None


def _content(type_: str, filled: str) -> str:
    if type_ == "TXT":
        return records.txt_content(filled)
    if type_ == "LOC" and not any(letter in filled for letter in "NSns"):
        return records.loc_content(*_degrees(filled))
    return records.checked_content(type_, filled)


def _degrees(filled: str) -> list[str]:
    """Latitude, longitude and perhaps metres; an empty column must not let the next one take its place."""
    numbers = filled.rstrip().split(" ")
    if len(numbers) not in (2, 3):
        raise RecordFault(f"LOC needs latitude, longitude and perhaps metres, not {filled!r}")
    return numbers
