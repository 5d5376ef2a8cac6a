"""The store's public face: one method for each thing that the rest of the program asks.

What answers about names do not need is imported when it is first asked for: it would be a twentieth of each start.
"""

from __future__ import annotations

import os

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.database import POSTGRESQL, Database
from pipebackend.store.rows import domains, metarows, replication, rrs
from pipebackend.store.zonedata import order, rectify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pipebackend.base.errors import RecordFault
    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store.rows.autoprimaries import Autoprimary
    from pipebackend.store.rows.domains import DomainRow
    from pipebackend.store.rows.keyrows import KeyRow
    from pipebackend.store.rows.refusals import Refusal
    from pipebackend.store.rows.replication import StoredDomain
    from pipebackend.store.rows.rollovers import Rollovers
    from pipebackend.store.zonedata.fill import Filling
    from pipebackend.store.zonedata.order import Denial

__all__ = ["Store", "open_store"]

_SCHEME = "sqlite:"
_LARGE = 1000  # records


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
    from pipebackend.store.database.handle import Handle

    return Store(Database(Handle(os.path.join(base, path))))


class Store:
    """Zones' ids, keys and settings, and the TSIG keys.

    Names are canonical. Reading from a store that is missing finds nothing; the first write makes it. A write outside
    ``begin()`` is a transaction of its own. Every method raises StoreFault if the store cannot be used; a failed write
    changed nothing. A Store belongs to one thread and is not taken over a fork.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

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

    def domain_id(self, apex: str) -> int | None:
        """The zone's id, None if the store does not know it."""
        return domains.id_of(self._db, apex)

    def apex_of(self, domain_id: int) -> str | None:
        """The name of the zone with this id, None if there is none."""
        return domains.apex_of(self._db, domain_id)

    def domains(self) -> list[DomainRow]:
        """All zones that the store knows, in the order of their ids."""
        return domains.all_rows(self._db)

    def misnamed(self) -> list[tuple[str, str]]:
        """The names of zones that are not found, and why."""
        return domains.misnamed(self._db)

    def ensure_domain(self, apex: str, wanted_id: int) -> int:
        """The zone's id, the same in all processes; made if need be: ``wanted_id``, or the next that is free."""
        return domains.ensure(self._db, apex, wanted_id)

    def domain(self, apex: str) -> StoredDomain | None:
        """What is kept of a zone and its SOA, None if the store does not know it."""
        return replication.find(self._db, apex)

    def served_domains(self) -> list[StoredDomain]:
        """The zones whose records are here: those with an SOA, in the order of their ids."""
        return replication.all_served(self._db)

    def waiting_domains(self) -> list[StoredDomain]:
        """The zones whose records are to be here and are not yet: those without SOA, in the order of their ids."""
        return replication.all_waiting(self._db)

    def is_here(self, domain: StoredDomain) -> bool:
        """Whether the zone's records are here or are to be; False where there are only keys and settings."""
        return replication.is_here(self._db, domain)

    def served_apexes(self, most: int) -> list[str]:
        """The names of at most so many of them."""
        return replication.served_apexes(self._db, most)

    def apexes_with(self, type_: str) -> list[str]:
        """The zones that have a record of a type."""
        return domains.with_type(self._db, type_)

    def apexes_with_other_names(self) -> list[str]:
        """The zones with a name that PowerDNS serves with ``8bit-dns`` alone."""
        return domains.with_other_names(self._db)

    def owner_of(self, domain_id: int, type_: str, most: int) -> str | None:
        """The owner of a record of that type among the first so many of a zone."""
        return replication.owner_of(self._db, domain_id, type_, most)

    def unfresh_domains(self, now: int) -> list[StoredDomain]:
        """The secondary zones whose primary is to be asked for its serial again; ``now`` in seconds since 1970."""
        return replication.unfresh(self._db, now)

    def updated_domains(self) -> list[StoredDomain]:
        """The primary zones whose secondaries were not told of their serial."""
        return replication.updated(self._db)

    def create_domain(
        self, apex: str, wanted_id: int, kind: str = "NATIVE", primaries: Sequence[str] = (), account: str = ""
    ) -> int:
        """Makes a zone without records and returns its id; StoreFault if it has records already."""
        return replication.create(self._db, apex, wanted_id, kind, primaries, account)

    def delete_domain(self, apex: str) -> bool:
        """Forgets a zone with its records, keys and settings; False if there is none."""
        return replication.delete(self._db, apex)

    def set_kind(self, apex: str, kind: str) -> bool:
        """Makes the zone NATIVE, MASTER or SLAVE; False if there is none."""
        return replication.set_kind(self._db, apex, kind)

    def set_primaries(self, apex: str, primaries: Sequence[str]) -> bool:
        """Where a secondary zone is fetched from; False if there is no such zone."""
        return replication.set_primaries(self._db, apex, primaries)

    def set_account(self, apex: str, account: str) -> bool:
        """Whose zone it is, in the operator's words; False if there is no such zone."""
        return replication.set_account(self._db, apex, account)

    def set_notified(self, domain_id: int, serial: int) -> bool:
        """The zone's secondaries were told of this serial; False if there is no such zone."""
        return replication.set_notified(self._db, domain_id, serial)

    def set_fresh(self, domain_id: int, now: int) -> bool:
        """The zone's primary was asked at this moment; False if there is no such zone."""
        return replication.set_checked(self._db, domain_id, now)

    def set_stale(self, domain_id: int) -> bool:
        """The zone's primary is to be asked at the next occasion; False if there is no such zone."""
        return replication.set_checked(self._db, domain_id, 0)

    def autoprimary(self, address: str, nameservers: Sequence[str]) -> tuple[str, str] | None:
        """Name server and account of the autoprimary with this address and one of these canonical names."""
        from pipebackend.store.rows import autoprimaries

        return autoprimaries.find(self._db, address, nameservers)

    def autoprimaries(self) -> list[Autoprimary]:
        """All autoprimaries in the order of their addresses."""
        from pipebackend.store.rows import autoprimaries

        return autoprimaries.all_rows(self._db)

    def add_autoprimary(self, row: Autoprimary) -> bool:
        """Adds an autoprimary; False if it is there already."""
        from pipebackend.store.rows import autoprimaries

        return autoprimaries.add(self._db, row)

    def remove_autoprimary(self, address: str, nameserver: str | None) -> int:
        """Takes away an autoprimary, or all of an address; how many there were."""
        from pipebackend.store.rows import autoprimaries

        return autoprimaries.remove(self._db, address, nameserver)

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

    def max_ttl(self, domain_id: int) -> int:
        """The largest TTL of a zone's records."""
        return rrs.max_ttl(self._db, domain_id)

    def zones_with(self, kind: str) -> list[tuple[str, str]]:
        """The zones that have a setting of this kind, and its value."""
        return metarows.zones_with(self._db, kind)

    def tsig_key(self, name: str) -> TsigKey | None:
        """The TSIG key of this name."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.get(self._db, name)

    def tsig_keys(self) -> list[TsigKey]:
        """All TSIG keys in the order of their names."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.all_keys(self._db)

    def set_tsig_key(self, name: str, algorithm: str, secret: str) -> None:
        """Keeps a TSIG key in the place of one of the same name; ``secret`` in Base64."""
        from pipebackend.store.rows import tsigrows

        tsigrows.replace(self._db, name, algorithm, secret)

    def remove_tsig_key(self, name: str) -> bool:
        """Forgets a TSIG key; False if there is none of this name."""
        from pipebackend.store.rows import tsigrows

        return tsigrows.remove(self._db, name)

    def records_at(self, domain_id: int, name: str) -> list[Record] | None:
        """The records at a canonical name; none at an empty non-terminal, None where nothing is."""
        return rrs.at(self._db, domain_id, name)

    def hiding(self, domain_id: int, owners: Sequence[str]) -> tuple[set[str], set[str]]:
        """Which of these canonical names have NS, and which have DNAME."""
        return rrs.hiding(self._db, domain_id, owners)

    def soa(self, domain_id: int, apex: str) -> Record | None:
        """The zone's SOA record, None if it has none."""
        return rrs.find_soa(self._db, domain_id, apex)

    def listing(self, domain_id: int, apex: str) -> Iterator[Record]:
        """All records of the zone and its empty non-terminals, as they are at the first, which is the SOA."""
        return rrs.listing(self._db, domain_id, apex)

    def examined(self, domain_id: int, apex: str) -> Iterator[Record | RecordFault]:
        """All records of the zone; in the place of a row that cannot be served, what is wrong with it."""
        return rrs.examined(self._db, domain_id, apex)

    def add_records(self, rows: Iterable[rrs.Row]) -> None:
        """Adds rows made by ``store.rrs.row``; the zone is stale until the commit."""
        rrs.add(self._db, rows)

    def remove_rrset(self, domain_id: int, name: str, type_: str) -> None:
        """Takes the records of a type away from a canonical name, all of them for ANY."""
        rrs.remove(self._db, domain_id, name, type_)

    def set_aside(self, rows: Iterable[rrs.Row]) -> None:
        """Keeps rows made by ``store.rrs.row`` for ``replace_records``; until then no other process has to wait."""
        from pipebackend.store.zonedata import staged

        staged.add(self._db, rows)

    def forget_set_aside(self) -> None:
        """Drops what was set aside."""
        from pipebackend.store.zonedata import staged

        staged.forget(self._db)

    def replace_records(self, domain_id: int, count: int) -> None:
        """Puts the ``count`` rows that were set aside in the place of all records of the zone, in order."""
        from pipebackend.store.zonedata import columns, fill, staged

        apex = self.apex_of(domain_id) or ""
        if count > 0:
            staged.check_nonterminals(self._db, apex, count)
        rows = staged.in_order(self._db, apex)
        try:
            with fill.replacing(self._db, domain_id, is_large=count > _LARGE) as zone:
                for block in columns.of_rows(rows):
                    zone.put(block)
                if zone.taken != count:
                    raise StoreFault(f"store {self.path}: it was replaced while records were written to it; try again")
        finally:
            rows.close()  # SQLite lets nobody read after an error as of a full disk while a statement is going on
        staged.forget(self._db)

    def fill(self, domain_id: int, records: Sequence[Record], progress: Callable[[int], None]) -> int:
        """Puts these records, each once, in the place of all records of the zone, in order; how many were written.

        Their owners are in the zone, and content is in PowerDNS's form. ``progress`` is told of each few hundred.
        """
        from pipebackend.store.zonedata import columns

        with self.filling(domain_id, is_large=len(records) > _LARGE) as zone:
            for block in columns.of_records(self.apex_of(domain_id) or "", records, progress):
                zone.put(block)
        return zone.written

    def without_lookups(self) -> AbstractContextManager[None]:
        """A block around transactions that only write records of zones that are there, which is quicker."""
        from pipebackend.store.zonedata import fill

        return fill.without_lookups(self._db)

    def filling(self, domain_id: int, *, is_large: bool) -> AbstractContextManager[Filling]:
        """A block in which records, of ascending names, are put in the place of all records of the zone.

        ``is_large`` for about a thousand records or more.
        """
        from pipebackend.store.zonedata import fill

        return fill.replacing(self._db, domain_id, is_large=is_large)

    def note_refusal(self, domain_id: int, moment: int, reasons: Sequence[str]) -> None:
        """Keeps why a zone was not replaced, until its records are written; StoreFault where another is writing."""
        from pipebackend.store.rows import refusals

        self._db.impatiently(lambda: refusals.note(self._db, domain_id, moment, reasons))

    def refusal(self, domain_id: int) -> Refusal | None:
        """Why the zone was last not replaced; None if its records were written since."""
        from pipebackend.store.rows import refusals

        return refusals.find(self._db, domain_id)

    def denial(self, domain_id: int) -> Denial | None:
        """How the zone denies names, None if there is no such zone."""
        return order.denial_of(self._db, domain_id)

    def is_stale(self, domain_id: int) -> bool:
        """Whether the zone's records were written by somebody who did not care for auth, order and non-terminals."""
        return order.is_stale(self._db, domain_id)

    def rectify(self, domain_id: int) -> None:
        """Makes auth, ordername, empty non-terminals and order of a zone right if it ``is_stale``."""
        rectify.one(self._db, domain_id)

    def rectify_soon(self, domain_id: int) -> None:
        """The same, but StoreFault where another process is writing: a question does not wait for it."""
        self._db.impatiently(lambda: rectify.one(self._db, domain_id))

    def takes_long_to_rectify(self, domain_id: int) -> bool:
        """Whether it would be longer than a question can wait."""
        return rectify.takes_long(self._db, domain_id)

    def neighbours(self, domain_id: int, name: str, apex: str) -> tuple[str, str] | None:
        """See ``zones.base.Ring``; None if the zone has no order."""
        return order.neighbours(self._db, domain_id, name, apex)

    def hashed_neighbours(self, domain_id: int, label: str, param: Nsec3Param) -> tuple[str, str, str] | None:
        """See ``zones.base.Ring``; None if the zone's hashes are not of these parameters."""
        return order.hashed_neighbours(self._db, domain_id, label, param)

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
