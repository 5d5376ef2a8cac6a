"""What docs/pdns-conf.md says of names that are not those of hosts: PowerDNS fails them unless 8bit-dns is on."""

from __future__ import annotations

import dns.rcode
import pytest

from tests.live.servers import PdnsServer, remote_config

pytestmark = pytest.mark.live

ZONE = "letters.example"
CONFIG = """\
[[zone]]
name = "letters.example"
kind = "table"
file = "letters.tsv"
key = "name"
soa = { mname = "ns1.letters.example", rname = "hostmaster.letters.example" }
ns = ["ns1.letters.example"]
[[zone.record]]
type = "TXT"
content = "{name}"
"""
ALWAYS = ("plain", r"a\.b", r"sp\032ace", "*a", r"-_/@:\\")
WITH_8BIT = (r"m\195\188nchen", "a+b", "who?", r"\"", "~")


@pytest.fixture
def config(tmp_path):
    (tmp_path / "letters.tsv").write_text("\n".join(["name", *ALWAYS, *WITH_8BIT, ""]))
    path = tmp_path / "pipebackend.toml"
    path.write_text(CONFIG)
    return path


def told(server: PdnsServer, name: str) -> tuple[str, list[str]]:
    """How a question ends, and the texts of the answer."""
    answer = server.dig(f"{name}.{ZONE}", "TXT")
    texts = [b"".join(rdata.strings).decode() for rrset in answer.answer for rdata in rrset]
    return dns.rcode.to_text(answer.rcode()), texts


def test_powerdns_fails_names_of_other_octets(tmp_path, config):
    with PdnsServer(remote_config(config), tmp_path) as server:
        for name in ALWAYS:
            assert told(server, name) == ("NOERROR", [name])
        for name in (*WITH_8BIT, "not-there+"):
            assert told(server, name) == ("SERVFAIL", [])


def test_with_8bit_dns_they_are_answered(tmp_path, config):
    with PdnsServer({**remote_config(config), "8bit-dns": "yes"}, tmp_path) as server:
        for name in (*ALWAYS, *WITH_8BIT):
            assert told(server, name) == ("NOERROR", [name])
        assert told(server, "not-there+") == ("NXDOMAIN", [])


def test_the_log_says_so_when_it_has_details(tmp_path, config):
    with PdnsServer({**remote_config(config), "log-dns-details": "yes", "loglevel": "4"}, tmp_path) as server:
        assert told(server, "a+b") == ("SERVFAIL", [])
        server.wait_for_log("Received a malformed qdomain from 127.0.0.1, 'a+b.letters.example': sending servfail")
