"""Broken configurations: the real PowerDNS fails with each, the doctor names it, and its fix, to the letter, is one.

What fails is that PowerDNS does not start, or that it does not do what the row's check looks for.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from pipebackend.diagnosis.doctor import releases, server
from tests.live import servers
from tests.live.servers import HOST, ServerFailed, free_port, installed_command, program
from tests.live.test_doctor import Patient, filled
from tests.making import write_config
from tests.unit.diagnosis.doctor.conftest import apply

pytestmark = pytest.mark.live

ZONE = "cities.example"
REMOTE = (
    "launch=remote\nremote-connection-string=pipe:command=<remoteshim>,timeout=20000,config=<config>\n"
    "remote-dnssec=yes\n"
)
PIPE = (
    "launch=pipe\npipe-command=<pipebackend> --config <config>\npipe-abi-version=5\npipe-timeout=20000\n"
    "zone-cache-refresh-interval=0\n"
)
WEB = "webserver=yes\nwebserver-port=<port>\n"
LISTENER = (
    "import socket, sys, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
    "s.bind(('127.0.0.1', int(sys.argv[1]))); print(flush=True); time.sleep(600)"
)
QUIET = 3.0  # seconds until what has not happened is not going to


@pytest.fixture(scope="session")
def version():
    return server.find([]).version


def other_modules(folder):
    """Modules of a release that is not the one under test."""
    installed = server.find([]).version
    wanted = "4.9" if installed == (5, 1) else "5.1"
    found = list((Path(__file__).parents[2] / ".pdns" / wanted).glob("root/usr/lib/*/pdns"))
    if not found:
        pytest.skip(f"PowerDNS {wanted} is not unpacked; scripts/pdns-release {wanted} does it")
    return str(found[0])


# Checks: whether PowerDNS does what it shall


def transfers(powerdns):
    return ZONE in powerdns.axfr(ZONE)


def api_answers(powerdns):
    text = (powerdns.folder / "pdns.conf").read_text()
    port, keys = re.search(r"webserver-port=(\d+)", text)[1], re.findall(r"^api-key=(.*)", text, re.MULTILINE)
    request = urllib.request.Request(f"http://{HOST}:{port}/api/v1/servers", headers={"X-API-Key": "".join(keys)})
    try:
        with urllib.request.urlopen(request, timeout=servers.PATIENCE) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as exc:
        exc.close()
        return False


class Row(NamedTuple):
    """``first`` is the first version that fails so, ``last`` the last; ``check`` what is then not so, if it starts."""

    text: str
    code: str
    check: object = None
    first: tuple = (4, 7)
    last: tuple = (99,)


OLD, NEW = (4, 7), (4, 9)
SETTINGS = {
    "master": Row("master=yes", "renamed", first=NEW),
    "slave": Row("slave=yes", "renamed", first=NEW),
    "superslave": Row("superslave=yes", "renamed", first=NEW),
    "slave-cycle-interval": Row("slave-cycle-interval=60", "renamed", first=NEW),
    "slave-renotify": Row("slave-renotify=yes", "renamed", first=NEW),
    "allow-unsigned-supermaster": Row("allow-unsigned-supermaster=no", "renamed", first=NEW),
    "an old name beside the new one": Row("primary=yes\nmaster=yes", "renamed", first=NEW),
    "local-ipv6": Row("local-ipv6=127.0.0.2", "removed"),
    "query-local-address6": Row("query-local-address6=::", "removed"),
    "default-soa-name": Row("default-soa-name=ns1.example", "removed"),
    "soa-minimum-ttl": Row("soa-minimum-ttl=60", "removed"),
    "recursor": Row("recursor=192.0.2.1", "removed"),
    "views, too new": Row("views=yes", "too-new", last=NEW),
    "enable-lua-record-updates, too new": Row("enable-lua-record-updates=yes", "too-new", last=NEW),
    "cross-origin header, too new": Row("webserver-cross-origin-request-header=*", "too-new", last=NEW),
    "default-catalog-zone, too new": Row("default-catalog-zone=cat.example", "too-new", last=OLD),
    "lua-records-insert-whitespace, too new": Row("lua-records-insert-whitespace=no", "too-new", last=OLD),
    "views without the zone cache": Row("views=yes\nzone-cache-refresh-interval=0", "views", first=(5, 1)),
    "module-dir": Row("module-dir=/nonexistent/modules", "module-dir"),
    "module-dir of another release": Row("module-dir=<other-modules>", "module-dir"),
    "Remote": Row("launch=Remote", "module-missing"),
    "load-modules": Row("load-modules=nonexistent", "load-modules"),
    "local-address by name": Row(f"local-address={HOST},localhost", "address"),
    "local-address with a length": Row(f"local-address={HOST}/8,{HOST}", "address"),
    "local-address of elsewhere": Row(f"local-address={HOST},192.0.2.1", "address-elsewhere"),
    "loglevel": Row("loglevel=info", "number"),
    "tcp-fast-open": Row("tcp-fast-open=yes", "number"),
    "webserver-allow-from": Row(f"{WEB}webserver-allow-from=localhost", "network"),
    "trusted-notification-proxy": Row("trusted-notification-proxy=ns.example", "network"),
    "proxy-protocol-from": Row("proxy-protocol-from=localhost", "network"),
    "allow-axfr-ips": Row("allow-axfr-ips=localhost,127.0.0.0/8", "network", transfers),
    "forward-notify": Row("forward-notify=ns.example", "address"),
    "query-local-address": Row("query-local-address=ns.example", "address"),
    "resolver": Row("resolver=ns.example", "address"),
    "tcp-control-address": Row("tcp-control-address=localhost", "address"),
    "distributor-threads": Row("distributor-threads=0", "number"),
    "receiver-threads": Row("receiver-threads=0", "number"),
    "default-ksk-algorithm": Row("default-ksk-algorithm=ecdsa265", "algorithm"),
    "default-zsk-algorithm": Row("default-zsk-algorithm=none", "algorithm"),
    "an RSA key without a size": Row("default-ksk-algorithm=rsasha256", "key-size"),
    "webserver-loglevel": Row(f"{WEB}webserver-loglevel=info", "log-level"),
    "edns-cookie-secret": Row("edns-cookie-secret=secret", "cookie"),
    "api without a key": Row(f"{WEB}api=yes", "api-key", api_answers),
    "setgid": Row("setgid=no-such-group", "user"),
    "chroot": Row("chroot=/nonexistent/root", "chroot"),
    "include-dir": Row("include-dir=/nonexistent/include", "unreadable"),
    "added to nothing": Row("forward-notify+=127.0.0.1", "unreadable"),
}  # fmt: skip


def patient(text, folder, base=REMOTE):
    powerdns = Patient("", folder)
    conf = powerdns.folder / "pdns.conf"
    text = text.replace("<port>", str(free_port())).replace("<folder>", str(folder))
    if "<other-modules>" in text:
        text = text.replace("<other-modules>", other_modules(folder))
    text = filled(base + text + "\n", folder)
    names = {line.partition("=")[0].rstrip("+") for line in text.splitlines()}
    own = [line for line in conf.read_text().splitlines() if line.partition("=")[0] not in names]
    conf.write_text("\n".join(own) + "\n" + text)
    return powerdns


def works(powerdns, check=None):
    """Whether it starts, answers for the zone, and passes the check."""
    try:
        powerdns.start()
    except ServerFailed:
        return False
    try:
        return powerdns.dig(ZONE, "SOA").rcode() == dns.rcode.NOERROR and (check is None or check(powerdns))
    finally:
        powerdns.stop()


def found(powerdns, config, code):
    return [finding for finding in powerdns.report(config).findings if finding.code == code]


def heal(powerdns, config, code):
    """Apply the fix of each finding of a kind; then there is none of it."""
    findings = found(powerdns, config, code)
    assert findings, [finding.code for finding in powerdns.report(config).findings]
    for finding in sorted(findings, key=lambda finding: -finding.line):
        apply(finding, powerdns.folder / "pdns.conf")
    assert found(powerdns, config, code) == []


@pytest.mark.parametrize("row", SETTINGS.values(), ids=SETTINGS)
def test_settings(tmp_path, row, version):
    if not row.first <= version <= row.last:
        pytest.skip(f"PowerDNS {version} takes it")
    config = write_config(tmp_path)
    powerdns = patient(row.text, tmp_path)
    assert not works(powerdns, row.check)
    heal(powerdns, config, row.code)
    assert works(powerdns, row.check)


def test_a_network_that_is_longer_than_an_address_is_one_address(tmp_path):
    config = write_config(tmp_path)
    powerdns = patient("only-notify=192.0.2.0/33\nallow-axfr-ips=127.0.0.0/33", tmp_path)
    assert not works(powerdns, transfers)
    findings = found(powerdns, config, "network")
    assert [finding.write for finding in findings] == ["only-notify=192.0.2.0", "allow-axfr-ips=127.0.0.0"]
    heal(powerdns, config, "network")
    assert works(patient("allow-axfr-ips=127.0.0.1/33", tmp_path), transfers)


def test_old_names_that_still_work(tmp_path, version):
    """4.7 takes both names; domain-metadata-cache-ttl is taken by all three."""
    old = "domain-metadata-cache-ttl=60\n" + ("master=yes\nslave=yes\n" if version < NEW else "")
    config = write_config(tmp_path)
    powerdns = patient(old, tmp_path)
    assert works(powerdns)
    heal(powerdns, config, "old-name")
    assert works(powerdns)


def test_a_name_that_is_ignored_is_named_all_the_same(tmp_path, version):
    if version < NEW:
        pytest.skip("PowerDNS 4.7 takes it")
    config = write_config(tmp_path)
    powerdns = patient("ignore-unknown-settings=master\nmaster=yes", tmp_path)
    assert works(powerdns)
    heal(powerdns, config, "ignored-setting")
    assert "primary=yes" in (powerdns.folder / "pdns.conf").read_text()


def test_a_launch_in_capitals_has_one_fix(tmp_path):
    config = write_config(tmp_path)
    powerdns = patient("launch=Remote", tmp_path, REMOTE.partition("\n")[2])
    errors = [finding for finding in powerdns.report(config).findings if finding.severity == "error"]
    assert [(finding.code, finding.write) for finding in errors] == [("module-missing", "launch=remote")]


def test_switches_that_mean_yes(tmp_path):
    config = write_config(tmp_path)
    powerdns = patient("enable-lua-records=yess\nprimary=No", tmp_path)
    assert works(powerdns)
    assert {finding.write for finding in found(powerdns, config, "switch")} == {"enable-lua-records=yes", "primary=no"}
    heal(powerdns, config, "switch")


@pytest.fixture
def squatter():
    """A process that holds a UDP port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", LISTENER, str(port)], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield port
    process.kill()
    process.communicate()


def test_a_port_in_use(tmp_path, squatter):
    config = write_config(tmp_path)
    powerdns = patient(f"local-port={squatter}", tmp_path)
    powerdns.port = squatter
    with pytest.raises(ServerFailed, match="Address already in use"):
        powerdns.start()
    [finding] = found(powerdns, config, "port-in-use")
    assert re.search(rf"port {squatter} of {HOST} is held by python\S* \(process \d+\)", finding.message)
    apply(finding, powerdns.folder / "pdns.conf")
    deadline = time.monotonic() + servers.PATIENCE
    while found(powerdns, config, "port-in-use") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert works(powerdns)


def test_a_running_powerdns_holds_its_port_by_right(tmp_path):
    config = write_config(tmp_path)
    powerdns = patient("", tmp_path)
    with powerdns:
        assert found(powerdns, config, "port-in-use") == []


def allowed_origin(powerdns):
    """What PowerDNS tells a browser about pages of other sites."""
    text = (powerdns.folder / "pdns.conf").read_text()
    port = re.search(r"webserver-port=(\d+)", text)[1]
    request = urllib.request.Request(f"http://{HOST}:{port}/api/v1/servers", headers={"X-API-Key": "key"})
    with powerdns, urllib.request.urlopen(request, timeout=servers.PATIENCE) as answer:
        return answer.headers.get("Access-Control-Allow-Origin", "")


def test_pages_of_other_sites(tmp_path, version):
    """Until 4.9 every page may call the API; in 5.1 only those that the setting names."""
    config = write_config(tmp_path)
    powerdns = patient(f"{WEB}api=yes\napi-key=key\nwebserver-allow-from={HOST},192.0.2.0/24", tmp_path)
    if version < (5, 1):
        assert allowed_origin(powerdns) == "*" and found(powerdns, config, "cross-origin") == []
        return
    assert allowed_origin(powerdns) == ""
    heal(powerdns, config, "cross-origin")
    conf = powerdns.folder / "pdns.conf"
    conf.write_text(conf.read_text() + "webserver-cross-origin-request-header=https://admin.example\n")
    assert allowed_origin(powerdns) == "https://admin.example"


NAMES_OF_RELEASES = {"4.9": NEW, "5.1": (5, 1)}


def test_what_came_and_went_is_what_this_server_says(version):
    """The table of releases, held to each real server in turn."""
    known = set(server.find(["remote", "pipe", "gsqlite3", "bind"]).defaults)
    for name, release in releases.CAME_WITH.items():
        assert (name in known) == (version >= NAMES_OF_RELEASES[release]), name
    assert not known & (set(releases.WENT) | set(releases.ADDED_TO))
    old = {name for name in releases.RENAMED if name in known}
    assert ("master" in old) == (version < NEW)
    assert old <= {name for name in releases.RENAMED if name == "domain-metadata-cache-ttl" or version < NEW}
    for name in known & set(releases.RENAMED):
        assert releases.RENAMED[name] in known or name.startswith(("bind-", "gsqlite3-")), name


def test_which_server_was_asked(tmp_path):
    """By --pdns-server, and in the output, in both commands; another program is refused."""
    config = write_config(tmp_path)
    path = program("pdns_server")
    powerdns = patient("", tmp_path)
    command = [installed_command("zoneutil"), "--config", str(config), "pdns"]
    for words in (["check", "--config-dir", str(powerdns.folder)], ["conf"]):
        done = subprocess.run([*command, *words, "--pdns-server", path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and f"{path} ({server.find([]).release})" in done.stderr, done
        done = subprocess.run(
            [*command, *words, "--pdns-server", "/bin/true"], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1 and "/bin/true does not say that it is a PowerDNS" in done.stderr, done


def test_an_error_leaves_no_file(tmp_path):
    config = write_config(tmp_path)
    command = [installed_command("zoneutil"), "--config", str(config), "pdns", "conf", "--output"]
    done = subprocess.run(
        [*command, str(tmp_path / "x.conf"), "--protocol", "pipe", "--keys-in", "gsqlite3"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1 and not (tmp_path / "x.conf").exists()
    done = subprocess.run([*command, str(tmp_path / "no" / "x.conf")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "was not written: No such file or directory" in done.stderr
