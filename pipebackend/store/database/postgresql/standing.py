"""What a PostgreSQL server lets this role do, for those who look after it."""

from __future__ import annotations

from pipebackend.base.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = ["Standing", "of"]

_WRITTEN = ("domains", "records", "domainmetadata", "cryptokeys")
_MAY_WRITE = " AND ".join([f"has_table_privilege('{table}', 'INSERT, UPDATE, DELETE')" for table in _WRITTEN])
_SQL = f"""SELECT pg_is_in_recovery(), {_MAY_WRITE}, current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())"""


class Standing(Value):
    """Why nothing can be written, empty if that is not so, and how many connections are free."""

    read_only: str
    free_connections: int


def of(db: Database) -> Standing | None:
    """None while the database has no tables."""
    for is_standby, may_write, free in db.rows(_SQL):
        why = "it is a standby" if is_standby else "" if may_write else "its role has no right to write"
        return Standing(why, free)
    return None
