"""Table zones: each row of a file is a name, templates make its records.

    [[zone]]
    name = "airports.aa"
    kind = "table"
    file = "airports.tsv"        # the first line names the columns
    separator = "\\t"             # between fields; of a file .csv "," with the quotes of RFC 4180, else a tab
    max_loss = 50                # percent of the names that a changed file may lack, else the old table stays
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

from _operator import itemgetter  # the C half of operator

from pipebackend.base.errors import NameFault, RecordFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import charstrings, names, records
from pipebackend.dnsdata.occlusion import DNAME, NS, hider, marked
from pipebackend.dnsdata.records import Record
from pipebackend.zones import apex as apex_records
from pipebackend.zones.kinds import tablefile
from pipebackend.zones.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from pipebackend.config.configuration import Section
    from pipebackend.dnsdata.records import Client, Plain
    from pipebackend.zones.kinds.tablefile import Table
    from pipebackend.zones.ring import TreeRing

__all__ = ["TableZone", "load"]

_HEMISPHERES = frozenset("NSns")
_CELL, _THREE_CELLS = "%s", "%s %s %s"  # the patterns of nearly all templates
_PLAIN_TYPES = frozenset(("A", "AAAA", "LOC", "PTR", "TXT"))  # which no version of PowerDNS writes in its own way


class Template(Value):
    """One ``[[zone.record]]``: ``pattern`` has a ``%s`` for each cell that ``cells`` takes from a row, if it does."""

    type: str
    ttl: int
    pattern: str
    cells: Callable[[Sequence[str]], Any] | None


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
        self._rows = table.by_key()
        self.size = len(self._rows) + len(fixed.nodes)  # names, as ``registry`` compares it after a change
        self._delegates = any(template.type in (NS, DNAME) for template in templates)
        self._has_plain_rows = not fixed.hiding.hides_some and _PLAIN_TYPES.issuperset(t.type for t in templates)
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
        if not self._delegates:
            if number is None:
                return self._fixed.answer(name)
            if not self._fixed.hiding.hides_some and name not in self._fixed.nodes:
                return tuple(self._rendered(number)) or None  # as for nearly all names of nearly all tables
        fixed = self._fixed.find(name)
        above = self._above(name)
        rendered = [] if number is None else self._rendered(number)
        if not fixed and not rendered:  # a row that is faulty or all empty makes no name
            return None if above else self._fixed.answer(name)
        if not above and (not rendered or not (fixed or self._delegates)):
            return fixed or tuple(rendered)
        return marked((*(fixed or ()), *rendered), is_apex=False, above=above) or None

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
        owner, found = self._row(number)
        return [Record(owner, *content) for content in found]

    def plain(self, name: str) -> tuple[str, list[Plain]] | None:
        """The owner and records of a row, where these are all that ``find`` has; None where only ``find`` can tell."""
        number = self._rows.get(names.relative(name, self.apex)) if self._has_plain_rows else None
        if number is None or name in self._fixed.nodes:
            return None
        try:
            return self._row(number)
        except (RecordFault, NameFault):
            return None

    def _row(self, number: int) -> tuple[str, list[Plain]]:
        row = self._table.row(number)
        key = row[self._table.key]
        if key.isalnum() and key.isascii() and len(key) <= names.MAX_LABEL_OCTETS and self._spelled_apex:
            owner = f"{key}.{self._spelled_apex}"
        else:
            owner = names.join(_key_label(key), self._spelled_apex)
        found = []
        for type_, ttl, pattern, cells in self._templates:
            here = "" if cells is None else cells(row)
            if cells is None:
                filled = pattern
            elif pattern == _CELL:
                filled = here
            elif pattern == _THREE_CELLS and type_ == "LOC" and (content := records.loc_of_digits(*here)):
                found.append((type_, ttl, content))
                continue
            else:
                filled = pattern % here if any(here) else ""
            if not filled:  # all cells that it names are empty
                continue
            if type_ == "TXT":
                content = charstrings.txt_content(filled)
            elif type_ == "LOC" and _HEMISPHERES.isdisjoint(filled):
                content = records.loc_content(*_degrees(filled))
            else:
                type_, content = records.checked(type_, filled)
            found.append((type_, ttl, content))
        return owner, found

    def _above(self, name: str) -> str:
        """What hides the name, as ``Hiding.above``."""
        found = self._fixed.hiding.above(name)
        if not self._delegates or self._fixed.hiding.hides_all:
            return found
        above = names.split(names.relative(name, self.apex))[-1:]  # rows stand one label below the apex
        number = self._rows.get(above[0]) if above else None
        if number is None or above[0] == names.relative(name, self.apex):
            return found
        at_row = (*self._rendered(number), *(self._fixed.find(names.join(above[0], self.apex)) or ()))
        return hider({record.type for record in at_row}, is_apex=False) or found

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
        if not self._rows:
            yield f"{self._table.path}: has no rows, only the names of the columns"
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
                first = self._table.line_of(self._rows[key])
                yield f"{place}: key {key} is already on line {first}; this row is left out"
            yield from self._table.quoted(number)


def load(section: Section, apex: str, ident: int) -> TableZone | None:
    """The zone that ``section`` describes, or None after noting faults; raises ZoneFault if the file is no table."""
    known = len(section.faults)
    path = section.file("file")
    key = section.text("key")
    separator = _separator(section, path)
    section.integer("max_loss", 0, most=100)  # read by ``registry``, which knows the table before
    readable = len(section.faults) == known
    ttl = section.integer("ttl", 3600, most=records.MAX_TTL)
    templates = section.sections("record")
    fixed = apex_records.read(section, apex, ttl, serial_files=[path])
    section.finish()
    table, refusal = None, None
    try:
        table = tablefile.read(path, key, separator) if readable else None
    except ZoneFault as exc:
        refusal = exc  # faults of the configuration come first: they would be lost behind it
    columns = table.columns if table else ()
    made = [_template(template, columns, ttl, table is not None) for template in templates]
    if refusal is not None and len(section.faults) == known:
        raise refusal
    if table is None or len(section.faults) > known:
        return None
    return TableZone(ident, Tree(apex, fixed), table, [template for template in made if template], [path])


def _separator(section: Section, path: str) -> str:
    separator = section.text("separator", "," if path.endswith(".csv") else "\t")
    if len(separator) != 1 or separator in '"\r\n':
        section.fault("separator", f"must be one character, such as ',' or '\\t', not {separator!r}")
    return separator


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
    if not named:
        return Template(type_, ttl, pattern % (), None) if type_ else None
    return Template(type_, ttl, pattern, itemgetter(*named)) if type_ else None


def _key_label(key: str) -> str:
    if not key:
        raise RecordFault("the key is empty")
    label = names.spelling(key)
    if " " in key or names.label_count(label) != 1:
        raise RecordFault(f"key {key!r} is not one label; write a space as \\032 and a dot as \\.")
    return label


def _degrees(filled: str) -> list[str]:
    """Latitude, longitude and perhaps metres; an empty column must not let the next one take its place."""
    numbers = filled.rstrip().split(" ")
    if len(numbers) not in (2, 3):
        raise RecordFault(f"LOC needs latitude, longitude and perhaps metres, not {filled!r}")
    return numbers
