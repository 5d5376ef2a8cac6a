"""What PowerDNS asks for each random name, as it writes it, read without a JSON parser: that takes half the time.

What is not of that form, to the letter, is left to the parser. A control character that is not escaped is let through.
"""

from __future__ import annotations

from pipebackend.base.values import Value
from pipebackend.dnsdata.records import Client
from remoteshim.jsonline import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remoteshim.params import Params

__all__ = ["DENIAL", "LOOKUP", "Asked", "of_params", "read", "read_denial", "written"]

# Keys are sorted (rule R-1)
LOOKUP = b'{"method": "lookup", "parameters": {"local": "'
DENIAL = b'{"method": "getBeforeAndAfterNamesAbsolute", "parameters": {"id": '
_QUOTES, _DENIAL_QUOTES = 28, 12


class Asked(Value):
    """The parameters of a lookup."""

    qname: str
    qtype: str
    client: Client
    zone_id: int


def written(asked: Asked) -> bytes:
    """The request as PowerDNS writes it over a pipe, to the letter: what was answered before is found by that."""
    remote, local, subnet = asked.client
    texts = {"local": local, "qname": asked.qname, "qtype": asked.qtype, "real-remote": subnet, "remote": remote}
    members = ", ".join([f'"{name}": {quote(text)}' for name, text in texts.items()])
    return f'{{"method": "lookup", "parameters": {{{members}, "zone-id": {asked.zone_id}}}}}'.encode("ascii")


def read(request: bytes) -> Asked | None:
    """The lookup that is asked for; None if only a parser can tell."""
    if not request.startswith(LOOKUP) or not _is_plain(request, _QUOTES):
        return None
    local, _, rest = request.decode("ascii")[len(LOOKUP) :].partition('", "qname": "')
    qname, _, rest = rest.partition('", "qtype": "')
    qtype, _, rest = rest.partition('", "real-remote": "')
    subnet, _, rest = rest.partition('", "remote": "')
    remote, _, rest = rest.partition('", "zone-id": ')
    zone_id = _number(rest.removesuffix("}}"))
    if zone_id is None or rest != f"{zone_id}}}}}":
        return None
    return Asked(qname, qtype, Client(remote, local, subnet), zone_id)


def read_denial(request: bytes) -> tuple[int, str] | None:
    """The id and name whose neighbours are asked for; None if only a parser can tell."""
    if not request.startswith(DENIAL) or not _is_plain(request, _DENIAL_QUOTES):
        return None
    number, _, rest = request.decode("ascii")[len(DENIAL) :].partition(', "qname": "')
    ident = _number(number)
    if ident is None or not rest.endswith('"}}'):
        return None
    return ident, rest[:-3]


def of_params(params: Params) -> Asked:
    """A lookup from the parser; raises RequestFault."""
    client = Client(params.text("remote", ""), params.text("local", ""), params.text("real-remote", ""))
    return Asked(params.text("qname"), params.text("qtype"), client, params.number("zone-id", -1))


def _is_plain(request: bytes, quotes: int) -> bool:
    """Whether values are as they look: nothing is escaped, and no quote is missing or more than there should be."""
    return request.isascii() and b"\\" not in request and request.count(b'"') == quotes


def _number(text: str) -> int | None:
    """A whole number as JSON writes it."""
    if not text.removeprefix("-").isdigit():
        return None
    value = int(text)
    return value if str(value) == text else None
