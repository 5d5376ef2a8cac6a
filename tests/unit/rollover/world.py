"""A world of name servers, a parent and resolvers around the machine, which shares nothing with its rules.

Every write reaches each server within the lag that the policy allows; a resolver may have asked any server at any
moment, and keeps an RRset for the TTL that it came with. So at each moment there is, for the DS RRset, the DNSKEY RRset
and the signatures of all else, a set of versions that somebody may have; none of their combinations may be bogus.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from pipebackend.rollover.adoption import Found
from pipebackend.rollover.delays import Ttls
from pipebackend.rollover.parent import Seen
from pipebackend.rollover.states import Zone
from pipebackend.rollover.turn import advanced, begun

if TYPE_CHECKING:
    from random import Random

    from pipebackend.config.policies import Policy
    from pipebackend.rollover.moves import Move, New
    from pipebackend.rollover.states import Keyset

__all__ = ["History", "World"]

Value = TypeVar("Value", bound=Hashable)


@dataclass
class History(Generic[Value]):
    """The versions of an RRset with the times when each was first written; and its TTLs likewise."""

    values: list[tuple[int, Value]]
    ttls: list[tuple[int, int]]

    def write(self, now: int, value: Value) -> None:
        if self.values[-1][1] != value:
            self.values.append((now, value))

    def set_ttl(self, now: int, ttl: int) -> None:
        self.ttls.append((now, ttl))

    def cached(self, now: int, lag: int) -> set[Value]:
        """The versions that some resolver has, or can get, at this moment."""
        found = {self.values[-1][1]}
        for (_, value), (ended, _) in zip(self.values, self.values[1:], strict=False):
            if self._last_use(ended, lag) > now:
                found.add(value)
        return found

    def _last_use(self, ended: int, lag: int) -> int:
        """When the last resolver forgets what was superseded at ``ended``."""
        asked_until = ended + lag
        latest = 0
        ends = [start for start, _ in self.ttls[1:]] + [asked_until]
        for (start, ttl), end in zip(self.ttls, ends, strict=True):
            last = min(asked_until, end + lag)  # a server may give an old TTL a while, too
            if start <= asked_until:
                latest = max(latest, last + ttl)
        return latest


@dataclass
class World:
    """One zone, its parent with two servers, and the maintainer; ``bogus`` are the combinations that broke it."""

    random: Random
    policy: Policy
    zone_ttl: int
    dnskey_ttl: int
    ds_ttl: int
    now: int = 1_000_000
    lag: int = 0
    state: Zone = field(default_factory=Zone)
    rows: dict[int, Found] = field(default_factory=dict)
    withheld: set[int] = field(default_factory=set)
    bogus: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    made: int = 0
    has_new_ttl: bool = False  # one that no run has seen

    def __post_init__(self) -> None:
        nothing = frozenset[int]()
        self.lag = self.policy.server_cache + self.policy.propagation_delay
        self.keyset: History[Keyset] = History([(0, (nothing, nothing))], [(0, self.dnskey_ttl)])
        self.signers: History[frozenset[int]] = History([(0, nothing)], [(0, self.zone_ttl)])
        self.parents: list[History[frozenset[int]]] = [History([(0, nothing)], [(0, self.ds_ttl)]) for _ in range(2)]
        self.algorithms: dict[int, int] = {}

    def maintain(self, crash: bool = False) -> int | None:
        """One run; after a crash nothing of it was kept. When the next is due."""
        rows = dict(self.rows)

        def make(new: New) -> Found:
            self.made += 1
            row = Found(self.made, self.made, new.algorithm, new.role != "zsk", False, False)
            rows[row.id] = row
            self.algorithms[row.id] = row.algorithm
            return row

        state = begun(
            self.state, self.rows.values(), Ttls(self.zone_ttl, self.dnskey_ttl), self.seen(), self.policy, self.now
        )
        state, moves, plan = advanced(state, self.policy, self.now, make)
        if crash:
            self.log.append(f"{self.now}: a crash")
            return plan.at
        self.state, self.has_new_ttl = state, False
        for move in moves:
            self._apply(move, rows)
        self.rows = rows
        self.publish()
        return plan.at

    def _apply(self, move: Move, rows: dict[int, Found]) -> None:
        self.log.append(f"{self.now}: {move.text}")
        for key_id, (active, published) in move.flags.items():
            row = rows[key_id]
            rows[key_id] = Found(row.id, row.tag, row.algorithm, row.is_sep, active, published)
        for key_id in move.forget:
            rows.pop(key_id, None)

    def publish(self) -> None:
        """What PowerDNS makes of the keys, written as one change."""
        active = [row for row in self.rows.values() if row.active]
        both = {row.algorithm for row in active if row.is_sep} & {row.algorithm for row in active if not row.is_sep}
        keys = frozenset(row.id for row in self.rows.values() if row.published)
        of_keys = frozenset(row.id for row in active if row.algorithm not in both or row.is_sep)
        of_rest = frozenset(row.id for row in active if row.algorithm not in both or not row.is_sep)
        self.keyset.write(self.now, (keys, of_keys))
        self.signers.write(self.now, of_rest)
        self.check()

    def wanted_ds(self) -> frozenset[int]:
        """What the parent is asked for."""
        return frozenset(key.id for key in self.state.keys if key.ds.is_in and not key.is_gone)

    def parent_acts(self, server: int) -> None:
        """A server of the parent takes over what is wanted: all of it, or one DS that is new, or one that is old."""
        history, wanted = self.parents[server], self.wanted_ds()
        has = history.values[-1][1]
        choices = [wanted]
        choices += [has | {key} for key in wanted - has] + [has - {key} for key in has - wanted if has - {key}]
        newest = max(wanted, default=0)
        choices += [frozenset((newest,))] if newest > max(has, default=0) else []  # where a zone has one DS alone
        history.write(self.now, self.random.choice(choices))
        self.check()

    def seen(self) -> Seen:
        """What a look at the parent finds; one of its servers may not answer."""
        if self.random.random() < 0.1:
            return Seen(problem="a server does not answer")
        has = [history.values[-1][1] for history in self.parents]
        return Seen(has[0] & has[1], has[0] | has[1], self.ds_ttl)

    def change_ttl(self, zone_ttl: int, dnskey_ttl: int) -> None:
        """Once between two runs: of two changes the machine sees the second alone (docs/rollover.md)."""
        if self.has_new_ttl:
            return
        self.has_new_ttl = True
        self.log.append(f"{self.now}: TTLs {zone_ttl} and {dnskey_ttl}")
        self.zone_ttl, self.dnskey_ttl = zone_ttl, dnskey_ttl
        self.signers.set_ttl(self.now, zone_ttl)
        self.keyset.set_ttl(self.now, dnskey_ttl)

    def check(self) -> None:
        """Combinations become possible with a write alone, so that it is enough to look after each."""
        for ds in self.parents[0].cached(self.now, 0) | self.parents[1].cached(self.now, 0):
            for keyset in self.keyset.cached(self.now, self.lag):
                for signers in self.signers.cached(self.now, self.lag):
                    fault = self._fault(ds, keyset, signers)
                    if fault:
                        self.bogus.append(f"{self.now}: DS {ds}, DNSKEY {keyset}, RRSIG {signers}: {fault}")

    def _fault(self, ds: frozenset[int], keyset: tuple[frozenset[int], frozenset[int]], signers: frozenset[int]) -> str:
        if not ds:
            return ""
        shown, signed_by = keyset
        for delegated in ds:
            of_same = [key for key in ds if self.algorithms[key] == self.algorithms[delegated]]
            if not any(key in shown and key in signed_by for key in of_same):
                return f"no DNSKEY RRset for the DS of algorithm {self.algorithms[delegated]}"
        for key in shown:
            if not any(one in shown and self.algorithms[one] == self.algorithms[key] for one in signers):
                return f"no signature of algorithm {self.algorithms[key]}"
        return ""
