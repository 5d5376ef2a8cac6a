"""More than a thousand odd records, of the kinds in the test corpora of BIND, NSD, Knot and dnspython, by transfer.

One zone for each type: where gsqlite3 beside us takes it so do we, keep the same, and give the octets back.
"""

from __future__ import annotations

import random
import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from pipebackend.backend import open_backend
from tests.live.modes.example import until
from tests.live.primaries import Primary, rr
from tests.live.release import powerdns_line
from tests.live.servers import HOST, gsqlite3_schema, remote_config
from tests.live.test_kept_content import Both, is_wrong
from tests.live.writes import WritableServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.live

EACH = 30  # records of a type
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
NAMED_IN_ZONE = {type_: f"{type_.lower()}.test" for type_ in KINDS}
SENT: dict[str, list[tuple[str, bytes]]] = {}
for _type, _make in KINDS.items():
    _r = random.Random(_type)  # the same in each run
    SENT[_type] = [(f"n{number}", _make(_r)) for number in range(EACH)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("many")
    config = folder / "pipebackend.toml"
    config.write_text(powerdns_line())
    with Primary() as primary, closing(sqlite3.connect(folder / "gsqlite3.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
        backend = open_backend(str(config))
        for number, (type_, zone) in enumerate(NAMED_IN_ZONE.items(), 1):
            soa = rr(f"{zone}. 60 SOA ns1.{zone}. hostmaster.{zone}. 1 9999 9999 86400 60")
            rdtype = dns.rdatatype.from_text(type_)
            records = [
                dns.rrset.from_rdata(f"{label}.{zone}.", 60, dns.rdata.GenericRdata(dns.rdataclass.IN, rdtype, octets))
                for label, octets in SENT[type_]
            ]
            primary.zones[f"{zone}."] = [soa, rr(f"{zone}. 60 NS ns1.{zone}."), *records, soa]
            address = f"{HOST}:{primary.port}"
            backend.editor.create(zone, 100 + number, "secondary", [address], [], 1)
            insert = "INSERT INTO domains (id, name, type, master) VALUES (?, ?, 'SLAVE', ?)"
            database.execute(insert, (number, zone, address))
        database.commit()
        backend.close()
        common = {"secondary": "yes", "xfr-cycle-interval": "1"}
        ours = WritableServer({**remote_config(config), **common}, folder)
        theirs = WritableServer({"launch": "gsqlite3", "gsqlite3-database": f"{folder}/gsqlite3.db", **common}, folder)
        with ours, theirs:
            for server in (ours, theirs):
                for zone in NAMED_IN_ZONE.values():
                    until(lambda s=server, z=zone: has(s, z) or f"'{z}'" in failures(s), f"{zone} came or failed")
            yield Both(ours, theirs, folder / "zones.db", folder / "gsqlite3.db")


def has(server: WritableServer, zone: str) -> bool:
    return bool(server.dig(zone, "SOA").answer)


def failures(server: WritableServer) -> str:
    """The lines of the log about transfers that PowerDNS broke off."""
    return "\n".join(line for line in server.log.splitlines() if "unable to" in line)


@pytest.mark.parametrize("type_", KINDS)
def test_what_gsqlite3_takes_is_taken_and_kept_alike(both: Both, type_: str) -> None:
    zone = NAMED_IN_ZONE[type_]
    assert has(both.theirs, zone) == has(both.ours, zone)
    ours, theirs = both.kept(zone)
    different = {label: (theirs[label], ours.get(label)) for label in theirs if theirs[label] != ours.get(label)}
    assert {label: pair for label, pair in different.items() if not is_wrong(pair[0])} == {}


def test_more_than_a_thousand_come_back_as_they_were_sent(both: Both) -> None:
    """The rest, as APL with bits beyond its prefix, PowerDNS itself does not give back, with gsqlite3 neither."""
    unchanged, lost = 0, []
    beside = both._replace(ours=both.theirs)
    for type_, zone in NAMED_IN_ZONE.items():
        rdtype = int(dns.rdatatype.from_text(type_))
        for label, sent in SENT[type_] if has(both.ours, zone) else ():
            found = both.octets_of(f"{label}.{zone}", rdtype)
            if found == [sent]:
                unchanged += 1
            elif found != beside.octets_of(f"{label}.{zone}", rdtype):
                lost.append((type_, label, found, sent))
    assert lost == []
    assert unchanged > 1000
