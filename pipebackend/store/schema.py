"""The tables: PowerDNS's generic SQL schema of version 4.7, and what is ours beside it.

The same table, column and index names as PowerDNS's own schema, so that ``launch=gsqlite3`` serves a store that we
made, and PowerDNS's later schema upgrades apply to it. A database that PowerDNS's schema made is taken as it is:
only tables of our own are added to it.
"""

from __future__ import annotations

from pipebackend.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Run = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]

__all__ = ["VERSION", "bring_up_to_date", "checked_tables", "is_made"]

OUR_TABLE = "pipebackend_schema"

_OWNED_BY_DOMAIN = "FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE ON UPDATE CASCADE"

_POWERDNS_TABLES = (
    """CREATE TABLE domains (
        id INTEGER PRIMARY KEY,
        name VARCHAR(255) NOT NULL COLLATE NOCASE,
        master VARCHAR(128) DEFAULT NULL,
        last_check INTEGER DEFAULT NULL,
        type VARCHAR(8) NOT NULL,
        notified_serial INTEGER DEFAULT NULL,
        account VARCHAR(40) DEFAULT NULL,
        options VARCHAR(65535) DEFAULT NULL,
        catalog VARCHAR(255) DEFAULT NULL)""",
    "CREATE UNIQUE INDEX name_index ON domains (name)",
    "CREATE INDEX catalog_idx ON domains (catalog)",
    f"""CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        domain_id INTEGER DEFAULT NULL,
        name VARCHAR(255) DEFAULT NULL,
        type VARCHAR(10) DEFAULT NULL,
        content VARCHAR(65535) DEFAULT NULL,
        ttl INTEGER DEFAULT NULL,
        prio INTEGER DEFAULT NULL,
        disabled BOOLEAN DEFAULT 0,
        ordername VARCHAR(255),
        auth BOOL DEFAULT 1,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX records_lookup_idx ON records (name, type)",
    "CREATE INDEX records_lookup_id_idx ON records (domain_id, name, type)",
    "CREATE INDEX records_order_idx ON records (domain_id, ordername)",
    """CREATE TABLE supermasters (
        ip VARCHAR(64) NOT NULL,
        nameserver VARCHAR(255) NOT NULL COLLATE NOCASE,
        account VARCHAR(40) NOT NULL)""",
    "CREATE UNIQUE INDEX ip_nameserver_pk ON supermasters (ip, nameserver)",
    f"""CREATE TABLE comments (
        id INTEGER PRIMARY KEY,
        domain_id INTEGER NOT NULL,
        name VARCHAR(255) NOT NULL,
        type VARCHAR(10) NOT NULL,
        modified_at INT NOT NULL,
        account VARCHAR(40) DEFAULT NULL,
        comment VARCHAR(65535) NOT NULL,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX comments_idx ON comments (domain_id, name, type)",
    "CREATE INDEX comments_order_idx ON comments (domain_id, modified_at)",
    f"""CREATE TABLE domainmetadata (
        id INTEGER PRIMARY KEY,
        domain_id INT NOT NULL,
        kind VARCHAR(32) COLLATE NOCASE,
        content TEXT,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX domainmetaidindex ON domainmetadata (domain_id)",
    f"""CREATE TABLE cryptokeys (
        id INTEGER PRIMARY KEY,
        domain_id INT NOT NULL,
        flags INT NOT NULL,
        active BOOL,
        published BOOL DEFAULT 1,
        content TEXT,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX domainidindex ON cryptokeys (domain_id)",
    """CREATE TABLE tsigkeys (
        id INTEGER PRIMARY KEY,
        name VARCHAR(255) COLLATE NOCASE,
        algorithm VARCHAR(50) COLLATE NOCASE,
        secret VARCHAR(255))""",
    "CREATE UNIQUE INDEX namealgoindex ON tsigkeys (name, algorithm)",
)


def _make_powerdns_tables(run: Run) -> None:
    if "domains" not in _tables(run):
        _run_all(run, _POWERDNS_TABLES)


# In order, each applied once, in the transaction that records it; add at the end, never change one that was released.
_MIGRATIONS: tuple[tuple[str, Callable[[Run], None]], ...] = (("tables of PowerDNS 4.7", _make_powerdns_tables),)
VERSION = len(_MIGRATIONS)


def is_made(tables: set[str]) -> bool:
    """Whether these tables are a store, and not a file that nobody wrote to yet."""
    return "domains" in tables


def checked_tables(run: Run, path: str) -> set[str]:
    """The names of the tables; StoreFault if they are of another program or of a newer version of this one."""
    tables = _tables(run)
    if tables and not is_made(tables):
        raise StoreFault(
            f"store {path}: this SQLite database belongs to something else: it has the table {min(tables)!r} but no "
            "table 'domains'; name another file in the configuration"
        )
    version = _recorded_version(run) if OUR_TABLE in tables else 0
    if version > VERSION:
        raise StoreFault(
            f"store {path}: made by a newer version of this software (schema {version}, this one knows {VERSION}); "
            "install that version, or restore a backup from before"
        )
    return tables


def bring_up_to_date(run: Run, path: str) -> None:
    """Makes what is missing, inside the caller's transaction; StoreFault as ``checked_tables``."""
    tables = checked_tables(run, path)
    if OUR_TABLE not in tables:
        run(f"CREATE TABLE {OUR_TABLE} (version INTEGER PRIMARY KEY, name TEXT NOT NULL)", ())
    done = _recorded_version(run)
    for version, (name, apply) in enumerate(_MIGRATIONS[done:], done + 1):
        apply(run)
        run(f"INSERT INTO {OUR_TABLE} (version, name) VALUES (?, ?)", (version, name))


def _recorded_version(run: Run) -> int:
    [(version,)] = run(f"SELECT coalesce(max(version), 0) FROM {OUR_TABLE}", ())
    return int(str(version))


def _tables(run: Run) -> set[str]:
    found = run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", ())
    return {str(name).lower() for (name,) in found}


def _run_all(run: Run, statements: Iterable[str]) -> None:
    for statement in statements:
        run(statement, ())
