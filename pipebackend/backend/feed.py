"""The records of one zone on their way into the store, between the start of a transaction and its commit."""

from __future__ import annotations

from pipebackend.base import logs
from pipebackend.base.errors import BackendError, NameFault, RecordFault, StoreFault, TransferFault
from pipebackend.dnsdata import canonical, coexistence, names, records
from pipebackend.dnsdata.records import Record
from pipebackend.dnsdata.versions import other_name
from pipebackend.store.rows import cells, rrs
from pipebackend.store.zonedata import positions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.dnsdata.versions import Dialect
    from pipebackend.store import Store
    from pipebackend.store.rows.rrs import Row
    from pipebackend.store.zonedata.order import Denial

__all__ = ["IN_PLACE", "Feed"]

IN_PLACE = -1  # instead of a domain_id: the zone is edited, not replaced (rule T-1)
_BATCH = 10_000  # records written at once
_MANY = 150_000  # records take a second or two, which is what PowerDNS waits for an answer
_SHOWN_FAULTS = 20
# PowerDNS makes them (rule S-2), or we do. TYPE0 is its name for an empty non-terminal, whatever a primary means by it
_DERIVED = frozenset(("NSEC", "NSEC3", "NSEC3PARAM", records.ENT, "TYPE0"))


class Feed:
    """The zone that is being written."""

    def __init__(self, store: Store, apex: str, ident: int | None, *, is_replaced: bool, dialect: Dialect) -> None:
        self.apex = apex
        self._store = store
        self._ident = ident
        self._is_replaced = is_replaced
        self._is_cleared = not is_replaced
        self._denial: Denial | None = None
        self._rows: list[Row] = []
        self._owner = ""  # the last owner as it was fed, and as a name of the zone
        self._name: str | None = None
        self._spelled = ""  # as pdnsutil load-zone feeds it; what PowerDNS transfers is in lower case
        self._ordername: str | None = None
        self._faults: list[str] = []
        self._fault_count = self._fed = self._aside = 0
        self._soas = 0
        self._touches_soa = False
        self._is_here = is_replaced  # else it must have an SOA to be edited
        self._dialect = dialect
        self._is_plain = canonical.checks()
        self._is_plain_name = positions.plain_names(apex) if is_replaced else _never
        self._aliases: set[str] = set()  # edited names, which may have a CNAME beside other data

    @property
    def is_spoiled(self) -> bool:
        return self._fault_count > 0

    @property
    def faults_named(self) -> int:
        return len(self._faults)

    @property
    def last_fault(self) -> str:
        return self._faults[-1]

    def demand_faultless(self) -> None:
        if self._faults:
            raise TransferFault(self._faults)

    def feed(self, record: Record) -> None:
        if record.type in _DERIVED:
            return
        try:
            self._demand_here(record.type)
            self._rows.append(self._row(record))
        except (NameFault, RecordFault) as exc:
            self.fault(f"{record.owner or '.'} {record.type}: {exc}")
        if len(self._rows) >= _BATCH:
            self._write_rows()

    def replace(self, name: str, type_: str, rrset: Sequence[Record]) -> None:
        try:
            owner = names.from_text(name)
        except NameFault as exc:
            self.fault(f"{name} {type_}: {exc}")
            return
        try:
            self._demand_here(type_)
        except RecordFault as exc:
            self.fault(f"{name} {type_}: {exc}")
            return
        if rrset and type_ in _DERIVED and not self._is_secondary():
            self.fault(f"{name} {type_}: PowerDNS makes it itself; settings such as NSEC3PARAM are set with pdnsutil")
            return
        self.flush()
        for name_of_type in {type_, other_name(type_)}:  # another version may have written it
            self._store.remove_rrset(self._known_ident(), owner, name_of_type)
        self._aliases.add(owner)
        if type_ in ("SOA", "ANY") and owner == self.apex:
            self._touches_soa = True
            self._soas = 0
            if type_ == "SOA" and len(rrset) != 1:
                self.fault(f"it would have {len(rrset)} SOA records; a zone has one")
        for record in dict.fromkeys(rrset):
            self.feed(record)

    def fault(self, text: str) -> None:
        self._fault_count += 1
        if len(self._faults) < _SHOWN_FAULTS:
            self._faults.append(f"zone {self.apex or '.'}: {text}")

    def flush(self) -> None:
        """Writes what was fed; from then on a zone that is replaced is edited."""
        self._write_rows()
        if not self._is_cleared:
            if self._aside >= _MANY:
                logs.info(
                    f"zone {self.apex or '.'}: {self._aside} records are written, some {self._aside // _MANY} s; "
                    "a shorter timeout= of PowerDNS would end that, with the old zone kept"
                )
            self._store.replace_records(self._known_ident(), self._aside)
            self._is_cleared = True

    def _write_rows(self) -> None:
        if self._rows and self._is_cleared:
            self._store.add_records(self._rows)
        elif self._rows:
            self._store.set_aside(self._rows)
            self._aside += len(self._rows)
        self._rows.clear()

    def finish(self) -> None:
        """Writes the rest; TransferFault if the zone must not become this."""
        if not self._fault_count:
            self.flush()
        self._check_soa()
        for name in () if self._fault_count else sorted(self._aliases):
            self._check_alias(name)
        if self._fault_count > len(self._faults):
            self._faults.append(f"zone {self.apex or '.'}: … and {self._fault_count - len(self._faults)} more")
        self.demand_faultless()

    def note_refusal(self, moment: int, reason: BackendError) -> None:
        """Keeps why the zone was not replaced, if that is possible now; who sent it hears of it in any case."""
        if not self._is_replaced or self._ident is None:
            return
        prefix = f"zone {self.apex or '.'}: "
        reasons = [line.removeprefix(prefix) for line in str(reason).split("\n")]
        try:
            self._store.note_refusal(self._ident, moment, reasons)
        except StoreFault:  # as on a full disk, which may be the reason itself
            pass

    def _row(self, record: Record) -> Row:
        owner, type_, ttl, content, _, _ = record
        if owner != self._owner or self._name is None:
            self._take_owner(owner)
        name = self._name or ""
        if not 0 <= ttl <= records.MAX_TTL and self._is_replaced:
            ttl = 0  # what a primary means by that (RFC 2181 section 8)
        elif not 0 <= ttl <= records.MAX_TTL:
            raise RecordFault(f"the ttl {ttl} is not from 0 to {records.MAX_TTL}")
        is_plain = self._is_plain.get(type_)
        if is_plain is None or not is_plain(content):
            type_, content = records.kept_content(type_, content, self._dialect)
            if not content and type_ not in cells.MAY_BE_EMPTY:
                raise RecordFault("the content is empty")
        if type_ == "SOA":
            self._take_soa(name)
        elif not self._is_replaced:  # else a secondary serves what its primary does; ``zone check`` tells of it
            self._aliases.add(name)
        self._fed += 1
        # The commit puts right what is not known yet; guessed well, there is little to put right.
        auth = type_ != "NS" or name == self.apex
        name = name if self._is_cleared else self._spelled
        return rrs.row(self._known_ident(), Record(name, type_, ttl, content, auth), self._ordername)

    def _demand_here(self, type_: str) -> None:
        """RecordFault if a zone without SOA is to be edited: its records may be in another of PowerDNS's backends."""
        if not self._is_here and type_ != "SOA" and self._store.soa(self._known_ident(), self.apex) is None:
            raise RecordFault("the zone has no SOA here; its records are elsewhere, or it has to be filled as a whole")
        self._is_here = True

    def _is_secondary(self) -> bool:
        """Whether the edit may be an incremental transfer, which brings the primary's denial of existence."""
        row = self._store.domain(self.apex)
        return row is not None and row.kind == "SLAVE"

    def _take_owner(self, owner: str) -> None:
        self._owner, self._name = owner, None
        name, spelled = owner.lower(), owner
        if not self._is_plain_name(name):
            spelled = names.spelling(owner)
            name = spelled.lower()
            if not names.is_below(name, self.apex):
                raise RecordFault(f"outside of the zone; only {self.apex} and names below it are taken")
        self._name, self._spelled = name, spelled
        self._ordername = None
        if self._is_replaced:
            if self._denial is None:
                self._denial = self._store.denial(self._known_ident())
            self._ordername = self._denial.ordername(name, True) if self._denial is not None else None

    def _take_soa(self, name: str) -> None:
        if name != self.apex:
            raise RecordFault(f"the SOA belongs to {self.apex or '.'}, not to a name below it")
        self._soas += 1

    def _check_soa(self) -> None:
        if self._is_replaced:
            if self._soas != 1 and (self._fed or self._fault_count):
                self.fault(f"{self._soas} SOA records were sent; a zone has one")
            return
        if not self._touches_soa or self._ident is None:
            return
        found = self._store.records_at(self._ident, self.apex) or []
        count = sum(record.type == "SOA" for record in found)
        if count != 1:
            self.fault(f"it would have {count} SOA records; a zone has one")

    def _check_alias(self, name: str) -> None:
        found = self._store.records_at(self._known_ident(), name) or ()
        others = coexistence.beside_cname(record.type for record in found)
        rule = coexistence.more_than_one("CNAME", [record.content for record in found if record.type == "CNAME"])
        if others or rule:
            beside = f"{', '.join(others)} records" if others else "another CNAME"
            self.fault(f"{name} CNAME: there cannot be {beside} beside it")

    def _known_ident(self) -> int:
        if self._ident is None:
            raise TransferFault([f"zone {self.apex or '.'} is not in the store; create it first: zoneutil zone create"])
        return self._ident


def _never(name: str) -> bool:
    """In place of a test that is not worth its preparation for a few names."""
    return False
