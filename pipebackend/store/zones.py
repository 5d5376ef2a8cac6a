"""The part of the store's public face that is asked about zones: which there are, and how they are replicated."""

from __future__ import annotations

from pipebackend.store.part import Part
from pipebackend.store.rows import domains, metarows, replication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.store.rows.autoprimaries import Autoprimary
    from pipebackend.store.rows.domains import DomainRow
    from pipebackend.store.rows.replication import StoredDomain

__all__ = ["Zones"]


class Zones(Part):
    """Zones with their ids, kinds and primaries; and the autoprimaries."""

    __slots__ = ()

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

    def zones_with(self, kind: str) -> list[tuple[str, str]]:
        """The zones that have a setting of this kind, and its value."""
        return metarows.zones_with(self._db, kind)

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
