"""Records as PowerDNS wants them, and the text of the types that tables use.

Content is PowerDNS's presentation form: names without the trailing dot (rule R-15), MX and SRV with
their priority in front, character strings quoted, everything printable ASCII. The few types that nearly every
zone has are checked here; all others by dnspython in ``rdata``, which takes 90 ms to import.
"""

from __future__ import annotations

from pipebackend.base.errors import NameFault, RecordFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names
from pipebackend.dnsdata.charstrings import character_strings, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.dnsdata.versions import Dialect

    Fields = tuple[str, str, int, str, bool, int]  # those of a Record, which is one
    Plain = tuple[str, int, str]  # type, TTL and content of an authoritative record for all clients

__all__ = [
    "ADDRESSES_AND_NAMES",
    "ENT",
    "MAX_TTL",
    "PRIORITY_TYPES",
    "Client",
    "Record",
    "checked",
    "checked_content",
    "kept_content",
    "loc_content",
    "loc_of_digits",
    "soa_content",
]

MAX_TTL = 2**31 - 1  # RFC 2181 section 8
ENT = ""  # PowerDNS's type of an empty non-terminal (rule R-14)
PRIORITY_TYPES = frozenset(("MX", "SRV"))  # their priority is a field of its own (rule P-11), and a column of a store
_MILLISECONDS = 3_600_000  # of arc in a degree
_MOST_NORTH, _MOST_EAST = 90 * _MILLISECONDS, 180 * _MILLISECONDS
# RFC 1876 section 2: altitude is centimetres above 100,000 m below the ellipsoid, in 32 bits
_LOWEST, _HIGHEST = -10_000_000, 2**32 - 1 - 10_000_000
_FEW_DIGITS = 36  # of three numbers, whose products are then exact to 1e-5
_OCTETS = frozenset(map(str, range(256)))
_NAME_TYPES = frozenset(("NS", "CNAME", "PTR", "DNAME", "ALIAS"))
ADDRESSES_AND_NAMES = frozenset(("A", "AAAA", "MX", *_NAME_TYPES))


class Record(Value):
    """One record: owner spelling without trailing dot, type, ttl in seconds, content.

    ``auth`` is false for delegation NS, glue and all below a cut (RFC 4035 section 2.2); ``scope`` is the number
    of bits of the client's subnet that the answer holds for (RFC 7871), 0 for everyone. An empty non-terminal is
    a record of type ``""`` with empty content.
    """

    owner: str
    type: str
    ttl: int
    content: str
    auth: bool = True
    scope: int = 0


class Client(Value):
    """Who asks, as PowerDNS wrote it; all empty on SOA questions (rule P-7)."""

    remote: str = ""
    local: str = ""
    subnet: str = ""


def checked_content(type_: str, content: str) -> str:
    """``content`` in PowerDNS's form, or RecordFault with what is wrong with it."""
    try:
        if content[:2] == "\\#":  # RFC 3597 section 5, of any type
            pass
        elif type_ == "A":
            return _ipv4(content)
        elif type_ == "AAAA":
            return _ipv6(content)
        elif type_ in _NAME_TYPES:
            return _name(content)
        elif type_ == "MX":
            return _mx(content)
        elif type_ in ("TXT", "SPF"):
            return " ".join(quoted(string) for string in character_strings(content))
    except NameFault as exc:
        raise RecordFault(str(exc)) from None
    from pipebackend.dnsdata import rdata

    return rdata.checked_content(type_, content)


def checked(type_: str, content: str) -> tuple[str, str]:
    """The same with the type, which may be written in another way than PowerDNS does, as RESINFO or TYPE1."""
    if type_ in ADDRESSES_AND_NAMES or type_ in ("TXT", "SPF"):
        return type_, checked_content(type_, content)
    from pipebackend.dnsdata import rdata

    return rdata.checked(type_, content)


def kept_content(type_: str, content: str, dialect: Dialect) -> tuple[str, str]:
    """The type and content to keep of a record that PowerDNS handed over; raises RecordFault. See ``rdtext.kept``."""
    if type_ in ADDRESSES_AND_NAMES:
        return type_, checked_content(type_, content)
    from pipebackend.dnsdata import rdtext

    return rdtext.kept(type_, content, dialect)


def loc_content(latitude: str, longitude: str, altitude: str = "0") -> str:
    """LOC content (RFC 1876) from decimal degrees and metres, exact to the millisecond of arc; raises RecordFault."""
    content = loc_of_digits(latitude, longitude, altitude)
    if content:
        return content
    north = _scaled("latitude", latitude, _MILLISECONDS)
    east = _scaled("longitude", longitude, _MILLISECONDS)
    centimetres = _scaled("altitude", altitude, 100)
    if not -_MOST_NORTH <= north <= _MOST_NORTH:
        raise RecordFault(f"latitude {latitude} is out of range")
    if not -_MOST_EAST <= east <= _MOST_EAST:
        raise RecordFault(f"longitude {longitude} is out of range")
    if not _LOWEST <= centimetres <= _HIGHEST:
        raise RecordFault(f"altitude {altitude} is out of range")
    return _loc(north, east, centimetres)


def loc_of_digits(latitude: str, longitude: str, altitude: str) -> str:
    """The same in half the time, where binary fractions must round to the same; empty where only the other can tell."""
    digits = (latitude + longitude + altitude).replace(".", "").replace("-", "")
    if len(digits) > _FEW_DIGITS or not (digits.isdigit() and digits.isascii()):
        return ""
    try:
        y, x, z = float(latitude) * _MILLISECONDS, float(longitude) * _MILLISECONDS, float(altitude) * 100
    except ValueError:
        return ""
    north, east, centimetres = round(y), round(x), round(z)
    if not (
        -0.49 < y - north < 0.49
        and -0.49 < x - east < 0.49
        and -0.49 < z - centimetres < 0.49
        and -_MOST_NORTH <= north <= _MOST_NORTH
        and -_MOST_EAST <= east <= _MOST_EAST
        and _LOWEST <= centimetres <= _HIGHEST
    ):
        return ""
    return _loc(north, east, centimetres)


def _loc(north: int, east: int, centimetres: int) -> str:
    y, y_thousandths = divmod(abs(north), 1000)
    x, x_thousandths = divmod(abs(east), 1000)
    return "%d %d %d.%03d %s %d %d %d.%03d %s %s%d.%02dm 1.00m 10000.00m 10.00m" % (  # noqa: UP031 - a third faster
        y // 3600,
        y // 60 % 60,
        y % 60,
        y_thousandths,
        "S" if north < 0 else "N",
        x // 3600,
        x // 60 % 60,
        x % 60,
        x_thousandths,
        "W" if east < 0 else "E",
        "-" if centimetres < 0 else "",
        abs(centimetres) // 100,
        abs(centimetres) % 100,
    )


def soa_content(mname: str, rname: str, serial: int, timers: Sequence[int]) -> str:
    """SOA content (RFC 1035 section 3.3.13); timers are refresh, retry, expire and minimum in seconds."""
    return f"{mname} {rname} {serial} " + " ".join(map(str, timers))


def _scaled(what: str, text: str, factor: int) -> int:
    """The decimal number ``text`` times ``factor``, rounded half away from zero; without binary fractions."""
    number = text.strip()
    whole, _, fraction = number.lstrip("+-").partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 40 or len(number) - len(number.lstrip("+-")) > 1:
        raise RecordFault(f"{what} {text!r} is not a decimal number")
    scale = int(10 ** len(fraction))
    magnitude = (int(digits) * factor * 2 + scale) // (2 * scale)
    return -magnitude if number.startswith("-") else magnitude


def _ipv4(content: str) -> str:
    parts = content.split(".")
    if len(parts) == 4 and _OCTETS.issuperset(parts):
        return content
    if len(parts) == 4 and all(p.isascii() and p.isdigit() and len(p) <= 3 and int(p) < 256 for p in parts):
        return ".".join(str(int(part)) for part in parts)
    raise RecordFault(f"{content!r} is not an IPv4 address; write one such as 192.0.2.1")


def _ipv6(content: str) -> str:
    from _socket import AF_INET6, inet_ntop, inet_pton  # the C half of socket, whose other half takes 10 ms to import

    try:
        return inet_ntop(AF_INET6, inet_pton(AF_INET6, content))
    except (OSError, ValueError):
        raise RecordFault(f"{content[:60]!r} is not an IPv6 address; write one such as 2001:db8::1") from None


def _name(content: str) -> str:
    if not content or " " in content:
        raise RecordFault(f"{content!r} is not one domain name; write one such as host.example.net")
    return names.spelling(content) or "."


def _mx(content: str) -> str:
    preference, _, exchange = content.strip().partition(" ")
    digits = preference.lstrip("0") or preference[:1]
    if not (preference.isascii() and preference.isdigit()) or len(digits) > 5 or int(digits) > 65535:
        raise RecordFault(f"MX preference {preference[:40]!r} is not a number from 0 to 65535; write 10 MAILSERVER")
    if not exchange.strip():
        raise RecordFault(f"MX {content.strip()!r} has no exchange; write the mail server's name behind the preference")
    return f"{int(digits)} {_name(exchange.strip())}"
