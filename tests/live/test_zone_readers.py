"""Zone files of all kinds: taken if two of the readers of BIND, NSD and ldns take them, and read as BIND, ldns and
PowerDNS read them. docs/zones.md has the exceptions."""

from __future__ import annotations

import json
import subprocess

import pytest

from pipebackend.admin import zoneimport
from pipebackend.base.errors import RecordFault, ZoneFault
from pipebackend.dnsdata import rdtext, typetable
from pipebackend.zones.text import zonefile
from tests.live.servers import PATIENCE, program
from tests.live.zone_files import APEX, FILES
from tests.unit import documents

pytestmark = pytest.mark.live

PAGE = documents.text("docs/zones.md")
READ, REFUSED = "read", "refused"
# Rows of the page, and the files that they are about; an asterisk stands for the rest of a title
EXCEPTIONS = {
    "`$GENERATE`": ["$GENERATE: *"],
    "a type or form that only BIND knows, beside PowerDNS or dnspython": [
        *("AMTRELAY *", "NINFO *", "RESINFO *", "RKEY *", "WALLET *", "together: DS with the digest by name"),
    ],
    "a string of TXT of more than 255 octets": ['TXT "xxx*'],
    "IPSECKEY without a key": ["IPSECKEY 10 1 2 192.0.2.38"],
    "URI without quotes": ["URI 10 1 https://x"],
    "a DNAME at the apex, and names": ["together: a DNAME at the apex"],
    "an owner outside of the zone": ["syntax: an owner outside of the zone", "syntax: the root as owner"],
    "a number, place or altitude out of its range": [
        *("syntax: TTL of 4294967296", "AFSDB 65536 ns1", 'CAA 256 issue "x"', "MX 65536 ns1"),
        *("SRV 0 5 65536 ns1", "TLSA 256 *", "LOC 91 N 4 E 0m", "LOC 52 60 N 4 E 0m", "LOC 1 N 2 E -100000.01m"),
        *("whole: an SOA with a serial above 32 bits", "syntax: TTL of 4294967295", "fields: CAA -1 *"),
        "fields: IPSECKEY 10 1 256 *",
    ],
    "a name or a number in hexadecimal in quotes": [
        *("syntax: an owner in quotes", "fields: NS *", "fields: MX *", "fields: SVCB *", "fields: TYPE65534 *"),
    ],
    "an address, a number or a mnemonic in quotes or with escapes": [
        *("fields: EUI48 *", "fields: SRV *", "fields: A *", "fields: DNSKEY *", "fields: NAPTR *"),
    ],
    "fields too many, or no length after `\\#`": ["fields: LOC *", "fields: TYPE731 *"],
    r"a string of TXT that is `\#`": ["fields: TXT *"],
    "TYPE65401 or TYPE65402 of other octets than PowerDNS writes": ["fields: TYPE65401 *", "fields: TYPE65402 *"],
    "SVCB with an empty protocol in `alpn`": ["fields: SVCB 1 . alpn=*"],
    "IPSECKEY without a gateway": ["fields: IPSECKEY 10 0 *"],
    "a parenthesis around the owner": ["syntax: a parenthesis around the owner"],
    "a parenthesis that is not closed before the file ends": ["syntax: a parenthesis that is not closed in *"],
    "a backslash at the end of a line": ["syntax: a backslash at the end of a line before the last"],
    "a TTL whose last number has no unit": ["syntax: TTL whose last number has no unit"],
    "`$INCLUDE` with an origin, or in quotes": ["syntax: an include with an origin", "syntax: an include in quotes"],
    "DS, CDS, SSHFP or ZONEMD of a length that its kind does not have": [
        *("CDS 1 13 2 abab*", "SSHFP 1 1 ab", "SSHFP 1 2 abab*", "ZONEMD 1 1 1 cdcd*", "ZONEMD 1 1 240 ab"),
        "together: DS of a length that is wrong",
    ],
    "SVCB with `echconfig`": ["HTTPS 0 . echconfig", "HTTPS 1 . echconfig=*"],
    "SVCB with `no-default-alpn` alone": ["SVCB 1 . no-default-alpn", "HTTPS 0 . no-default-alpn"],
    "a LOC size of more than 42,949,672 m": ["LOC 1 N 2 E 3m 90000000m"],
    "EID, MD, MF, NIMLOC, NXT, TALINK, UID by name": [
        *("EID *", "MD *", "MF *", "NIMLOC *", "NXT *", "TALINK *", "UID *"),
    ],
    "a faulty NSEC3, in a file that is not signed": [
        "together: NSEC3 with a hash that is cut*",
        "together: NSEC3 with an owner in padding",
    ],
    "OPT": ["OPT *"],
}
# What PowerDNS reads in another way than all others
POWERDNS_ALONE = [
    *("syntax: an origin below", "HTTPS 0 ns1", "IPSECKEY 10 3 2 gw *", "KX 10 ns1", "LP 10 l64", "MB ns1", "MG ns1"),
    *("MINFO ns1 ns1", "MR ns1", "SVCB 1 ns1 port=53", "SVCB 0 ns1", "HTTPS 0 ns1 port=853 mandatory=port"),
    "SVCB 1 . mandatory=port,alpn alpn=h2 port=1",
]


def said(*words):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    return done.stdout if done.returncode == 0 else None


def here(path):
    """The records that an import of the file takes; None if it is refused."""
    try:
        text = zonefile.read(str(path), APEX, for_store=True)
    except ZoneFault:
        return None
    return None if zoneimport.alias_faults(text) else text.records


def of_bind(path):
    return said(program("named-checkzone"), "-q", "-i", "local", "-D", "-o", "-", APEX, str(path))


def of_nsd(path):
    return said(program("nsd-checkzone"), APEX, str(path))


def of_ldns(path):
    return said(program("ldns-read-zone"), str(path))


def is_among(title, patterns):
    return any(title == one or (one[-1] == "*" and title.startswith(one[:-1])) for one in patterns)


def exception(title):
    """The row of the page that is about this file."""
    return next((row for row, patterns in EXCEPTIONS.items() if is_among(title, patterns)), None)


@pytest.fixture
def path(tmp_path, request):
    """The file of a title."""
    file = tmp_path / "zone"
    file.write_text(FILES[request.param], encoding="utf-8", newline="")
    return file


def pytest_generate_tests(metafunc):
    if "path" in metafunc.fixturenames:
        metafunc.parametrize(("path", "title"), [(title, title) for title in FILES], ids=list(FILES), indirect=["path"])


def test_a_file_is_taken_exactly_if_two_others_take_it(path, title):
    if said(program("named-checkzone"), "-v").split(".")[:2] != ["9", "18"]:
        pytest.skip("the exceptions are those of BIND 9.18, NSD 4.6 and ldns 1.8")
    taken = here(path) is not None
    others = sum(reader(path) is not None for reader in (of_bind, of_nsd, of_ldns)) >= 2
    row = exception(title)
    if row is None:
        assert taken == others
        return
    [cells] = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    words = cells[2].strip()
    assert words in (READ, REFUSED)
    assert taken == (words == READ) or taken == others, "as the page says"


def meant(owner, ttl, type_, content):
    """A record by its octets; a TTL that a reader may leave to others is not looked at."""
    number = typetable.number_of(type_)
    octets = rdtext.octets_of(type_, content)
    return owner.rstrip(".").lower(), ttl, number, octets.lower() if number in _WITH_NAMES else octets


_WITH_NAMES = {typetable.NUMBERS[name] for name in ("NS", "SOA", "CNAME", "DNAME", "PTR", "MX", "RRSIG", "NSEC")}


def without_ttls(found):
    return {(owner, number, octets) for owner, _, number, octets in found}


def records_of(text, folder):
    """The records of a file that another program wrote."""
    file = folder / "written"
    file.write_text(text, encoding="utf-8")
    return {meant(record.owner, record.ttl, record.type, record.content) for record in here(file) or ()}


def records_of_powerdns(path):
    text = said(program("zone2json"), f"--zone={path}", f"--zone-name={APEX}")
    if text is None:
        return None
    found = set()
    for row in json.loads(text)["records"]:
        if row["type"] not in ("NSEC", "NSEC3", "NSEC3PARAM"):
            try:
                found.add(meant(row["name"], row["ttl"], row["type"], row["content"]))
            except RecordFault:
                return None  # it writes what it could not read
    return found


def test_a_file_is_read_as_others_read_it(path, title, tmp_path):
    records = here(path)
    if records is None:
        return
    ours = {meant(record.owner, record.ttl, record.type, record.content) for record in records}
    for reader in (of_bind, of_ldns):
        text = reader(path)
        theirs = records_of(text, tmp_path) if text else None
        if theirs:
            assert without_ttls(ours) == without_ttls(theirs), reader.__name__
            assert ours == theirs or reader is of_bind, "BIND alone gives an RRset one TTL"
    theirs = records_of_powerdns(path)
    if theirs is not None and exception(title) is None and not is_among(title, POWERDNS_ALONE):
        assert without_ttls(ours) == without_ttls(theirs), "zone2json"


def test_every_exception_is_about_a_file():
    for pattern in (*POWERDNS_ALONE, *(one for patterns in EXCEPTIONS.values() for one in patterns)):
        assert any(is_among(title, [pattern]) for title in FILES), pattern
