"""Fields with rules of their own, as PowerDNS writes them: places, prefixes, gateways, types, times, hashes."""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata.rdfields import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "gateway_octets",
    "gateway_text",
    "hash_octets",
    "hash_text",
    "place_octets",
    "place_text",
    "prefixes_octets",
    "prefixes_text",
    "time_octets",
    "time_text",
    "types_octets",
    "types_text",
]

_EQUATOR = 1 << 31  # RFC 1876 section 2: thousandths of a second of arc, from here on north and east
_SEA_LEVEL = 10_000_000  # centimetres above the lowest altitude
_SIZES = ("1m", "10000m", "10m")
_NAME_GATEWAY = 3
_HASH_DIGITS = "0123456789abcdefghijklmnopqrstuv"  # base32hex (RFC 4648 section 7)
_BASE32_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def place_text(octets: bytes, *, rounds: bool, wraps: bool) -> str:
    """LOC content; ``rounds`` as PowerDNS before 5.1, which cuts minutes and seconds out of a float.

    ``wraps``: all versions count centimetres in 32 bits with a sign, and read what they write.
    """
    if len(octets) != 16 or octets[0]:
        raise RecordFault("not a LOC of version 0 (RFC 1876 section 2)")
    latitude, longitude, altitude = (int.from_bytes(octets[i : i + 4], "big") for i in (4, 8, 12))
    angle = _rounded_angle if rounds else _angle
    north, east = angle(latitude - _EQUATOR, 90, "NS"), angle(longitude - _EQUATOR, 180, "EW")
    height = altitude - _SEA_LEVEL
    if wraps and height >= 1 << 31:
        height -= 1 << 32
    sizes = " ".join(map(_size_text, octets[1:4]))
    return f"{north} {east} {'-' if height < 0 else ''}{abs(height) // 100}.{abs(height) % 100:02d}m {sizes}"


def place_octets(found: Sequence[str]) -> bytes:
    """The octets of LOC content; sizes that are not there are those of RFC 1876 section 3."""
    if not 9 <= len(found) <= 12:
        raise RecordFault(f"LOC content has 9 to 12 fields, not {len(found)}")
    latitude, longitude = _angle_octets(found[:4], "NS"), _angle_octets(found[4:8], "EW")
    height = _centimetres(found[8]) + _SEA_LEVEL
    if not -(1 << 31) < height < 1 << 32:
        raise RecordFault(f"the altitude {found[8]} is out of range")
    sizes = bytes(_size_octet(text) for text in (*found[9:], *_SIZES[len(found) - 9 :]))
    return b"\0" + sizes + latitude + longitude + (height & 0xFFFFFFFF).to_bytes(4, "big")


def _angle(thousandths: int, limit: int, hemispheres: str) -> str:
    if abs(thousandths) > limit * 3_600_000:
        raise RecordFault("a latitude or longitude is out of range (RFC 1876 section 2)")
    minutes, ms = divmod(abs(thousandths), 60_000)
    return f"{minutes // 60} {minutes % 60} {ms // 1000}.{ms % 1000:03d} {hemispheres[thousandths < 0]}"


def _rounded_angle(thousandths: int, limit: int, hemispheres: str) -> str:
    _angle(thousandths, limit, hemispheres)
    degrees = thousandths / 3_600_000.0
    minutes = (degrees - int(degrees)) * 60.0
    seconds = abs((minutes - int(minutes)) * 60.0)
    return f"{abs(int(degrees))} {abs(int(minutes))} {seconds:.3f} {hemispheres[degrees <= 0]}"


def _angle_octets(words: Sequence[str], hemispheres: str) -> bytes:
    degrees, minutes, seconds, hemisphere = words
    if hemisphere not in hemispheres or not (degrees.isdigit() and minutes.isdigit()):
        raise RecordFault(f"{' '.join(words)[:40]!r} is not degrees, minutes, seconds and {' or '.join(hemispheres)}")
    thousandths = (int(degrees) * 60 + int(minutes)) * 60_000 + _fixed(seconds, 3)
    if thousandths > {"NS": 90, "EW": 180}[hemispheres] * 3_600_000:
        raise RecordFault(f"{' '.join(words)[:40]!r} is out of range")
    return (_EQUATOR + (thousandths if hemisphere == hemispheres[0] else -thousandths)).to_bytes(4, "big")


def _centimetres(word: str) -> int:
    return _fixed(word.removesuffix("m"), 2)


def _fixed(word: str, places: int) -> int:
    whole, _, fraction = word.removeprefix("-").partition(".")
    digits = whole + fraction.ljust(places, "0")
    if not (digits.isascii() and digits.isdigit()) or len(fraction) > places or len(digits) > 20:
        raise RecordFault(f"{word[:40]!r} is not a number with {places} decimals at most")
    return -int(digits) if word.startswith("-") else int(digits)


def _size_text(octet: int) -> str:
    """A mantissa and a power of ten, in centimetres."""
    mantissa, exponent = octet >> 4, octet & 15
    if max(mantissa, exponent) > 9:
        raise RecordFault("a size of LOC is not of two digits (RFC 1876 section 2)")
    size = mantissa * 10**exponent
    if size >= 1 << 32:
        raise RecordFault(f"a size of {size // 100} m is more than PowerDNS can read")
    return f"{size // 100}.{size % 100:02d}m"


def _size_octet(word: str) -> int:
    size, exponent = _centimetres(word), 0
    while size >= 10:
        size, exponent = size // 10, exponent + 1
    if size < 0 or exponent > 9:
        raise RecordFault(f"{word[:40]!r} is not a size")
    return size << 4 | exponent


def prefixes_text(octets: bytes) -> str:
    """APL content (RFC 3123)."""
    found, i = [], 0
    while i < len(octets):
        if len(octets) < i + 4:
            raise RecordFault("an address prefix is broken")
        family, bits, flags = int.from_bytes(octets[i : i + 2], "big"), octets[i + 2], octets[i + 3]
        length, size = flags & 127, {1: 4, 2: 16}.get(family, 0)
        if not size or length > size or bits > 8 * size or i + 4 + length > len(octets):
            raise RecordFault("an address prefix is broken")
        address = octets[i + 4 : i + 4 + length].ljust(size, b"\0")
        text = FIELDS["ipv4" if family == 1 else "ipv6"][0](address, 0)[0]
        found.append(f"{'!' if flags & 128 else ''}{family}:{text}/{bits}")
        i += 4 + length
    return " ".join(found)


def prefixes_octets(found: Sequence[str]) -> bytes:
    """The octets of APL content."""
    octets = b""
    for word in found:
        family, _, rest = word.removeprefix("!").partition(":")
        address, _, bits = rest.partition("/")
        if family not in ("1", "2"):
            raise RecordFault(f"{word[:60]!r} is not an address prefix, as 1:192.0.2.0/24")
        prefix = FIELDS["ipv4" if family == "1" else "ipv6"][1]([address])
        if not (bits.isascii() and bits.isdigit()) or len(bits) > 3 or int(bits) > 8 * len(prefix):
            raise RecordFault(f"{word[:60]!r} has no length from 0 to {8 * len(prefix)}")
        short = prefix.rstrip(b"\0")
        octets += bytes((0, int(family), int(bits), len(short) | 128 * word.startswith("!"))) + short
    return octets


def gateway_text(octets: bytes, spelled: Callable[[str], str] | None = None) -> str:
    """IPSECKEY content (RFC 4025 section 3.1); without a gateway PowerDNS writes none, not the dot."""
    if len(octets) < 3 or octets[1] > 3:
        raise RecordFault("not an IPSECKEY with a gateway of type 0 to 3 (RFC 4025 section 2.3)")
    found, i = [f"{octets[0]} {octets[1]} {octets[2]}"], 3
    if octets[1]:
        text, i = FIELDS[("", "ipv4", "ipv6", "name")[octets[1]]][0](octets, i)
        found.append(spelled(text) if spelled is not None and octets[1] == _NAME_GATEWAY else text)
    if i < len(octets):
        found.append(FIELDS["base64"][0](octets, i)[0])
    return " ".join(found)


def gateway_octets(found: list[str]) -> bytes:
    """The octets of IPSECKEY content."""
    rest = list(found)
    octets = b"".join(FIELDS["u8"][1](rest) for _ in range(3))
    if octets[1] > 3:
        raise RecordFault(f"there is no gateway of type {octets[1]} (RFC 4025 section 2.3)")
    if octets[1]:
        octets += FIELDS[("", "ipv4", "ipv6", "name")[octets[1]]][1](rest)
    return octets + (FIELDS["base64"][1](rest) if rest else b"")


def types_text(octets: bytes, name: Callable[[int], str]) -> str:
    """The types of a bit map (RFC 4034 section 4.1.2)."""
    found, i = [], 0
    while i < len(octets):
        length = octets[i + 1] if i + 1 < len(octets) else 0
        block = octets[i + 2 : i + 2 + length]
        if not 0 < length <= 32 or len(block) < length:
            raise RecordFault("a bit map of types is broken")
        numbers = (place * 8 + bit for place in range(length) for bit in range(8) if block[place] & 128 >> bit)
        found += [name(octets[i] << 8 | number) for number in numbers]
        i += 2 + length
    return " ".join(found)


def types_octets(numbers: Sequence[int]) -> bytes:
    """The bit map of types."""
    blocks: dict[int, bytearray] = {}
    for number in sorted(set(numbers)):
        block = blocks.setdefault(number >> 8, bytearray())
        place = number >> 3 & 31
        block.extend(bytes(place + 1 - len(block)))
        block[place] |= 128 >> (number & 7)
    return b"".join(bytes((window, len(block))) + block for window, block in blocks.items())


def time_text(seconds: int) -> str:
    """A time of RRSIG (RFC 4034 section 3.2), as YYYYMMDDHHmmSS."""
    from time import gmtime, strftime

    return strftime("%Y%m%d%H%M%S", gmtime(seconds))


def time_octets(word: str) -> bytes:
    """The octets of such a time, or of seconds since 1970."""
    if not (word.isascii() and word.isdigit()) or len(word) > 14:
        raise RecordFault(f"{word[:40]!r} is not a time, as 20300101000000")
    if len(word) < 14:
        return FIELDS["u32"][1]([word])
    from calendar import timegm

    parts = [int(word[:4]), *(int(word[i : i + 2]) for i in range(4, 14, 2))]
    return (timegm((*parts, 0, 0, 0)) & 0xFFFFFFFF).to_bytes(4, "big")


def hash_text(octets: bytes, i: int) -> tuple[str, int]:
    """The next hash of NSEC3, and where the types begin (RFC 5155 section 3.3)."""
    from base64 import b32encode

    length = octets[i] if i < len(octets) else 0
    digits = b32encode(octets[i + 1 : i + 1 + length]).decode().rstrip("=")
    return digits.translate(str.maketrans(_BASE32_DIGITS, _HASH_DIGITS)), i + 1 + length


def hash_octets(word: str) -> bytes:
    """The octets of such a hash."""
    from base64 import b32decode

    digits = word.lower().translate(str.maketrans(_HASH_DIGITS, _BASE32_DIGITS))
    try:
        octets = b32decode(digits + "=" * (-len(digits) % 8))
    except ValueError:
        raise RecordFault(f"{word[:40]!r} is not a hash in base32hex") from None
    return bytes((len(octets),)) + octets
