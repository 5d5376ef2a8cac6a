"""Names below a cut or a DNAME: answers and transfers beside named, NSD and gsqlite3, differences with the RFC."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import dns.rcode
import pytest

from tests.live.named import Named
from tests.live.secondaries import Nsd
from tests.live.servers import PdnsServer, gsqlite3_schema, remote_config
from tests.live.test_dname import zoneutil

pytestmark = pytest.mark.live

APEX = "example.org"
HEAD = "$TTL 300\n@ SOA ns1 hostmaster 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\nok A 192.0.2.9\n"
CUTS = """\
d NS ns.d
ns.d A 192.0.2.2
ns.d AAAA 2001:db8::2
ns.d TXT "beside glue"
x.d TXT "below"
glue.d A 192.0.2.3
*.d A 192.0.2.4
sub.d NS ns.example.net.
deep.sub.d A 192.0.2.5
"""
DNAMES = """\
o DNAME target.example.net.
o TXT "beside"
x.o A 192.0.2.6
y.x.o NS ns.example.net.
"""
NAMES = {
    CUTS: ["d", "ns.d", "x.d", "glue.d", "any.d", "sub.d", "deep.sub.d", "no.sub.d"],
    DNAMES: ["o", "x.o", "y.x.o", "z.y.x.o", "no.o"],
}
TYPES = ("A", "AAAA", "TXT", "NS", "DS", "MX")
OF_CUTS = {
    f"d.{APEX}. NS",
    f"ns.d.{APEX}. A",
    f"ns.d.{APEX}. AAAA",
    f"glue.d.{APEX}. A",
    f"*.d.{APEX}. A",
    f"deep.sub.d.{APEX}. A",
}
OF_DNAMES = {f"o.{APEX}. DNAME", f"o.{APEX}. TXT"}


def gsqlite3(folder, file):
    """PowerDNS's own backend with the zone, loaded and rectified as an operator does it."""
    database = folder / "gsqlite3.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(gsqlite3_schema().read_text())
    settings = {"launch": "gsqlite3", "gsqlite3-database": str(database), "gsqlite3-dnssec": "yes"}
    server = PdnsServer(settings | COMMON, folder / "gsqlite3")
    server.pdnsutil("load-zone", APEX, str(file))
    server.pdnsutil("rectify-zone", APEX)
    return server


COMMON = {"allow-axfr-ips": "127.0.0.0/8", "dname-processing": "yes"}


def ours(folder, file, kind):
    """Our backend with the zone as a file or in the store."""
    folder.mkdir()
    config = folder / "pipebackend.toml"
    if kind == "file":
        config.write_text(f'[[zone]]\nname = "{APEX}"\nkind = "file"\nfile = "{file}"\n')
    else:
        config.write_text('[store]\nurl = "sqlite:zones.db"\n')
        zoneutil(config, "zone", "import", APEX, str(file))
    return PdnsServer(remote_config(config) | COMMON, folder / "pdns")


def answered(server, name, type_):
    """What a resolver goes by: the rcode, whether it is authoritative, the answer, and where it is referred to."""
    found = server.dig(f"{name}.{APEX}", type_, "+norecurse")
    is_referral = not found.answer and any(rrset.rdtype == dns.rdatatype.NS for rrset in found.authority)
    sections = (found.answer, found.authority if is_referral else [], found.additional if is_referral else [])
    shown = [sorted(f"{rrset.name} {rrset[0].rdtype.name} {rdata}" for rrset in s for rdata in rrset) for s in sections]
    return dns.rcode.to_text(found.rcode()), bool(found.flags & dns.flags.AA), *shown


def transferred(server):
    """Owner and type of what is below a cut or a DNAME, and of these."""
    rows = (line.split() for line in server.axfr(APEX).splitlines())
    found = {f"{row[0]} {row[3]}" for row in rows}
    return {row for row in found if row.split(".")[0] not in ("ns1", "ok") and not row.startswith(f"{APEX}.")}


@pytest.fixture(params=["file", "stored"])
def kind(request):
    return request.param


def zone_file(folder: Path, lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "zone"
    file.write_text(HEAD + lines)
    return file


def nsd(folder: Path, file: Path) -> Nsd:
    stanza = f'zone:\n  name: "{APEX}"\n  zonefile: "{file}"\n  provide-xfr: 127.0.0.0/8 NOKEY\n'
    return Nsd(stanza, folder / "nsd")


def names_that_differ(here, same, other, names):
    """The names that ``other`` answers in another way, where ``here`` answers as ``same`` do."""
    found = set()
    for name in names:
        for type_ in TYPES:
            answer = answered(here, name, type_)
            for server in same:
                assert answer == answered(server, name, type_), (server.title, name, type_)
            if answer != answered(other, name, type_):
                found.add(name)
    return found


def test_below_a_cut_we_answer_as_named_and_nsd(tmp_path, kind):
    file = zone_file(tmp_path, CUTS)
    servers = (
        *(ours(tmp_path / kind, file, kind), gsqlite3(tmp_path, file)),
        *(Named({APEX: file}, tmp_path), nsd(tmp_path, file)),
    )
    with ExitStack() as stack:
        here, theirs, *others = (stack.enter_context(server) for server in servers)
        differing = names_that_differ(here, others, theirs, NAMES[CUTS])
        # gsqlite3 refers to the lower cut, which RFC 4035 section 2.2 and RFC 9499 take for data of the child
        assert differing <= {"sub.d", "deep.sub.d", "no.sub.d"}
        assert differing
        assert transferred(here) == OF_CUTS
        # RFC 5936 section 3.5 has occluded names in a transfer, as all others do
        everything = OF_CUTS | {f"{name}.d.{APEX}. TXT" for name in ("ns", "x")}
        everything.add(f"sub.d.{APEX}. NS")
        for server in (theirs, *others):
            assert transferred(server) == everything, server.title


def test_below_a_dname_there_is_nothing(tmp_path, kind):
    """NSD does not load such a zone (RFC 6672 section 2.4), so it has one without these names."""
    file = zone_file(tmp_path, DNAMES)
    clean = zone_file(tmp_path / "clean", "".join(line + "\n" for line in DNAMES.splitlines()[:2]))
    servers = (
        *(ours(tmp_path / kind, file, kind), gsqlite3(tmp_path, file)),
        *(Named({APEX: file}, tmp_path), nsd(tmp_path, clean)),
    )
    with ExitStack() as stack:
        here, theirs, named, without = (stack.enter_context(server) for server in servers)
        # gsqlite3 answers what is there, though the DNAME hides it (RFC 6672 section 2.4)
        assert names_that_differ(here, (named, without), theirs, NAMES[DNAMES]) == {"x.o", "y.x.o", "z.y.x.o"}
        assert transferred(here) == transferred(without) == OF_DNAMES
        for server in (theirs, named):
            assert transferred(server) == OF_DNAMES | {f"x.o.{APEX}. A", f"y.x.o.{APEX}. NS"}, server.title
