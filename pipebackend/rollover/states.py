"""Where each record of a key stands, and what that means for the caches of the world.

The four states are those of OpenDNSSEC and of BIND's dnssec-policy. A record is *rumoured* while some caches may not
have it yet, *omnipresent* when all have it or can get it, *unretentive* while some may still have it, else *hidden*.

All times are seconds on the clock of ``clock.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from pipebackend.store.rows.rollovers import RECORDS

__all__ = [
    "HIDDEN",
    "OMNIPRESENT",
    "RECORDS",
    "RUMOURED",
    "UNRETENTIVE",
    "Key",
    "Keyset",
    "Served",
    "Span",
    "View",
    "Zone",
    "served",
    "views",
]

HIDDEN, RUMOURED, OMNIPRESENT, UNRETENTIVE = "hidden", "rumoured", "omnipresent", "unretentive"
_AFTER = {RUMOURED: OMNIPRESENT, UNRETENTIVE: HIDDEN}


@dataclass(frozen=True, slots=True)
class Span:
    """The state of one record since a moment; ``until`` is when a passing state ends, None if that is not known yet."""

    state: str = HIDDEN
    since: int = 0
    until: int | None = None

    @property
    def is_in(self) -> bool:
        """Whether it is served, or asked for at the parent."""
        return self.state in (RUMOURED, OMNIPRESENT)

    @property
    def is_moving(self) -> bool:
        """Whether caches may differ about it."""
        return self.state in _AFTER

    @property
    def end(self) -> int | None:
        """When a passing state ends; None if it does not pass, or if that is not known yet."""
        return self.until if self.is_moving else None

    @property
    def is_open(self) -> bool:
        """Whether it passes at a moment that is not known yet: a DS for which the parent is waited."""
        return self.is_moving and self.until is None

    def settled(self, now: int) -> Span:
        """The span at a later moment."""
        if self.end is not None and self.end <= now:
            return Span(_AFTER[self.state], self.end)
        return self

    def moved(self, is_in: bool, now: int, until: int | None) -> Span:
        """The span after the record came or went."""
        return self if is_in == self.is_in else Span(RUMOURED if is_in else UNRETENTIVE, now, until)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a zone: what PowerDNS is told of it, what it is for, and the state of its records.

    ``goal`` is ``in`` for a key that is to be used, ``out`` for one to be withdrawn. ``is_gone``: somebody deleted it,
    and only its traces are left. ``is_withheld``: its CDS is not published although it signs the DNSKEY RRset.
    """

    id: int
    tag: int
    algorithm: int
    role: str
    is_sep: bool
    active: bool = False
    published: bool = False
    goal: str = "in"
    made: int = 0
    is_gone: bool = False
    is_withheld: bool = False
    dnskey: Span = field(default_factory=Span)
    key_rrsig: Span = field(default_factory=Span)
    zone_rrsig: Span = field(default_factory=Span)
    ds: Span = field(default_factory=Span)

    @property
    def is_entry(self) -> bool:
        """Whether the parent is to have a DS of it."""
        return self.role != "zsk"

    @property
    def spans(self) -> Iterator[Span]:
        """The states of its records, in the order of RECORDS."""
        return (getattr(self, record) for record in RECORDS)

    @property
    def served_spans(self) -> tuple[Span, Span, Span]:
        """Those of what this zone's servers have, which is all but the DS."""
        return self.dnskey, self.key_rrsig, self.zone_rrsig

    @property
    def is_traceless(self) -> bool:
        """Whether no cache can have anything of it."""
        return all(span.state == HIDDEN for span in self.spans)


@dataclass(frozen=True, slots=True)
class Zone:
    """The keys of a zone and what their records' lifetimes depend on.

    ``zone_horizon``: until then a cache may hold a record that was served before now; ``dnskey_horizon`` likewise for
    the DNSKEY RRset. The TTLs are those of the last look. ``hold_until``: somebody else changed keys, so that nothing
    is done before. ``rolls`` are roles whose keys a command wants replaced.
    """

    keys: tuple[Key, ...] = ()
    last: int = 0
    hold_until: int = 0
    zone_ttl: int = 0
    dnskey_ttl: int = 0
    ds_ttl: int = 0
    zone_horizon: int = 0
    dnskey_horizon: int = 0
    rolls: tuple[str, ...] = ()
    algorithm: int = 0  # that a command asked for; 0: that of the policy
    parent: str = ""

    @property
    def ends(self) -> list[int]:
        """When the passing states of its keys end, as far as that is known."""
        return [span.end for key in self.keys for span in key.spans if span.end is not None]

    def key(self, key_id: int) -> Key:
        """The key with this id."""
        return next(key for key in self.keys if key.id == key_id)

    def settled(self, now: int) -> Zone:
        """The zone at a later moment."""
        return replace(self, keys=tuple(_settled(key, now) for key in self.keys))


@dataclass(frozen=True, slots=True)
class Served:
    """The ids of the keys that are in the DNSKEY RRset, that sign it, and that sign all else."""

    dnskey: frozenset[int]
    key_rrsig: frozenset[int]
    zone_rrsig: frozenset[int]


def served(keys: Iterable[Key]) -> Served:
    """What PowerDNS makes of the flags: active keys of one algorithm with and without SEP share the work (rule K-1)."""
    keys = [key for key in keys if not key.is_gone]
    active = [key for key in keys if key.active]
    split = {key.algorithm for key in active if key.is_sep} & {key.algorithm for key in active if not key.is_sep}
    return Served(
        frozenset(key.id for key in keys if key.published),
        frozenset(key.id for key in active if key.is_sep or key.algorithm not in split),
        frozenset(key.id for key in active if not key.is_sep or key.algorithm not in split),
    )


Keyset = tuple[frozenset[int], frozenset[int]]  # a DNSKEY RRset and who signed it: they come and go together
View = tuple[frozenset[int], Keyset, frozenset[int]]  # DS, DNSKEY, and who signed the rest


def views(keys: Iterable[Key]) -> set[View]:
    """Every combination of DS, DNSKEY RRset and signatures that a resolver may have, each from another moment."""
    keys = list(keys)
    keysets = _versions({(record, key.id): getattr(key, record) for record in RECORDS[:2] for key in keys})
    signers = _versions({("zone_rrsig", key.id): key.zone_rrsig for key in keys})
    return {
        (ds, (_ids(keyset, "dnskey"), _ids(keyset, "key_rrsig")), _ids(signed, "zone_rrsig"))
        for ds in _delegations(keys)
        for keyset in keysets
        for signed in signers
    }


def _versions(spans: Mapping[tuple[str, int], Span]) -> set[frozenset[tuple[str, int]]]:
    """The RRset of now, and those before each change that caches may not have seen."""
    current = frozenset(name for name, span in spans.items() if span.is_in)
    found = {current}
    moving = {name: span for name, span in spans.items() if span.is_moving}
    for since in sorted({span.since for span in moving.values()}, reverse=True):
        current ^= {name for name, span in moving.items() if span.since == since}
        found.add(current)
    return found


def _delegations(keys: Iterable[Key]) -> Iterator[frozenset[int]]:
    """In which order the parent does what it is asked for is not known, so that any mixture may be met.

    One that takes a single DS removes the old one when it is asked for a new one.
    """
    is_asked = any(key.ds.state == RUMOURED and key.ds.until is None for key in keys)
    sure = {key.id for key in keys if key.ds.state == OMNIPRESENT and not is_asked}
    moving = [key.id for key in keys if key.ds.state != HIDDEN and key.id not in sure]
    for count in range(len(moving) + 1):
        yield from (frozenset(sure | set(some)) for some in combinations(moving, count))


def _ids(names: Iterable[tuple[str, int]], record: str) -> frozenset[int]:
    return frozenset(key_id for name, key_id in names if name == record)


def _settled(key: Key, now: int) -> Key:
    if not any(span.is_moving for span in key.spans):
        return key
    return replace(key, **{record: getattr(key, record).settled(now) for record in RECORDS})
