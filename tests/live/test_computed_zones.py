"""Ranges and custom zones behind a real PowerDNS, signed: Unbound validates each answer, ldns each transfer."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from tests.live.servers import PdnsServer, Unbound, program, remote_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

COMMON = """
ttl = 60
soa = { mname = "ns1.example.net", rname = "hostmaster.example.net" }
ns = ["ns1.example.net"]
"""
CONFIG = f"""
[[zone]]
name = "dyn.example.net"
kind = "ranges"
ranges = ["192.0.2.0/26", "2001:db8::/122"]
domain = "v.dyn.example.net"
records = ["a.b TXT fixed", "sub NS ns.sub", "ns.sub A 192.0.2.1", "host-192-0-2-5.v TXT fixed", "*.w TXT wild"]
{COMMON}
[[zone]]
name = "8.b.d.0.1.0.0.2.ip6.arpa"
kind = "ranges"
ranges = ["2001:db8:8000::/35"]
domain = "v.dyn.example.net"
records = ["f.e NS ns.example.org"]
{COMMON}
[[zone]]
name = "over.example.net"
kind = "ranges"
file = "over.zone"
ranges = ["192.0.2.7-192.0.2.90 300", "192.0.2.200-192.0.2.203", "2001:db8::5-2001:db8::23"]
[[zone]]
name = "listed.example.net"
kind = "custom"
object = "live_zones:Listed"
{COMMON}
[[zone]]
name = "unlisted.example.net"
kind = "custom"
object = "live_zones:Unlisted"
{COMMON}
"""
OVER_FILE = """\
$TTL 60
@ SOA ns1.example.net. hostmaster.example.net. 1 2 3 4 60
@ NS ns1.example.net.
host-192-0-2-8 TXT "of the file"
mail MX 10 host-192-0-2-9
a.b A 192.0.2.1
sub NS ns1.example.net.
*.w TXT wild
"""
MODULE = """
class Unlisted:
    there = {"": [], "a": [("TXT", "x"), ("AAAA", "2001:db8::1")], "c.b": [("A", "192.0.2.1")], "b": [],
             "w": [], "*.w": [("TXT", "wild")]}

    def lookup(self, name, client):
        print("this is not for PowerDNS", flush=True)
        if name == "boom":
            raise SystemExit(1)
        if name == "bad":
            return [("A", "no address")]
        return self.there.get(name)

class Listed(Unlisted):
    def names(self):
        return [name for name, found in self.there.items() if found]
"""
FORWARD, REVERSE = "dyn.example.net", "8.b.d.0.1.0.0.2.ip6.arpa"
OVER = "over.example.net"
LISTED, UNLISTED = "listed.example.net", "unlisted.example.net"
# How each zone is signed; what NSEC3 takes beyond its parameters is whether it is narrow.
SIGNED = (
    (FORWARD, "nsec"),
    (FORWARD, "narrow"),
    (REVERSE, "nsec"),
    (REVERSE, "narrow"),
    (OVER, "nsec"),
    (OVER, "narrow"),
    (LISTED, "nsec"),
    (LISTED, "nsec3"),
    (UNLISTED, "narrow"),
)
HOST_BITS = "0." * 19
QUESTIONS = {
    FORWARD: [
        ("host-192-0-2-9.v", "A", "NOERROR", 1),
        ("host-2001-0db8-0000-0000-0000-0000-0000-003f.v", "AAAA", "NOERROR", 1),
        ("host-192-0-2-5.v", "A", "NOERROR", 0),
        ("host-192-0-2-9.v", "MX", "NOERROR", 0),
        ("v", "A", "NOERROR", 0),
        ("b", "A", "NOERROR", 0),
        ("host-192-0-2-64.v", "A", "NXDOMAIN", 0),
        ("x.host-192-0-2-9.v", "A", "NXDOMAIN", 0),
        ("x.w", "TXT", "NOERROR", 1),
    ],
    REVERSE: [
        (f"1.{HOST_BITS}0.0.0.8", "PTR", "NOERROR", 1),
        (f"1.{HOST_BITS}0.0.0.8", "TXT", "NOERROR", 0),
        ("0.0.0.8", "PTR", "NOERROR", 0),
        ("9", "PTR", "NOERROR", 0),
        ("f.9", "PTR", "NOERROR", 0),
        ("7", "PTR", "NXDOMAIN", 0),
        ("x.0.8", "PTR", "NXDOMAIN", 0),
    ],
    OVER: [
        ("host-192-0-2-7", "A", "NOERROR", 1),
        ("host-192-0-2-90", "A", "NOERROR", 1),
        ("host-192-0-2-203", "A", "NOERROR", 1),
        ("host-2001-0db8-0000-0000-0000-0000-0000-0023", "AAAA", "NOERROR", 1),
        ("host-192-0-2-8", "TXT", "NOERROR", 1),
        ("host-192-0-2-8", "A", "NOERROR", 0),
        ("host-192-0-2-9", "MX", "NOERROR", 0),
        ("mail", "MX", "NOERROR", 1),
        ("b", "A", "NOERROR", 0),
        ("sub", "DS", "NOERROR", 0),
        ("x.w", "TXT", "NOERROR", 1),
        ("host-192-0-2-6", "A", "NXDOMAIN", 0),
        ("host-192-0-2-91", "A", "NXDOMAIN", 0),
        ("host-192-0-2-204", "A", "NXDOMAIN", 0),
        ("host-2001-0db8-0000-0000-0000-0000-0000-0024", "AAAA", "NXDOMAIN", 0),
    ],
    LISTED: [
        ("a", "AAAA", "NOERROR", 1),
        ("a", "A", "NOERROR", 0),
        ("b", "A", "NOERROR", 0),
        ("d", "A", "NXDOMAIN", 0),
        ("x.w", "TXT", "NOERROR", 1),
        ("x.w", "A", "NOERROR", 0),
    ],
}
QUESTIONS[UNLISTED] = QUESTIONS[LISTED]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdnsServer]:
    folder = tmp_path_factory.mktemp("computed")
    (folder / "zones.toml").write_text(CONFIG)
    (folder / "live_zones.py").write_text(MODULE)
    (folder / "over.zone").write_text(OVER_FILE)
    with PdnsServer(remote_config(folder / "zones.toml", timeout=20_000, dnssec=True), folder) as running:
        for zone in QUESTIONS:
            done = running.pdnsutil("secure-zone", zone)
            assert f"Zone {zone} secured" in done.stdout, done.stderr
        yield running


def sign(server: PdnsServer, zone: str, mode: str) -> None:
    words = {"nsec": ["unset-nsec3", zone], "nsec3": ["set-nsec3", zone, "1 0 0 -"]}
    done = server.pdnsutil(*words.get(mode, ["set-nsec3", zone, "1 0 0 -", "narrow"]))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("zone", "mode"), SIGNED)
def test_unbound_validates_every_answer(server: PdnsServer, tmp_path: Path, zone: str, mode: str) -> None:
    sign(server, zone, mode)
    (keys,) = server.dig(zone, "DNSKEY").answer
    with Unbound({zone: server.port}, tmp_path, anchors=[f"{zone}. 60 IN DNSKEY {key}" for key in keys]) as resolver:
        for name, rdtype, rcode, count in QUESTIONS[zone]:
            answer = resolver.query(f"{name}.{zone}", rdtype)
            found = [rrset for rrset in answer.answer if dns.rdatatype.to_text(rrset.rdtype) == rdtype]
            assert (name, dns.rcode.to_text(answer.rcode()), len(found)) == (name, rcode, count)
            assert answer.flags & dns.flags.AD, name


@pytest.mark.parametrize(("zone", "mode"), [(FORWARD, "nsec"), (OVER, "nsec"), (LISTED, "nsec"), (LISTED, "nsec3")])
def test_transfer_is_a_whole_signed_zone(server: PdnsServer, tmp_path: Path, zone: str, mode: str) -> None:
    sign(server, zone, mode)
    (tmp_path / "zone").write_text(server.axfr(zone))
    done = subprocess.run([program("ldns-verify-zone"), str(tmp_path / "zone")], capture_output=True, text=True)
    assert "Zone is verified and complete" in done.stdout, done.stderr


def test_what_cannot_be_listed_is_not_transferred_and_the_log_says_why(server: PdnsServer) -> None:
    sign(server, REVERSE, "nsec")  # PowerDNS itself refuses to transfer a zone with NSEC3 narrow
    assert "\tNS\t" not in server.axfr(REVERSE)  # the SOA is sent before we are asked
    server.wait_for_log("has 9903520314283042199192993792 computed names, more than max_listed = 65536")
    assert server.axfr(UNLISTED) == ""
    server.wait_for_log("failed: not doing AXFR of an NSEC3 narrow zone")


def test_a_fault_in_user_code_is_one_failed_answer(server: PdnsServer) -> None:
    before = server.coprocesses()
    for name in ("boom", "bad") * 5:
        assert server.dig(f"{name}.{UNLISTED}", "A").rcode() == dns.rcode.SERVFAIL
        assert server.dig(f"a.{UNLISTED}", "AAAA").rcode() == dns.rcode.NOERROR
    assert before <= server.coprocesses()
    server.wait_for_log("Traceback (most recent call last)")
    server.wait_for_log("record ('A', 'no address'): 'no address' is not an IPv4 address")
