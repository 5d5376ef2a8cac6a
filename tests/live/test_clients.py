"""Programs of other people that change zones by PowerDNS's API: they do the same to us as to gsqlite3.

scripts/lib.sh installs them into .clients.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.servers import HOST, gsqlite3_schema, installed_command, pdns_version, remote_config
from tests.live.writes import API_KEY, SLOW, WritableServer, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENTS = Path(__file__).parents[2] / ".clients" / "bin"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (CLIENTS / "octodns-sync").exists(), reason="not installed: .clients, by scripts/test"),
]

ZONE = "example.org"
RECORDS = Path(__file__).with_name("octodns.yaml").read_text()
DKIM_KEY = 499  # octets
# What octoDNS knows and its provider for PowerDNS does not write: its 19 types and these are all
UNKNOWN_TO_THE_PROVIDER = {"DNAME", "OPENPGPKEY", "SPF", "URLFWD"}


class Two:
    """Two running servers with an empty zone, and a configuration of octoDNS for each."""

    def __init__(self, folder: Path, servers: Mapping[str, WritableServer]) -> None:
        self.folder, self.servers = folder, servers
        for name, server in servers.items():
            (folder / f"{name}.yaml").write_text(
                "providers:\n  files:\n    class: octodns.provider.yaml.YamlProvider\n"
                f"    directory: {folder}/zones\n    default_ttl: 60\n    enforce_order: false\n"
                "  pdns:\n    class: octodns_powerdns.PowerDnsProvider\n    mode_of_operation: native\n"
                "    timeout: 60\n"
                f"    host: {HOST}\n    port: {server.api_port}\n    api_key: {API_KEY}\n"
                f"zones:\n  {ZONE}.: {{sources: [files], targets: [pdns]}}\n"
            )
        (folder / "zones").mkdir()

    def sync(self, name: str, records: str) -> str:
        """What octoDNS logs while it makes the zone have these records."""
        (self.folder / "zones" / f"{ZONE}.yaml").write_text(records)
        words = ["octodns-sync", f"--config-file={self.folder}/{name}.yaml", "--doit", "--force"]
        return self.run(*words)

    def dumped(self, name: str) -> str:
        """The zone as octoDNS reads it."""
        words = (
            "octodns-dump",
            "--lenient",
            f"--config-file={self.folder}/{name}.yaml",
            f"--output-dir={self.folder}/{name}",
        )
        self.run(*words, f"{ZONE}.", "pdns")
        return (self.folder / name / f"{ZONE}.yaml").read_text()

    def run(self, program: str, *words: str) -> str:
        """What one of the clients prints."""
        done = subprocess.run([str(CLIENTS / program), *words], capture_output=True, text=True, timeout=2 * SLOW)
        assert done.returncode == 0, f"{program} {words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("clients")
    config = folder / "pipebackend.toml"
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    command = [installed_command("zoneutil"), "--config", str(config), "zone", "create", ZONE]
    subprocess.run(command, check=True, capture_output=True)
    with closing(sqlite3.connect(folder / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    of_gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(folder / "theirs.db"), "gsqlite3-dnssec": "yes"}
    more = {"enable-lua-records": "yes"}
    if pdns_version() >= (5, 1):  # which refuses them by the API, as by UPDATE
        more["enable-lua-record-updates"] = "yes"
    ours = WritableServer({**remote_config(config, dnssec=True), **more}, folder)
    theirs = WritableServer({**of_gsqlite3, **more}, folder)
    theirs.said("create-zone", ZONE, f"ns1.{ZONE}")
    for server in (ours, theirs):
        server.said("set-meta", ZONE, "SOA-EDIT-API", "DEFAULT")  # PowerDNS before 5.0 does not set it
    with ours, theirs:
        yield Two(folder, {"ours": ours, "theirs": theirs})


def without_serial(server: WritableServer) -> list[str]:
    """The zone as it is on the wire, but for its SOA."""
    return sorted(line for line in server.axfr(ZONE).splitlines() if "\tSOA\t" not in line)


def test_the_records_for_octodns_are_of_every_type_that_its_provider_supports() -> None:
    """Asked of the installed release: a type that a newer one has must come into octodns.yaml."""
    asked = (
        "import json, octodns_powerdns, octodns.record as r; "
        "print(json.dumps([sorted(octodns_powerdns.PowerDnsProvider.SUPPORTS), sorted(r.Record.registered_types())]))"
    )
    done = subprocess.run([str(CLIENTS / "python"), "-c", asked], capture_output=True, text=True, check=True)
    supported, known = map(set, json.loads(done.stdout))
    assert set(re.findall(r"\{type: ([\w/]+)", RECORDS)) == supported
    assert len(supported) >= 19
    assert known - supported == UNKNOWN_TO_THE_PROVIDER


def test_octodns(two: Two) -> None:
    """Made, left alone by a second run, changed, thinned out, and read back."""
    dumps = {}
    for name, server in two.servers.items():
        assert "Create" in two.sync(name, RECORDS)
        assert "No changes were planned" in two.sync(name, RECORDS), name
        changed = RECORDS.replace("192.0.2.81", "192.0.2.82").replace("preference: 0,", "preference: 5,")
        assert "Update" in two.sync(name, changed), name
        assert "No changes were planned" in two.sync(name, changed), name
        dumps[name] = two.dumped(name)
        [key] = server.dig(f"k1._domainkey.{ZONE}", "TXT").answer
        assert [len(string) for string in key[0].strings] == [255, DKIM_KEY - 255]
        few = "".join(line for line in changed.splitlines(keepends=True) if "SRV" not in line and "enum" not in line)
        assert "Delete" in two.sync(name, few), name
        assert server.dig(f"enum.{ZONE}", "NAPTR").rcode().name == "NXDOMAIN"
        assert "No changes were planned" in two.sync(name, few), name
    assert dumps["ours"] == dumps["theirs"]
    assert without_serial(two.servers["ours"]) == without_serial(two.servers["theirs"])


def test_powerdns_cli(two: Two) -> None:
    """What a person does with it at a shell; the same is said and kept."""
    steps = (
        ("record", "add", "cli", ZONE, "A", "192.0.2.1", "--ttl", "60"),
        ("record", "add", "cli", ZONE, "A", "192.0.2.2", "--ttl", "60"),
        ("record", "add", "cli", ZONE, "A", "192.0.2.2", "--ttl", "60"),
        ("record", "add", "text", ZONE, "TXT", '"a text"', "--ttl", "60"),
        ("record", "replace", "cli", ZONE, "A", "192.0.2.3", "--ttl", "60"),
        ("record", "delete", "text", ZONE, "TXT", '"a text"', "--ttl", "60"),
        ("metadata", "add", ZONE, "ALSO-NOTIFY", "192.0.2.9:53"),
        ("tsigkey", "add", "cli", "hmac-sha256"),
        ("zone", "rectify", ZONE),
        ("zone", "search", "cli*"),
    )
    said: dict[str, list[str]] = {name: [] for name in two.servers}
    for name, server in two.servers.items():
        for step in steps:
            connection = ("--url", server.api_url, "--apikey", API_KEY, "--timeout", "60")
            said[name].append(two.run("powerdns-cli", *step, *connection))
        assert [str(rr) for rr in server.dig(f"cli.{ZONE}").answer[0]] == ["192.0.2.3"]
    assert [line for line in said["ours"] if "secret" not in line] == [
        line for line in said["theirs"] if "secret" not in line
    ]
    assert without_serial(two.servers["ours"]) == without_serial(two.servers["theirs"])


def test_acme_by_the_api(two: Two) -> None:
    """The hooks of lego and certbot: two challenges at one name (a wildcard and its parent), seen, and cleaned up."""
    name = f"_acme-challenge.{ZONE}"
    for server in two.servers.values():
        zones = [zone["name"] for zone in server.api("GET", "/zones").body]
        assert f"{ZONE}." in zones
        known = []
        for token in ('"gfj9Xq-Rg85nM"', '"LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo"'):
            rrsets = server.api("GET", f"/zones/{ZONE}.").body["rrsets"]
            there = [each for each in rrsets if (each["name"], each["type"]) == (f"{name}.", "TXT")]
            assert [[record["content"] for record in each["records"]] for each in there] == ([known] if known else [])
            known = [*known, token]
            assert server.patch(ZONE, rrset(name, "TXT", *known)) == 204
            known.sort()
        seen = {str(record) for record in server.dig(name, "TXT").answer[0]}
        assert seen == set(known)
        assert server.patch(ZONE, rrset(name, "TXT", known[0])) == 204
        assert len(server.dig(name, "TXT").answer[0]) == 1
        assert server.patch(ZONE, rrset(name, "TXT")) == 204
        assert server.dig(name, "TXT").rcode().name == "NXDOMAIN"
