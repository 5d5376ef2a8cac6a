"""The store's public face: one method for each thing that the rest of the program asks, in three parts.

What answers about names do not need is imported when it is first asked for: it would be a twentieth of each start.
"""

from __future__ import annotations

import os

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.database import POSTGRESQL, Database
from pipebackend.store.keys import Keys
from pipebackend.store.records import Records
from pipebackend.store.zonedata import order, rectify
from pipebackend.store.zones import Zones

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store.database.postgresql.standing import Standing

__all__ = ["Store", "open_store"]

_SCHEME = "sqlite:"


def open_store(url: str, base: Path | str) -> Store:
    """The store at ``url``, as ``sqlite:zones.db``, relative to the directory ``base``, or PostgreSQL's.

    Never makes it. StoreFault.
    """
    if url.startswith(("postgresql://", "postgres://")):
        from pipebackend.store.database.postgresql.handle import Postgres

        return Store(Database(Postgres(url)))
    path = url.removeprefix(_SCHEME)
    if path == url or not path or path.startswith("//") or "\0" in path:
        raise StoreFault(
            f"store {url!r}: supported is sqlite:PATH, as sqlite:zones.db or sqlite:/var/lib/dns/zones.db, and "
            "postgresql://USER@HOST/DATABASE"
        )
    from pipebackend.store.database.roots import handle_at

    return Store(Database(handle_at(os.path.join(base, path))))


class Store(Zones, Keys, Records):
    """Zones' ids, keys and settings, and the TSIG keys.

    Names are canonical. Reading from a store that is missing finds nothing; the first write makes it. A write outside
    ``begin()`` is a transaction of its own. Every method raises StoreFault if the store cannot be used; a failed write
    changed nothing. A Store belongs to one thread and is not taken over a fork.
    """

    __slots__ = ()

    @property
    def path(self) -> str:
        """The absolute path of the store's file, or the address of its database without a password."""
        return self._db.path

    @property
    def is_remote(self) -> bool:
        """Whether it is a database of a server, and no file."""
        return self._db.kind == POSTGRESQL

    def is_gone(self) -> bool:
        """Whether the store is missing, or has no tables."""
        return self._db.is_gone()

    def begin(self) -> None:
        """Starts a transaction; it holds no lock until its first write, and reads here see its writes."""
        self._db.begin()

    def commit(self) -> bool:
        """Keeps the transaction's writes; False if none was started. After StoreFault nothing of it was kept."""
        if self._db.in_transaction and order.stale_zones(self._db):
            rectify.all_stale(self._db)
        return self._db.commit()

    def abort(self) -> bool:
        """Forgets the transaction's writes; False if none was started."""
        return self._db.abort()

    def data_version(self) -> int:
        """A number that differs from its last value if anything may have been changed by any process since."""
        return self._db.change_count()

    @property
    def own_changes(self) -> int:
        """A number that differs from its last value if this object may have changed anything since; costs nothing."""
        return self._db.changes

    def init(self) -> None:
        """Makes the store, or adds to an older one what is missing; nothing if it is as it should be."""
        with self._db.writing():
            pass

    def check(self) -> list[str]:
        """A line for each thing that is wrong; none for a store that is well or not made yet."""
        from pipebackend.store.database import upkeep

        return upkeep.found_faults(self._db)

    def standing(self) -> Standing | None:
        """What the server of a database lets this role do; None for a file."""
        from pipebackend.store.database.postgresql import standing

        return standing.of(self._db) if self.is_remote else None

    def repair(self, dialect: Dialect | None = None) -> int:
        """Gives content the text of this dialect, PowerDNS's of any version if it is not known; counts the records."""
        from pipebackend.store.database import upkeep

        return upkeep.repair(self._db, dialect)

    def backup(self, path: Path | str) -> None:
        """Copies the store as it was last committed to a new private file; never overwrites one."""
        from pipebackend.store.database import upkeep

        upkeep.backup(self._db, os.fspath(path))

    def copy_to(self, target: Store, progress: Callable[[str, int], None]) -> None:
        """Copies all to an empty store of either kind, whole or not at all; ``progress`` gets a table and a count."""
        from pipebackend.store.database import copying

        copying.copy(self._db, target._db, progress)

    def close(self) -> None:
        """Lets go of the file; an open transaction is forgotten. The next call opens it again."""
        self._db.close()
