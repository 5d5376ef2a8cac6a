"""Looking after a store: what is wrong with it, and a copy of it."""

from __future__ import annotations

import os

from pipebackend.base.errors import RecordFault, StoreFault
from pipebackend.store.database import faults, files, schema
from pipebackend.store.rows import contents, domains, rrs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store.database.sqlite import Sqlite

__all__ = ["backup", "found_faults", "repair"]

_OWNED = ("records", "comments", "domainmetadata", "cryptokeys")


def found_faults(db: Sqlite) -> list[str]:
    """A line for each thing that is wrong; none for a store that is well or not made yet."""
    if files.identity(db.path) is None:
        return []
    found = files.privacy_faults(db.path)
    try:
        found += [f"store {db.path}: {fault}" for fault in _faults_inside(db)]
    except StoreFault as exc:
        found.append(str(exc))
    return found


def backup(db: Sqlite, target: str) -> None:
    """Copies the store as it was last committed to the new private file ``target``; never overwrites one."""
    if db.in_transaction:
        raise StoreFault(f"store {db.path}: commit or abort the open transaction before a backup")
    source = db.connection()
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, files.PRIVATE))
    except OSError as exc:
        raise StoreFault(f"backup {target}: {exc.strerror}; name a new file in a directory that exists") from exc
    import sqlite3

    try:
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
    except BaseException as exc:
        os.unlink(target)  # half a backup is worse than none
        if isinstance(exc, sqlite3.Error):
            raise faults.of_database(target, exc) from exc
        raise


def repair(db: Sqlite, dialect: Dialect | None) -> int:
    """Gives content PowerDNS's text where it has another; how many records that were. See ``contents.other``."""
    if files.identity(db.path) is None:
        return 0
    with db.writing():
        return contents.rewrite(db.rows, dialect)


def _faults_inside(db: Sqlite) -> Iterator[str]:
    for (line,) in db.rows("PRAGMA integrity_check"):
        if line != "ok":
            yield f"damaged: {line}; restore a backup"
    for table in _OWNED:
        yield from _orphans(db, table)
    count = sum(1 for _ in contents.other(db.rows))
    if count:
        yield (
            f"records: {count} are kept in another text than PowerDNS writes, so a DNS UPDATE does not find them by "
            "value; no answer differs; run: zoneutil store check --repair"
        )
    for domain_id, name in db.rows("SELECT id, name FROM domains ORDER BY id"):
        yield from _faults_of_zone(db, domain_id, name)
    for (key_id,) in db.rows("SELECT id FROM cryptokeys WHERE coalesce(content, '') = '' ORDER BY id"):
        yield f"cryptokeys: the key with the id {key_id} is empty; delete it"
    for name, count in db.rows("SELECT name, count(*) FROM tsigkeys GROUP BY name HAVING count(*) > 1"):
        yield f"tsigkeys: {count} keys have the name {name}, and only one of them is used; import it again"


def _faults_of_zone(db: Sqlite, domain_id: int, name: object) -> Iterator[str]:
    fault = domains.fault_of_name(name)
    if fault:
        yield f"domains: {fault}"
        return
    try:
        for found in rrs.examined(db, domain_id, schema.apex_from(str(name))):
            if isinstance(found, RecordFault):
                yield f"records: zone {name}: {found}"
    except StoreFault as exc:
        yield f"records: zone {name}: {exc}"


def _orphans(db: Sqlite, table: str) -> Iterator[str]:
    found = db.rows(
        f"SELECT domain_id, count(*) FROM {table} WHERE domain_id NOT IN (SELECT id FROM domains) GROUP BY domain_id"
    )
    for domain_id, count in found:
        yield f"{table}: {count} row(s) of a zone that is gone (domain_id {domain_id}); delete them"
