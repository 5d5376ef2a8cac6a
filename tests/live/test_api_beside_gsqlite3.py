"""PowerDNS's API by hand, the same calls to us and to gsqlite3: the same status and data, or a row in docs/modes.md."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.live.servers import gsqlite3_schema, installed_command, remote_config
from tests.live.writes import WritableServer, rrset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "example.org"
FILE = """\
$ORIGIN example.org.
$TTL 60
@ SOA ns1 hostmaster 1 1 1 86400 2
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
"""
SOURCE = "/zones/example.org."
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
# Random, or of the moment
OWN = ("modified_at", "privatekey", "dnskey", "ds", "cds", "serial", "edited_serial", "key", "notified_serial")
LAST = "LAST"  # for the id of the last key that was made

Call = tuple[str, str, object]
SAME: dict[str, list[Call]] = {
    "zones": [
        ("GET", "/zones", None),
        ("GET", SOURCE, None),
        ("PATCH", SOURCE, {"rrsets": [rrset(f"a.{ZONE}", "A", "192.0.2.1", "192.0.2.2")]}),
        ("PATCH", SOURCE, {"rrsets": [rrset(f"m.{ZONE}", "MX", f"10 a.{ZONE}."), rrset(f"www.{ZONE}", "A")]}),
        ("PATCH", SOURCE, {"rrsets": [rrset(f"a.{ZONE}", "CNAME", f"m.{ZONE}.")]}),
        ("PATCH", SOURCE, {"rrsets": [rrset("a.example.net", "A", "192.0.2.1")]}),
        ("PATCH", SOURCE, {"rrsets": [rrset(f"a.{ZONE}", "A", "192.0.2.256")]}),
        ("PATCH", SOURCE, {"rrsets": [rrset(f"b.{ZONE}", "NOTYPE", "x")]}),
        ("PATCH", SOURCE, {}),
        ("GET", SOURCE, None),
        ("GET", "/search-data?q=*a*&max=50", None),
        ("GET", f"{SOURCE}/export", None),
        ("GET", "/zones/nope.test.", None),
        ("PATCH", "/zones/nope.test.", {"rrsets": []}),
        ("PUT", f"{SOURCE}/axfr-retrieve", None),
    ],
    "settings": [
        ("PUT", SOURCE, {"soa_edit_api": "INCREASE"}),
        ("PUT", SOURCE, {"soa_edit": "INCEPTION-INCREMENT"}),
        ("PUT", SOURCE, {"api_rectify": True}),
        ("GET", SOURCE, None),
        ("PUT", f"{SOURCE}/rectify", None),
        ("GET", f"{SOURCE}/metadata", None),
        ("POST", f"{SOURCE}/metadata", {"kind": "ALLOW-AXFR-FROM", "metadata": ["192.0.2.0/24"]}),
        ("POST", f"{SOURCE}/metadata", {"kind": "ALLOW-AXFR-FROM", "metadata": ["AUTO-NS"]}),
        ("GET", f"{SOURCE}/metadata/ALLOW-AXFR-FROM", None),
        ("PUT", f"{SOURCE}/metadata/X-MINE", {"kind": "X-MINE", "metadata": ["a", "b"]}),
        ("GET", f"{SOURCE}/metadata/X-MINE", None),
        ("DELETE", f"{SOURCE}/metadata/X-MINE", None),
        ("GET", f"{SOURCE}/metadata/X-MINE", None),
        ("PUT", f"{SOURCE}/metadata/ALSO-NOTIFY", {"kind": "ALSO-NOTIFY", "metadata": ["192.0.2.1:53"]}),
        ("POST", f"{SOURCE}/metadata", {"kind": "NSEC3PARAM", "metadata": ["1 0 0 ab"]}),
        ("GET", f"{SOURCE}/metadata", None),
    ],
    "keys": [
        ("GET", f"{SOURCE}/cryptokeys", None),
        ("POST", f"{SOURCE}/cryptokeys", {"keytype": "ksk", "active": True}),
        ("GET", f"{SOURCE}/cryptokeys", None),
        ("PUT", f"{SOURCE}/cryptokeys/{LAST}", {"active": False, "published": False}),
        ("GET", f"{SOURCE}/cryptokeys", None),
        ("DELETE", f"{SOURCE}/cryptokeys/{LAST}", None),
        ("GET", f"{SOURCE}/cryptokeys/99", None),
        ("DELETE", f"{SOURCE}/cryptokeys/99", None),
        ("PUT", SOURCE, {"dnssec": True, "nsec3param": "1 0 0 ab"}),
        ("GET", SOURCE, None),
        ("PUT", SOURCE, {"dnssec": False}),
        ("GET", SOURCE, None),
    ],
    "tsigkeys": [
        ("GET", "/tsigkeys", None),
        ("POST", "/tsigkeys", {"name": "k1", "algorithm": "hmac-sha256", "key": SECRET}),
        ("POST", "/tsigkeys", {"name": "k1", "algorithm": "hmac-sha256"}),
        ("POST", "/tsigkeys", {"name": "k3", "algorithm": "hmac-nope"}),
        ("GET", "/tsigkeys/k1.", None),
        ("PUT", "/tsigkeys/k1.", {"name": "k2"}),
        ("GET", "/tsigkeys", None),
        ("DELETE", "/tsigkeys/k2.", None),
        ("DELETE", "/tsigkeys/k2.", None),
    ],
}
# What is said to us, and then to gsqlite3; the table in docs/modes.md has each
DIFFERENT: list[tuple[Call, int, int]] = [
    (("POST", "/zones", {"name": "new.test.", "kind": "Native", "nameservers": ["ns1.new.test."]}), 422, 201),
    (
        (
            "PATCH",
            SOURCE,
            {"rrsets": [{**rrset(f"c.{ZONE}", "A", "192.0.2.1"), "comments": [{"content": "x", "account": "y"}]}]},
        ),
        422,
        204,
    ),
    (("PUT", f"{SOURCE}/metadata/ALSO-NOTIFY", {"kind": "ALSO-NOTIFY", "metadata": ["nonsense"]}), 422, 200),
    (("GET", "/autoprimaries", None), 500, 200),
    (("DELETE", SOURCE, None), 422, 204),
]


class Both(NamedTuple):
    """Two running servers with the same zone."""

    ours: WritableServer
    theirs: WritableServer

    def api(self, call: Call, keys: dict[int, object]) -> list[tuple[int, Any]]:
        """What each says, without what is random; ``keys`` has the last id of each server."""
        method, path, body = call
        found = []
        for number, server in enumerate(self):
            reply = server.api(method, path.replace(LAST, str(keys.get(number))), body)
            if path.endswith("/cryptokeys") and reply.status == 201:
                keys[number] = reply.body["id"]
            found.append((reply.status, _comparable(reply.body)))
        return found


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "pipebackend.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    (tmp_path / "zone").write_text(FILE)
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as database:
        database.executescript(gsqlite3_schema().read_text())
    ours = WritableServer(remote_config(tmp_path / "pipebackend.toml", dnssec=True), tmp_path)
    of_gsqlite3 = {"launch": "gsqlite3", "gsqlite3-database": str(tmp_path / "theirs.db"), "gsqlite3-dnssec": "yes"}
    theirs = WritableServer(of_gsqlite3, tmp_path)
    command = [installed_command("zoneutil"), "--config", str(tmp_path / "pipebackend.toml"), "zone", "create", ZONE]
    subprocess.run(command, check=True, capture_output=True)
    theirs.said("create-zone", ZONE)
    for server in (ours, theirs):
        server.said("load-zone", ZONE, str(tmp_path / "zone"))
        server.said("set-meta", ZONE, "SOA-EDIT-API", "DEFAULT")  # PowerDNS before 5.0 does not set it
    with ours, theirs:
        yield Both(ours, theirs)


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        named = {key: _comparable(each) for key, each in value.items() if key not in OWN}
        return {key: each for key, each in named.items() if key != "id" or isinstance(each, str)}
    if isinstance(value, list):
        return sorted(map(_comparable, value), key=str)
    return sorted(value.splitlines()) if isinstance(value, str) and "\n" in value else value


@pytest.mark.parametrize("subject", SAME)
def test_status_and_data_are_those_of_gsqlite3(both: Both, subject: str) -> None:
    keys: dict[int, object] = {}
    for call in SAME[subject]:
        ours, theirs = both.api(call, keys)
        assert ours == theirs, call


def test_what_remote_cannot_do_is_said_as_the_page_has_it(both: Both) -> None:
    for call, ours, theirs in DIFFERENT:
        statuses = tuple(status for status, _ in both.api(call, {}))
        assert statuses == (ours, theirs), call


def test_what_powerdns_ignores_over_remote(both: Both) -> None:
    """The rows of the page with a bold 204."""
    server = both.ours
    before = _comparable(server.api("GET", SOURCE).body)
    for change in ({"kind": "Master"}, {"account": "me"}, {"catalog": "catalog.test."}):
        assert server.api("PUT", SOURCE, change).status == 204, change
    assert _comparable(server.api("GET", SOURCE).body) == before
    hidden = {**rrset(f"b.{ZONE}", "A", "192.0.2.1"), "records": [{"content": "192.0.2.1", "disabled": True}]}
    assert server.patch(ZONE, hidden) == 204
    assert server.dig(f"b.{ZONE}").answer
