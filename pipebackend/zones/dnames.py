"""Where a zone has DNAME records, which PowerDNS follows only when told to: ``dname-processing=yes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipebackend.base.errors import NotListable

if TYPE_CHECKING:
    from pipebackend.dnsdata.records import Record
    from pipebackend.zones.base import Zone

__all__ = ["advice", "written_owner", "written_owners"]

_DNAME = "DNAME"


def written_owners(zone: Zone) -> list[str]:
    """The owners of DNAME records; reads the whole zone, of one that is computed the records written down."""
    try:
        found: Iterable[Record] = _written(zone) if zone.dynamic else zone.listing()
    except NotListable:
        found = _written(zone)
    return list(dict.fromkeys(record.owner for record in found if record.type == _DNAME))


def written_owner(zone: Zone) -> str | None:
    """The first of them, where looking for it costs little: among records in memory."""
    return next((record.owner for record in _written(zone) if record.type == _DNAME), None)


def advice(apex: str, owner: str, *, is_signed: bool) -> str:
    """What to do about a DNAME."""
    bogus = ", which validating resolvers call bogus" if is_signed else ""
    return (
        f"zone {apex or '.'} has a DNAME at {owner or '.'}: without dname-processing=yes in pdns.conf (the default is "
        f"no) PowerDNS answers NXDOMAIN below it{bogus}"
    )


def _written(zone: Zone) -> Iterator[Record]:
    tree = getattr(zone, "written", None)
    for records in tree.nodes.values() if tree is not None else ():
        yield from records
