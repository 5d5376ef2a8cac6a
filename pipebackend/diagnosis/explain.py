"""The calls that PowerDNS 4.7 makes for a question, in their order (rules Q-1 to Q-3, D-7).

As with all caches off but those of settings and keys, and consistent-backends=yes. Not known here: presigned zones,
ALIAS, DNAME, unsigned delegations of zones with opt-out, and DS at the apex of a zone, which belongs to its parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipebackend.base.errors import RequestFault
from pipebackend.diagnosis.recorder import Asking, Call, CallFailed
from pipebackend.dnsdata import names
from pipebackend.dnsdata.records import ENT, Client

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.dnsdata.records import Record

__all__ = ["explain"]

_MOST_ALIASES = 10  # so many CNAMEs are followed
_TARGETS = {"MX": -1, "NS": 0, "SRV": -1}  # whose targets' addresses are added, and where the target stands


def explain(
    backend: Backend,
    name: str,
    qtype: str,
    dnssec: bool,
    client: Client = Client(),  # noqa: B008
) -> tuple[Sequence[Call], bool]:
    """The calls for one question of ``client``, and whether all were answered; ``dnssec`` if it wants signatures.

    Raises BackendError if it is not for us to answer.
    """
    asking = Asking(backend, client)
    try:
        _Question(asking, qtype, dnssec).ask(names.from_text(name))
    except CallFailed:
        return asking.calls, False
    return asking.calls, True


class _Question:
    """A question on its way through PowerDNS; each method is one thing that it comes to know."""

    def __init__(self, asking: Asking, qtype: str, dnssec: bool) -> None:
        self._asking = asking
        self._qtype = qtype
        self._dnssec = dnssec
        self._zone, self._id, self._signs = "", -1, False

    def ask(self, name: str) -> None:
        """Follow the question and the aliases that answer it."""
        target: str | None = name
        for _ in range(_MOST_ALIASES):
            if target is None:
                break
            target = self._answered(target)

    def _any(self, name: str) -> Sequence[Record]:
        return self._asking.lookup(name, "ANY", self._id).records

    def _answered(self, name: str) -> str | None:
        """The next name to ask for, if the answer is an alias."""
        found = self._asking.zone_of(name)
        if found is None:  # refused
            return None
        self._zone, self._id = found
        self._signs = self._dnssec and self._asking.is_signed(self._zone)
        if name == self._zone:
            return self._at_apex(name)
        if self._qtype == "DS":
            self._asking.settings(self._zone)
            records = self._any(name)
            if records:
                return self._at_name(name, records)
        cut = self._cut_above(name)
        if cut is not None:
            self._refer(*cut)
            return None
        self._asking.settings(self._zone)
        return self._at_name(name, self._any(name))

    def _at_apex(self, name: str) -> str | None:
        self._asking.settings(self._zone)
        if self._qtype == "DS":
            raise RequestFault(f"DS of {name or '.'} is asked of the zone above, which is not among these")
        if self._qtype == "SOA":
            return None
        if self._qtype in ("DNSKEY", "CDS", "CDNSKEY") and self._asking.is_signed(self._zone):
            return None  # PowerDNS makes them from the keys
        return self._at_name(name, self._any(name))

    def _cut_above(self, name: str) -> tuple[str, Sequence[Record]] | None:
        """The delegation at or above a name, below the apex."""
        for above in self._up_to_apex(name):
            records = self._any(above)
            if any(record.type == "NS" for record in records):
                return above, records
        return None

    def _up_to_apex(self, name: str) -> Iterator[str]:
        while name != self._zone:
            yield name
            name = names.parent(name)

    def _refer(self, cut: str, records: Sequence[Record]) -> None:
        """A referral: DS or the proof that there is none (RFC 4035 section 3.1.4), then glue."""
        if self._asking.is_signed(self._zone):
            self._any(cut)
        if self._signs and not any(record.type == "DS" for record in records):
            self._deny([cut])
        self._add_addresses(records, "NS")

    def _at_name(self, name: str, records: Sequence[Record]) -> str | None:
        if not records:
            return self._wildcard(name)
        if self._is_answer(records):
            if self._qtype == "ANY" and self._signs:
                self._deny([name])  # its NSEC is one of the records
            self._add_addresses(records, self._qtype)
            return None
        if alias := _alias(records):
            return alias
        if self._signs:
            self._deny([name])
        return None

    def _is_answer(self, records: Sequence[Record]) -> bool:
        types = {record.type for record in records} - {ENT}
        return self._qtype in types or (self._qtype == "ANY" and bool(types))

    def _wildcard(self, name: str) -> str | None:
        """Nothing at a name: the wildcard of each name above it, up to the first that exists (RFC 4592)."""
        next_closer = name
        for above in names.ancestors(name):
            records = self._any(names.wildcard_of(above))
            if records:
                return self._expanded(name, next_closer, above, records)
            if above == self._zone or self._any(above):
                if self._signs:
                    self._deny_name(name, next_closer, above)
                return None
            next_closer = above
        return None

    def _expanded(self, name: str, next_closer: str, encloser: str, records: Sequence[Record]) -> str | None:
        alias = _alias(records)
        is_answer = self._is_answer(records) or alias is not None
        wildcard = names.wildcard_of(encloser)
        if self._signs and is_answer:
            if not self._has_nsec3:
                self._deny([name])
            elif not self._is_narrow:
                self._deny([next_closer])
        elif self._signs:
            self._deny([encloser, next_closer, wildcard] if self._has_nsec3 else [name, wildcard], {encloser, wildcard})
        if is_answer:
            self._add_addresses(records, self._qtype)
        return alias if not self._is_answer(records) else None

    def _deny_name(self, name: str, next_closer: str, encloser: str) -> None:
        """A name that does not exist (RFC 4035 section 3.1.3.2, RFC 5155 section 7.2.2)."""
        wildcard = names.wildcard_of(encloser)
        self._deny([encloser, next_closer, wildcard] if self._has_nsec3 else [name, wildcard], {encloser})

    @property
    def _has_nsec3(self) -> bool:
        return "NSEC3PARAM" in self._asking.settings(self._zone)

    @property
    def _is_narrow(self) -> bool:
        return "NSEC3NARROW" in self._asking.settings(self._zone)

    def _deny(self, denied: Sequence[str], existing: set[str] | None = None) -> None:
        """For each NSEC or NSEC3 the name that it belongs to, and the types there; narrow ones are made without.

        ``existing`` are those of the names that exist; all of them if left out.
        """
        for name in denied:
            if not self._has_nsec3:
                self._any(self._asking.before(name, self._zone, self._id))
            elif not self._is_narrow:
                self._any(self._asking.hashed(name, self._zone, self._id))
            elif existing is None or name in existing:
                self._any(name)

    def _add_addresses(self, records: Sequence[Record], qtype: str) -> None:
        """The addresses of the targets that are in the zone, in the order of names."""
        if qtype not in _TARGETS:
            return
        targets = {names.from_text(r.content.split()[_TARGETS[qtype]]) for r in records if r.type == qtype}
        for target in sorted(targets, key=names.order_key):
            if names.is_below(target, self._zone):
                self._any(target)


def _alias(records: Sequence[Record]) -> str | None:
    return next((names.from_text(record.content) for record in records if record.type == "CNAME"), None)
