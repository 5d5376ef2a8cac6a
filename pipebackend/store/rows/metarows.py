"""Rows of ``domainmetadata``: a zone's settings."""

from __future__ import annotations

from pipebackend.store.database import schema
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.store.database.database import Database

__all__ = ["of_zone", "replace", "zones_with"]


def of_zone(db: Database, apex: str) -> dict[str, list[str]]:
    """The zone's values by kind, each kind's in the order in which they were written."""
    found = db.rows(
        "SELECT m.kind, coalesce(m.content, '') FROM domains AS d JOIN domainmetadata AS m ON m.domain_id = d.id "
        "WHERE d.name = ? AND m.kind IS NOT NULL ORDER BY m.id",
        (domains.stored_name(apex),),
    )
    values_by_kind: dict[str, list[str]] = {}
    for kind, value in found:
        values_by_kind.setdefault(domains.text_of(kind), []).append(domains.text_of(value))
    return values_by_kind


def replace(db: Database, apex: str, wanted_id: int, kind: str, values: Sequence[str]) -> None:
    """Puts ``values`` in place of those that the kind has; makes the zone's row if there is something to keep."""
    if not values and domains.id_of(db, apex) is None:
        return
    with db.writing():
        domain_id = domains.ensure_for_settings(db, apex, wanted_id)
        db.execute("DELETE FROM domainmetadata WHERE domain_id = ? AND upper(kind) = upper(?)", (domain_id, kind))
        for value in values:
            db.execute(
                "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)", (domain_id, kind, value)
            )


def zones_with(db: Database, kind: str) -> list[tuple[str, str]]:
    """The zones that have a setting of this kind, and its value, in the order of their names."""
    found = db.rows(
        "SELECT d.name, coalesce(m.content, '') FROM domains AS d JOIN domainmetadata AS m ON m.domain_id = d.id "
        "WHERE m.kind = ? ORDER BY d.name, m.id",
        (kind,),
    )
    return [(schema.apex_from(name), domains.text_of(value)) for name, value in found if isinstance(name, str)]
