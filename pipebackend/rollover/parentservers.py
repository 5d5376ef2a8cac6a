"""The DS RRset of a zone at the servers of its parent, each asked at each of its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from pipebackend.config.policies import RESOLVER, endpoint
from pipebackend.rollover.parent import Seen

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNSKEY import DNSKEY
    from dns.rdtypes.ANY.DS import DS
    from dns.rrset import RRset

__all__ = ["look"]

TIMEOUT = 3.0  # seconds for each server, with UDP and with TCP
MOST_SERVERS = 100  # addresses and names; the root zone has 26 and 13
PATIENCE = 60.0  # seconds after which no other server is asked: those that are slow hold all other zones up
MOST_TTL = 604_800  # that a cache should take, RFC 8767 section 4; else one answer could hold a key for 68 years


class _Unanswered(Exception):
    """Why a server gave no usable answer."""


def look(apex: str, check: Sequence[str] | str, dnskeys: Mapping[int, DNSKEY]) -> Seen:
    """Which of these keys, by id, have a DS there; ``check`` is that of a policy, but not BY_HAND."""
    owner = dns.name.from_text(apex, dns.name.root)
    end = monotonic() + PATIENCE
    try:
        servers = _servers(owner, end) if check == RESOLVER else [_endpoint(text) for text in check]
        _demand_few(servers)
        answers = [_ask(owner, end, *server) for server in servers]
    except _Unanswered as exc:
        return Seen(problem=str(exc))
    if not answers:
        return Seen(problem=f"no address of a server of the parent of {apex or '.'} was found")
    found = [_matching(owner, rrset, dnskeys) for rrset in answers]
    ttl = max([min(rrset.ttl, MOST_TTL) for rrset in answers if rrset is not None], default=0)
    return Seen(frozenset.intersection(*found), frozenset.union(*found), ttl)


def _demand_time(end: float) -> None:
    if monotonic() > end:
        raise _Unanswered(f"the parent's servers take longer than {PATIENCE:g} s together: name some")


def _ask(owner: dns.name.Name, end: float, host: str, port: int) -> RRset | None:
    """The DS RRset that one server has, None if it has none."""
    _demand_time(end)
    query = dns.message.make_query(owner, "DS", want_dnssec=True)
    query.flags &= ~dns.flags.RD
    try:
        answer = _answer(query, host, port)
    except (dns.exception.Timeout, OSError, EOFError) as exc:
        raise _Unanswered(f"the parent's server {host} port {port} does not answer: {exc}") from None
    except (dns.exception.DNSException, ValueError) as exc:
        why = str(exc) or type(exc).__name__
        raise _Unanswered(f"the answer of the parent's server {host} port {port} cannot be read: {why}") from None
    if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
        raise _Unanswered(f"the parent's server {host} port {port} has no authority for it: {_described(answer)}")
    return next((rrset for rrset in answer.answer if (rrset.rdtype, rrset.name) == (dns.rdatatype.DS, owner)), None)


def _answer(query: dns.message.Message, host: str, port: int) -> dns.message.Message:
    """Over UDP; over TCP if none comes: one that cannot be read is passed over as a forged one with UDP."""
    try:
        return dns.query.udp_with_fallback(query, host, TIMEOUT, port, ignore_unexpected=True, ignore_errors=True)[0]
    except (dns.exception.DNSException, OSError):
        return dns.query.tcp(query, host, TIMEOUT, port)


def _described(answer: dns.message.Message) -> str:
    return f"{dns.rcode.to_text(answer.rcode())}, flags {dns.flags.to_text(answer.flags)}"


def _matching(owner: dns.name.Name, rrset: RRset | None, dnskeys: Mapping[int, DNSKEY]) -> frozenset[int]:
    found = list(rrset) if rrset is not None else []
    return frozenset(key_id for key_id, dnskey in dnskeys.items() if any(_is_of(owner, ds, dnskey) for ds in found))


def _is_of(owner: dns.name.Name, ds: DS, dnskey: DNSKEY) -> bool:
    if (ds.key_tag, ds.algorithm) != (dns.dnssec.key_id(dnskey), dnskey.algorithm):
        return False
    try:
        return bool(dns.dnssec.make_ds(owner, dnskey, ds.digest_type, validating=True) == ds)
    except (dns.exception.DNSException, ValueError):  # a digest that nobody here can make: tag and algorithm must do
        return True


def _servers(owner: dns.name.Name, end: float) -> list[tuple[str, int]]:
    """All addresses of the servers of the parent zone, as the system's resolver knows them."""
    if owner == dns.name.root:
        raise _Unanswered("the root zone has no parent")
    try:
        above = dns.resolver.zone_for_name(owner.parent())
        hosts = [str(ns.target) for ns in dns.resolver.resolve(above, "NS")]
        _demand_few(hosts)
        return [(address, 53) for host in hosts for address in _addresses(host, end)]
    except (dns.exception.DNSException, OSError) as exc:
        raise _Unanswered(f"the resolver of this system does not find the servers of the parent: {exc}") from None


def _demand_few(servers: Sequence[object]) -> None:
    if len(servers) > MOST_SERVERS:
        raise _Unanswered(f"the parent has {len(servers)} servers, and {MOST_SERVERS} are asked at most: name some")


def _addresses(host: str, end: float) -> Iterable[str]:
    _demand_time(end)
    return dns.resolver.resolve_name(host).addresses()


def _endpoint(text: str) -> tuple[str, int]:
    found = endpoint(text)
    assert found is not None, "checked with the configuration"
    return found
