"""The types that PowerDNS 4.7 to 5.1 know by name: number and fields of each, a row for a type."""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata.versions import NEW, OLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.dnsdata.versions import Dialect

__all__ = ["HEX_TYPES", "NAMES", "NUMBERS", "TYPES", "demanded_number", "number_of", "type_of"]

_KEY, _DIGEST = "u16 u8 u8 base64", "u16 u8 u8 hex"
# Number, and the fields in the order of the octets
TYPES = {
    "A": (1, "ipv4"),
    "AAAA": (28, "ipv6"),
    "AFSDB": (18, "u16 name"),
    "ALIAS": (65401, "name"),
    "APL": (42, "prefixes"),
    "BRID": (68, "base64"),
    "CAA": (257, "u8 tag text"),
    "CDNSKEY": (60, _KEY),
    "CDS": (59, _DIGEST),
    "CERT": (37, "u16 u16 u8 base64"),
    "CNAME": (5, "name"),
    "CSYNC": (62, "u32 u16 types"),
    "DHCID": (49, "base64"),
    "DLV": (32769, _DIGEST),
    "DNAME": (39, "name"),
    "DNSKEY": (48, _KEY),
    "DS": (43, _DIGEST),
    "EUI48": (108, "eui48"),
    "EUI64": (109, "eui64"),
    "HHIT": (67, "base64"),
    "HINFO": (13, "string string"),
    "HTTPS": (65, "u16 name params"),
    "IPSECKEY": (45, "gateway"),
    "KEY": (25, _KEY),
    "KX": (36, "u16 name"),
    "L32": (105, "u16 ipv4"),
    "L64": (106, "u16 node"),
    "LOC": (29, "place"),
    "LP": (107, "u16 name"),
    "LUA": (65402, "type strings"),
    "MB": (7, "name"),
    "MG": (8, "name"),
    "MINFO": (14, "name name"),
    "MR": (9, "name"),
    "MX": (15, "u16 name"),
    "NAPTR": (35, "u16 u16 string string string name"),
    "NID": (104, "u16 node"),
    "NS": (2, "name"),
    "NSEC": (47, "name types"),
    "NSEC3": (50, "u8 u8 u16 salt hash types"),
    "NSEC3PARAM": (51, "u8 u8 u16 salt"),
    "OPENPGPKEY": (61, "base64"),
    "PTR": (12, "name"),
    "RESINFO": (261, "strings"),
    "RKEY": (57, _KEY),
    "RP": (17, "name name"),
    "RRSIG": (46, "type u8 u8 u32 time time u16 name base64"),
    "SMIMEA": (53, "u8 u8 u8 hex"),
    "SOA": (6, "name name u32 u32 u32 u32 u32"),
    "SPF": (99, "strings"),
    "SRV": (33, "u16 u16 u16 name"),
    "SSHFP": (44, "u8 u8 hex"),
    "SVCB": (64, "u16 name params"),
    "TLSA": (52, "u8 u8 u8 hex"),
    "TXT": (16, "strings"),
    "URI": (256, "u16 u16 text"),
    "WALLET": (262, "strings"),
    "ZONEMD": (63, "u32 u8 u8 hex"),
}
NUMBERS = {name: number for name, (number, _) in TYPES.items()}
HEX_TYPES = frozenset(name for name, (_, fields) in TYPES.items() if fields.endswith(" hex"))
NAMES = {number: name for name, number in NUMBERS.items()}
# PowerDNS knows some more names of types whose content it takes for that of an unknown one; from 249 on they are for
# questions (RFC 6895 section 3.1), and taken from a primary all the same
_BARE = {24: "SIG", 38: "A6", 249: "TKEY", 251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY"}


def type_of(number: int, dialect: Dialect = OLD) -> str:
    """The type as PowerDNS calls it in this dialect: its mnemonic if it reads the type's own text, else TYPEnnn (RFC
    3597)."""
    name = NAMES.get(number)
    if name is None or (name in NEW.types and name not in dialect.types):
        return _BARE.get(number) or f"TYPE{number}"
    return name


def number_of(type_: str) -> int | None:
    """The number of a type that PowerDNS knows by name in any version, or that is written TYPEnnn; else None."""
    if type_ in NUMBERS:
        return NUMBERS[type_]
    digits = type_.removeprefix("TYPE")
    if digits != type_ and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) < 1 << 16:
        return int(digits)
    return next((number for number, name in _BARE.items() if name == type_), None)


def demanded_number(word: str) -> int:
    number = number_of(word)
    if number is None:
        raise RecordFault(f"there is no type {word[:40]!r}")
    return number
