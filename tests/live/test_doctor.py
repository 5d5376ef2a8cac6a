"""The doctor and a real PowerDNS agree: it reads as PowerDNS reads, what it prints works, what it warns of fails."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import dns.rcode
import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from pipebackend.diagnosis.doctor import advised, examination, server
from tests.live.servers import (
    NO_CACHES,
    PATIENCE,
    PdnsServer,
    ServerFailed,
    free_port,
    installed_command,
    listens,
    program,
)
from tests.making import write_config
from tests.unit.diagnosis.doctor.conftest import apply, open_up
from tests.unit.diagnosis.doctor.test_pdnsconf import READINGS

pytestmark = pytest.mark.live

ZONE = "cities.example"
REMOTE = "launch=remote\nremote-connection-string=pipe:command=<remoteshim>,config=<config>\nremote-dnssec=yes\n"
PIPE = "launch=pipe\npipe-command=<pipebackend> --config <config>\npipe-abi-version=5\n"


@pytest.mark.parametrize(("text", "wanted"), READINGS.values(), ids=READINGS)
def test_powerdns_reads_the_same(tmp_path, text, wanted):
    (tmp_path / "pdns.conf").write_text(text)
    words = [program("pdns_server"), f"--config-dir={tmp_path}", "--config=diff"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True)
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines() if line and line[0] != "#")
    shown = {name: value for name, value in shown.items() if name in wanted}
    # diff leaves out what is as it would be anyway, and shows a switch without a value as what it means
    assert shown == {name: value or "yes" for name, value in wanted.items() if name in shown}
    assert shown or not any(wanted.values())


def test_the_installed_server_tells_what_it_knows():
    found = server.find(["remote:one", "pipe"])
    assert found.path == program("pdns_server")
    assert found.version >= (4, 7)
    assert {"remote-one-dnssec", "pipe-abi-version", "launch", "distributor-threads"} <= set(found.defaults)
    assert found.not_loaded == {} and found.release in found.title
    other = server.find(["no-such-backend", "remote"])
    assert "libno-such-backendbackend.so" in other.not_loaded["no-such-backend"]
    assert "remote-dnssec" in other.defaults


def shown_text(rrsets):
    """As a zone file would have it."""
    return "\n".join(rrset.to_text() for rrset in rrsets)


def filled(text, folder):
    for name in ("remoteshim", "pipebackend"):
        text = text.replace(f"<{name}>", installed_command(name))
    return text.replace("<config>", str(folder / "pipebackend.toml"))


class Patient(PdnsServer):
    """A PowerDNS with exactly this pdns.conf, besides a port, a folder and no caches."""

    def __init__(self, text, folder):
        super().__init__({}, folder)
        own = (self.folder / "pdns.conf").read_text()
        kept = [line for line in own.splitlines() if line.partition("=")[0] not in NO_CACHES]
        (self.folder / "pdns.conf").write_text("\n".join([*kept, text]))

    def report(self, config, leave_out=("root",)):
        """Without the finding that PowerDNS runs as root, as it does here on some machines."""
        report = examination.examine(examination.gather(str(self.folder), "", str(config)))
        kept = [finding for finding in report.findings if finding.code not in leave_out]
        return dataclasses.replace(report, findings=kept)


def started(place, folder):
    """The server of ``--listen``, once its socket is there."""
    command = [installed_command("remoteshim"), "--listen", place, "--workers", "1"]
    process = subprocess.Popen([*command, "--config", str(folder / "pipebackend.toml")])
    deadline = time.monotonic() + PATIENCE
    while not is_there(place) and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def is_there(place):
    return os.path.exists(place.removeprefix("unix:")) if place.startswith("unix:") else listens(urlsplit(place).port)


@pytest.mark.parametrize("protocol", advised.PROTOCOLS)
def test_what_is_printed_works(tmp_path, protocol):
    config = write_config(tmp_path)
    address = tmp_path / "s"
    store = str(tmp_path / "zones.db")
    url = f"http://127.0.0.1:{free_port()}/dns"
    text = advised.text(advised.lines(protocol, str(config), store, None, str(address), url=url))
    place = {"remote-unix": f"unix:{address}", "remote-http": url}.get(protocol, "")
    process = started(place, tmp_path) if place else None
    try:
        with Patient(text, tmp_path) as powerdns:
            assert "Los Angeles" in str(powerdns.dig(f"lax.{ZONE}", "TXT").answer)
            report = powerdns.report(config)
        assert report.findings == []
        tried = [] if protocol == "remote-http" else [ZONE]  # there the checks themselves ask
        assert [answer.zone for trial in report.trials for answer in trial.answers] == tried
    finally:
        if process is not None:
            process.terminate()
            process.wait(PATIENCE)


def signed_config(folder: Path) -> Path:
    config = write_config(folder)
    backend = open_backend(str(config))
    Operator(backend).signing(ZONE).generate(257, "ecdsap256sha256", True)
    backend.store.close()
    return config


def test_what_is_printed_for_keys_in_gsqlite3_works(tmp_path):
    config = signed_config(tmp_path)
    text = advised.text(advised.lines("remote", str(config), str(tmp_path / "zones.db"), "gsqlite3"))
    with Patient(text, tmp_path) as powerdns:
        answer = powerdns.dig(f"lax.{ZONE}", "TXT", "+dnssec")
        denial = powerdns.dig(f"nope.{ZONE}", "TXT", "+dnssec")
        report = powerdns.report(config)
    assert " RRSIG " in shown_text(answer.answer) and "Los Angeles" in shown_text(answer.answer)
    assert denial.rcode() == dns.rcode.NXDOMAIN and " NSEC " in shown_text(denial.authority)
    assert report.findings == []


HTTP = "remote-connection-string=http:url=http://127.0.0.1:1,post=1,post_json=1\n"
# Broken, the code of what is found, and the name of the question or None if PowerDNS must not even start
FAILING = {
    "zone cache with pipe": (PIPE, "zone-cache", None),
    "misspelt setting": (REMOTE + "cach-ttl=5\n", "unknown-setting", None),
    "misspelt backend": (REMOTE.replace("=remote\n", "=remotte\n"), "module-missing", None),
    "launched twice": (REMOTE.replace("=remote\n", "=remote,remote\n"), "launch-twice", None),
    "added to nothing": (REMOTE.replace("launch=", "launch+="), "unreadable", None),
    "command without its path": (REMOTE.replace("<remoteshim>", "remoteshim"), "relative", ZONE),
    "quoted command": (PIPE.replace("<pipebackend>", '"<pipebackend>"'), "quotes", None),
    "misspelt option": (REMOTE.replace("command=", "comand="), "option", ZONE),
    "the other command": (REMOTE.replace("<remoteshim>", "<pipebackend>"), "mixed-up", ZONE),
    "no HTTP service": ("launch=remote\n" + HTTP, "http-service", ZONE),
    "no socket": ("launch=remote\nremote-connection-string=unix:path=/nonexistent\n", "socket", ZONE),
}


@pytest.mark.parametrize(("text", "code", "question"), FAILING.values(), ids=FAILING)
def test_what_is_called_an_error_fails(tmp_path, text, code, question):
    config = write_config(tmp_path)
    powerdns = Patient(filled(text, tmp_path), tmp_path)
    found = [finding.code for finding in powerdns.report(config).findings if finding.severity == "error"]
    assert code in found
    try:
        powerdns.start()
    except ServerFailed:  # also where it might have started: it fills its zone cache first
        return
    try:
        assert question is not None, f"it started: {powerdns.log}"
        assert powerdns.dig(question, "SOA").rcode() == dns.rcode.SERVFAIL
    finally:
        powerdns.stop()


def test_missing_remote_dnssec_leaves_a_signed_zone_unsigned(tmp_path):
    config = signed_config(tmp_path)
    with Patient(filled(REMOTE.replace("remote-dnssec=yes\n", ""), tmp_path), tmp_path) as powerdns:
        answer = powerdns.dig(f"lax.{ZONE}", "TXT", "+dnssec")
        codes = [finding.code for finding in powerdns.report(config).findings]
    assert codes == ["remote-dnssec"]
    assert "Los Angeles" in shown_text(answer.answer) and " RRSIG " not in shown_text(answer.answer)


def test_the_poisonous_denial(tmp_path):
    """PowerDNS signs that a name of the zone does not exist."""
    config = signed_config(tmp_path)
    text = filled(REMOTE, tmp_path).replace("=remote\n", "=gsqlite3,remote\n").replace("dnssec=yes", "dnssec=no")
    text += f"gsqlite3-dnssec=yes\ngsqlite3-database={tmp_path}/zones.db\n"
    with Patient(text, tmp_path) as powerdns:
        denial = shown_text(powerdns.dig(f"nope.{ZONE}", "TXT", "+dnssec").authority)
        codes = [finding.code for finding in powerdns.report(config).findings]
    assert "poisonous" in codes
    if server.find([]).version >= (5, 0):
        assert " IN NSEC " not in denial  # which validators refuse, too: nothing is proved
    else:
        assert f"{ZONE}. 60 IN NSEC {ZONE}." in denial  # the name after the apex is gru, which this denies


def test_it_is_tried_as_the_user_of_setuid(tmp_path):
    """Where that user cannot reach the command, it is said which directory is shut."""
    if os.geteuid() != 0:
        pytest.skip("only root can try as somebody else")
    open_up(tmp_path)
    config = write_config(tmp_path)
    command = tmp_path / "remoteshim"
    command.write_text(
        "#!/bin/sh\n"
        "read -r line; id -un >&2\n"
        """echo '{"result":true}'; read -r line\n"""
        """echo '{"result":[{"qtype":"SOA","content":"a b 1 2 3 4 5"}]}'\n"""
    )
    command.chmod(0o755)
    text = REMOTE.replace("<remoteshim>", str(command)) + "setuid=nobody\n"
    powerdns = Patient(filled(text, tmp_path), tmp_path)
    report = powerdns.report(config)
    assert [(trial.user, trial.stderr, trial.fault) for trial in report.trials] == [("nobody", "nobody", "")]
    tmp_path.chmod(0o700)
    [shut] = [finding for finding in powerdns.report(config).findings if finding.severity == "error"]
    assert (shut.code, shut.file) == ("directory", str(tmp_path))
    apply(shut, powerdns.folder / "pdns.conf")
    report = powerdns.report(config)
    assert (report.errors, [trial.fault for trial in report.trials]) == (0, [""])


def test_without_setuid_what_is_made_is_roots(tmp_path):
    """The store that a secondary's coprocess makes cannot be written by PowerDNS's user afterwards."""
    if os.geteuid() != 0:
        pytest.skip("only root can start it as root")
    config = write_config(tmp_path)
    powerdns = Patient(filled(REMOTE, tmp_path), tmp_path)
    [finding] = [found for found in powerdns.report(config, ()).findings if found.code == "root"]
    powerdns.said("set-meta", ZONE, "X-TEST", "1")
    assert (tmp_path / "zones.db").stat().st_uid == 0
    apply(finding, powerdns.folder / "pdns.conf")
    codes = [found.code for found in powerdns.report(config, ()).findings]
    assert "root" not in codes and codes  # what is root's is closed now
