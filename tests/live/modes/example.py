"""The zone example.org of docs/modes.md, and what a validating resolver must find in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import dns.flags
import dns.rcode
import dns.rdatatype

from tests.live.servers import PATIENCE, PdnsServer, Unbound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import dns.message

    from tests.live.servers import Server

__all__ = [
    "APEX",
    "EXPECTED",
    "ZONE",
    "Expected",
    "check_answers",
    "ds_of",
    "fault_of",
    "is_secure",
    "serial_of",
    "until",
    "validating",
]

APEX = "example.org"
# Short times, for the tests that wait for them; every kind of denial has something to deny.
ZONE = """\
$ORIGIN example.org.
$TTL 60
@            SOA  ns1 hostmaster 1 1 1 86400 2
@            NS   ns1
@            MX   10 mail
ns1          A    127.0.0.1
mail         A    203.0.113.25
www          A    203.0.113.80
www          AAAA 2001:db8::80
a.b.ent      TXT  "below an empty non-terminal"
*.wild       TXT  "from a wildcard"
sp\\032ace    TXT  "a space in its name"
insecure     NS   ns.insecure
ns.insecure  A    203.0.113.54
secure       NS   ns1
secure       DS   12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"""


class Expected(NamedTuple):
    """A question, by its name in the zone, and what a validating resolver must say."""

    name: str
    type: str
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    has_answer: bool = True
    # RFC 5155 section 9.2: no covering NSEC3 with opt-out proves anything; None: the signer may do either (section 6)
    is_proved_by_opt_out: bool | None = True

    @property
    def question(self) -> str:
        """The whole name."""
        return f"{self.name}.{APEX}".lstrip(".")


EXPECTED = (
    Expected("", "SOA"),
    Expected("", "DNSKEY"),
    Expected("www", "A"),
    Expected("WWW", "AAAA"),
    Expected("a.b.ent", "TXT"),
    Expected("sp\\032ace", "TXT"),
    Expected("secure", "DS"),
    Expected("x.wild", "TXT", is_proved_by_opt_out=False),
    Expected("www", "MX", has_answer=False),
    Expected("", "A", has_answer=False),
    Expected("b.ent", "A", has_answer=False),
    Expected("x.wild", "A", has_answer=False, is_proved_by_opt_out=False),
    Expected("insecure", "DS", has_answer=False, is_proved_by_opt_out=None),
    Expected("nope", "A", dns.rcode.NXDOMAIN, False, is_proved_by_opt_out=False),
    Expected("x.www", "A", dns.rcode.NXDOMAIN, False, is_proved_by_opt_out=False),
)


def check_answers(resolver: Unbound, opt_out: bool = False) -> None:
    """Every kind of answer is right and validated."""
    for expected in EXPECTED:
        fault = fault_of(resolver.query(expected.question, expected.type), expected, opt_out)
        assert not fault, fault


def fault_of(answer: dns.message.Message, expected: Expected, opt_out: bool = False) -> str:
    """What is wrong with an answer; nothing if it is right, and validated where that is due."""
    found = answer.rcode(), bool(answer.answer)
    secure = expected.is_proved_by_opt_out if opt_out else True
    if found == (expected.rcode, expected.has_answer) and secure in (None, is_secure(answer)):
        return ""
    return f"{expected.question} {expected.type}: {answer}"


def is_secure(answer: dns.message.Message) -> bool:
    """Whether the resolver validated it."""
    return bool(answer.flags & dns.flags.AD)


def validating(server: Server, folder: Path, anchors: list[str] | None = None) -> Unbound:
    """A resolver, not started, that trusts the keys which pdnsutil shows for the zone, or the given DS records."""
    if anchors is None:
        assert isinstance(server, PdnsServer), "others have no pdnsutil"
        anchors = ds_of(server)
    return Unbound({APEX: server.port}, folder, anchors)


def ds_of(server: PdnsServer) -> list[str]:
    """The DS records of the zone's keys."""
    return server.ds_of(APEX)


def serial_of(server: Server) -> int:
    """The zone's serial, 0 if the server has no zone."""
    for rrset in server.dig(APEX, "SOA").answer:
        if rrset.rdtype == dns.rdatatype.SOA:
            return int(rrset[0].serial)
    return 0


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something; AssertionError if it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
