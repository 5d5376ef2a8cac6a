"""Writing a stored zone: records are fed between a start and a commit, and then the zone is the new one or the old.

What breaks a rule of DNS is noted while it is fed and named when the commit is refused (TransferFault); then nothing
was changed. An RRset is refused at once as well, since PowerDNS looks at that answer. The commit itself puts ``auth``,
``ordername``, empty non-terminals and the order right.
"""

from __future__ import annotations

from pipebackend.backend.feed import IN_PLACE, Feed
from pipebackend.base.errors import BackendError, TransferFault
from pipebackend.dnsdata import names
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import OLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store import Store

__all__ = ["Transfer"]


class Transfer:
    """One session's transfers, one open at a time. Every method raises StoreFault if the store cannot be used."""

    def __init__(self, store: Store, dialect: Callable[[], Dialect] = lambda: OLD) -> None:
        """``dialect`` tells that of the PowerDNS that writes."""
        self._store = store
        self._dialect = dialect
        self._zone: Feed | None = None

    @property
    def is_open(self) -> bool:
        """Whether a transfer was started and has not ended."""
        return self._zone is not None

    def is_spoiled(self, apex: str) -> bool:
        """Whether a transfer of this zone is open whose commit will be refused."""
        return self._zone is not None and self._zone.is_spoiled and self._zone.apex == apex

    def start(self, apex: str, domain_id: int) -> None:
        """Begin to replace the zone with this id, or with -1 to edit it; one that was open is forgotten.

        What is written to the store meanwhile, such as keys and settings, is kept or forgotten with it. Raises
        TransferFault if a zone to be replaced is not in the store.
        """
        self.abort()
        name = names.from_text(apex)
        ident = self._store.domain_id(name)
        if domain_id != IN_PLACE and ident is None:
            raise TransferFault(
                [f"zone {name or '.'} is not in the store; create it first: zoneutil zone create {name}"]
            )
        self._store.begin()
        self._zone = Feed(self._store, name, ident, is_replaced=domain_id != IN_PLACE, dialect=self._dialect())

    def feed(self, record: Record) -> str:
        """Add a record to the zone that is open; what PowerDNS derives (NSEC, NSEC3, NSEC3PARAM) is left out.

        Returns why the record was not taken, "" if it was. A zone has one such text for each of its first faults.
        """
        zone = self._open()
        known = zone.faults_named
        zone.feed(record)
        return zone.last_fault if zone.faults_named > known else ""

    def feed_ents(self, owners: Iterable[str]) -> None:
        """The sender's empty non-terminals: not needed, they follow from the records."""
        self._open()

    def replace_rrset(self, domain_id: int, name: str, type_: str, rrset: Sequence[Record]) -> None:
        """Put these records in place of those of a type (all for ANY) at a name; TransferFault if they cannot be.

        ``domain_id`` may be one that nobody gave out (rule T-11), then the zone of ``start`` is meant.
        """
        zone = self._open()
        apex = self._store.apex_of(domain_id)
        if apex is not None and apex != zone.apex:
            zone.fault(f"{name} {type_}: of the zone {apex}, but a transaction of zone {zone.apex} is open")
        else:
            zone.replace(name, type_, rrset)
        zone.demand_faultless()

    def refuse(self, reason: str) -> None:
        """Let the commit of the transfer that is open, if one is, be refused for this reason."""
        if self._zone is not None:
            self._zone.fault(reason)

    def flush(self) -> None:
        """Write what was fed so far, so that questions in this process see it."""
        if self._zone is not None:
            self._zone.flush()

    def commit(self, moment: int | None = None) -> bool:
        """Keep all since the start; False if there was none (rule T-3). Raises TransferFault if refused.

        Why a zone was not replaced is kept with ``moment``, in seconds since 1970, for ``zoneutil zone check``.
        """
        zone, self._zone = self._zone, None
        if zone is None:
            return False
        try:
            zone.finish()
            return self._store.commit()
        except BaseException as exc:
            self._zone = zone
            self.abort()
            if moment is not None and isinstance(exc, BackendError):
                zone.note_refusal(moment, exc)
            raise

    def abort(self) -> bool:
        """Forget all since the start; False if there was none."""
        zone, self._zone = self._zone, None
        was_open = self._store.abort()
        if zone is not None:
            self._store.forget_set_aside()  # not before: the end of the transaction would bring it back
        return was_open

    def _open(self) -> Feed:
        if self._zone is None:
            raise TransferFault(["no transaction is open; start one first"])
        return self._zone
