"""Rows of ``domains``: which zones there are, and the number each has in all processes."""

from __future__ import annotations

from pipebackend.base.errors import NameFault, StoreFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.store.database import schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = [
    "DomainRow",
    "all_rows",
    "apex_of",
    "claim",
    "ensure",
    "ensure_for_settings",
    "fault_of_row",
    "id_of",
    "is_id",
    "misnamed",
    "read_cells",
    "settings_only",
    "stored_name",
    "text_of",
    "with_other_names",
    "with_type",
]

# type, master, last_check, notified_serial, account of d; a cell may be of any type, NULL where the schema forbids it,
# too: in a damaged file, or by the hand of another program. A row whose name is not text is a finding, not a zone.
# In SQLite a text may be any octets.
_CELLS = """CAST(coalesce(d.type, '') AS {text}), CAST(coalesce(d.master, '') AS {text}),
    CAST(coalesce(d.last_check, 0) AS BIGINT), CAST(coalesce(d.notified_serial, 0) AS BIGINT),
    CAST(coalesce(d.account, '') AS {text})"""
CELLS = (_CELLS.format(text="BLOB"), _CELLS.format(text="TEXT"))
_SETTINGS_ONLY = "pipebackend_settings_only"
# what 8bit-dns is for: octets beside these characters, or written \DDD
_OTHER_NAMES = (
    r"name GLOB '*[^-a-zA-Z0-9_ *./@\:]*' OR name GLOB '*\[0-9][0-9][0-9]*'",
    r"name ~ '[^-a-zA-Z0-9_ *./@\\:]' OR name ~ '\\[0-9][0-9][0-9]'",
)
MAX_ID = 2**31 - 1  # PowerDNS reads ids as signed 32 bits (rule R-17)
_NO_ID = f"is not a number from 0 to {MAX_ID}; give it another one, or restore a backup"


class DomainRow(Value):
    """A zone as the store has it: what is NULL there is empty or 0 here.

    ``name`` is canonical; ``type`` is PowerDNS's word (NATIVE, MASTER, SLAVE …); ``master`` lists addresses with
    commas between them; ``last_check`` is in seconds since 1970.
    """

    id: int
    name: str
    type: str
    master: str
    last_check: int
    notified_serial: int
    account: str


def stored_name(apex: str) -> str:
    """The name as PowerDNS stores it: lower case, no trailing dot, but the root as a dot."""
    return apex.lower() or "."


def text_of(cell: object) -> str:
    """A cell of a column of text: octets that are not UTF-8 are shown as replaced, NULL is empty."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return "" if cell is None else str(cell)


def _number_of(cell: object) -> int:
    """A cell of a column of 32 bits without a sign; 0 for what is none."""
    return cell if isinstance(cell, int) and 0 <= cell < 2**32 else 0


def read_cells(
    type_: object, master: object, last_check: object, notified: object, account: object
) -> tuple[str, str, int, int, str]:
    """What CELLS gave, each of the type of its column."""
    return text_of(type_), text_of(master), _number_of(last_check), _number_of(notified), text_of(account)


def is_id(cell: object) -> bool:
    """Whether a cell can be the id of a row for PowerDNS."""
    return isinstance(cell, int) and 0 <= cell <= MAX_ID


def id_of(db: Database, apex: str) -> int | None:
    """The zone's id, None if it has no row."""
    for (found,) in db.rows("SELECT id FROM domains WHERE name = ?", (stored_name(apex),)):
        if not is_id(found):  # a damaged definition of the table, or another program's
            raise StoreFault(f"store {db.path}: the id of the zone {apex or '.'} {_NO_ID}")
        return int(found)
    return None


def apex_of(db: Database, domain_id: int) -> str | None:
    """The zone's canonical name, None if no row has this id."""
    if not is_id(domain_id):
        return None
    for (name,) in db.rows("SELECT name FROM domains WHERE id = ?", (domain_id,)):
        return schema.apex_from(name) if isinstance(name, str) else None
    return None


def all_rows(db: Database) -> list[DomainRow]:
    """All zones in the order of their ids."""
    found = db.rows_of_many(f"SELECT d.id, d.name, {CELLS[db.kind]} FROM domains AS d ORDER BY d.id")
    return [
        DomainRow(id_, schema.apex_from(name), *read_cells(*cells))
        for id_, name, *cells in found
        if is_id(id_) and isinstance(name, str)
    ]


def fault_of_row(id_: object, name: object) -> str:
    """What is wrong with the id or the name of a row, which PowerDNS then never finds; "" if nothing is."""
    if not is_id(id_):
        return f"the id {id_!r} of the zone {name} {_NO_ID}"
    try:
        wanted = stored_name(names.from_text(name)) if isinstance(name, str) else None
    except NameFault as exc:
        return str(exc)
    if name == wanted:
        return ""
    if wanted is None:
        return f"the name {name!r} is not text; delete the row"
    return (
        f"PowerDNS does not find the zone {name}: its name is to be in lower case, without a dot at the end: {wanted}"
    )


def misnamed(db: Database) -> list[tuple[str, str]]:
    """The names of rows that PowerDNS does not find, and why."""
    found = db.rows_of_many("SELECT id, name FROM domains ORDER BY id")
    return [(str(name), fault) for id_, name in found if (fault := fault_of_row(id_, name))]


def with_type(db: Database, type_: str) -> list[str]:
    """The zones that have a record of a type."""
    return _having(db, "type = ?", (type_,))


def with_other_names(db: Database) -> list[str]:
    r"""The zones with a name of other characters than ASCII letters, digits, spaces and ``-_*./@\:``."""
    return _having(db, _OTHER_NAMES[db.kind])


def _having(db: Database, condition: str, values: tuple[object, ...] = ()) -> list[str]:
    found = db.rows_of_many(
        "SELECT name FROM domains WHERE id IN (SELECT domain_id FROM records "
        f"WHERE disabled = FALSE AND ({condition})) ORDER BY name",
        values,
    )
    return [schema.apex_from(name) for (name,) in found if isinstance(name, str)]


def ensure(db: Database, apex: str, wanted_id: int) -> int:
    """The zone's id; its row is made if there is none, with ``wanted_id`` if that is free, else the next free one."""
    found = id_of(db, apex)
    if found is not None:
        return found
    with db.writing():
        found = id_of(db, apex)  # another process may have been faster
        if found is not None:
            return found
        free = _free_id(db, wanted_id)
        values = (free, stored_name(apex))
        db.execute("INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')", values)
        db.keep_ids_apart("domains", free)
        return free


def ensure_for_settings(db: Database, apex: str, wanted_id: int) -> int:
    """The same for keys or settings, whose zone may be one of another backend: a row that is made is noted as such."""
    found = id_of(db, apex)
    if found is None:
        with db.writing():
            found = ensure(db, apex, wanted_id)
            if not db.rows("SELECT 1 FROM records WHERE domain_id = ? LIMIT 1", (found,)):
                db.execute(f"INSERT INTO {_SETTINGS_ONLY} (domain_id) VALUES (?) ON CONFLICT DO NOTHING", (found,))
    return found


def settings_only(db: Database) -> frozenset[int]:
    """The ids of zones of which keys and settings are here, but no records, and nobody asked for a zone here."""
    if not db.has_table(_SETTINGS_ONLY):
        return frozenset()
    return frozenset(id_ for (id_,) in db.rows(f"SELECT domain_id FROM {_SETTINGS_ONLY}"))


def claim(db: Database, domain_id: int) -> None:
    """The zone's records are to be here; inside a transaction."""
    db.execute(f"DELETE FROM {_SETTINGS_ONLY} WHERE domain_id = ?", (domain_id,))


def _free_id(db: Database, wanted_id: int) -> int:
    start = wanted_id if 1 <= wanted_id <= MAX_ID else 1
    for candidate in (start, *_ends_of_runs(db, start), 1, *_ends_of_runs(db, 1)):
        if candidate <= MAX_ID and not db.rows("SELECT 1 FROM domains WHERE id = ?", (candidate,)):
            return candidate
    raise StoreFault(f"store {db.path}: no id is free for another zone")


def _ends_of_runs(db: Database, start: int) -> list[int]:
    """The first id from ``start`` on after a row and without one."""
    found = db.rows(
        "SELECT id + CAST(1 AS BIGINT) FROM domains AS taken WHERE id >= ? "
        "AND NOT EXISTS (SELECT 1 FROM domains WHERE id = taken.id + CAST(1 AS BIGINT)) ORDER BY id LIMIT 1",
        (start,),
    )
    return [id_ for (id_,) in found]
