"""All that is in a store, copied to an empty one of either kind: whole or not at all."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.base.ownership import Acting, user_of_place
from pipebackend.store.database import files
from pipebackend.store.database.database import Database
from pipebackend.store.database.roots import handle_at
from pipebackend.store.rows import rollovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipebackend.store.database.interfaces import Row

__all__ = ["copy", "to_file"]

# Tables of PowerDNS in the order of their references. Ids that others refer to are kept; the rest are given again, in
# the same order.
_POWERDNS = (
    ("domains", "id, name, master, last_check, type, notified_serial, account, options, catalog"),
    ("records", "domain_id, name, type, content, ttl, prio, disabled, ordername, auth"),
    ("comments", "domain_id, name, type, modified_at, account, comment"),
    ("domainmetadata", "domain_id, kind, content"),
    ("cryptokeys", "id, domain_id, flags, active, published, content"),
    ("tsigkeys", "name, algorithm, secret"),
    ("supermasters", "ip, nameserver, account"),
)
_OURS = (
    ("pipebackend_places", "domain_id, hidden, key, insecure, spelled"),
    ("pipebackend_hashes", "domain_id, hash, name"),
    ("pipebackend_orders", "domain_id, param"),
    ("pipebackend_refusals", "domain_id, at, reason"),
    ("pipebackend_settings_only", "domain_id"),
    ("pipebackend_rollover_zones", ", ".join(("domain_id", *rollovers.ZONE_COLUMNS))),
    ("pipebackend_rollover_keys", ", ".join(("domain_id", *rollovers.KEY_COLUMNS))),
    ("pipebackend_rollover_looks", "boot, seconds, moment"),
)
_WITH_IDS = ("domains", "cryptokeys")
_STALE = "pipebackend_stale"


def copy(source: Database, target: Database, progress: Callable[[str, int], None]) -> None:
    """``progress`` is told the table, and how many rows of it were copied; StoreFault if ``target`` is not empty."""
    with source.reading():
        if not source.is_made():
            raise StoreFault(f"store {source.path}: there is nothing to copy")
        with target.writing():
            _demand_empty(target)
            restore = target.without_triggers()
            for table, columns in _POWERDNS:
                order = " ORDER BY id" if table != "supermasters" else ""
                _copy_table(source, target, table, columns, order, progress)
            _copy_ours(source, target, progress)
            for table in _WITH_IDS:
                for (highest,) in target.rows(f"SELECT max(id) FROM {table} HAVING count(*) > 0"):
                    target.keep_ids_apart(table, highest)
            restore()


def to_file(source: Database, path: str) -> None:
    """A copy in a new private file of SQLite; never overwrites one."""
    target = Database(handle_at(path))
    files.check_place(target.path)
    acting = Acting(user_of_place(path))
    with acting:
        files.make_backup(path)
    try:
        copy(source, target, lambda table, count: None)
        target.close()
    except BaseException:
        target.close()
        with acting:
            files.drop_backup(target.path)
        raise


def _demand_empty(target: Database) -> None:
    for table in ("domains", "records", "tsigkeys", "supermasters"):
        if target.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            raise StoreFault(f"store {target.path}: the table {table} is not empty; copy into a new store")


def _copy_ours(source: Database, target: Database, progress: Callable[[str, int], None]) -> None:
    if source.has_table(_STALE):
        for table, columns in _OURS:
            if source.has_table(table):
                _copy_table(source, target, table, columns, "", progress)
        stale = source.rows_of_many(f"SELECT DISTINCT domain_id, name FROM {_STALE}")
    else:  # nobody has put its names in order yet
        stale = source.rows_of_many("SELECT id, '' FROM domains")
    target.execute(f"DELETE FROM {_STALE}")  # what the copying itself made the triggers note
    target.insert(f"INSERT INTO {_STALE} (domain_id, name)", stale)


def _copy_table(
    source: Database,
    target: Database,
    table: str,
    columns: str,
    order: str,
    progress: Callable[[str, int], None],
) -> None:
    rows = source.stream(f"SELECT {columns} FROM {table}{order}")
    target.insert(f"INSERT INTO {table} ({columns})", _counted(rows, lambda count: progress(table, count)))


def _counted(rows: Iterator[Row], progress: Callable[[int], None]) -> Iterator[Row]:
    count = 0
    for row in rows:
        count += 1
        if count % 10_000 == 0:
            progress(count)
        yield row
    progress(count)
