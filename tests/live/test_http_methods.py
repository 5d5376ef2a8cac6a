"""PowerDNS asks over HTTP: every method in each form, what a failure looks like, kills and reloads under questions."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from remoteshim import rest
from tests.live.flood import TXT, ask_all
from tests.live.modes.example import until
from tests.live.overhttp import FORMS, HttpService
from tests.live.primaries import Primary, rr
from tests.live.servers import HOST, PdnsServer, installed_command, pdns_version
from tests.live.writes import WritableServer, nsupdate, rrset
from tests.process.coprocess import children, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "t.example"
SECONDARY = ("s.example", "signed.example")
FILE = "$TTL 60\n@ SOA ns1 hostmaster 1 1 1 86400 2\n@ NS ns1\nns1 A 192.0.2.53\n"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0"
# PowerDNS asks for these in situations that loopback cannot have: a NOTIFY from port 53, or of a zone that is fresh
NOT_SEEN = {"superMasterBackend", "setStale"}
NAMES = [f"{number}.airports.aa" for number in range(300)]
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def zoneutil(folder: Path, *words: str) -> None:
    command = [installed_command("zoneutil"), "--config", str(folder / "pipebackend.toml"), *words]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("form", FORMS)
def test_every_method(tmp_path: Path, form: str) -> None:
    (tmp_path / "pipebackend.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    (tmp_path / "zone").write_text(FILE)
    zoneutil(tmp_path, "zone", "create", ZONE, "--kind", "primary")
    trace = tmp_path / "trace"
    with HttpService(tmp_path, tmp_path / "pipebackend.toml", "--trace", str(trace)) as service, Primary() as primary:
        for zone in SECONDARY:
            soa = rr(f"{zone}. 60 SOA ns1.{zone}. hostmaster.{zone}. 7 9999 9999 86400 60")
            primary.zones[f"{zone}."] = [soa, rr(f"{zone}. 60 NS ns1.{zone}."), rr(f"a.b.ent.{zone}. 60 TXT x"), soa]
            zoneutil(tmp_path, "zone", "create", zone, "--kind", "secondary", "--primary", f"{HOST}:{primary.port}")
        more = {"primary": "yes", "secondary": "yes", "xfr-cycle-interval": "1", "only-notify": "", "default-ttl": "60"}
        server = WritableServer({**service.settings(form), **more}, tmp_path)
        write_by_pdnsutil(server, tmp_path)
        with server:
            ask_and_write(server)
            for zone in SECONDARY:
                until(lambda zone=zone: bool(server.dig(f"a.b.ent.{zone}", "TXT").answer), "the transfer")
                assert server.dig(f"b.ent.{zone}", "TXT").rcode() == dns.rcode.NOERROR
            until(lambda: notified_serial(tmp_path) > 0, "the secondaries are told")
        assert "Traceback" not in service.log
        called = set(re.findall(r" ms (\w+)", trace.read_text()))
    missing = NOT_SEEN | (set() if pdns_version() >= (5, 0) else {"APILookup"})
    assert set(rest.METHODS) - called - missing == set()


def write_by_pdnsutil(server: WritableServer, folder: Path) -> None:
    server.said("load-zone", ZONE, str(folder / "zone"))
    server.said("secure-zone", ZONE)
    server.said("add-zone-key", ZONE, "zsk", "inactive", "ed25519")
    assert "ED25519" in server.said("show-zone", ZONE)
    for command in ("activate", "deactivate", "unpublish", "publish", "remove"):
        server.said(f"{command}-zone-key", ZONE, "2")
    assert "ED25519" not in server.said("show-zone", ZONE)
    server.said("secure-zone", SECONDARY[1])
    for zone in (ZONE, SECONDARY[1]):
        server.said("set-nsec3", zone, "1 0 0 -")
    server.said("set-meta", ZONE, "ALSO-NOTIFY", "192.0.2.1:5300", "192.0.2.2:5300")
    assert "192.0.2.1:5300, 192.0.2.2:5300" in server.said("get-meta", ZONE, "ALSO-NOTIFY")
    server.said("set-meta", ZONE, "ALSO-NOTIFY")
    server.said("import-tsig-key", "k", "hmac-sha256", SECRET)
    assert SECRET in server.said("list-tsig-keys")
    server.said("import-tsig-key", "gone", "hmac-sha256", SECRET)
    server.said("delete-tsig-key", "gone")
    server.said("set-meta", ZONE, "TSIG-ALLOW-AXFR", "k")
    assert server.edit_rrset("add-record", ZONE, "x", "A", "192.0.2.9").returncode == 0
    assert "t.example" in server.said("list-all-zones")
    assert "zones" in server.said("backend-cmd", "remote", "help")
    server.pdnsutil("delete-zone", ZONE)  # which REMOTE cannot: it begins a transaction and aborts it
    server.pdnsutil("test-schema", "made.example")


def ask_and_write(server: WritableServer) -> None:
    assert str(server.dig(f"x.{ZONE}", "A").answer[0][0]) == "192.0.2.9"
    assert "NSEC3" in str(server.dig(f"nope.{ZONE}", "A", "+dnssec").authority)
    assert server.patch(ZONE, rrset(f"m.{ZONE}", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3", ttl=61)) == 204
    assert {str(each) for each in server.dig(f"m.{ZONE}", "A").answer[0]} == {f"192.0.2.{n}" for n in (1, 2, 3)}
    assert server.dig(f"m.{ZONE}", "A").answer[0].ttl == 61
    assert [each["name"] for each in server.api("GET", "/search-data?q=m.*&max=1").body] == [f"m.{ZONE}."]
    assert server.api("GET", f"/zones/{ZONE}.?rrset_name=m.{ZONE}.&rrset_type=A").status == 200
    assert nsupdate(server, ZONE, f"update add u.{ZONE} 60 A 192.0.2.7") == "NOERROR"
    assert f"x.{ZONE}." in server.axfr(ZONE, f"hmac-sha256:k:{SECRET}")


def notified_serial(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "zones.db")) as database:
        [found] = database.execute("SELECT notified_serial FROM domains WHERE name = ?", (ZONE,)).fetchone()
        return found or 0


FAILING = """\
[[zone]]
name = "f.example"
kind = "custom"
object = "failing:Zone"
soa = { mname = "ns1.f.example", rname = "hostmaster.f.example" }
ns = ["ns1.f.example"]
"""


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_is_servfail_and_passes(tmp_path: Path, form: str) -> None:
    """Of a zone's code, of the service, and of what is in its place; NXDOMAIN would be a wrong answer."""
    (tmp_path / "pipebackend.toml").write_text(FAILING)
    code = (
        "class Zone:\n    def lookup(self, name, client):\n        return [('TXT', 'x')] if name == 'good' else 1 / 0\n"
    )
    (tmp_path / "failing.py").write_text(code)
    service = HttpService(tmp_path, tmp_path / "pipebackend.toml", "--workers=1")
    with PdnsServer(service.settings(form), tmp_path) as server:
        assert server.dig("good.f.example", "TXT").rcode() == dns.rcode.SERVFAIL
        with service:
            assert server.dig("good.f.example", "TXT").answer
            assert server.dig("bad.f.example", "TXT").rcode() == dns.rcode.SERVFAIL
            assert server.dig("good.f.example", "TXT").answer
        for _ in range(4):
            assert server.dig("good.f.example", "TXT").rcode() == dns.rcode.SERVFAIL
        with service:
            assert all(server.dig("good.f.example", "TXT").answer for _ in range(4))


@pytest.mark.parametrize("options", [{"path": "/other"}, {"secret": True}])
def test_a_wrong_path_or_secret_is_servfail(tmp_path: Path, options: dict[str, object]) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")
    (tmp_path / "secret").chmod(0o600)
    more = ["--secret", str(tmp_path / "secret")] if options.pop("secret", False) else []
    for form in FORMS:
        with HttpService(tmp_path, None, *more) as service:
            right = f"{service.url}/0123456789abcdef" if more else service.url
            wrong = service.url + ("" if more else "x")
            with PdnsServer(service.settings(form, url=wrong), tmp_path) as server:
                assert server.dig("lax.airports.aa", "TXT").rcode() == dns.rcode.SERVFAIL
            with PdnsServer(service.settings(form, url=right), tmp_path) as server:
                assert server.dig("lax.airports.aa", "TXT").answer


def failures(server: PdnsServer) -> int:
    found = ask_all(server.port, [*((name, TXT) for name in NAMES), ("lax.airports.aa", TXT)])
    rcodes = [reply.rcode for reply in found.values()]
    assert set(rcodes) <= {NOERROR, NXDOMAIN, SERVFAIL}
    return rcodes.count(SERVFAIL)


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_workers_fail_at_most_a_question_each(tmp_path: Path, kills: int) -> None:
    with (
        HttpService(tmp_path, None, "--workers=2") as service,
        PdnsServer(service.settings("post_json", dnssec=False), tmp_path) as server,
    ):
        assert failures(server) == 0
        failed = 0
        for _ in range(kills):
            before = children(service.pid)
            os.kill(min(before), signal.SIGKILL)
            failed += failures(server)
            wait_for(lambda before=before: len(children(service.pid) - before) >= 1, "a worker in its place")
        assert failed <= kills
        assert failures(server) == 0


@pytest.mark.parametrize("reloads", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_reloads_lose_nothing(tmp_path: Path, reloads: int) -> None:
    with (
        HttpService(tmp_path, None, "--workers=2") as service,
        PdnsServer(service.settings("post_json", dnssec=False), tmp_path) as server,
    ):
        for _ in range(reloads):
            before = children(service.pid)
            service.reload()
            assert failures(server) == 0
            wait_for(lambda before=before: len(children(service.pid) - before) == 2, "new workers")
        assert failures(server) == 0
