"""The part of the store's public face that is asked for keys and settings of zones, and for TSIG keys."""

from __future__ import annotations

from pipebackend.store.part import Part
from pipebackend.store.rows import domains, metarows
from pipebackend.store.zonedata import rectify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.store.rows.keyrows import KeyRow
    from pipebackend.store.rows.rollovers import Rollovers

__all__ = ["Keys"]


class Keys(Part):
    """Keys, metadata and roll-overs of zones; and the TSIG keys."""

    __slots__ = ()

    def keys(self, apex: str) -> list[KeyRow]:
        """The zone's keys in the order of their ids."""
        from pipebackend.store.rows import keyrows

        return keyrows.of_zone(self._db, apex)

    def add_key(self, apex: str, wanted_id: int, flags: int, active: bool, published: bool, content: str) -> int:
        """Adds a key of BIND private-key text and returns its id; ``wanted_id`` as for ``ensure_domain``."""
        from pipebackend.store.rows import keyrows

        return keyrows.add(self._db, apex, wanted_id, flags, active, published, content)

    def set_key_active(self, apex: str, key_id: int, active: bool) -> bool:
        """Lets the key sign or not; False if the zone has no such key."""
        from pipebackend.store.rows import keyrows

        return keyrows.set_active(self._db, apex, key_id, active)

    def set_key_published(self, apex: str, key_id: int, published: bool) -> bool:
        """Shows the key in the zone or not; False if the zone has no such key."""
        from pipebackend.store.rows import keyrows

        return keyrows.set_published(self._db, apex, key_id, published)

    def remove_key(self, apex: str, key_id: int) -> bool:
        """Forgets the key; False if the zone has no such key."""
        from pipebackend.store.rows import keyrows

        return keyrows.remove(self._db, apex, key_id)

    def metadata(self, apex: str) -> dict[str, list[str]]:
        """The zone's settings: values by kind."""
        return metarows.of_zone(self._db, apex)

    def set_metadata(self, apex: str, wanted_id: int, kind: str, values: Sequence[str]) -> None:
        """Replaces the values of one kind; none delete it. ``wanted_id`` as for ``ensure_domain``."""
        if not values and domains.id_of(self._db, apex) is None:
            return
        with self._db.writing():
            metarows.replace(self._db, apex, wanted_id, kind, values)
            if not self._db.in_transaction:
                rectify.all_stale(self._db)

    @property
    def rollovers(self) -> Rollovers:
        """Where the keys of zones stand that roll over by themselves."""
        from pipebackend.store.rows.rollovers import Rollovers

        return Rollovers(self._db)

    def tsig_key(self, name: str) -> TsigKey | None:
        """The TSIG key of this name."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.get(self._db, name)

    def tsig_keys(self) -> list[TsigKey]:
        """All TSIG keys in the order of their names."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.all_keys(self._db)

    def set_tsig_key(self, name: str, algorithm: str, secret: str) -> None:
        """Keeps a TSIG key in place of one of the same name; ``secret`` in Base64."""
        from pipebackend.store.rows import tsigrows

        tsigrows.replace(self._db, name, algorithm, secret)

    def remove_tsig_key(self, name: str) -> bool:
        """Forgets a TSIG key; False if there is none of this name."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.remove(self._db, name)
