"""Rows of ``supermasters``: servers whose NOTIFY for an unknown zone makes it a secondary zone here."""

from __future__ import annotations

from pipebackend.base.values import Value
from pipebackend.store.rows.domains import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.store.database.database import Database

__all__ = ["Autoprimary", "add", "all_rows", "find", "remove"]


class Autoprimary(Value):
    """An address, the name server that the zones' NS records must name (canonical), and the account of new zones."""

    address: str
    nameserver: str
    account: str


def all_rows(db: Database) -> list[Autoprimary]:
    """All of them in the order of their addresses."""
    found = db.rows("SELECT ip, nameserver, coalesce(account, '') FROM supermasters ORDER BY ip, nameserver")
    return [Autoprimary(*map(text_of, row)) for row in found]


def find(db: Database, address: str, nameservers: Sequence[str]) -> tuple[str, str] | None:
    """Name server and account of the row for this address and one of these canonical names."""
    for nameserver, account in db.rows(
        "SELECT nameserver, account FROM supermasters WHERE ip = ? ORDER BY nameserver", (address,)
    ):
        if text_of(nameserver).lower().rstrip(".") in nameservers:
            return text_of(nameserver), text_of(account)
    return None


def add(db: Database, row: Autoprimary) -> bool:
    """Adds a row; False if there is one of this address and name server."""
    sql = "INSERT INTO supermasters (ip, nameserver, account) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    with db.writing():
        return db.execute(sql, (row.address, row.nameserver, row.account)).rowcount > 0


def remove(db: Database, address: str, nameserver: str | None) -> int:
    """Takes away the row of an address and a name server, or without one all rows of the address; how many."""
    condition, values = (
        ("ip = ?", (address,)) if nameserver is None else ("ip = ? AND nameserver = ?", (address, nameserver))
    )
    if not db.rows(f"SELECT 1 FROM supermasters WHERE {condition}", values):
        return 0
    with db.writing():
        return db.execute(f"DELETE FROM supermasters WHERE {condition}", values).rowcount
