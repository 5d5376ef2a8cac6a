"""Puts all the names of a zone in order again, and writes only the rows that are not right already."""

from __future__ import annotations

from pipebackend.dnsdata import names, occlusion
from pipebackend.store.zonedata import order, positions
from pipebackend.store.zonedata.positions import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipebackend.store.database.database import Database
    from pipebackend.store.zonedata.order import Denial

__all__ = ["rebuild"]

_HIDERS = """SELECT name, max(CASE WHEN type = 'DS' THEN 1 ELSE 0 END), max(CASE WHEN type = 'NS' THEN 1 ELSE 0 END),
    max(CASE WHEN type = 'DNAME' THEN 1 ELSE 0 END) FROM records
    WHERE domain_id = ? AND type IN ('NS', 'DS', 'DNAME') AND disabled = FALSE GROUP BY name"""

# One row for each owner, so that the loop here is over names and the one over records is the database's. The highest
# ordername is NULL if one is. Last come the rows whose auth is not 0, 1, a cut's.
_OWNERS = """SELECT name, max(CASE WHEN coalesce(type, '') NOT IN ('', 'RRSIG') THEN 1 ELSE 0 END),
    sum(CASE WHEN coalesce(type, '') = '' THEN 1 ELSE 0 END),
    min(ordername), CASE WHEN count(ordername) = count(*) THEN max(ordername) END,
    sum(CASE WHEN type IN ('A', 'AAAA') THEN 1 ELSE 0 END),
    sum(CASE WHEN auth = FALSE THEN 0 ELSE 1 END), sum(CASE WHEN auth = TRUE THEN 0 ELSE 1 END),
    sum(CASE WHEN auth = (coalesce(type, '') = 'DS') THEN 0 ELSE 1 END)
    FROM records WHERE domain_id = ? AND disabled = FALSE AND name IS NOT NULL GROUP BY name"""


def rebuild(db: Database, domain_id: int, denial: Denial) -> None:
    """``auth``, ``ordername``, empty non-terminals and our order, whatever is there; inside ``db.writing()``."""
    zone = _Zone(db, domain_id, denial)
    zone.read()
    ents = _nonterminals(zone.names, zone.names, denial.apex)
    hashed_ents = _nonterminals(zone.hashed, zone.names, denial.apex)
    if denial.is_hashed:
        zone.hashes.update((name, denial.hash_of(name)) for name in hashed_ents)
    zone.write_order()
    positions.set_rows(db, domain_id, denial, zone.wrong)
    positions.leave_order(db, domain_id, zone.strangers)
    gone = zone.nonterminals.keys() - ents
    there = ((name, name in hashed_ents) for name in ents if not zone.is_right_nonterminal(name, name in hashed_ents))
    positions.set_nonterminals(db, domain_id, denial, gone, there)


class _Zone:
    """What is read of the zone, each name looked at once."""

    def __init__(self, db: Database, domain_id: int, denial: Denial) -> None:
        self.db, self.domain_id, self.denial = db, domain_id, denial
        self.cuts: dict[str, bool] = {}  # zone cut → whether it has DS
        self.hiding: set[str] = set()  # these and the owners of DNAME
        self.names: set[str] = set()
        self.spelled = order.spellings(db, domain_id)
        self.rows: list[tuple[int, int, bytes, int, str | None]] = []  # of pipebackend_places
        self.hashed: list[str] = []  # the names that have an NSEC3, or would have
        self.hashes: dict[str, str] = {}
        self.wrong: list[Place] = []
        self.strangers: list[str] = []  # owners of RRSIG alone that are in PowerDNS's order
        self.nonterminals: dict[str, tuple[int, str | None, int]] = {}  # how many rows, their ordername and auth

    def read(self) -> None:
        apex = self.denial.apex
        is_plain = positions.plain_names(apex)
        for stored, has_ds, has_ns, has_dname in self.db.rows_of_many(_HIDERS, (self.domain_id,)):
            name = "" if stored == "." else stored
            if not positions.is_name_of(name, apex):
                continue
            if has_ns and name != apex:
                self.cuts[name] = has_ds == 1
            if has_dname or name in self.cuts:
                self.hiding.add(name)
        for stored, is_name, ents, *said in self.db.stream(_OWNERS, (self.domain_id,)):
            name = "" if stored == "." else stored
            if ents:
                self.nonterminals[name] = ents + is_name, said[0], said[4] == 0
            elif not is_name and said[0] is not None:
                self.strangers.append(stored)
            if is_name and type(name) is str and (is_plain(name) or positions.is_name_of(name, apex)):
                self._place(name, *said)

    def write_order(self) -> None:
        db, domain_id = self.db, self.domain_id
        db.execute("DELETE FROM pipebackend_places WHERE domain_id = ?", (domain_id,))
        db.execute("DELETE FROM pipebackend_hashes WHERE domain_id = ?", (domain_id,))
        self.rows.sort()
        db.insert(
            positions.ADD_PLACE, ((ident, hidden, bytearray(key), *rest) for ident, hidden, key, *rest in self.rows)
        )
        hashes = sorted((domain_id, digest, name) for name, digest in self.hashes.items())
        db.insert(positions.ADD_HASH, hashes)
        order.note_param(db, domain_id, self.denial)

    def is_right_nonterminal(self, name: str, has_hash: bool) -> bool:
        return self.nonterminals.get(name) == (1, self.hashes.get(name), has_hash)

    def _place(
        self,
        name: str,
        lowest: str | None,
        highest: str | None,
        addresses: int,
        unhidden: int,
        unauth: int,
        uncut: int,
    ) -> None:
        """Notes the name; the numbers say how many rows would be wrong at a name that is hidden, plain, a cut."""
        hidden = bool(self.hiding) and occlusion.is_hidden(name, self.denial.apex, self.hiding)
        is_cut = name in self.cuts
        insecure = is_cut and not self.cuts[name]
        self.names.add(name)
        key = names.order_key_in(self.denial.apex, name)
        self.rows.append((self.domain_id, int(hidden), key, int(insecure), self.spelled.get(name)))
        ordername = None
        if not hidden:
            has_hash = not (insecure and self.denial.leaves_out_insecure)
            ordername = self._ordername(name, has_hash)
            if has_hash:
                self.hashed.append(name)
        is_ordered = lowest == ordername and (ordername is None or highest == ordername)
        wrong_auths = unhidden if hidden else uncut + addresses if is_cut else unauth
        if wrong_auths or not is_ordered:
            self.wrong.append(Place(name, hidden, is_cut, is_cut and not insecure))

    def _ordername(self, name: str, has_hash: bool) -> str | None:
        if not self.denial.is_hashed:
            return self.denial.ordername(name, has_hash)
        if not has_hash:
            return None
        digest = self.hashes[name] = self.denial.hash_of(name)
        return digest


def _nonterminals(owners: Iterable[str], known: Collection[str], apex: str) -> set[str]:
    """The names between these and the apex that have no records (RFC 8499)."""
    found: set[str] = set()
    for name in owners:
        above = names.parent(name)
        while above != apex and name != apex and above not in found and above not in known:
            found.add(above)
            above = names.parent(above)
    return found
