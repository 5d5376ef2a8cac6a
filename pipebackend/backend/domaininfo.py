"""What PowerDNS wants to know of a zone as a whole."""

from __future__ import annotations

from pipebackend.base.errors import ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata.soa import SERIAL, soa_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.store.rows.replication import StoredDomain
    from pipebackend.zones.base import Zone

__all__ = ["DomainInfo", "of_row", "of_zone", "serial_of", "stored_facts"]


class DomainInfo(Value):
    """What PowerDNS calls the info of a domain; ``zone`` is canonical, ``source`` our kind of zone.

    ``kind`` is NATIVE, MASTER or SLAVE; ``primaries`` are addresses, ``last_check`` is in seconds since 1970.
    """

    ident: int
    zone: str
    serial: int
    source: str
    kind: str = "NATIVE"
    primaries: Sequence[str] = ()
    notified_serial: int = 0
    last_check: int = 0


def of_zone(zone: Zone, row: StoredDomain | None) -> DomainInfo:
    if zone.kind == "stored" and row is not None:
        return of_row(row)
    return DomainInfo(zone.ident, zone.apex, serial_of(zone), zone.kind)


def of_row(row: StoredDomain) -> DomainInfo:
    return DomainInfo(
        row.id, row.apex, row.serial, "stored", row.kind, row.primaries, row.notified_serial, row.last_check
    )


def stored_facts(row: StoredDomain) -> dict[str, object]:
    """What an operator wants to know of a zone of the store, beside its records."""
    return {"role": row.role, "primaries": list(row.primaries), "account": row.account}


def serial_of(zone: Zone) -> int:
    """0 for a zone that is being compiled, or whose SOA others wrote: it must not hide the others from a list."""
    try:
        return soa_number(zone.soa().content, SERIAL) or 0
    except ZoneFault:
        return 0
