"""Looking after a store: what is wrong with it, and a copy of it."""

from __future__ import annotations

from pipebackend.base.errors import RecordFault, StoreFault
from pipebackend.base.ownership import Acting, user_of_place
from pipebackend.store.database import copying, faults, files, schema
from pipebackend.store.database.database import POSTGRESQL, SQLITE
from pipebackend.store.rows import contents, domains, rrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store.database.database import Database

__all__ = ["backup", "found_faults", "repair"]

_OWNED = ("records", "comments", "domainmetadata", "cryptokeys")


def found_faults(db: Database) -> list[str]:
    """A line for each thing that is wrong; none for a store that is well or not made yet."""
    if _is_missing(db):
        return []
    found = files.privacy_faults(db.path) if db.kind == SQLITE else []
    try:
        found += [f"store {db.path}: {fault}" for fault in _faults_inside(db)]
    except StoreFault as exc:
        found.append(str(exc))
    return found


def backup(db: Database, target: str) -> None:
    """Copies the store as it was last committed to the new private file ``target``, of SQLite; never overwrites one."""
    if db.in_transaction:
        raise StoreFault(f"store {db.path}: commit or abort the open transaction before a backup")
    if db.kind == POSTGRESQL:
        db.connection()
        copying.to_file(db, target)
        return
    with db.reading():  # until the end: what lies beside the source by then is not looked at
        source = db.connection()
        db.rows("SELECT 1 FROM sqlite_master LIMIT 1")
        with Acting(user_of_place(target)):
            _copy(source, target)


def _copy(source: sqlite3.Connection, target: str) -> None:
    import sqlite3

    files.make_backup(target)
    try:
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
    except BaseException as exc:
        files.drop_backup(target)
        if isinstance(exc, sqlite3.Error):
            raise faults.of_database(target, exc) from exc
        raise


def repair(db: Database, dialect: Dialect | None) -> int:
    """Gives content PowerDNS's text where it has another; how many records that were. See ``contents.other``."""
    if _is_missing(db):
        return 0
    with db.writing():
        return contents.rewrite(db.rows_of_many, dialect)


def _is_missing(db: Database) -> bool:
    if db.kind == SQLITE:
        return files.identity(db.path) is None
    try:
        return not db.is_made()
    except StoreFault:
        return False  # which is the fault


def _faults_inside(db: Database) -> Iterator[str]:
    for (line,) in db.rows("PRAGMA integrity_check") if db.kind == SQLITE else ():
        if line != "ok":
            yield f"damaged: {line}; restore a backup"
    for table in _OWNED:
        yield from _orphans(db, table)
    count = sum(1 for _ in contents.other(db.rows_of_many))
    if count:
        yield (
            f"records: {count} are kept in another text than PowerDNS writes, so a DNS UPDATE does not find them by "
            "value; no answer differs; run: zoneutil store check --repair"
        )
    for domain_id, name in db.rows_of_many("SELECT id, name FROM domains ORDER BY id"):
        yield from _faults_of_zone(db, domain_id, name)
    for (key_id,) in db.rows_of_many("SELECT id FROM cryptokeys WHERE coalesce(content, '') = '' ORDER BY id"):
        yield f"cryptokeys: the key with the id {key_id} is empty; delete it"
    for name, count in db.rows_of_many("SELECT name, count(*) FROM tsigkeys GROUP BY name HAVING count(*) > 1"):
        yield f"tsigkeys: {count} keys have the name {name}, and only one of them is used; import it again"


def _faults_of_zone(db: Database, domain_id: int, name: object) -> Iterator[str]:
    fault = domains.fault_of_row(domain_id, name)
    if fault:
        yield f"domains: {fault}"
        return
    try:
        for found in rrs.examined(db, domain_id, schema.apex_from(str(name))):
            if isinstance(found, RecordFault):
                yield f"records: zone {name}: {found}"
    except StoreFault as exc:
        yield f"records: zone {name}: {exc}"


def _orphans(db: Database, table: str) -> Iterator[str]:
    found = db.rows_of_many(
        f"SELECT domain_id, count(*) FROM {table} WHERE domain_id NOT IN (SELECT id FROM domains) GROUP BY domain_id"
    )
    for domain_id, count in found:
        yield f"{table}: {count} row(s) of a zone that is gone (domain_id {domain_id}); delete them"
