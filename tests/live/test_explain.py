"""The calls that ``zoneutil record explain`` foretells are those that a real PowerDNS makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.diagnosis.explain import explain
from tests.live.servers import PdnsServer, installed_command, remote_config

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

ZONE = "example.org"
CONTENT = """\
$TTL 300
@ SOA ns1 hostmaster 1 2 3 4 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
alias CNAME www
out CNAME www.elsewhere.org.
mail MX 10 www
mail MX 20 nowhere
_sip._tcp SRV 1 2 3 www
*.wild TXT any
*.wildalias CNAME www
sub NS ns.sub
ns.sub A 192.0.2.3
sec NS ns1
sec DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE8F1E0AD4F1DBD2E6D5B8A6F1
a.b.deep A 192.0.2.4
"""
DENIALS = {"unsigned": None, "nsec": ["nsec"], "nsec3": ["nsec3"], "narrow": ["nsec3", "--narrow"]}
QUESTIONS = (
    ("www", "A"),
    ("www", "TXT"),
    ("nope", "A"),
    ("x.y", "A"),
    ("x.deep", "A"),
    ("b.deep", "A"),
    ("alias", "A"),
    ("alias", "CNAME"),
    ("out", "A"),
    ("mail", "MX"),
    ("_sip._tcp", "SRV"),
    ("x.wild", "TXT"),
    ("x.wild", "A"),
    ("x.y.wild", "TXT"),
    ("x.y.wild", "A"),
    ("x.wildalias", "A"),
    ("foo.sub", "A"),
    ("sub", "NS"),
    ("foo.sec", "A"),
    ("sec", "DS"),
    ("sub", "DS"),
    ("", "SOA"),
    ("", "NS"),
    ("", "MX"),
    ("", "DNSKEY"),
)
ASKED_ONCE = ("getAllDomainMetadata", "getDomainKeys")  # without the caches of the server under test: often


class Served:
    """A PowerDNS with one kind of denial, and the trace of what it asks."""

    def __init__(self, folder: Path, denial: str) -> None:
        self.config = folder / "config.toml"
        self.trace = folder / "trace"
        (folder / "zone").write_text(CONTENT)
        zone = f'[[zone]]\nname = "{ZONE}"\nkind = "file"\nfile = "zone"\n'
        self.config.write_text(zone)
        if (words := DENIALS[denial]) is not None:
            self.zoneutil("key", "secure", ZONE)
            self.zoneutil("zone", words[0], ZONE, *words[1:])
        self.backend = open_backend(str(self.config))
        traced = folder / "traced.toml"
        traced.write_text(f'trace = "{self.trace}"\n{zone}')
        threads = {"distributor-threads": "1", "receiver-threads": "1"}
        (folder / "server").mkdir()
        self.server = PdnsServer({**remote_config(traced, dnssec=True), **threads}, folder / "server")

    def zoneutil(self, *words: str) -> str:
        command = [installed_command("zoneutil"), "--config", str(self.config), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, name: str, qtype: str, dnssec: bool) -> list[str]:
        """The calls for a question, of repeated ones for settings and keys the first."""
        if self.trace.exists():
            os.truncate(self.trace, 0)
        self.server.dig(name, qtype, *(("+dnssec",) if dnssec else ()))
        calls = [line.split(" ms ")[1].split(" -> ")[0] for line in self.trace.read_text().splitlines()]
        calls = [call for call in calls if not call.startswith("initialize")]
        return [call for i, call in enumerate(calls) if not (call.startswith(ASKED_ONCE) and call in calls[:i])]


@pytest.fixture(scope="module", params=DENIALS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("explain"), request.param)
    with served.server:
        yield served


@pytest.mark.parametrize("dnssec", [False, True], ids=["plain", "dnssec"])
@pytest.mark.parametrize(("label", "qtype"), QUESTIONS, ids=lambda word: word or "apex")
def test_what_is_foretold_is_asked(served: Served, label: str, qtype: str, dnssec: bool) -> None:
    name = f"{label}.{ZONE}".lstrip(".")
    foretold = [call.text for call in explain(served.backend, name, qtype, dnssec)[0]]
    assert foretold == served.asked(name, qtype, dnssec)


def test_a_name_of_nobody(served: Served) -> None:
    foretold = json.loads(served.zoneutil("record", "explain", "x.elsewhere.net", "A", "--json"))
    assert [call["text"] for call in foretold] == served.asked("x.elsewhere.net", "A", False)
    assert {tuple(call["answer"]) for call in foretold} == {()}
