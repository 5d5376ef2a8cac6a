"""What is wrong with a zone that can be served all the same: what named-checkzone and pdnsutil check-zone find."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipebackend.base.errors import NameFault
from pipebackend.dnsdata import coexistence, names, occlusion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipebackend.dnsdata.records import Record
    from pipebackend.store.rows.refusals import Refusal
    from pipebackend.zones.text.zonetext import Lines

    Finding = tuple[int, str]  # the record's index, or -1 for the zone as a whole, and what is wrong

__all__ = ["check", "refused"]

_TARGET_FIELD = {"NS": 0, "MX": 1, "SRV": 3}


def check(apex: str, records: Sequence[Record], lines: Sequence[str] | Lines = ()) -> list[str]:
    """A line for each fault of the zone, in the records' order; none if all is well.

    ``lines`` holds the place of each record, as ``file:line``; without it faults begin with the zone's name.
    """
    zone = _Checked(apex, records)
    checks = (
        _out_of_zone,
        _apex_faults,
        _doubles,
        _different_ttls,
        _beside_cname,
        _more_than_one,
        _misplaced,
        _below_dname,
        _targets,
    )
    found = [finding for one in checks for finding in one(zone)]
    found.sort(key=lambda finding: finding[0])
    return [f"{_place(zone, lines, index)}: {fault}" for index, fault in found]


def refused(apex: str, refusal: Refusal, *, is_secondary: bool, is_served: bool) -> list[str]:
    """A line for each reason why what was sent in place of the zone was not taken."""
    what = "transfer" if is_secondary else "replacement"
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(refusal.moment))
    kept = ", the zone is the one before" if is_served else ""
    return [f"{apex or '.'}: the {what} of {when} was refused{kept}: {reason}" for reason in refusal.reasons]


class _Checked:
    """The records with their names indexed: canonical owner → type → indices."""

    def __init__(self, apex: str, records: Sequence[Record]) -> None:
        self.apex = apex
        self.records = records
        self.owners: dict[str, dict[str, list[int]]] = {}
        for index, record in enumerate(records):
            if record.type:
                self.owners.setdefault(record.owner.lower(), {}).setdefault(record.type, []).append(index)
        self.hiding = occlusion.Hiding.of(apex, records)
        self.dnames = frozenset(owner for owner, types in self.owners.items() if occlusion.DNAME in types)
        self.known = {apex}  # with the empty non-terminals
        for owner in self.owners:
            for above in (owner, *names.ancestors(owner)):
                if above in self.known:
                    break
                self.known.add(above)

    def cut_above(self, name: str) -> str | None:
        """The uppermost delegation at or above the name, if there is one."""
        found = occlusion.uppermost(name, self.apex, self.hiding.cuts)
        return name if found is None and name in self.hiding.cuts else found

    def dname_above(self, name: str) -> str | None:
        """The owner of the uppermost DNAME above the name, if there is one."""
        return occlusion.uppermost(name, self.apex, self.dnames)

    def types_at(self, name: str) -> dict[str, list[int]] | None:
        """What answers for the name, a wildcard included (RFC 4592 section 3.3.1); None if nothing does."""
        if name in self.known:
            return self.owners.get(name, {})
        encloser = next(above for above in names.ancestors(name) if above in self.known)
        return self.owners.get(names.wildcard_of(encloser))


def _place(zone: _Checked, lines: Sequence[str] | Lines, index: int) -> str:
    return lines[index] if lines and index >= 0 else zone.apex or "."


def _out_of_zone(zone: _Checked) -> Iterator[Finding]:
    for owner, types in zone.owners.items():
        if not names.is_below(owner, zone.apex):
            for index in _indices(types):
                yield index, f"{owner} is not in the zone {zone.apex}; it is never asked for here"


def _apex_faults(zone: _Checked) -> Iterator[Finding]:
    at_apex = zone.owners.get(zone.apex, {})
    if "SOA" not in at_apex:
        yield -1, "the zone has no SOA record"
    if "NS" not in at_apex:
        yield -1, "the zone has no NS record at its apex (RFC 1034 section 4.2.1); other servers refuse it"
    for owner, types in zone.owners.items():
        allowed = 1 if owner == zone.apex else 0
        for index in types.get("SOA", [])[allowed:]:
            yield index, "a second SOA" if allowed else f"SOA at {owner}, which is not the zone's apex"


def _doubles(zone: _Checked) -> Iterator[Finding]:
    for _, indices in _rrsets(zone):
        seen: set[str] = set()
        for index in indices:
            content = coexistence.is_same(zone.records[index].type, zone.records[index].content)
            if content in seen:
                yield index, f"{_shown(zone.records[index])} is there twice"
            seen.add(content)


def _different_ttls(zone: _Checked) -> Iterator[Finding]:
    for owner, indices in _rrsets(zone):
        first = zone.records[indices[0]]
        for index in indices[1:] if coexistence.shares_ttl(first.type) else ():
            ttl = zone.records[index].ttl
            if ttl != first.ttl:
                yield (
                    index,
                    f"{owner or '.'} {first.type} has ttl {ttl}, the first one {first.ttl} (RFC 2181 section 5.2)",
                )


def _beside_cname(zone: _Checked) -> Iterator[Finding]:
    for owner, types in zone.owners.items():
        if "CNAME" not in types:
            continue
        others = coexistence.beside_cname(types)
        if others:
            yield types["CNAME"][0], f"{owner} has a CNAME beside {', '.join(others)} (RFC 1034 section 3.6.2)"


def _more_than_one(zone: _Checked) -> Iterator[Finding]:
    for owner, indices in _rrsets(zone):
        type_ = zone.records[indices[0]].type
        rule = coexistence.more_than_one(type_, [zone.records[index].content for index in indices])
        if rule and type_ != "SOA":  # of which ``_apex_faults`` has more to say
            yield indices[1], f"{owner} has more than one {type_} ({rule})"


def _misplaced(zone: _Checked) -> Iterator[Finding]:
    if not zone.hiding.cuts and not any("DS" in types for types in zone.owners.values()):
        return
    for owner, types in zone.owners.items():
        is_apex, cut = owner == zone.apex, zone.cut_above(owner)
        for type_, why in coexistence.misplaced(
            owner, types, is_apex=is_apex, is_below_cut=cut is not None and cut != owner
        ):
            yield types[type_][0], why


def _below_dname(zone: _Checked) -> Iterator[Finding]:
    if not zone.dnames:
        return
    for owner, types in zone.owners.items():
        above = zone.dname_above(owner)
        if above is not None:
            yield min(_indices(types)), f"{owner} is below the DNAME at {above}, which hides it (RFC 6672 section 2.4)"


def _targets(zone: _Checked) -> Iterator[Finding]:
    for owner, types in zone.owners.items():
        for type_, field in _TARGET_FIELD.items():
            for index in types.get(type_, ()):
                fault = _target_fault(zone, owner, type_, zone.records[index].content.split(" "), field)
                if fault:
                    yield index, fault


def _target_fault(zone: _Checked, owner: str, type_: str, fields: Sequence[str], field: int) -> str | None:
    if len(fields) <= field or fields[field] == ".":  # RFC 7505 and RFC 2782: the root says that there is no service
        return None
    try:
        target = names.from_text(fields[field])
    except NameFault as exc:
        return str(exc)
    if not names.is_below(target, zone.apex):
        return None
    cut = zone.cut_above(target)
    if cut is not None and (type_ != "NS" or zone.cut_above(owner) not in (None, owner)):
        return None  # only the child knows; below a cut nothing is ours
    here = zone.owners.get(target) if cut is not None else zone.types_at(target)
    if here and ("A" in here or "AAAA" in here):
        return None
    return _missing(zone, owner, type_, target, cut, here)


def _missing(
    zone: _Checked, owner: str, type_: str, target: str, cut: str | None, here: dict[str, list[int]] | None
) -> str:
    if cut is not None:
        return f"{owner or '.'} {type_}: {target} is below the delegation of {cut} and has no glue: add its A or AAAA"
    if here and "CNAME" in here:
        return f"{owner or '.'} {type_}: {target} is a CNAME, which {type_} must not name (RFC 2181 section 10.3)"
    above = zone.dname_above(target)
    if above is not None:
        return f"{owner or '.'} {type_}: {target} is below the DNAME at {above}"
    return f"{owner or '.'} {type_}: {target} has no address: add its A or AAAA"


def _rrsets(zone: _Checked) -> Iterator[tuple[str, list[int]]]:
    """The RRsets of more than one record."""
    for owner, types in zone.owners.items():
        for indices in types.values():
            if len(indices) > 1:
                yield owner, indices


def _indices(types: dict[str, list[int]]) -> list[int]:
    return [index for indices in types.values() for index in indices]


def _shown(record: Record) -> str:
    return f"{record.owner or '.'} {record.type} {record.content}"
