"""Settings that zones need: what ``zoneutil pdns conf`` writes and ``zoneutil pdns check`` misses, in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipebackend.diagnosis.doctor.contents import Contents
from pipebackend.diagnosis.doctor.findings import ERROR

__all__ = ["CACHES", "NOT_OVER_PIPE", "Need", "needs"]

CACHES = ("cache-ttl", "query-cache-ttl", "negquery-cache-ttl")
_RESOLVERS = "/etc/resolv.conf"
_LOCAL_RESOLVER = "127.0.0.1"
NOT_OVER_PIPE = ("primary", "secondary")  # no call of it tells PowerDNS of such zones


@dataclass(frozen=True, slots=True)
class Need:
    """One setting, its value, the zones that need it and why: what happens without it."""

    name: str
    value: str
    severity: str
    code: str
    zones: Sequence[str]
    why: str

    @property
    def reason(self) -> str:
        """For which zones, and why."""
        first, *others = self.zones
        more = f" and {len(others)} more" if others else ""
        return f"{first or '.'}{more} {self.why}"


def needs(found: Contents) -> Iterator[Need]:
    """What these zones need."""
    return (need for need in _all(found) if need.zones)


def _all(found: Contents) -> Iterator[Need]:
    types = {type_: found.with_type.get(type_, ()) for type_ in ("DNAME", "LUA", "ALIAS")}
    yield Need(
        "primary", "yes", ERROR, "primary", found.primaries,
        "is a primary zone: without this PowerDNS notifies no secondary of a change",
    )  # fmt: skip
    yield Need(
        "secondary", "yes", ERROR, "secondary", found.secondaries,
        "is a secondary zone: without this PowerDNS never fetches it",
    )  # fmt: skip
    yield Need(
        "dname-processing", "yes", ERROR, "dname", types["DNAME"],
        "has a DNAME record: without this PowerDNS answers NXDOMAIN below it, which validators call bogus",
    )  # fmt: skip
    yield Need(
        "enable-lua-records", "yes", ERROR, "lua-records", types["LUA"],
        "has LUA records: without this PowerDNS does not run them",
    )  # fmt: skip
    yield Need(
        "expand-alias", "yes", ERROR, "alias", types["ALIAS"],
        "has ALIAS records: without this PowerDNS has no addresses for them",
    )  # fmt: skip
    yield Need(
        "resolver", _resolver(), ERROR, "alias", types["ALIAS"],
        "has ALIAS records: PowerDNS asks this resolver for their addresses",
    )  # fmt: skip
    yield Need(
        "8bit-dns", "yes", ERROR, "8bit-dns", found.odd_names,
        "has names with other characters than PowerDNS lets through: questions for them are SERVFAIL",
    )  # fmt: skip
    yield Need(
        "edns-subnet-processing", "yes", ERROR, "edns-subnet", found.by_subnet,
        "looks at the client's network: without this PowerDNS takes the resolver's address for it (RFC 7871)",
    )  # fmt: skip
    for name in CACHES:
        yield Need(
            name, "0", ERROR, "client-cache", found.by_client,
            "answers by the client: PowerDNS gives an answer that it keeps to other clients, too",
        )  # fmt: skip


def _resolver() -> str:
    """The first name server of this machine."""
    try:
        with open(_RESOLVERS, encoding="utf-8", errors="replace") as file:
            words = (line.split() for line in file)
            return next((word[1] for word in words if len(word) > 1 and word[0] == "nameserver"), _LOCAL_RESOLVER)
    except OSError:
        return _LOCAL_RESOLVER
