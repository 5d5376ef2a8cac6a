"""What PowerDNS writes about zones: transactions, and the book that it keeps of primaries and secondaries."""

from __future__ import annotations

from pipebackend.backend.transaction import Transfer
from pipebackend.base.errors import RequestFault, TransferFault
from pipebackend.dnsdata import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipebackend.dnsdata.records import Record
    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store import Store
    from pipebackend.store.rows.replication import StoredDomain

__all__ = ["Writer"]


class Writer:
    """One session's writes to the zones of a store; every method raises a BackendError with the reason if it cannot."""

    def __init__(self, store: Store, is_configured: Callable[[str], bool], dialect: Callable[[], Dialect]) -> None:
        """``is_configured`` says of a canonical name whether the configuration makes that zone."""
        self._store = store
        self._is_configured = is_configured
        self._transfer = Transfer(store, dialect)
        self._configured = ""  # the configured zone of an open transaction: keys and settings may change, records not
        self._refused: str | None = None  # the configured zone that PowerDNS goes on replacing, whatever it is told

    @property
    def is_open(self) -> bool:
        """Whether a transaction was started and has not ended."""
        return self._transfer.is_open

    def will_refuse(self, apex: str) -> bool:
        """Whether a transaction of this zone is open whose commit will be refused."""
        return self._refused == apex or self._transfer.is_spoiled(apex)

    def start(self, apex: str, zone_id: int) -> None:
        """Begin to replace a zone, or with -1 to edit it; one that was open is forgotten.

        A configured zone is refused at the commit, and not before: its keys and settings may be written, and after a
        refused start PowerDNS goes on and asks for no commit (docs/writes.md).
        """
        name = names.from_text(apex)
        self._configured = name if self._is_configured(name) else ""
        self._refused = name if self._configured and zone_id >= 0 else None
        self._transfer.start(name, -1 if self._configured else zone_id)

    def feed(self, record: Record) -> str:
        """Add a record; returns what ``Transfer.feed`` does."""
        self._demand_stored()
        return self._transfer.feed(record)

    def feed_ents(self) -> None:
        """Empty non-terminals follow from the records."""
        self._demand_stored()
        self._transfer.feed_ents(())

    def replace_rrset(self, zone_id: int, name: str, type_: str, rrset: Sequence[Record]) -> None:
        """Put records in place of those of a type at a name; none delete them."""
        self._demand_stored()
        self._transfer.replace_rrset(zone_id, name, type_, rrset)

    def refuse(self, reason: str) -> None:
        """Let the commit of the transaction that is open, if one is, be refused for this reason."""
        self._transfer.refuse(reason)

    def flush(self) -> None:
        """Let questions of this process see what was fed (rule T-5)."""
        self._transfer.flush()

    def commit(self, moment: int | None = None) -> None:
        """Keep what was written since the start; TransferFault if nothing was. ``moment`` as in ``Transfer.commit``."""
        refused, self._refused = self._refused, None
        if refused is not None:
            self._transfer.abort()
            raise TransferFault([_made_from_configuration(refused)])
        if not self._transfer.commit(moment):
            raise TransferFault(
                ["nothing was kept: no transaction is open, as after the process that had it was killed"]
            )

    def abort(self) -> bool:
        """Forget what was written since the start; False if there was none."""
        self._refused = None
        return self._transfer.abort()

    def set_notified(self, zone_id: int, serial: int) -> bool:
        """The secondaries were told of this serial; False for an unknown id."""
        return self._store.set_notified(zone_id, serial)

    def set_checked(self, zone_id: int, moment: int | None) -> bool:
        """The primary was asked at this time, in seconds since 1970; None asks again. False for an unknown id."""
        if moment is None:
            return self._store.set_stale(zone_id)
        return self._store.set_fresh(zone_id, moment)

    def updated(self) -> Sequence[StoredDomain]:
        """Primary zones with a serial that the secondaries were not told."""
        return self._store.updated_domains()

    def unfresh(self, now: int) -> Sequence[StoredDomain]:
        """Secondary zones whose refresh time is over."""
        return [domain for domain in self._store.unfresh_domains(now) if not self._is_configured(domain.apex)]

    def autoprimary(self, address: str, nameservers: Sequence[str]) -> tuple[str, str] | None:
        """The name server and account of the autoprimary that may announce new zones from this address."""
        return self._store.autoprimary(address, [names.from_text(name) for name in nameservers])

    def create_secondary(self, apex: str, primary: str, account: str, wanted_id: int) -> None:
        """Make an empty secondary zone, to be transferred."""
        name = names.from_text(apex)
        if self._is_configured(name):
            raise RequestFault(_made_from_configuration(name))
        self._store.create_domain(name, wanted_id, "SLAVE", [primary], account)

    def _demand_stored(self) -> None:
        if self._configured:
            self._refused = self._configured
            raise TransferFault([_made_from_configuration(self._configured)])


def _made_from_configuration(apex: str) -> str:
    return f"zone {apex or '.'} is made from the configuration: change it there or in its file"
