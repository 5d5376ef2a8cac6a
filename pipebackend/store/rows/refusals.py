"""Why a zone was last not replaced: for those who ask what is wrong with it, in a table of our own.

PowerDNS says no more than that it failed, and the log with the reasons may be elsewhere.
"""

from __future__ import annotations

from pipebackend.base.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.store.database.database import Database

__all__ = ["Refusal", "find", "forget", "note"]

_TABLE = "pipebackend_refusals"


class Refusal(Value):
    """When a zone was not replaced by what was sent, in seconds since 1970, and every reason."""

    moment: int
    reasons: tuple[str, ...]


def find(db: Database, domain_id: int) -> Refusal | None:
    """The zone's last refusal; None if its records were written since, or nothing was refused."""
    if not db.has_table(_TABLE):  # nobody who knows it has written yet
        return None
    for moment, reasons in db.rows(f"SELECT at, reason FROM {_TABLE} WHERE domain_id = ?", (domain_id,)):
        return Refusal(moment, tuple(reasons.split("\n")))
    return None


def note(db: Database, domain_id: int, moment: int, reasons: Sequence[str]) -> None:
    """Keeps a refusal in place of the one before; nothing if the zone was deleted meanwhile."""
    with db.writing():
        db.execute(
            f"INSERT INTO {_TABLE} (domain_id, at, reason) SELECT id, ?, ? FROM domains WHERE id = ? "
            "ON CONFLICT (domain_id) DO UPDATE SET at = excluded.at, reason = excluded.reason",
            (moment, "\n".join(reasons), domain_id),
        )


def forget(db: Database, domain_id: int) -> None:
    """The zone was replaced; within the transaction that does it."""
    db.execute(f"DELETE FROM {_TABLE} WHERE domain_id = ?", (domain_id,))
