"""Three values of each type, as octets: common, odd and longest; made from the fields that PowerDNS's types have."""

from __future__ import annotations

from typing import NamedTuple

from pipebackend.dnsdata import rdtext, typetable
from pipebackend.dnsdata.versions import NEW, OLD
from tests.live.release import VERSION

__all__ = ["VALUES", "Value"]

DIALECT = OLD if VERSION < (5, 1) else NEW
KINDS = ("common", "odd", "longest")
_NAME = "046d61696c07696e76616c696400"
_ODD_NAME = "05" + "61223b2440" + "04e920005c" + "07696e76616c696400"
_LONG_NAME = ("3f" + "61" * 63) * 3 + "3d" + "62" * 61 + "00"
# 4.7 puts up to a hundred records into one message of an AXFR, whatever their length, and fails if it is too long
_LONG = 60_000 if VERSION >= (4, 8) else 500
_DATA = "a5" * 32, "01", "5a" * _LONG
# Of each kind of field
FIELDS = {
    "u8": ("01", "00", "ff"),
    "u16": ("000a", "0000", "ffff"),
    "u32": ("00000e10", "00000000", "ffffffff"),
    "ipv4": ("c0000201", "00000000", "ffffffff"),
    "ipv6": ("20010db8" + "00" * 11 + "01", "00" * 10 + "ffffc0000201", "ff" * 16),
    "name": (_NAME, _ODD_NAME, _LONG_NAME),
    "string": ("03616263", "03e90022", "ff" + "61" * 255),
    "strings": ("03616263", "0005e9220a5c00", ("ff" + "61" * 255) * (_LONG // 256)),
    "text": ("636122", "e9005c2220", "61" * min(_LONG, 4000)),
    "tag": ("056973737565", "027839", "0f" + "61" * 15),
    "hex": _DATA,
    "base64": _DATA,
    "eui48": ("00005e00532a", "00" * 6, "ff" * 6),
    "eui64": ("00005eef1000002a", "00" * 8, "ff" * 8),
    "node": ("20010db800000001", "00" * 8, "ff" * 8),
    "gateway": (
        "0a0102c0000201" + "a5" * 32,
        # No key, as its algorithm 0 says (RFC 4025 section 2.4); one that follows PowerDNS reads as the next record
        "000000",
        "ff03ff" + _LONG_NAME + "5a" * _LONG,
    ),
    "params": ("0001000302683200030002" + "20fb", "029b0002e95c", "000100030268320004" + "0190" + "c0000201" * 100),
    "place": (
        "00121613" + "8b24c8fb" + "814418c0" + "00989810",
        "00000000" + "80000000" * 2 + "00000000",
        "00393939" + "934fd900" + "a69fb200" + "ffffffff",
    ),
    "prefixes": ("00011803c00002", "00010000" + "00028000", "00012004c0000201" * 60),
    "types": (
        "000640000000000b",
        "0001ff" + "ff0101",
        "".join(f"{window:02x}20" + "ff" * 32 for window in range(1, 256 if VERSION >= (4, 8) else 12)),
    ),
}
# PowerDNS makes them, takes them from a primary alone, or runs them
NOT_WRITTEN = {"LUA", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "SOA"}
# To PowerDNS unknown by name: obsolete, of one protocol alone, newer, private
UNKNOWN = (3, 4, 10, 11, 19, 20, 21, 22, 23, 26, 27, 30, 31, 32, 34, 38, 40, 56, 58, 66, 258, 260, 263, 32768, 65280)


class Value(NamedTuple):
    """``content`` is PowerDNS's text of the octets, empty if it has none."""

    title: str
    number: int
    octets: bytes
    type: str
    content: str


def _value(number: int, kind: str, octets: bytes) -> Value:
    type_ = typetable.type_of(number, DIALECT)
    content = rdtext.text_of(number, octets, DIALECT, lambda name: name if name == "." else f"{name}.")
    return Value(f"{type_} {kind}", number, octets, type_, content)


def _values() -> list[Value]:
    found = []
    for n, kind in enumerate(KINDS):
        for type_, (number, fields) in typetable.TYPES.items():
            if type_ not in NOT_WRITTEN:
                found.append(_value(number, kind, bytes.fromhex("".join(FIELDS[field][n] for field in fields.split()))))
        found += [_value(number, kind, bytes.fromhex(("03616263", "", "5a" * _LONG)[n])) for number in UNKNOWN]
    return found


VALUES = _values()
