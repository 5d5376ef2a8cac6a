"""What other programs do to a store, of either kind: statements of theirs, which know nothing of our tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.live.postgresql import connected

__all__ = ["execute", "execute_many", "forget_ours", "is_sqlite", "rows", "triggers"]

_OURS = ("places", "hashes", "orders", "stale", "refusals", "settings_only", "schema")
_OURS += ("rollover_zones", "rollover_keys", "rollover_looks")


def is_sqlite(store):
    return "://" not in store.path


def _connected(store):
    return sqlite3.connect(store.path, isolation_level=None) if is_sqlite(store) else connected(store.path)


def execute(store, *statements, **given):
    """Statements, each a transaction; ``foreign_keys=True`` as in programs of SQLite that ask for them."""
    with closing(_connected(store)) as connection:
        cursor = connection.cursor()
        if is_sqlite(store):
            cursor.execute(f"PRAGMA foreign_keys = {'ON' if given.get('foreign_keys') else 'OFF'}")
        for statement in statements:
            cursor.execute(statement)


def execute_many(store, statement, rows):
    """The same statement with values, marked ``?``."""
    with closing(_connected(store)) as connection:
        connection.cursor().executemany(
            statement if is_sqlite(store) else statement.replace("?", "%s"), [tuple(row) for row in rows]
        )


def rows(store, sql):
    with closing(_connected(store)) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return list(cursor.fetchall())


def triggers(store):
    """Our triggers, as the database has them."""
    if is_sqlite(store):
        return rows(store, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    return rows(
        store,
        "SELECT tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE tgname LIKE 'pipeb%' ORDER BY tgname",
    )


def forget_ours(store):
    """Leaves what PowerDNS's schema would have made."""
    if is_sqlite(store):
        execute(store, *(f"DROP TRIGGER {name}" for name, _ in triggers(store)))
    else:
        functions = rows(store, "SELECT proname FROM pg_proc WHERE proname LIKE 'pipebackend%'")
        execute(store, *(f"DROP FUNCTION {name} CASCADE" for (name,) in functions))
    execute(store, *(f"DROP TABLE pipebackend_{name}" for name in _OURS))
