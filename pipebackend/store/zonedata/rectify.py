"""Makes a zone's rows and order right again after they were written, by us or by others."""

from __future__ import annotations

from pipebackend.store.zonedata import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.store.database.database import Database

__all__ = ["all_stale", "one", "takes_long"]

MOST_NAMES = 2000  # one by one; a name costs about twenty times as much so as in a pass over the whole zone
LARGE = 20_000  # records, which take about 0.2 s


def one(db: Database, domain_id: int) -> None:
    """The zone's ``auth``, ``ordername``, empty non-terminals and order, as far as they may be wrong; StoreFault."""
    with db.writing():
        written = order.stale_names(db, domain_id, MOST_NAMES)
        if written == []:
            return
        denial = order.denial_of(db, domain_id)
        if denial is not None:
            order.mark(db, domain_id)  # so that what is written here is not noted name by name
            if written is None:
                from pipebackend.store.zonedata import rebuild

                rebuild.rebuild(db, domain_id, denial)
            else:
                from pipebackend.store.zonedata import update

                update.update(db, domain_id, denial, written)
        order.unmark(db, domain_id)


def takes_long(db: Database, domain_id: int) -> bool:
    """Whether all the names of a large zone are to be put in order."""
    if order.is_known(db) and order.stale_names(db, domain_id, MOST_NAMES) is not None:
        return False
    values = (domain_id, LARGE)
    return bool(db.rows("SELECT 1 FROM records WHERE domain_id = ? LIMIT 1 OFFSET ?", values))


def all_stale(db: Database) -> None:
    """The same for all zones."""
    for domain_id in order.stale_zones(db):
        one(db, domain_id)
