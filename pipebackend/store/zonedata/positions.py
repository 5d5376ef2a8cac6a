"""Where a name stands in its zone, and how that is written: ``auth``, ``ordername``, empty non-terminals, our order."""

from __future__ import annotations

from pipebackend.base.errors import NameFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.store.rows import domains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipebackend.store.database.database import Database
    from pipebackend.store.zonedata.order import Denial

__all__ = [
    "ADD_HASH",
    "ADD_PLACE",
    "FACTS",
    "NO_NAME",
    "PUT_HASH",
    "TABLE",
    "Place",
    "is_name_of",
    "keys",
    "keys_below",
    "leave_order",
    "plain_names",
    "set_nonterminals",
    "set_rows",
    "spelling_in",
]

# Of one owner: is a delegation; has DS; has DNAME; is a name. RRSIGs alone are those of NSEC3 in a pre-signed zone,
# whose owners are hashes and no names of the zone (rule S-1); rows without type are empty non-terminals.
FACTS = """coalesce(max(CASE WHEN type = 'NS' THEN 1 END), 0), coalesce(max(CASE WHEN type = 'DS' THEN 1 END), 0),
    coalesce(max(CASE WHEN type = 'DNAME' THEN 1 END), 0),
    coalesce(max(CASE WHEN type NOT IN ('', 'RRSIG') THEN 1 END), 0)"""

_THIS_NAME = "WHERE domain_id = ? AND name = ? AND disabled = FALSE"
_SET_PLAIN = f"UPDATE records SET auth = ?, ordername = ? {_THIS_NAME} AND coalesce(type, '') <> ''"
# RFC 4035 section 2.2: at a cut only DS is authoritative. PowerDNS leaves addresses there out of its order.
_SET_CUT = f"""UPDATE records SET auth = (type = 'DS'), ordername = CASE WHEN type IN ('A', 'AAAA') THEN NULL ELSE ? END
    {_THIS_NAME} AND coalesce(type, '') <> ''"""
_LEAVE = f"UPDATE records SET ordername = NULL {_THIS_NAME} AND ordername IS NOT NULL"
_DROP_ENT = "DELETE FROM records WHERE domain_id = ? AND name = ? AND coalesce(type, '') = ''"
_ADD_ENT = """INSERT INTO records (domain_id, name, type, disabled, ordername, auth, ttl, prio, content)
    VALUES (?, ?, NULL, FALSE, ?, ?, NULL, NULL, NULL)"""
TABLE = "pipebackend_places"
ADD_PLACE = f"INSERT INTO {TABLE} (domain_id, hidden, key, insecure, spelled)"
ADD_HASH = "INSERT INTO pipebackend_hashes (domain_id, hash, name)"
PUT_HASH = f"{ADD_HASH} VALUES (?, ?, ?) ON CONFLICT (domain_id, hash) DO UPDATE SET name = excluded.name"
NO_NAME = frozenset(("RRSIG",))  # the types of an owner that is no name, as ``FACTS`` says


class Place(Value):
    """Where a name with records stands; ``is_cut`` is not said of the apex, nor of what is hidden below another one."""

    name: str
    is_hidden: bool
    is_cut: bool
    has_ds: bool

    @property
    def is_insecure(self) -> bool:
        """Whether it is a delegation without DS."""
        return self.is_cut and not self.has_ds

    def has_hash(self, denial: Denial) -> bool:
        """Whether NSEC3 proves it (RFC 5155 section 7.1)."""
        return not self.is_hidden and not (denial.leaves_out_insecure and self.is_insecure)


def is_name_of(name: str, apex: str) -> bool:
    """Whether a row's name is one that questions can reach: canonical, and in the zone. Others may write anything."""
    try:
        return type(name) is str and names.from_text(name) == name and names.is_below(name, apex)
    except NameFault:
        return False


def plain_names(apex: str) -> Callable[[str], object]:
    """A quick test for the many: true only of names for which ``is_name_of`` is. Costs the import of ``re``."""
    from re import compile, escape

    label = r"[a-z0-9_*-]{1,63}"
    match = compile(rf"(?=.{{1,253}}\Z)(?:{label}\.)*{label}{escape('.' + apex)}\Z").match if apex else None
    return match or (lambda name: False)


def spelling_in(apex: str, spelled: str) -> str:
    """How an owner is kept: as the zone spells it, but for the zone's own name at its end."""
    return spelled[: len(spelled) - len(apex)] + apex


def keys(owners: Sequence[str], apex: str) -> list[bytes]:
    """As ``names.order_key_in``, for many names in any case; most are read at once."""
    text = "\n".join((*owners, "")).lower()
    end = f".{apex}\n" if apex else "\n"
    if "\\" in text or text.count(end) < len(owners):
        return [names.order_key_in(apex, name) for name in text.split("\n")[:-1]]
    relative = text.replace(end, "\n").encode().split(b"\n")[:-1]
    return [b"\x00".join(name.split(b".")[::-1]) for name in relative] if b"." in b"".join(relative) else relative


def keys_below(name: str, apex: str) -> tuple[bytes, bytes]:
    """The keys of the names below this one are from the first to before the second."""
    if name == apex:
        return b"\x00", b"\xff" * names.MAX_WIRE_OCTETS
    above = names.order_key_in(apex, name)
    return above + b"\x00", above + b"\x01"


def set_rows(db: Database, domain_id: int, denial: Denial, places: Iterable[Place]) -> None:
    """``auth`` and ``ordername`` of all rows of these names."""
    plain, cuts = [], []
    for place in places:
        stored = domains.stored_name(place.name)
        ordername = None if place.is_hidden else denial.ordername(place.name, place.has_hash(denial))
        if place.is_cut and not place.is_hidden:
            cuts.append((ordername, domain_id, stored))
        else:
            plain.append((int(not place.is_hidden), ordername, domain_id, stored))
    db.execute_many(_SET_PLAIN, plain)
    db.execute_many(_SET_CUT, cuts)


def leave_order(db: Database, domain_id: int, owners: Iterable[str]) -> None:
    """Takes ``ordername`` away from owners that are no names of the zone."""
    db.execute_many(_LEAVE, [(domain_id, domains.stored_name(name)) for name in owners])


def set_nonterminals(
    db: Database, domain_id: int, denial: Denial, gone: Iterable[str], there: Iterable[tuple[str, bool]]
) -> None:
    """Rows for empty non-terminals; of those that are there also whether they have an NSEC3."""
    there = list(there)
    db.execute_many(_DROP_ENT, [(domain_id, name) for name in (*gone, *(name for name, _ in there))])
    rows = [
        (domain_id, name, denial.hash_of(name) if denial.is_hashed and has_hash else None, int(has_hash))
        for name, has_hash in there
    ]
    db.execute_many(_ADD_ENT, rows)
