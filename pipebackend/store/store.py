"""The store's public face: one method for each thing that the rest of the program asks."""

from __future__ import annotations

import os

from pipebackend.errors import StoreFault
from pipebackend.store import domains, keyrows, metarows, tsigrows, upkeep
from pipebackend.store.sqlite import Sqlite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipebackend.store.domains import DomainRow
    from pipebackend.store.keyrows import KeyRow
    from pipebackend.tsig import TsigKey

__all__ = ["Store", "open_store"]

_SCHEME = "sqlite:"


def open_store(url: str, base: Path | str) -> Store:
    """The store at ``url``, as ``sqlite:zones.db``, relative to the directory ``base``; never makes it. StoreFault."""
    path = url.removeprefix(_SCHEME)
    if path == url or not path or path.startswith("//") or "\0" in path:
        raise StoreFault(f"store {url!r}: supported is sqlite:PATH, as sqlite:zones.db or sqlite:/var/lib/dns/zones.db")
    return Store(Sqlite(os.path.join(base, path)))


class Store:
    """Zones' ids, keys and settings, and the TSIG keys.

    Names are canonical. Reading from a store that is missing finds nothing; the first write makes it. A write outside
    ``begin()`` is a transaction of its own. Every method raises StoreFault if the store cannot be used; a failed write
    changed nothing. A Store belongs to one thread and is not taken over a fork.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Sqlite) -> None:
        self._db = db

    @property
    def path(self) -> str:
        """The absolute path of the store's file."""
        return self._db.path

    def domain_id(self, apex: str) -> int | None:
        """The zone's id, None if the store does not know it."""
        return domains.id_of(self._db, apex)

    def apex_of(self, domain_id: int) -> str | None:
        """The name of the zone with this id, None if there is none."""
        return domains.apex_of(self._db, domain_id)

    def domains(self) -> list[DomainRow]:
        """All zones that the store knows, in the order of their ids."""
        return domains.all_rows(self._db)

    def ensure_domain(self, apex: str, wanted_id: int) -> int:
        """The zone's id, the same in all processes; made if need be: ``wanted_id``, or the next that is free."""
        return domains.ensure(self._db, apex, wanted_id)

    def keys(self, apex: str) -> list[KeyRow]:
        """The zone's keys in the order of their ids."""
        return keyrows.of_zone(self._db, apex)

    def add_key(self, apex: str, wanted_id: int, flags: int, active: bool, published: bool, content: str) -> int:
        """Adds a key of BIND private-key text and returns its id; ``wanted_id`` as for ``ensure_domain``."""
        return keyrows.add(self._db, apex, wanted_id, flags, active, published, content)

    def set_key_active(self, apex: str, key_id: int, active: bool) -> bool:
        """Lets the key sign or not; False if the zone has no such key."""
        return keyrows.set_active(self._db, apex, key_id, active)

    def set_key_published(self, apex: str, key_id: int, published: bool) -> bool:
        """Shows the key in the zone or not; False if the zone has no such key."""
        return keyrows.set_published(self._db, apex, key_id, published)

    def remove_key(self, apex: str, key_id: int) -> bool:
        """Forgets the key; False if the zone has no such key."""
        return keyrows.remove(self._db, apex, key_id)

    def metadata(self, apex: str) -> dict[str, list[str]]:
        """The zone's settings: values by kind."""
        return metarows.of_zone(self._db, apex)

    def set_metadata(self, apex: str, wanted_id: int, kind: str, values: Sequence[str]) -> None:
        """Replaces the values of one kind; none delete it. ``wanted_id`` as for ``ensure_domain``."""
        metarows.replace(self._db, apex, wanted_id, kind, values)

    def tsig_key(self, name: str) -> TsigKey | None:
        """The TSIG key of this name."""
        return tsigrows.get(self._db, name)

    def tsig_keys(self) -> list[TsigKey]:
        """All TSIG keys in the order of their names."""
        return tsigrows.all_keys(self._db)

    def set_tsig_key(self, name: str, algorithm: str, secret: str) -> None:
        """Keeps a TSIG key in the place of one of the same name; ``secret`` in Base64."""
        tsigrows.replace(self._db, name, algorithm, secret)

    def remove_tsig_key(self, name: str) -> bool:
        """Forgets a TSIG key; False if there is none of this name."""
        return tsigrows.remove(self._db, name)

    def begin(self) -> None:
        """Starts a transaction; it holds no lock until its first write, and reads here see its writes."""
        self._db.begin()

    def commit(self) -> bool:
        """Keeps the transaction's writes; False if none was started. After StoreFault nothing of it was kept."""
        return self._db.commit()

    def abort(self) -> bool:
        """Forgets the transaction's writes; False if none was started."""
        return self._db.abort()

    def data_version(self) -> int:
        """A number that differs from its last value if anything may have been changed by any process since."""
        return self._db.change_count()

    def init(self) -> None:
        """Makes the store, or adds to an older one what is missing; nothing if it is as it should be."""
        with self._db.writing():
            pass

    def check(self) -> list[str]:
        """A line for each thing that is wrong; none for a store that is well or not made yet."""
        return upkeep.found_faults(self._db)

    def backup(self, path: Path | str) -> None:
        """Copies the store as it was last committed to a new private file; never overwrites one."""
        upkeep.backup(self._db, os.fspath(path))

    def close(self) -> None:
        """Lets go of the file; an open transaction is forgotten. The next call opens it again."""
        self._db.close()
