"""Rows of ``pipebackend_rollover_*``: where the keys of each zone stand, and the clock that their delays run on."""

from __future__ import annotations

from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipebackend.store.database.database import Database

    Cells = Mapping[str, object]

__all__ = ["KEY_COLUMNS", "RECORDS", "ZONE_COLUMNS", "Rollovers"]

RECORDS = ("dnskey", "key_rrsig", "zone_rrsig", "ds")
ZONE_COLUMNS = (
    *("last", "hold_until", "zone_ttl", "dnskey_ttl", "ds_ttl", "zone_horizon", "dnskey_horizon", "algorithm"),
    *("rolls", "parent"),
)
KEY_COLUMNS = (
    *("id", "tag", "algorithm", "role", "is_sep", "active", "published", "goal", "made", "is_gone", "is_withheld"),
    *(f"{record}{ending}" for record in RECORDS for ending in ("", "_since", "_until")),
)
_TABLES = ("pipebackend_rollover_zones", "pipebackend_rollover_keys", "pipebackend_rollover_looks")
_NOTE_LOOK = f"""INSERT INTO {_TABLES[2]} (boot, seconds, moment) VALUES (?, ?, ?)
    ON CONFLICT (boot) DO UPDATE SET seconds = excluded.seconds, moment = excluded.moment"""


class Rollovers:
    """The rows of all zones; written inside a transaction of the store, together with the keys that they tell of."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def zone(self, apex: str) -> dict[str, object] | None:
        """What is known of a zone's roll-overs, None if nothing is."""
        return next(iter(self._rows(_TABLES[0], ZONE_COLUMNS, apex, "domain_id")), None)

    def keys(self, apex: str) -> list[dict[str, object]]:
        """The keys of a zone in the order of their ids."""
        return self._rows(_TABLES[1], KEY_COLUMNS, apex, "id")

    def save(self, apex: str, zone: Cells, keys: Iterable[Cells]) -> None:
        """Puts a zone's rows in place of those before; the zone has a row in ``domains``."""
        domain_id = domains.id_of(self._db, apex)
        with self._db.writing():
            self.forget(apex)
            self._insert(_TABLES[0], domain_id, zone)
            for key in keys:
                self._insert(_TABLES[1], domain_id, key)

    def forget(self, apex: str) -> None:
        """Drops a zone's rows."""
        with self._db.writing():
            for table in _TABLES[:2]:
                self._db.execute(f"DELETE FROM {table} WHERE domain_id = ?", (domains.id_of(self._db, apex),))

    def looks(self) -> dict[str, tuple[int, int]]:
        """The last look of each run of a machine: its seconds, and the moment that they stood for."""
        if not self._is_made():
            return {}
        return {
            boot: (seconds, moment)
            for boot, seconds, moment in self._db.rows(f"SELECT boot, seconds, moment FROM {_TABLES[2]}")
        }

    def note_look(self, boot: str, seconds: int, moment: int) -> None:
        """Keeps the look of this machine; older runs of machines that are many looks behind are dropped."""
        with self._db.writing():
            self._db.execute(_NOTE_LOOK, (boot, seconds, moment))

    def _insert(self, table: str, domain_id: int | None, cells: Cells) -> None:
        columns = ", ".join(f'"{column}"' for column in cells)
        marks = ", ".join("?" * len(cells))
        self._db.execute(
            f"INSERT INTO {table} (domain_id, {columns}) VALUES (?, {marks})", (domain_id, *cells.values())
        )

    def _rows(self, table: str, columns: tuple[str, ...], apex: str, order: str) -> list[dict[str, object]]:
        if not self._is_made():
            return []
        wanted = ", ".join(f'"{column}"' for column in columns)
        found = self._db.rows(
            f"SELECT {wanted} FROM {table} WHERE domain_id = (SELECT id FROM domains WHERE name = ?) ORDER BY {order}",
            (domains.stored_name(apex),),
        )
        return [dict(zip(columns, row, strict=True)) for row in found]

    def _is_made(self) -> bool:
        return self._db.has_table(_TABLES[2])
