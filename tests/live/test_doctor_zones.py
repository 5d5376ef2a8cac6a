"""What zones need of PowerDNS: without it the real one answers wrongly, and with what the doctor writes it does not."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from pipebackend.diagnosis.doctor import server
from tests.live import servers
from tests.live.servers import HOST, PdnsServer, free_port, installed_command
from tests.live.test_doctor import Patient
from tests.live.test_doctor_fixes import found, heal, patient, works
from tests.making import TABLE_ZONE, write_config

pytestmark = pytest.mark.live

ZONE = "x.example"
FILE_ZONE = f'{TABLE_ZONE}\n[[zone]]\nname = "{ZONE}"\nkind = "file"\nfile = "x.zone"\n'
SOA = "@ 60 IN SOA ns1.x.example. hostmaster.x.example. 1 2 3 4 5\n@ 60 IN NS ns1\nns1 60 IN A 192.0.2.53\n"
CUSTOM_ZONE = f"""{TABLE_ZONE}
[[zone]]
name = "{ZONE}"
kind = "custom"
object = "by_client:<class>"
soa = {{ mname = "ns1.x.example", rname = "hostmaster.x.example" }}
ns = ["ns1.x.example"]
"""
MODULE = """
from pipebackend import RR


class ByAddress:
    def lookup(self, name, client):
        if name == "some":
            return None if str(client.address) != "127.0.0.1" else [RR("TXT", "127.0.0.1", ttl=60)]
        return [RR("TXT", str(client.address), ttl=60)] if name in ("", "me") else None


class BySubnet:
    def lookup(self, name, client):
        subnet = client.subnet
        return [RR("TXT", str(subnet), ttl=60, scope=subnet.prefixlen if subnet else 0)] if name in ("", "me") else None


class ForAll:
    def lookup(self, name, client):
        return [RR("TXT", "all", ttl=60)] if name in ("", "me") else None
"""


@pytest.fixture(scope="module")
def version():
    return server.find([]).version


def config_of_file(folder, records):
    (folder / "x.zone").write_text(f"$ORIGIN {ZONE}.\n{SOA}{records}\n")
    return write_config(folder, FILE_ZONE)


def config_of_class(folder, name):
    (folder / "by_client.py").write_text(MODULE)
    return write_config(folder, CUSTOM_ZONE.replace("<class>", name))


def answers(name, type_, wanted):
    """A check: whether this is among the answers; names below ZONE."""

    def check(powerdns):
        message = powerdns.dig(f"{name}.{ZONE}", type_, "+dnssec")
        return wanted in "\n".join(rrset.to_text() for rrset in message.answer)

    return check


def sign(config):
    backend = open_backend(str(config))
    Operator(backend).signing(ZONE).generate(257, "ecdsap256sha256", True)
    backend.store.close()


IN_FILES = {
    "dname": ("old DNAME new.x.example.\na.new A 192.0.2.1", "dname", answers("a.old", "A", "192.0.2.1")),
    "lua": ("l LUA A \";return '192.0.2.9'\"", "lua-records", answers("l", "A", "192.0.2.9")),
    "8bit-dns": ("a+b TXT plus", "8bit-dns", answers("a+b", "TXT", "plus")),
}


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("records", "code", "check"), IN_FILES.values(), ids=IN_FILES)
def test_records_of_a_file(tmp_path, records, code, check, is_signed):
    config = config_of_file(tmp_path, records)
    if is_signed:
        sign(config)
    powerdns = patient("", tmp_path)
    assert not works(powerdns, check)
    heal(powerdns, config, code)
    assert works(powerdns, check)


def zoneutil(config, *words):
    command = [installed_command("zoneutil"), "--config", str(config), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


def test_records_of_the_store(tmp_path):
    config = write_config(tmp_path, '[store]\nurl = "sqlite:zones.db"\n' + TABLE_ZONE)
    zoneutil(config, "zone", "create", ZONE)
    zoneutil(config, "record", "add", f"a+b.{ZONE}", "TXT", '"plus"')
    zoneutil(config, "record", "add", f"old.{ZONE}", "DNAME", f"new.{ZONE}")
    zoneutil(config, "record", "add", f"a.new.{ZONE}", "A", "192.0.2.1")
    powerdns = patient("", tmp_path)
    for code, check in (("8bit-dns", answers("a+b", "TXT", "plus")), ("dname", answers("a.old", "A", "192.0.2.1"))):
        assert not works(powerdns, check)
        heal(powerdns, config, code)
        assert works(powerdns, check)


def test_a_long_lua_record_needs_no_setting(tmp_path):
    """It is told as one string: where it came in several, PowerDNS puts a space between them."""
    code = ";" + " " * 240 + "return '192.0.2.255'"
    config_of_file(tmp_path, f'l LUA A "{code[:255]}" "{code[255:]}"')
    assert works(patient("enable-lua-records=yes", tmp_path), answers("l", "A", "192.0.2.255"))


def test_alias_records_need_two_settings(tmp_path):
    target = config_of_file(tmp_path, "al ALIAS target.example.")
    powerdns = patient("", tmp_path)
    assert not works(powerdns, answers("al", "A", "192.0.2.77"))
    with PdnsServer({"launch": "bind", "bind-config": str(bind_zone(tmp_path))}, tmp_path) as other:
        heal(powerdns, target, "alias")
        conf = powerdns.folder / "pdns.conf"
        lines = conf.read_text().splitlines()
        assert [line for line in lines if line.startswith("resolver=")]
        conf.write_text("\n".join([*lines, f"resolver={HOST}:{other.port}"]) + "\n")
        assert works(powerdns, answers("al", "A", "192.0.2.77"))


def bind_zone(folder):
    (folder / "target.zone").write_text(
        "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS a\n@ 60 IN A 192.0.2.77\na A 192.0.2.1\n"
    )
    path = folder / "named.conf"
    path.write_text(f'zone "target.example" {{ type master; file "{folder}/target.zone"; }};\n')
    return path


def as_seen_by(powerdns, source, name="me"):
    """The TXT record of ``me``, or NXDOMAIN, as a client with this address gets it."""
    query = dns.message.make_query(f"{name}.{ZONE}", "TXT")
    answer = dns.query.udp(query, HOST, servers.PATIENCE, powerdns.port, source=source, ignore_unexpected=True)
    return str(answer.answer[0][0]).strip('"') if answer.answer else dns.rcode.to_text(answer.rcode())


def each_its_own(powerdns):
    return all(as_seen_by(powerdns, source) == source for source in ("127.0.0.1", "127.0.0.2", "127.0.0.1"))


def nothing_for_others(powerdns):
    seen = [as_seen_by(powerdns, source, "some") for source in ("127.0.0.2", "127.0.0.1", "127.0.0.2")]
    return seen == ["NXDOMAIN", "127.0.0.1", "NXDOMAIN"]


OFF = ["cache-ttl=0", "query-cache-ttl=0", "negquery-cache-ttl=0"]


@pytest.mark.parametrize("left_on", OFF)
def test_answers_by_client_need_all_caches_off(tmp_path, left_on):
    """One that is on suffices for a wrong answer, the one for what does not exist too."""
    config = config_of_class(tmp_path, "ByAddress")
    check = nothing_for_others if left_on.startswith("neg") else each_its_own
    powerdns = patient("\n".join(line for line in OFF if line != left_on), tmp_path)
    assert not works(powerdns, check)
    assert [finding.write for finding in found(powerdns, config, "client-cache")] == [left_on]
    heal(powerdns, config, "client-cache")
    assert works(powerdns, each_its_own) and works(powerdns, nothing_for_others)
    assert found(powerdns, config, "cache") == []  # nor does it say to write 20 again


def test_caches_off_for_nobody_are_still_named(tmp_path):
    config = config_of_class(tmp_path, "ForAll")
    powerdns = patient("\n".join(OFF), tmp_path)
    assert {finding.write for finding in found(powerdns, config, "cache")} == {
        "cache-ttl=20", "query-cache-ttl=20", "negquery-cache-ttl=60",
    }  # fmt: skip
    heal(powerdns, config, "cache")
    assert found(powerdns, config, "client-cache") == []


def from_subnet(powerdns):
    """Two clients behind one resolver (RFC 7871), with PowerDNS's default caches."""
    for network in ("192.0.2.0", "198.51.100.0", "192.0.2.0"):
        query = dns.message.make_query(f"me.{ZONE}", "TXT", use_edns=0, options=[dns.edns.ECSOption(network, 24)])
        answer = dns.query.udp(query, HOST, servers.PATIENCE, powerdns.port, ignore_unexpected=True)
        if network not in str(answer.answer[0][0]):
            return False
    return True


def test_answers_by_subnet(tmp_path):
    config = config_of_class(tmp_path, "BySubnet")
    powerdns = patient("", tmp_path)
    assert not works(powerdns, from_subnet)
    heal(powerdns, config, "edns-subnet")
    assert works(powerdns, from_subnet)
    assert found(powerdns, config, "client-cache") == []  # PowerDNS keeps no record with a scope


def stored(folder, *words):
    config = write_config(folder, '[store]\nurl = "sqlite:zones.db"\n' + TABLE_ZONE)
    zoneutil(config, "zone", "create", ZONE, *words)
    return config


def test_a_primary_zone(tmp_path):
    """Its secondaries are notified only with primary=yes."""
    config = stored(tmp_path, "--kind", "primary")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as secondary:
        secondary.bind((HOST, 0))
        secondary.settimeout(3)
        powerdns = patient(f"also-notify={HOST}:{secondary.getsockname()[1]}", tmp_path)
        with powerdns, pytest.raises(TimeoutError):
            secondary.recv(512)
        heal(powerdns, config, "primary")
        secondary.settimeout(servers.PATIENCE)
        with powerdns:
            notify = dns.message.from_wire(secondary.recv(512))
    assert notify.opcode() == 4 and str(notify.question[0].name) == f"{ZONE}."


def test_a_secondary_zone(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "x.zone").write_text(f"$ORIGIN {ZONE}.\n{SOA}www 60 IN A 192.0.2.80\n")
    named = tmp_path / "p" / "named.conf"
    named.write_text(f'zone "{ZONE}" {{ type master; file "{tmp_path}/p/x.zone"; }};\n')
    with PdnsServer({"launch": "bind", "bind-config": str(named)}, tmp_path / "p") as primary:
        config = stored(tmp_path, "--kind", "secondary", "--primary", f"{HOST}:{primary.port}")
        powerdns = patient("zone-cache-refresh-interval=0", tmp_path)  # so that the zone is served once it is there
        with powerdns:
            time.sleep(3)
            assert "192.0.2.80" not in str(powerdns.dig(f"www.{ZONE}", "A").answer)
        heal(powerdns, config, "secondary")
        with powerdns:
            deadline = time.monotonic() + 3 * servers.PATIENCE
            while "192.0.2.80" not in str(powerdns.dig(f"www.{ZONE}", "A").answer):
                assert time.monotonic() < deadline, powerdns.log
                time.sleep(0.2)


def test_what_conf_writes_for_these_zones_is_enough(tmp_path):
    """One configuration with all of it: no finding, and the answers are right."""
    config_of_file(tmp_path, "old DNAME new.x.example.\na.new A 192.0.2.1\na+b TXT plus\n")
    (tmp_path / "by_client.py").write_text(MODULE)
    custom = CUSTOM_ZONE.replace("<class>", "ByAddress").replace(TABLE_ZONE, "").replace(f'"{ZONE}"', '"y.example"')
    config = write_config(tmp_path, '[store]\nurl = "sqlite:zones.db"\n' + FILE_ZONE + custom)
    zoneutil(config, "zone", "create", "p.example", "--kind", "primary")
    path = tmp_path / "out.conf"
    done = zoneutil(config, "pdns", "conf", "--output", str(path))
    release = ".".join(map(str, server.find([]).version))
    assert f'powerdns = "{release}"' in done.stderr and done.stdout == ""
    powerdns = Patient(path.read_text().replace("timeout=2000", "timeout=20000"), tmp_path)
    assert powerdns.report(config).findings == []
    with powerdns:
        assert answers("a.old", "A", "192.0.2.1")(powerdns) and answers("a+b", "TXT", "plus")(powerdns)


def api_changes_lua(powerdns):
    """Whether the API takes another LUA record."""
    port = re.search(r"webserver-port=(\d+)", (powerdns.folder / "pdns.conf").read_text())[1]
    record = {"content": "A \"return '192.0.2.10'\"", "disabled": False}
    rrset = {"name": f"l.{ZONE}.", "type": "LUA", "ttl": 60, "changetype": "REPLACE", "records": [record]}
    url = f"http://{HOST}:{port}/api/v1/servers/localhost/zones/{ZONE}."
    data = json.dumps({"rrsets": [rrset]}).encode()
    request = urllib.request.Request(url, data, {"X-API-Key": "key"}, method="PATCH")
    try:
        with urllib.request.urlopen(request, timeout=servers.PATIENCE) as answer:
            return answer.status == 204
    except urllib.error.HTTPError as exc:
        print(exc.code, exc.read())
        exc.close()
        return False


def test_lua_records_that_the_api_cannot_change(tmp_path, version):
    config = stored(tmp_path)
    zoneutil(config, "record", "add", f"l.{ZONE}", "LUA", "A \"return '192.0.2.9'\"")
    text = f"api=yes\napi-key=key\nwebserver=yes\nwebserver-port={free_port()}\nenable-lua-records=yes"
    powerdns = patient(text, tmp_path)
    if version < (5, 1):
        assert found(powerdns, config, "lua-updates") == []
        return
    assert not works(powerdns, api_changes_lua)
    heal(powerdns, config, "lua-updates")
    assert works(powerdns, api_changes_lua)
