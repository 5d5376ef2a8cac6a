"""The service parameters of SVCB and HTTPS (RFC 9460 section 2.1) as PowerDNS writes them.

Where PowerDNS cannot read what it writes itself, and fails all of the name, decimal escapes are written, which it
reads: for ``;``, ``(`` and ``)`` in any value, also within quotes; in alpn for a quote and what is no printable
character, which PowerDNS escapes twice.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import charstrings
from pipebackend.dnsdata.rdfields import FIELDS, text_octets
from pipebackend.dnsdata.versions import NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipebackend.dnsdata.versions import Dialect

__all__ = ["octets", "text"]

_MANDATORY, _ALPN, _NO_ALPN, _PORT, _IPV4, _ECH, _IPV6, _PATH, _OHTTP, _GROUPS = range(10)
_UNREAD = {ord(sign): f"\\{ord(sign):03d}" for sign in ";()"}


def text(params: bytes, dialect: Dialect) -> str:
    """The parameters in this dialect, in the order of the octets; raises RecordFault."""
    found = list(_params(params))
    if len(dict(found)) < len(found):  # PowerDNS reads one of them
        raise RecordFault("a service parameter is there twice (RFC 9460 section 2.2)")
    return " ".join(_param_text(key, value, dialect) for key, value in found)


def octets(found: list[str]) -> bytes:
    """The octets of parameters in any dialect; raises RecordFault."""
    params: dict[int, bytes] = {}
    for word in found:
        name, equals, value = word.partition("=")
        key = _key(name)
        if key in params:
            raise RecordFault(f"the parameter {name} is there twice")
        params[key] = _value(key, name, value if equals else None)
    return b"".join(
        key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for key, value in sorted(params.items())
    )


def _params(params: bytes) -> Iterator[tuple[int, bytes]]:
    i = 0
    while i < len(params):
        key, length = int.from_bytes(params[i : i + 2], "big"), int.from_bytes(params[i + 2 : i + 4], "big")
        i += 4 + length
        if i > len(params):
            raise RecordFault("the parameters end too early")
        yield key, params[i - length : i]


def _name(key: int, dialect: Dialect) -> str:
    return dialect.keys[key] if key < len(dialect.keys) else f"key{key}"


def _key(name: str) -> int:
    if name in NEW.keys:
        return NEW.keys.index(name)
    digits = name.removeprefix("key")
    if digits == name or not (digits.isascii() and digits.isdigit()) or len(digits) > 5 or int(digits) >= 1 << 16:
        raise RecordFault(f"there is no service parameter {name[:40]!r}")
    return int(digits)


def _param_text(key: int, value: bytes, dialect: Dialect) -> str:
    name = _name(key, dialect)
    if name.startswith("key"):
        return f"{name}={_quoted(value)}"
    if (not value) != (key in (_NO_ALPN, _OHTTP)):
        raise RecordFault(f"{name} has {'a' if value else 'no'} value (RFC 9460 section 7)")
    if not value:
        return name
    if key == _ECH:
        return f'{name}="{b2a_base64(value, newline=False).decode()}"'
    if key == _PATH:
        return f"{name}={_quoted(value)}"
    return f"{name}={_list(key, value, dialect)}"


def _list(key: int, value: bytes, dialect: Dialect) -> str:
    if key == _ALPN:
        return _protocols(value)
    size = {_IPV4: 4, _IPV6: 16}.get(key, 2)
    if len(value) % size or not value or (key == _PORT and len(value) != size):
        raise RecordFault(f"the value of {_name(key, dialect)} has {len(value)} octets")
    parts = [value[i : i + size] for i in range(0, len(value), size)]
    if key in (_IPV4, _IPV6):
        return ",".join(FIELDS["ipv4" if key == _IPV4 else "ipv6"][0](part, 0)[0] for part in parts)
    numbers = [int.from_bytes(part, "big") for part in parts]
    return ",".join(_name(number, dialect) if key == _MANDATORY else str(number) for number in numbers)


def _protocols(value: bytes) -> str:
    """RFC 9460 appendix A.1: a comma in an item is escaped, and then all once more as a character string."""
    items, i = [], 0
    while i < len(value):
        length = value[i]
        item = value[i + 1 : i + 1 + length]
        if not length or len(item) != length:
            raise RecordFault("the value of alpn is broken")
        items.append(item.replace(b"\\", b"\\\\").replace(b",", b"\\,"))
        i += 1 + length
    escaped = "".join(
        "\\\\" if octet == 0x5C else chr(octet) if 0x20 <= octet < 0x7F and octet != 0x22 else f"\\{octet:03d}"
        for octet in b",".join(items)
    ).translate(_UNREAD)
    return f'"{escaped}"' if " " in escaped else escaped


def _quoted(value: bytes) -> str:
    return charstrings.quoted(value).translate(_UNREAD)


def _value(key: int, name: str, text_: str | None) -> bytes:
    if text_ is None or text_ == "":
        if text_ == "" and key not in (_IPV4, _IPV6):
            raise RecordFault(f"{name} has no value")
        return b""
    if name.startswith("key") and not (key == _GROUPS and text_[0] != '"'):
        return text_octets(text_)
    if key in (_NO_ALPN, _OHTTP):
        raise RecordFault(f"{name} has no value")
    if key == _PATH:
        return text_octets(text_)
    if key == _ECH:
        return _unbased(text_)
    if key == _ALPN:
        return b"".join(bytes((len(item),)) + item for item in _items(text_octets(text_)))
    return b"".join(_one(key, item) for item in text_octets(text_).decode("latin-1").split(","))


def _one(key: int, item: str) -> bytes:
    if key in (_IPV4, _IPV6):
        return FIELDS["ipv4" if key == _IPV4 else "ipv6"][1]([item])
    return _key(item).to_bytes(2, "big") if key == _MANDATORY else FIELDS["u16"][1]([item])


def _unbased(text_: str) -> bytes:
    try:
        return a2b_base64(text_octets(text_), strict_mode=True)
    except (Error, ValueError):
        raise RecordFault(f"the value of ech, {text_[:40]}, is not Base64") from None


def _items(octets_: bytes) -> Iterator[bytes]:
    """The protocols. PowerDNS escapes an octet in decimal here, too; RFC 9460 appendix A.1 has no such escape."""
    item, i = bytearray(), 0
    while i < len(octets_):
        if octets_[i : i + 1] == b",":
            yield _item(item)
            item = bytearray()
        elif octets_[i : i + 1] == b"\\" and (digits := octets_[i + 1 : i + 4]).isdigit() and len(digits) == 3:
            item.append(_octet(digits))
            i += 3
        else:
            i += octets_[i : i + 1] == b"\\"
            item += octets_[i : i + 1]
        i += 1
    yield _item(item)


def _octet(digits: bytes) -> int:
    if int(digits) > 255:
        raise RecordFault(f"\\{digits.decode()} is no octet")
    return int(digits)


def _item(item: bytearray) -> bytes:
    if not 0 < len(item) <= charstrings.MAX_STRING_OCTETS:
        raise RecordFault(f"a protocol of {len(item)} octets in alpn")
    return bytes(item)
