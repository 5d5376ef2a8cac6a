"""The exact order of a zone's names (RFC 4034 section 6.1, RFC 5155 section 7.1), in tables of our own.

PowerDNS's column ``ordername`` is compared as text, which is wrong for labels with octets below the dot; it is kept
right for those who read it, and questions are answered from here.
"""

from __future__ import annotations

from pipebackend.base import logs
from pipebackend.base.errors import MetadataFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names, nsec3, nsec3param
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.store.database.database import Database

__all__ = [
    "ALL_NAMES",
    "Denial",
    "denial_of",
    "hashed_neighbours",
    "is_known",
    "is_stale",
    "mark",
    "neighbours",
    "note_param",
    "spellings",
    "stale_names",
    "stale_zones",
    "unmark",
]

ALL_NAMES = ""  # in place of a name: every name of the zone may be out of order
_TABLE = "pipebackend_stale"

_HEX = "\\x"  # how PostgreSQL shows octets, and no name starts
# of SQLite, text or blob; of PostgreSQL, whose columns have one type, text
_KEPT = "coalesce(spelled, key)", f"coalesce(spelled, '{_HEX}' || encode(key, 'hex'))"
_FROM = "FROM pipebackend_places"
_NEIGHBOURS = tuple(
    f"""SELECT
    (SELECT {kept} {_FROM} WHERE domain_id = ?1 AND hidden = 0 AND key <= ?2 ORDER BY key DESC LIMIT 1),
    (SELECT {kept} {_FROM} WHERE domain_id = ?1 AND hidden = 0 AND key > ?2 ORDER BY key LIMIT 1)"""
    for kept in _KEPT
)
_FIRST = tuple(f"SELECT {kept} {_FROM} WHERE domain_id = ? AND hidden = 0 ORDER BY key LIMIT 1" for kept in _KEPT)
_LAST = tuple(f"SELECT {kept} {_FROM} WHERE domain_id = ? AND hidden = 0 ORDER BY key DESC LIMIT 1" for kept in _KEPT)
_HASHED = """SELECT before.name, before.hash,
    (SELECT hash FROM pipebackend_hashes WHERE domain_id = ?1 AND hash > ?2 ORDER BY hash LIMIT 1)
    FROM pipebackend_orders AS made LEFT JOIN (SELECT name, hash FROM pipebackend_hashes
    WHERE domain_id = ?1 AND hash <= ?2 ORDER BY hash DESC LIMIT 1) AS before ON TRUE
    WHERE made.domain_id = ?1 AND made.param = ?3"""
_SPELLED = "SELECT lower(spelled), spelled FROM pipebackend_places WHERE domain_id = ? AND spelled IS NOT NULL"
_LAST_HASH = "SELECT name, hash FROM pipebackend_hashes WHERE domain_id = ? ORDER BY hash DESC LIMIT 1"
_NOTE_PARAM = """INSERT INTO pipebackend_orders (domain_id, param) VALUES (?, ?)
    ON CONFLICT (domain_id) DO UPDATE SET param = excluded.param"""
_FIRST_HASH = "SELECT hash FROM pipebackend_hashes WHERE domain_id = ? ORDER BY hash LIMIT 1"


class Denial(Value):
    """How a zone denies names: by NSEC3 with ``param``, by NSEC where that is None; ``narrow`` NSEC3 needs no order.

    ``keeps_case``: the next names of its NSEC are as its signer spelled them, which is signed (RFC 6840 section 5.1).
    What PowerDNS signs has them in lower case, which every secondary keeps, those with PowerDNS's tables too.
    """

    apex: str
    param: Nsec3Param | None
    narrow: bool
    proves_insecure: bool = False
    keeps_case: bool = False

    @property
    def is_hashed(self) -> bool:
        """Whether hashes are kept in order."""
        return self.param is not None and not self.narrow

    @property
    def leaves_out_insecure(self) -> bool:
        """Whether insecure delegations, and empty non-terminals that only they make, are not authoritative names.

        With opt-out they have no NSEC3 (RFC 5155 section 6); with NSEC it is said as PowerDNS's rectify-zone says it.
        """
        return self.param is None or (self.param.opt_out and not self.proves_insecure)

    @property
    def text(self) -> str:
        """What the kept hashes were made with, empty if there are none."""
        return nsec3param.to_text(self.param) if self.param is not None and self.is_hashed else ""

    def hash_of(self, name: str) -> str:
        """The hash of a canonical name."""
        assert self.param is not None
        return nsec3.hash_label(name, self.param.salt, self.param.iterations)

    def ordername(self, name: str, is_hash_owner: bool) -> str | None:
        """PowerDNS's column for a name on the chain."""
        if self.narrow:
            return None
        if self.param is not None:
            return self.hash_of(name) if is_hash_owner else None
        relative = names.relative(name, self.apex)
        return " ".join(reversed(names.split(relative))) if "." in relative else relative


def denial_of(db: Database, domain_id: int) -> Denial | None:
    """What the zone's metadata says, None if there is no zone of this id."""
    apex = domains.apex_of(db, domain_id)
    if apex is None:
        return None
    found = db.rows(
        "SELECT kind, coalesce(content, '') FROM domainmetadata "
        "WHERE domain_id = ? AND kind IN ('NSEC3PARAM', 'NSEC3NARROW', 'PRESIGNED') ORDER BY id DESC",
        (domain_id,),
    )
    values: dict[str, str] = dict(found)  # the first of each kind
    param = None
    if values.get("NSEC3PARAM"):
        try:
            param = nsec3param.from_text(values["NSEC3PARAM"])
        except MetadataFault as exc:  # written by somebody else
            logs.once(f"nsec3param {domain_id}", f"zone {apex or '.'}: {exc}; its names are in NSEC order until then")
    is_presigned = values.get("PRESIGNED") == "1"
    is_narrow = param is not None and values.get("NSEC3NARROW") == "1"
    denial = Denial(apex, param, is_narrow, keeps_case=is_presigned and param is None)
    if param is not None and param.opt_out and is_presigned:
        return denial._replace(proves_insecure=_signer_proves_insecure(db, domain_id, denial))
    return denial


def _signer_proves_insecure(db: Database, domain_id: int, denial: Denial) -> bool:
    """Whether the signer made NSEC3 for insecure delegations in spite of opt-out (RFC 5155 section 6 lets it)."""
    cuts = db.rows(
        "SELECT DISTINCT name FROM records AS cut WHERE domain_id = ? AND type = 'NS' AND name <> ? AND NOT EXISTS "
        "(SELECT 1 FROM records WHERE domain_id = cut.domain_id AND name = cut.name AND type = 'DS') LIMIT 100",
        (domain_id, domains.stored_name(denial.apex)),
    )
    return any(
        db.rows(
            "SELECT 1 FROM records WHERE domain_id = ? AND name = ? AND type = 'RRSIG'",
            (domain_id, names.join(denial.hash_of(name), denial.apex)),
        )
        for (name,) in cuts
    )


def is_known(db: Database) -> bool:
    """Whether the store keeps orders; not one that only others have written to, or an older version of this."""
    return db.has_table("pipebackend_places")


def is_stale(db: Database, domain_id: int) -> bool:
    """Whether the zone was written without its order, by whom ever."""
    if not is_known(db):
        return True
    return bool(db.rows(f"SELECT 1 FROM {_TABLE} WHERE domain_id = ? LIMIT 1", (domain_id,)))


def stale_zones(db: Database) -> list[int]:
    """The ids of the zones that ``is_stale`` holds for."""
    if not is_known(db):
        return []
    return [id_ for (id_,) in db.rows(f"SELECT DISTINCT domain_id FROM {_TABLE}")]


def stale_names(db: Database, domain_id: int, most: int) -> list[str] | None:
    """The names in question; None if they are all or more than ``most``."""
    rows = db.rows(f"SELECT DISTINCT name FROM {_TABLE} WHERE domain_id = ? LIMIT ?", (domain_id, most + 1))
    found = [name for (name,) in rows]
    return None if ALL_NAMES in found or len(found) > most else found


def mark(db: Database, domain_id: int) -> None:
    """All names of the zone are out of order from now on; a write notes none of them any more."""
    db.execute(f"INSERT INTO {_TABLE} (domain_id, name) VALUES (?, '') ON CONFLICT DO NOTHING", (domain_id,))


def note_param(db: Database, domain_id: int, denial: Denial) -> None:
    """The hashes that are kept are of this denial."""
    db.execute(_NOTE_PARAM, (domain_id, denial.text))


def unmark(db: Database, domain_id: int) -> None:
    """The zone is in order."""
    db.execute(f"DELETE FROM {_TABLE} WHERE domain_id = ?", (domain_id,))


def spellings(db: Database, domain_id: int) -> dict[str, str]:
    """The names of the zone that are kept with capitals, as it spells them."""
    return dict(db.rows_of_many(_SPELLED, (domain_id,))) if is_known(db) else {}


def neighbours(db: Database, domain_id: int, name: str, apex: str) -> tuple[str, str] | None:
    """As ``zones.base.Ring.neighbours``; None if the zone has no order."""
    for before, after in db.rows_of_last_look(_NEIGHBOURS[db.kind], (domain_id, names.order_key_in(apex, name))):
        if before is None and after is None:
            return None
        before = before if before is not None else db.rows(_LAST[db.kind], (domain_id,))[0][0]
        after = after if after is not None else db.rows(_FIRST[db.kind], (domain_id,))[0][0]
        return _name_of(before, apex), _name_of(after, apex)
    return None


def _name_of(kept: bytes | str, apex: str) -> str:
    """The name that is kept as its key, or as it is spelled."""
    if isinstance(kept, str) and kept.startswith(_HEX):
        kept = bytes.fromhex(kept.removeprefix(_HEX))
    return kept if isinstance(kept, str) else names.join(names.from_order_key(kept), apex)


def hashed_neighbours(db: Database, domain_id: int, label: str, param: Nsec3Param) -> tuple[str, str, str] | None:
    """As ``zones.base.Ring.hashed_neighbours``; None if the zone has no hashes of these parameters."""
    for name, before, after in db.rows_of_last_look(_HASHED, (domain_id, label, nsec3param.to_text(param))):
        if before is None and after is None:
            return None
        if before is None:
            [(name, before)] = db.rows(_LAST_HASH, (domain_id,))
        if after is None:
            [(after,)] = db.rows(_FIRST_HASH, (domain_id,))
        return name, before, after
    return None
