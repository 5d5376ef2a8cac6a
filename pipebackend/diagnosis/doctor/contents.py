"""Things in zones for which PowerDNS has a setting that is off by default: types of records, names, clients."""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from pipebackend.base.errors import BackendError
from pipebackend.dnsdata.records import Record
from pipebackend.store import Store
from pipebackend.zones.kinds.custom import CustomZone

if TYPE_CHECKING:
    from pipebackend.zones.base import Zone

__all__ = ["TYPES", "Contents", "look"]

TYPES = ("ALIAS", "DNAME", "LUA")
_MOST = 200_000  # records of a zone of the configuration that are looked at
# Everything but these is a "malformed qdomain" to PowerDNS without 8bit-dns; names come with \DDD for other octets
_ODD = re.compile(r"\\(?!032)\d{3}|[^-A-Za-z0-9_ *./@\\:]")


@dataclass(frozen=True, slots=True)
class Contents:
    """Canonical names of zones: with records of a type, with names of other octets, and by their role.

    ``by_client`` are zones whose answers depend on the client, ``by_subnet`` those that look at its network
    (RFC 7871).
    """

    with_type: Mapping[str, Sequence[str]] = field(default_factory=dict)
    odd_names: Sequence[str] = ()
    primaries: Sequence[str] = ()
    secondaries: Sequence[str] = ()
    by_client: Sequence[str] = ()
    by_subnet: Sequence[str] = ()


def look(zones: Sequence[Zone], store: Store | None) -> Contents:
    """What is in the zones of a configuration, and in its store."""
    with_type = {type_: list[str]() for type_ in TYPES}
    odd: list[str] = []
    for zone in zones:
        types = set()
        for record in _records(zone):
            types.add(record.type)
            if zone.apex not in odd and _ODD.search(record.owner):
                odd.append(zone.apex)
        for type_ in types & with_type.keys():
            with_type[type_].append(zone.apex)
    rows = store.domains() if store is not None else []
    if store is not None:
        for type_ in TYPES:
            with_type[type_] += store.apexes_with(type_)
        odd += [apex for apex in store.apexes_with_other_names() if apex not in odd]
    uses = {zone.apex: _client_use(zone.target) for zone in zones if isinstance(zone, CustomZone)}
    return Contents(
        with_type,
        odd,
        [row.name for row in rows if row.type in ("MASTER", "PRODUCER")],
        [row.name for row in rows if row.type in ("SLAVE", "CONSUMER")],
        [apex for apex, (depends, _) in uses.items() if depends],
        [apex for apex, (_, has_subnet) in uses.items() if has_subnet],
    )


def _records(zone: Zone) -> Iterator[Record]:
    if zone.kind not in ("file", "table", "custom"):
        return
    try:
        yield from islice(zone.listing(), _MOST)
    except BackendError:  # it cannot be listed, or its object fails, which the trial shows
        return


def _client_use(target: Any) -> tuple[bool, bool]:
    """Whether answers that are kept would be wrong for other clients, and whether the subnet is looked at.

    PowerDNS keeps no answer whose records have a scope; so with the subnet alone and scopes nothing goes wrong.
    """
    lookup = getattr(type(target), "lookup", None)
    if not isinstance(lookup, FunctionType):
        return True, True
    if not _uses_argument(lookup.__code__, 2):
        return False, False
    codes = [function.__code__ for function in _functions(type(target))]
    names = {name for code in codes for name in code.co_names}
    words = {word for code in codes for const in code.co_consts if isinstance(const, tuple) for word in const}
    only_subnet = "subnet" in names and "scope" in words and not names & {"address", "local"}
    return not only_subnet, "subnet" in names


def _uses_argument(code: CodeType, number: int) -> bool:
    name = code.co_varnames[number] if code.co_argcount > number else ""
    return any(
        "LOAD" in step.opname and name in (step.argval if isinstance(step.argval, tuple) else (step.argval,))
        for step in dis.get_instructions(code)
    )


def _functions(class_: type) -> Iterator[FunctionType]:
    """The methods of a class, and the functions of its module, which they may call."""
    module = sys.modules.get(class_.__module__)
    for namespace in (*(vars(base) for base in class_.__mro__[:-1]), vars(module) if module else {}):
        yield from (value for value in namespace.values() if isinstance(value, FunctionType))
