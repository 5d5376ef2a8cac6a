"""Octets of odd records by the dozen, the same in each run.

KINDS are the usual types with any octets in each of their fields. CORPORA are the kinds that the test corpora of other
programs have beside them, in values of our own: expired and experimental types with their own fields (BIND's genzone,
dnspython's example zone), the test vectors of RFC 9460 and what goes wrong beside them (simdzone, Knot's scanner),
names of the largest size and content at its limits (PowerDNS's record tests), and types that are new (Knot: DSYNC,
DELEG, WALLET, RESINFO).
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SENT", "type_of"]

EACH, EACH_OF_CORPORA = 30, 15
Random = random.Random


def octets(r: Random, least: int, most: int) -> bytes:
    return r.randbytes(r.randint(least, most))


def text(r: Random, most: int = 255) -> bytes:
    """A character string: empty, plain, or any octets."""
    value = r.choice((b"", b"plain", b'"\\;() @$', octets(r, 0, most)))
    return bytes([len(value)]) + value


def name(r: Random) -> bytes:
    """The root, a plain name, or labels of any octets; in small letters, as PowerDNS answers some of them."""
    labels = [octets(r, 1, r.choice((1, 8, 63))).lower() for _ in range(r.randint(0, 3))]
    return b"".join(bytes([len(label)]) + label for label in [*labels, b"invalid"]) + b"\0" if labels else b"\0"


def bitmap(r: Random) -> bytes:
    """Types in windows (RFC 4034 section 4.1.2), none in particular."""
    found = b""
    for window in sorted(r.sample(range(256), r.randint(0, 4))):
        bits = octets(r, 0, 31) + bytes([r.randint(1, 255)])
        found += bytes([window, len(bits)]) + bits
    return found


def apl(r: Random) -> bytes:
    """RFC 3123: zeros at the end of an address are left out."""
    found = b""
    for _ in range(r.randint(0, 5)):
        family, most = r.choice(((1, 4), (2, 16)))
        address = octets(r, 0, most).rstrip(b"\0")
        found += struct.pack("!HBB", family, r.randint(0, most * 8), len(address) | r.choice((0, 128))) + address
    return found


def loc(r: Random) -> bytes:
    """Sizes of each power of ten, places up to the poles, heights from 100 km below."""
    sizes = bytes(r.randint(0, 9) << 4 | r.randint(0, 9) for _ in range(3))
    places = (2**31 + r.randint(-limit, limit) * 3_600_000 + r.randint(0, 999) for limit in (89, 179))
    return b"\0" + sizes + struct.pack("!III", *places, r.randint(0, 2**32 - 1))


def parameters(r: Random) -> bytes:
    """SvcParams in order (RFC 9460 section 2.2): ALPN, a port, hints, and keys that nobody knows."""
    found = {key: octets(r, 1, 40) for key in r.sample(range(20, 65000), r.randint(0, 3))}
    known = {1: b"\x02h2\x08http/1.1", 3: octets(r, 2, 2), 4: r.randbytes(4 * r.randint(1, 3)), 6: r.randbytes(32)}
    found |= {key: known[key] for key in r.sample(sorted(known), r.randint(0, 4))}
    return b"".join(struct.pack("!HH", key, len(found[key])) + found[key] for key in sorted(found))


def gateway(r: Random) -> bytes:
    kind = r.randint(0, 3)
    value = (b"", octets(r, 4, 4), octets(r, 16, 16), name(r))[kind]
    return bytes([r.randint(0, 255), kind, r.randint(0, 255)]) + value + octets(r, 1, 60)


def caa(r: Random) -> bytes:
    tag = r.choice((b"issue", b"issuewild", b"iodef", b"tbs", b"x9"))
    return bytes([r.choice((0, 1, 128)), len(tag)]) + tag + octets(r, 1, 300)


KINDS: dict[str, Callable[[Random], bytes]] = {
    "A": lambda r: octets(r, 4, 4),
    "AAAA": lambda r: r.choice((bytes(10) + b"\xff\xff", bytes(12), octets(r, 12, 12))) + octets(r, 4, 4),
    "AFSDB": lambda r: octets(r, 2, 2) + name(r),
    "APL": apl,
    "CAA": caa,
    "CDNSKEY": lambda r: octets(r, 2, 2) + b"\x03" + octets(r, 2, 80),
    "CDS": lambda r: octets(r, 4, 4) + octets(r, 1, 48),
    "CERT": lambda r: octets(r, 5, 5) + octets(r, 1, 400),
    "CSYNC": lambda r: octets(r, 6, 6) + bitmap(r),
    "DHCID": lambda r: octets(r, 1, 90),
    "DS": lambda r: octets(r, 4, 4) + octets(r, 1, 64),
    "EUI48": lambda r: octets(r, 6, 6),
    "EUI64": lambda r: octets(r, 8, 8),
    "HINFO": lambda r: text(r) + text(r),
    "HTTPS": lambda r: octets(r, 1, 1) + b"\x01" + name(r) + parameters(r),
    "IPSECKEY": gateway,
    "KEY": lambda r: octets(r, 4, 4) + octets(r, 1, 80),
    "KX": lambda r: octets(r, 2, 2) + name(r),
    "L32": lambda r: octets(r, 6, 6),
    "L64": lambda r: octets(r, 10, 10),
    "LOC": loc,
    "LP": lambda r: octets(r, 2, 2) + name(r),
    "MX": lambda r: octets(r, 2, 2) + name(r),
    "NAPTR": lambda r: octets(r, 4, 4) + text(r) + text(r) + text(r) + name(r),
    "NID": lambda r: octets(r, 10, 10),
    "OPENPGPKEY": lambda r: octets(r, 1, 2000),
    "PTR": name,
    "RP": lambda r: name(r) + name(r),
    "SMIMEA": lambda r: octets(r, 3, 3) + octets(r, 1, 64),
    "SPF": lambda r: b"".join(text(r) for _ in range(r.randint(1, 4))),
    "SRV": lambda r: octets(r, 6, 6) + name(r),
    "SSHFP": lambda r: octets(r, 2, 2) + octets(r, 1, 64),
    "SVCB": lambda r: octets(r, 1, 1) + b"\x01" + name(r) + parameters(r),
    "TLSA": lambda r: octets(r, 3, 3) + octets(r, 1, 64),
    "TXT": lambda r: b"".join(text(r) for _ in range(r.randint(1, 8))),
    "TYPE731": lambda r: octets(r, 0, 600),
    "TYPE65300": lambda r: octets(r, 0, 600),
    "URI": lambda r: octets(r, 4, 4) + octets(r, 1, 300),
    "ZONEMD": lambda r: octets(r, 6, 6) + octets(r, 12, 64),
}


def largest_name(r: Random) -> bytes:
    """255 octets: of the longest labels, of the most, or one of them."""
    longest = b"".join(b"\x3f" + bytes(r.choices(b"abcz09-_", k=63)) for _ in range(3)) + b"\x3d" + b"y" * 61 + b"\0"
    most = b"".join(b"\x01" + bytes([r.choice(b"abc0_")]) for _ in range(127)) + b"\0"
    return r.choice((longest, most, b"\x3f" + b"x" * 63 + b"\x07invalid\0", b"\0"))


def edge_text(r: Random) -> bytes:
    """Strings at the limits, of what has a meaning in zone files, of no ASCII, and none."""
    value = r.choice(
        (
            b"",
            b"\0" * 255,
            b"\\" * 254,
            b'"' * 255,
            b"a" * 254,
            b"\\0mytest",
            b"\0mytest",
            "åß→".encode(),
            b";",
            b" ",
            b"\t\r\n",
            b"#",
            b"\\#",
        )
    )
    return bytes([len(value)]) + value


def types(r: Random) -> bytes:
    """A bit map with few types, of the first and the last window."""
    found: dict[int, bytearray] = {}
    for number in r.sample((1, 2, 15, 16, 127, 128, 255, 256, 261, 1234, 32769, 65280, 65535), r.randint(1, 5)):
        bits = found.setdefault(number >> 8, bytearray(32))
        bits[number >> 3 & 31] |= 128 >> (number & 7)
    return b"".join(
        bytes([window, len(bits.rstrip(b"\0"))]) + bits.rstrip(b"\0") for window, bits in sorted(found.items())
    )


def whole_minutes(r: Random) -> bytes:
    """LOC in whole minutes and degrees, the poles, the equator; the least and the greatest sizes and heights."""
    sizes = bytes(r.choice((0x00, 0x10, 0x12, 0x13, 0x16, 0x90, 0x99)) for _ in range(3))
    places = [
        2**31 + r.choice((-1, 1)) * r.choice((0, limit * 60, r.randint(0, limit * 60))) * 60_000 for limit in (90, 180)
    ]
    return b"\0" + sizes + struct.pack("!III", *places, r.choice((0, 1, 10_000_000, 2**31 + 10_000_000, 2**32 - 1)))


def service(r: Random) -> bytes:
    """Parameters one by one: RFC 9460 appendix D, and those that only their length makes odd."""
    alpn = r.choice((b"\x02h2", b"\x02h2\x05h3-19", b"\x08f\\oo,bar\x02h2", b"\xff" + b"a" * 255, b"\x01,", b"\x01 "))
    values = {
        1: alpn,
        2: b"",
        3: r.choice((b"\0\0", b"\xff\xff", b"\x00\x35")),
        4: r.choice((b"\0" * 4, b"\xff" * 4, r.randbytes(12))),
        5: r.choice((b"\0", r.randbytes(90))),
        6: r.choice((bytes(15) + b"\1", bytes(10) + b"\xff\xff\xc0\0\2\1", b"\x20\x01\x0d\xb8" + b"\xff" * 12)),
        7: b"/q{?dns}",
        667: r.choice((b"hello", b"hello\xd2qoo")),
        1000: b"b",
        65535: b"a",
    }
    keys = sorted(r.sample(sorted(values), r.randint(1, 4)))
    mandatory = b"".join(struct.pack("!H", key) for key in keys) if r.random() < 0.3 else b""
    found = [(0, mandatory)] * bool(mandatory) + [(key, values[key]) for key in keys]
    return (
        r.choice((b"\0\1", b"\0\x10", b"\xff\xff"))
        + name(r)
        + b"".join(struct.pack("!HH", key, len(value)) + value for key, value in found)
    )


def relay(r: Random) -> bytes:
    kind = r.randint(0, 3)
    return (
        bytes([r.randint(0, 255), kind | r.choice((0, 128))]) + (b"", octets(r, 4, 4), octets(r, 16, 16), name(r))[kind]
    )


def host_identity(r: Random) -> bytes:
    tag, key = octets(r, 1, 16), octets(r, 1, 200)
    servers = b"".join(name(r) for _ in range(r.randint(0, 3)))
    return struct.pack("!BBH", len(tag), r.randint(0, 3), len(key)) + tag + key + servers


def a6(r: Random) -> bytes:
    bits = r.choice((0, 1, 64, 127, 128))
    return bytes([bits]) + octets(r, 16 - bits // 8, 16 - bits // 8) + (name(r) if bits else b"")


# title → octets; the title begins with the type
CORPORA: dict[str, Callable[[Random], bytes]] = {
    "ALIAS": largest_name,
    "A6": a6,
    "CAA-limits": lambda r: (
        bytes([r.choice((0, 128, 255))])
        + r.choice((b"\1a", b"\x0fcontactcontactx", b"\x05issue"))
        + r.choice((b"", b";", b"a" * 1000))
    ),
    "CERT-private": lambda r: r.choice((b"\xff\xfe\xff\xff\xfe", b"\0\xfd\0\0\0", b"\0\xfe\0\0\0")) + octets(r, 1, 700),
    "CDNSKEY-delete": lambda r: r.choice((b"\0\0\3\0\0", b"\2\0\xff\1" + octets(r, 1, 60))),
    "CDS-delete": lambda r: r.choice((b"\0\0\0\0\0", octets(r, 2, 2) + b"\5\1" + octets(r, 20, 20))),
    "CNAME": largest_name,
    "CSYNC-types": lambda r: octets(r, 6, 6) + types(r),
    "DLV": lambda r: octets(r, 4, 4) + octets(r, 1, 48),
    "DNAME": largest_name,
    "DS-types": lambda r: (
        octets(r, 2, 2) + bytes([r.choice((0, 5, 13, 253, 255)), r.choice((0, 1, 2, 3, 4, 255))]) + octets(r, 1, 64)
    ),
    "KEY-none": lambda r: r.choice((b"\xc0\0\3\3", b"\2\0\xff\1" + octets(r, 3, 90), b"\0\0\0\0" + octets(r, 1, 9))),
    "LOC-whole": whole_minutes,
    "MB": largest_name,
    "MG": name,
    "MINFO": lambda r: name(r) + largest_name(r),
    "MR": name,
    "MX-names": lambda r: octets(r, 2, 2) + largest_name(r),
    "NAPTR-expressions": lambda r: (
        r.choice((b"\0\0\0\0", b"\xff" * 4))
        + edge_text(r)
        + edge_text(r)
        + r.choice((b"\x0c!^(.*)$!\\1!i", edge_text(r)))
        + name(r)
    ),
    "HINFO-limits": lambda r: edge_text(r) + edge_text(r),
    "RKEY": lambda r: octets(r, 2, 2) + b"\3\x0d" + octets(r, 1, 80),
    "RP-names": lambda r: largest_name(r) + name(r),
    "SIG": lambda r: (
        struct.pack("!HBBIIIH", r.choice((1, 30)), 1, 3, 3600, 2**31, 2**30, 2143) + name(r) + octets(r, 1, 64)
    ),
    "SRV-names": lambda r: r.choice((bytes(6), b"\xff" * 6)) + largest_name(r),
    "SVCB-vectors": service,
    "HTTPS-vectors": service,
    "TLSA-private": lambda r: r.choice((b"\xff\xff\xff", b"\3\1\0", b"\1\1\2")) + octets(r, 1, 900),
    "TXT-limits": lambda r: b"".join(edge_text(r) for _ in range(r.choice((1, 2, 60)))),
    "URI-limits": lambda r: (
        octets(r, 4, 4) + r.choice((b"h", b"https://a/" + b"x" * 5000, "http://ø/".encode(), b'"\\ ;'))
    ),
    "ZONEMD-private": lambda r: (
        octets(r, 4, 4) + bytes([r.choice((0, 1, 240, 255)), r.choice((0, 1, 2, 240))]) + octets(r, 12, 64)
    ),
    "TYPE11-wks": lambda r: (
        octets(r, 4, 4) + r.choice((b"\x06", b"\x11", b"\xff")) + r.choice((b"", octets(r, 1, 8), bytes(8191) + b"\1"))
    ),
    "TYPE19-x25": text,
    "TYPE20-isdn": lambda r: text(r) + r.choice((b"", text(r))),
    "TYPE21-rt": lambda r: octets(r, 2, 2) + largest_name(r),
    "TYPE22-nsap": lambda r: octets(r, 0, 30),
    "TYPE23-nsap-ptr": largest_name,
    "TYPE26-px": lambda r: octets(r, 2, 2) + name(r) + name(r),
    "TYPE27-gpos": lambda r: r.choice((b"\0\0\0", b"\x08-22.6882\x08116.8652\x05250.0", text(r) * 3)),
    "TYPE30-nxt": lambda r: name(r) + octets(r, 1, 16),
    "TYPE31-eid": lambda r: octets(r, 0, 40),
    "TYPE32-nimloc": lambda r: octets(r, 0, 40),
    "TYPE34-atma": lambda r: b"\0" + octets(r, 1, 20),
    "TYPE40-sink": lambda r: octets(r, 3, 40),
    "TYPE55-hip": host_identity,
    **{f"TYPE{number}-question": lambda r: octets(r, 0, 8) for number in (0, 41, *range(249, 256))},
    **{f"{type_}-nothing": lambda _: b"" for type_ in ("DHCID", "HINFO", "OPENPGPKEY", "TYPE67", "TYPE68")},
    "TYPE56-ninfo": lambda r: b"".join(edge_text(r) for _ in range(r.randint(1, 3))),
    "TYPE58-talink": lambda r: name(r) + name(r),
    "TYPE66-dsync": lambda r: struct.pack("!HBH", r.choice((59, 62)), r.choice((0, 1, 255)), 5360) + name(r),
    "TYPE67-hhit": lambda r: octets(r, 1, 300),
    "TYPE68-brid": lambda r: octets(r, 1, 300),
    "TYPE100-uinfo": text,
    "TYPE101-uid": lambda r: octets(r, 4, 4),
    "TYPE103-unspec": lambda r: octets(r, 0, 100),
    "TYPE258-avc": text,
    "TYPE259-doa": lambda r: octets(r, 8, 8) + bytes([r.randint(0, 3)]) + text(r) + octets(r, 0, 300),
    "TYPE260-amtrelay": relay,
    "TYPE261-resinfo": lambda r: b"".join(edge_text(r) for _ in range(r.randint(1, 4))),
    "TYPE262-wallet": lambda r: edge_text(r) + text(r),
    "TYPE263-cla": text,
    "TYPE264-ipn": lambda r: octets(r, 8, 8),
    "TYPE32768-ta": lambda r: octets(r, 4, 4) + octets(r, 1, 48),
    "TYPE61440-deleg": lambda r: parameters(r),
    "TYPE65533-keydata": lambda r: octets(r, *r.choice(((0, 0), (6, 6), (18, 18)))),
}


def type_of(title: str) -> str:
    """The type that a title of SENT begins with, as dnspython reads it."""
    return {"A6": "TYPE38"}.get(title, title.partition("-")[0])


SENT: dict[str, list[tuple[str, bytes]]] = {}
for _kinds, _count in ((KINDS, EACH), (CORPORA, EACH_OF_CORPORA)):
    for _title, _make in _kinds.items():
        _r = random.Random(_title)  # the same in each run
        SENT[_title] = [(f"n{number}", _make(_r)) for number in range(_count)]
