"""Broken configurations: each is named at its line, and what is written about it mends it."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import socket
from pathlib import Path

import pytest

from pipebackend.diagnosis.doctor import advised, findings
from pipebackend.diagnosis.doctor.checks import launching
from pipebackend.diagnosis.doctor.findings import ERROR, WARNING
from pipebackend.diagnosis.doctor.server import Server
from pipebackend.diagnosis.doctor.units import Unit
from pipebackend.diagnosis.doctor.users import User, named
from tests.live.servers import installed_command
from tests.making import CITIES, TABLE_ZONE
from tests.unit.diagnosis.doctor.conftest import add_key, open_up

REMOTE = "launch=remote\nremote-connection-string=pipe:command=<remoteshim>,config=<config>\nremote-dnssec=yes\n"
PIPE = (
    "launch=pipe\npipe-command=<pipebackend> --config <config>\n"
    "zone-cache-refresh-interval=0\npipe-abi-version=5\npipe-timeout=2000\n"
)
CONNECTION = "remote-connection-string=pipe:command=<remoteshim>,config=<config>"

# The patient, a code, the number of the line (0: a line that is missing), and what the first cure that holds says.
# What ends in "write" can be fixed by the written line alone; test_what_is_written_fixes does it.
BROKEN = {
    "no launch": ("cache-ttl=20\n", ERROR, "launch-missing", 0, "launch=remote"),
    "empty launch": ("launch=\n", ERROR, "launch-missing", 1, "launch=remote"),
    "launch of others": ("launch=bind\n", ERROR, "launch-not-ours", 1, "launch=bind,remote"),
    "launched twice": (REMOTE.replace("=remote\n", "=remote,remote\n"), ERROR, "launch-twice", 1, "launch=remote"),
    "misspelt backend": (REMOTE.replace("=remote\n", "=remotte\n"), ERROR, "module-missing", 1, "launch=remote"),
    "backend not installed": (REMOTE.replace("=remote\n", "=remote,gmysql\n"), ERROR, "module-missing", 1, "Debian"),
    "misspelt setting": (REMOTE + "cach-ttl=20\n", ERROR, "unknown-setting", 4, "cache-ttl=20"),
    "unknown setting": (REMOTE + "frobnicate=20\n", ERROR, "unknown-setting", 4, "delete"),
    "suffix left out": (
        REMOTE.replace("=remote\n", "=remote:one\n").replace("\nremote-conn", "\nremote-one-conn"),
        ERROR, "unknown-setting", 3, "remote-one-dnssec",
    ),
    "no command": ("launch=remote\n", ERROR, "command-missing", 0, "zoneutil pdns conf"),
    "no pipe command": ("launch=pipe\nzone-cache-refresh-interval=0\n", ERROR, "command-missing", 0, "zoneutil"),
    "zone cache on with pipe": (PIPE.replace("zone-cache", "# zone-cache"), ERROR, "zone-cache", 0, "interval=0"),
    "zone cache set with pipe": (PIPE.replace("l=0", "l=300"), ERROR, "zone-cache", 3, "interval=0"),
    "default abi": (PIPE.replace("pipe-abi", "# pipe-abi"), WARNING, "abi", 0, "pipe-abi-version=5"),
    "abi 3": (PIPE.replace("version=5", "version=3"), WARNING, "abi", 4, "pipe-abi-version=5"),
    "abi 6": (PIPE.replace("version=5", "version=6"), ERROR, "abi-unknown", 4, "pipe-abi-version=5"),
    "abi in words": (PIPE.replace("version=5", "version=five"), ERROR, "abi-unknown", 4, "pipe-abi-version=5"),
    "regex without the apex": (PIPE + "pipe-regex=^.+\\.cities\\.example$\n", ERROR, "regex", 6, "pipe-regex="),
    "quoted command": (PIPE.replace("<pipebackend> ", '"<pipebackend>" '), ERROR, "quotes", 2, "--config"),
    "quoted connection string": (
        REMOTE.replace("pipe:command=<remoteshim>,config=<config>", '"pipe:command=<remoteshim>,config=<config>"'),
        ERROR, "quotes", 2, "=pipe:command=",
    ),
    "shell variable": (PIPE.replace("<config>", "$HOME/x.toml"), ERROR, "quotes", 2, "HOME"),
    "two spaces": (PIPE.replace(" --config", "  --config"), ERROR, "spaces", 2, "pipebackend --config"),
    "command without its path": (PIPE.replace("<pipebackend>", "pipebackend"), ERROR, "relative", 2, "/pipebackend"),
    "command that is not there": (PIPE.replace("<pipe", "/no/<pipe"), ERROR, "not-there", 2, "/pipebackend --config"),
    "the other command": (REMOTE.replace("<remoteshim>", "<pipebackend>"), ERROR, "mixed-up", 2, "/remoteshim,"),
    "comma for a space": (
        REMOTE.replace("<remoteshim>,config=", "<remoteshim>,--no-keeper,config="), ERROR, "comma", 2, "shim --no",
    ),
    "relative configuration": (PIPE.replace("<config>", "z.toml"), ERROR, "relative-config", 2, "/etc/powerdns/z.toml"),
    "misspelt option": (REMOTE.replace("command=", "comand="), ERROR, "option", 2, "pipe:command="),
    "space after a comma": (REMOTE.replace(",config", ", config"), ERROR, "option", 2, ",config="),
    "option of nobody": (REMOTE.replace("<config>", "<config>,colour=red"), WARNING, "option", 2, "its options are"),
    "misspelt connector": (REMOTE.replace("pipe:", "pip:"), ERROR, "connector", 2, "=pipe:command="),
    "connector left out": (
        REMOTE.replace("pipe:command=<remoteshim>", "<remoteshim>"), ERROR, "connector", 2, "=pipe:command=/",
    ),
    "option left out": (REMOTE.replace("command=<remoteshim>,", ""), ERROR, "option-missing", 2, "add command="),
    "zeromq": ("launch=remote\nremote-connection-string=zeromq:endpoint=ipc:///x\n", ERROR, "zeromq", 2, "=pipe:com"),
    "http without post_json": (
        "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:1,post=1\n",
        WARNING, "http-post-json", 2, "url=http://127.0.0.1:1,post=1,post_json=1",
    ),
    "https": (
        "launch=remote\nremote-connection-string=http:url=https://x,post=1,post_json=1\n", ERROR, "http-url", 2, "http://",
    ),
    "url with a slash at its end": (
        "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:1/dns/\n",
        ERROR, "http-slash", 2, "url=http://127.0.0.1:1/dns",
    ),
    "timeout under a second": (
        "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:1,post=1,post_json=1,timeout=999\n",
        ERROR, "http-timeout", 2, "timeout=2000",
    ),
    "no service": (
        "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:1,post=1,post_json=1\n",
        ERROR, "http-service", 2, "remoteshim --listen http://127.0.0.1:1",
    ),
    "socket that is not there": (
        "launch=remote\nremote-connection-string=unix:path=<folder>/none\n", ERROR, "socket", 2, "--listen unix:",
    ),
    "socket that is a file": (
        "launch=remote\nremote-connection-string=unix:path=<folder>/plain\n", ERROR, "socket", 2, "remove it",
    ),
    "relative socket": ("launch=remote\nremote-connection-string=unix:path=x\n", ERROR, "socket", 2, "full path"),
    "timeout of milliseconds": (REMOTE.replace("<config>", "<config>,timeout=2"), WARNING, "timeout", 2, "=2000"),
    "timeout 0": (REMOTE.replace("<config>", "<config>,timeout=0"), WARNING, "timeout-none", 2, "timeout=2000"),
    "timeout in words": (REMOTE.replace("<config>", "<config>,timeout=2s"), ERROR, "timeout-unknown", 2, "=2000"),
    "short pipe-timeout": (PIPE.replace("t=2000", "t=20"), WARNING, "timeout", 5, "pipe-timeout=2000"),
    "No for no": (REMOTE.replace("dnssec=yes", "dnssec=No"), WARNING, "switch", 3, "remote-dnssec=no"),
    "caches off": (REMOTE + "query-cache-ttl=0\n", WARNING, "cache", 4, "query-cache-ttl=20"),
    "zone cache off": (REMOTE + "zone-cache-refresh-interval=0\n", WARNING, "zone-cache-off", 4, "interval=300"),
    "no number": (REMOTE + "distributor-threads=many\n", ERROR, "number", 4, "distributor-threads=3"),
    "many processes": (REMOTE + "distributor-threads=16\n", WARNING, "threads", 4, "distributor-threads=3"),
    "no such user": (REMOTE + "setuid=no-such-user-here\n", ERROR, "user", 4, "create it"),
    "chroot": (REMOTE + "chroot=/nonexistent\n", ERROR, "chroot", 4, "chroot="),
    "no folder to include": (REMOTE + "include-dir=/nonexistent\n", ERROR, "unreadable", 4, "include-dir="),
    "master": (REMOTE + "master=yes\n", WARNING, "old-name", 4, "primary=yes"),
    "master and primary": (REMOTE + "primary=yes\nmaster=yes\n", WARNING, "old-name", 5, "delete"),
    "another name in an older release": (REMOTE + "bind-autoprimaries=x\n", ERROR, "unknown-setting", 4, "delete"),
    "local-ipv6": (REMOTE + "local-ipv6=::1\n", ERROR, "removed", 4, "local-address=0.0.0.0, ::, ::1"),
    "default-soa-mail": (REMOTE + "default-soa-mail=x\n", ERROR, "removed", 4, "delete"),
    "views": (REMOTE + "views=yes\n", ERROR, "too-new", 4, "delete"),
    "yess": (REMOTE + "enable-lua-records=yess\n", WARNING, "switch", 4, "enable-lua-records=yes"),
    "seconds with a unit": (REMOTE + "default-ttl=1h\n", ERROR, "number", 4, "default-ttl=3600"),
    "a port that is none": (REMOTE + "local-port=99999\n", ERROR, "number", 4, "local-port=53"),
    "no receivers": (REMOTE + "receiver-threads=0\n", ERROR, "number", 4, "receiver-threads=1"),
    "only-notify /33": (REMOTE + "only-notify=192.0.2.0/33\n", ERROR, "network", 4, "only-notify=192.0.2.0"),
    "a name for an address": (REMOTE + "also-notify=ns2.x,192.0.2.1\n", ERROR, "address", 4, "also-notify=192.0.2.1"),
    "an address of elsewhere": (
        REMOTE + "local-address=127.0.0.1,192.0.2.1\n", ERROR, "address-elsewhere", 4, "local-address=127.0.0.1",
    ),
    "an algorithm of nobody": (REMOTE + "default-ksk-algorithm=ecdsa265\n", ERROR, "algorithm", 4, "ecdsa256"),
    "RSA without a size": (REMOTE + "default-ksk-algorithm=rsasha256\n", ERROR, "key-size", 0, "default-ksk-size=2048"),
    "a log level of nobody": (REMOTE + "webserver-loglevel=info\n", ERROR, "log-level", 4, "webserver-loglevel=normal"),
    "a short cookie": (REMOTE + "edns-cookie-secret=x\n", ERROR, "cookie", 4, "edns-cookie-secret="),
    "an API without a key": (REMOTE + "api=yes\n", ERROR, "api-key", 0, "api-key="),
    "a module that is not there": (REMOTE + "load-modules=/none.so\n", ERROR, "load-modules", 4, "load-modules="),
    "a database that is not there": (
        REMOTE.replace("=remote\n", "=gsqlite3,remote\n") + "gsqlite3-database=/nonexistent.db\n",
        ERROR, "database", 4, "zoneutil store init",
    ),
    "no pdns.conf": (None, ERROR, "unreadable", 0, "zoneutil pdns conf --output"),
    "added to nothing": (REMOTE.replace("launch=", "launch+="), ERROR, "unreadable", 1, "launch=remote"),
}  # fmt: skip


def finding_of(report_or_case, code):
    findings = [finding for finding in report_or_case.findings if finding.code == code]
    assert findings, f"no {code} among {[finding.code for finding in report_or_case.findings]}"
    return findings[0]


@pytest.mark.parametrize(("text", "severity", "code", "line", "mend"), BROKEN.values(), ids=BROKEN)
def test_broken_configurations_are_named(bed, text, severity, code, line, mend):
    if text is not None:
        bed.write(text)
    found = finding_of(bed.examine(), code)
    assert (found.severity, found.file, found.line) == (severity, str(bed.conf), line)
    assert any(mend in fix for fix in (found.write, found.do, found.run))
    assert f"{bed.conf}:{line}: {severity}: " in found.text or not line


def listen(bed, finding):
    """Start what the finding says at its socket, until the test ends."""
    path = re.search(r"--listen unix:(\S+)", finding.do)[1]
    if os.path.exists(path):
        os.unlink(path)
    bed.server_of(path)


def write_them_all(bed, finding):
    """The lines that zoneutil pdns conf prints."""
    lines = advised.lines("remote", str(bed.config), "")
    bed.conf.write_text(advised.text(lines))


# What a finding of a kind asks a person to do, where it has neither a line nor a command for it
BY_HAND = {
    "socket that is not there": listen,
    "socket that is a file": listen,
    "relative socket": lambda bed, finding: bed.write(REMOTE),
    "backend not installed": lambda bed, finding: bed.installed.add("gmysql"),  # as apt would
    "no service": None,  # tests/live/test_doctor.py
    "no such user": None,  # see test_a_user_that_is_not_there
    "a database that is not there": None,  # tests/live/test_doctor_hybrids.py
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_fix_applied_to_the_letter_is_one(bed, name):
    text, _, code, *_ = BROKEN[name]
    if name in BY_HAND and BY_HAND[name] is None:
        pytest.skip("held elsewhere")
    if text is not None:
        bed.write(text)
    for finding in [finding for finding in bed.examine().findings if finding.code == code][:1]:
        if name in BY_HAND:
            BY_HAND[name](bed, finding)
        else:
            bed.fix(finding)
    assert [finding for finding in bed.examine().findings if finding.code == code] == []


WHOLE = (
    "zone cache on with pipe", "zone cache set with pipe", "default abi", "abi 3", "abi 6", "abi in words",
    "regex without the apex", "quoted command", "quoted connection string", "two spaces",
    "command without its path", "command that is not there", "the other command", "comma for a space",
    "misspelt option", "space after a comma", "misspelt connector", "connector left out", "misspelt setting",
    "misspelt backend", "launched twice", "timeout of milliseconds", "timeout 0", "timeout in words",
    "short pipe-timeout", "caches off", "many processes", "chroot", "no command", "option left out", "master", "views",
)  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_after_one_fix_all_is_well(bed, name):
    text, _, code, *_ = BROKEN[name]
    bed.write(text)
    bed.fix(finding_of(bed.examine(), code))
    report = bed.examine()
    assert report.findings == []
    assert [answer.zone for trial in report.trials for answer in trial.answers] == ["cities.example"]


def test_a_user_that_is_not_there(bed, monkeypatch):
    bed.write(REMOTE + "setuid=no-such-user-here\n")
    monkeypatch.setattr(launching, "PACKAGE_USER", "root")
    found = finding_of(bed.examine(), "user")
    assert found.write == "setuid=root"
    bed.fix(found)
    assert [finding for finding in bed.examine().findings if finding.code == "user"] == []


def test_the_program_is_replaced_not_its_folder(bed):
    """/opt/remoteshim/bin/pipebackend for REMOTE: the folder keeps its name."""
    folder = bed.folder / "opt" / "remoteshim" / "bin"
    folder.mkdir(parents=True)
    for program in ("remoteshim", "pipebackend"):
        (folder / program).symlink_to(installed_command(program))
    for text, wrong, right in ((REMOTE, "pipebackend", "remoteshim"), (PIPE, "remoteshim", "pipebackend")):
        bed.write(text.replace(f"<{right}>", f"{folder}/{wrong}"))
        found = finding_of(bed.examine(), "mixed-up")
        assert f"{folder}/{right}" in found.write and "opt/pipebackend" not in found.write
        bed.fix(found)
        assert bed.examine().findings == []


def test_a_launch_in_capitals(bed):
    bed.write(REMOTE.replace("=remote\n", "=Remote\n"))
    [found] = [finding for finding in bed.examine().findings if finding.severity == ERROR]
    bed.fix(found)
    assert bed.examine().findings == []


def test_one_directory_is_one_finding(signed_bed):
    """The configuration, the table, the store and its directory are in it."""
    signed_bed.write(REMOTE)
    open_up(signed_bed.folder)
    signed_bed.folder.chmod(0o700)
    here = str(signed_bed.folder)  # the command may be in a directory that is shut, too
    [found] = [found for found in findings_for(signed_bed, STRANGER) if found.file.startswith(here)]
    assert (found.code, found.file) == ("directory", here)
    signed_bed.fix(found)
    assert [found.code for found in findings_for(signed_bed, STRANGER) if found.file == here] == []


@pytest.mark.parametrize(
    "text", [REMOTE, PIPE, REMOTE.replace("remote\n", "remote:a\n").replace("\nremote-", "\nremote-a-")]
)
def test_a_good_configuration_is_left_alone_and_tried(bed, text):
    bed.write(text)
    report = bed.examine()
    assert (report.findings, report.errors, report.untried) == ([], 0, [])
    [trial] = report.trials
    assert trial.answers[0].content.startswith("ns1.cities.example hostmaster.cities.example 7 ")


def test_ignored_settings(bed):
    bed.write(REMOTE + "ignore-unknown-settings=frobnicate\nfrobnicate=1\n")
    assert bed.examine().findings == []


def test_without_an_installed_server_only_near_misses_are_unknown(bed):
    bed.server = Server()
    bed.write(REMOTE + "frobnicate=1\nremote-dnsec=no\n")
    found = {finding.code: finding for finding in bed.examine().findings}
    assert set(found) == {"server-missing", "unknown-setting"}
    assert "--pdns-server" in found["server-missing"].do
    assert found["unknown-setting"].write == "remote-dnssec=no"


def test_an_old_server(bed):
    bed.server = dataclasses.replace(bed.server, version=(4, 4))
    bed.write(REMOTE)
    assert "is 4.4" in finding_of(bed.examine(), "version").message
    bed.server = dataclasses.replace(bed.server, version=(4, 9))
    assert bed.examine().findings == []


def test_missing_remote_dnssec_of_a_zone_with_keys(signed_bed):
    signed_bed.write(REMOTE.replace("remote-dnssec=yes\n", ""))
    found = finding_of(signed_bed.examine(), "remote-dnssec")
    assert (found.severity, found.line, found.write) == (ERROR, 0, "remote-dnssec=yes")
    signed_bed.fix(found)
    assert signed_bed.examine().findings == []


def test_pipe_cannot_sign(signed_bed):
    signed_bed.write(PIPE)
    assert "cities.example has keys" in finding_of(signed_bed.examine(), "pipe-signed").message


@pytest.fixture
def hybrid_bed(bed):
    """The keys of our zone are in a database of gsqlite3."""
    theirs = bed.folder / "theirs.toml"
    theirs.write_text(f'[store]\nurl = "sqlite:theirs.db"\n{TABLE_ZONE}')
    add_key(theirs)
    return bed


GSQLITE3 = "gsqlite3-database=<folder>/theirs.db\ngsqlite3-dnssec=yes\n"


def test_keys_elsewhere_and_the_poisonous_denial(hybrid_bed):
    hybrid_bed.write(REMOTE.replace("=remote\n", "=gsqlite3,remote\n").replace("dnssec=yes", "dnssec=no") + GSQLITE3)
    found = finding_of(hybrid_bed.examine(), "poisonous")
    assert (found.severity, found.line, found.write) == (ERROR, 3, "remote-dnssec=yes")
    hybrid_bed.fix(found)
    assert hybrid_bed.examine().findings == []


def test_keys_elsewhere_in_the_wrong_order(hybrid_bed):
    hybrid_bed.write(REMOTE.replace("=remote\n", "=remote,gsqlite3\n") + GSQLITE3)
    found = finding_of(hybrid_bed.examine(), "order")
    assert found.write == "launch=gsqlite3,remote"
    hybrid_bed.fix(found)
    assert hybrid_bed.examine().findings == []


def test_zones_of_bind_with_keys_here(signed_bed):
    """The store keeps the keys of a zone that is not ours: it is BIND's."""
    signed_bed.config.write_text(TABLE_ZONE.replace("Cities.Example", "towns.example"))
    signed_bed.write(REMOTE.replace("=remote\n", "=bind,remote\n"))
    found = finding_of(signed_bed.examine(), "bind-hybrid")
    assert (found.severity, found.write) == (ERROR, "bind-hybrid=yes")


def test_faults_of_our_configuration(bed):
    bed.write(REMOTE)
    good = bed.config.read_text()
    bed.config.write_text("[[zone]]\nname = 3\n")
    found = finding_of(bed.examine(), "config")
    assert found.file == str(bed.config) and "zoneutil zone list" in found.do
    bed.config.write_text(good)
    assert bed.examine().findings == []


def test_a_zone_that_is_refused(bed):
    bed.write(REMOTE)
    (bed.folder / "cities.tsv").write_text(CITIES.replace("33.94250", "133.94250").replace("code", "kode"))
    assert "zoneutil zone check" in finding_of(bed.examine(), "zone").do
    (bed.folder / "cities.tsv").write_text(CITIES)
    assert bed.examine().findings == []


def test_a_store_that_is_damaged(bed):
    bed.write(REMOTE)
    (bed.folder / "zones.db").write_text("this is not a database, whatever it is called" * 100)
    assert "zoneutil store check" in finding_of(bed.examine(), "store").do
    (bed.folder / "zones.db").unlink()
    assert bed.examine().findings == []


def test_another_configuration_than_here(bed):
    other = bed.folder / "other.toml"
    other.write_text(bed.config.read_text())
    bed.write(REMOTE.replace("<config>", str(other)))
    found = finding_of(bed.examine(), "other-config")
    assert found.severity == WARNING
    bed.fix(found)
    assert bed.examine().findings == []


@pytest.mark.parametrize(("pause", "code"), [("1.8", "slow-start"), ("4", "trial")])
def test_a_start_that_takes_too_long(bed, pause, code):
    """It is slow by a sleep, longer than a half of the timeout, or all of it."""
    program = bed.folder / "remoteshim"
    program.write_text(f'#!/bin/sh\nsleep {pause}\nexec {installed_command("remoteshim")} "$@"\n')
    program.chmod(0o755)
    bed.write(REMOTE.replace("<remoteshim>", str(program)).replace("<config>", "<config>,timeout=3000"))
    found = finding_of(bed.examine(slow_start=True), code)
    assert found.write.endswith("timeout=5000")
    bed.conf.write_text(bed.conf.read_text().replace("timeout=3000", "timeout=60000"))
    assert bed.examine(slow_start=True).findings == []


def test_a_socket_without_a_server(bed):
    path = bed.folder / "s"
    bed.write(f"launch=remote\nremote-connection-string=unix:path={path}\n")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    listen(bed, finding_of(bed.examine(), "socket-dead"))
    assert bed.examine().findings == []


def test_what_pipe_cannot_do_remote_can(signed_bed):
    signed_bed.write(PIPE)
    assert "zoneutil pdns conf" in finding_of(signed_bed.examine(), "pipe-signed").do
    write_them_all(signed_bed, None)
    assert signed_bed.examine().findings == []


STRANGER = User("stranger", 54321, 54321)


@pytest.mark.parametrize(
    ("shut", "code"), [("pipebackend.toml", "file"), ("cities.tsv", "file"), ("zones.db", "store-closed")]
)
def test_files_that_the_user_cannot_read(signed_bed, shut, code):
    signed_bed.write(REMOTE)
    for name in ("pipebackend.toml", "cities.tsv", "zones.db"):
        (signed_bed.folder / name).chmod(0o600 if name == shut else 0o644)
    open_up(signed_bed.folder)
    found = [finding for finding in findings_for(signed_bed, STRANGER) if finding.code == code]
    assert [finding.file for finding in found] == [str(signed_bed.folder / shut)]
    assert "stranger may not read it" in found[0].message
    if code == "file" or os.geteuid() == 0:  # a store is given to its user, which takes root
        user = STRANGER if code == "file" else named("nobody")
        [found] = [finding for finding in findings_for(signed_bed, user) if finding.code == code]
        signed_bed.fix(found)
        assert [finding for finding in findings_for(signed_bed, user) if finding.code == code] == []


def test_a_store_that_the_user_cannot_write(signed_bed):
    signed_bed.write(REMOTE)
    user = User("anybody", os.geteuid(), os.getegid(), unit=Unit("pdns.service", protect_system="strict"))
    found = [finding for finding in findings_for(signed_bed, user) if finding.code == "store-readonly"]
    assert [(finding.severity, "ProtectSystem=strict" in finding.message) for finding in found] == [(WARNING, True)]


def test_a_command_that_the_user_cannot_run(bed):
    program = bed.folder / "remoteshim"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    bed.write(REMOTE.replace("<remoteshim>", str(program)))
    found = finding_of(bed.examine(), "not-executable")
    assert "may not run it" in found.message
    bed.fix(found)
    assert [finding for finding in bed.examine().findings if finding.code == "not-executable"] == []


def findings_for(bed, user):
    from pipebackend.diagnosis.doctor.checks import all_findings

    found = all_findings(dataclasses.replace(bed.case(), user=user))
    return [finding for finding in found if finding.code != "root"]


def test_sockets(bed):
    path = bed.folder / "s"
    bed.write(f"launch=remote\nremote-connection-string=unix:path={path}\n")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert "nobody listens" in finding_of(bed.examine(), "socket-dead").message
        server.listen()
        path.chmod(0o600)
        open_up(bed.folder)
        [found] = findings_for(bed, STRANGER)
        assert found.code == "socket-closed"
        bed.fix(found)
        assert findings_for(bed, STRANGER) == []
        assert findings_for(bed, bed.case().user) == []


def test_a_socket_as_pipe_command(bed):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(bed.folder / "s"))
        bed.write(PIPE.replace("<pipebackend> --config <config>", "<folder>/s"))
        report = bed.examine()
    assert finding_of(report, "pipe-socket").severity == WARNING
    assert report.untried == ["pipe was not tried: PIPE over a socket is not tried from here"]


def test_a_store_in_a_directory_that_the_user_cannot_write(signed_bed):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    signed_bed.write(REMOTE)
    open_up(signed_bed.folder)
    (signed_bed.folder / "zones.db").chmod(0o644)
    user = named("nobody")
    for _ in range(2):  # the store, then its directory
        findings = [found for found in findings_for(signed_bed, user) if found.code == "store-readonly"]
        for found in findings:
            signed_bed.fix(found)
    assert len(findings) == 1
    assert [found.code for found in findings_for(signed_bed, user) if found.code == "store-readonly"] == []


def test_files_that_others_can_change_and_those_that_root_has_left(signed_bed):
    signed_bed.write(REMOTE)
    (signed_bed.folder / "cities.tsv").chmod(0o666)
    (found,) = [found for found in findings_for(signed_bed, signed_bed.case().user) if found.code == "open-to-all"]
    assert "cities.tsv can be written by everybody (mode 0666)" in found.text
    signed_bed.fix(found)
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    daemon, nobody = named("daemon"), named("nobody")
    os.chown(signed_bed.folder, -1, daemon.gid)
    signed_bed.folder.chmod(0o775)
    (found,) = [found for found in findings_for(signed_bed, signed_bed.case().user) if found.code == "open-to-all"]
    assert "the members of group daemon could replace what is in it" in found.text
    signed_bed.fix(found)
    os.chown(signed_bed.folder, nobody.uid, nobody.gid)
    for found in [found for found in findings_for(signed_bed, nobody) if found.code == "misplaced"]:
        assert "belongs to root, and its folder to nobody" in found.text
        signed_bed.fix(found)
    codes = {found.code for found in findings_for(signed_bed, nobody)}
    assert not codes & {"open-to-all", "misplaced"}
    assert (signed_bed.folder / "zones.db").stat().st_uid == nobody.uid


OVER_HTTP = "tests/live/test_doctor_http.py"
FIXES = "tests/live/test_doctor_fixes.py"
ZONES = "tests/live/test_doctor_zones.py"
HYBRIDS = "tests/live/test_doctor_hybrids.py"
HERE = "tests/unit/diagnosis/doctor/test_checks.py"
DATABASES = "tests/unit/diagnosis/doctor/test_databases.py"
# The test that applies the fix, for the kinds of findings that are not in BROKEN
FIXED_BY = {
    "http-status": (OVER_HTTP, "test_a_service_that_wants_a_secret"),
    "http-answer": (OVER_HTTP, "test_another_program"),
    "http-proxy": (OVER_HTTP, "test_a_proxy_that_decodes_paths"),
    **dict.fromkeys(("renamed", "module-dir", "views"), (FIXES, "test_settings")),
    "ignored-setting": (FIXES, "test_a_name_that_is_ignored_is_named_all_the_same"),
    "port-in-use": (FIXES, "test_a_port_in_use"),
    "lua-updates": (ZONES, "test_lua_records_that_the_api_cannot_change"),
    "cross-origin": (FIXES, "test_pages_of_other_sites"),
    "directory": (HERE, "test_one_directory_is_one_finding"),
    **dict.fromkeys(("file", "store-closed"), (HERE, "test_files_that_the_user_cannot_read")),
    "not-executable": (HERE, "test_a_command_that_the_user_cannot_run"),
    "socket-closed": (HERE, "test_sockets"),
    **dict.fromkeys(
        ("misplaced", "open-to-all"), (HERE, "test_files_that_others_can_change_and_those_that_root_has_left")
    ),
    "socket-dead": (HERE, "test_a_socket_without_a_server"),
    "store-readonly": (HERE, "test_a_store_in_a_directory_that_the_user_cannot_write"),
    "root": ("tests/live/test_doctor.py", "test_without_setuid_what_is_made_is_roots"),
    "one-file": (HYBRIDS, "test_remote_and_gsqlite3_on_one_file"),
    "other-file": (HYBRIDS, "test_keys_in_the_store_behind_another_database"),
    "gsqlite3-dnssec": (HYBRIDS, "test_keys_in_a_database_without_gsqlite3_dnssec"),
    "poisonous": (HERE, "test_keys_elsewhere_and_the_poisonous_denial"),
    "order": (HERE, "test_keys_elsewhere_in_the_wrong_order"),
    "bind-hybrid": (HERE, "test_zones_of_bind_with_keys_here"),
    "remote-dnssec": (HERE, "test_missing_remote_dnssec_of_a_zone_with_keys"),
    **dict.fromkeys(("pipe-signed", "pipe-socket"), (HERE, "test_what_pipe_cannot_do_remote_can")),
    "config": (HERE, "test_faults_of_our_configuration"),
    "store": (HERE, "test_a_store_that_is_damaged"),
    "database-read-only": (DATABASES, "test_a_role_that_may_not_write"),
    "database-connections": (DATABASES, "test_more_processes_than_connections"),
    "zone": (HERE, "test_a_zone_that_is_refused"),
    "server-cache": (HERE, "test_a_policy_that_knows_too_little_of_caches"),
    "other-config": (HERE, "test_another_configuration_than_here"),
    "server-missing": (HERE, "test_without_an_installed_server_only_near_misses_are_unknown"),
    "version": (HERE, "test_an_old_server"),
    **dict.fromkeys(("trial", "slow-start"), (HERE, "test_a_start_that_takes_too_long")),
    **dict.fromkeys(("dname", "lua-records", "8bit-dns"), (ZONES, "test_records_of_a_file")),
    "alias": (ZONES, "test_alias_records_need_two_settings"),
    "client-cache": (ZONES, "test_answers_by_client_need_all_caches_off"),
    "edns-subnet": (ZONES, "test_answers_by_subnet"),
    "primary": (ZONES, "test_a_primary_zone"),
    "secondary": (ZONES, "test_a_secondary_zone"),
}


def test_a_policy_that_knows_too_little_of_caches(bed):
    text = bed.config.read_text()
    bed.config.write_text(f'{text}\n[[policy]]\nname = "usual"\n')
    bed.write(REMOTE)
    assert bed.examine().findings == [], "the default is that of PowerDNS"
    bed.write(REMOTE + "dnssec-key-cache-ttl=300\n")
    found = finding_of(bed.examine(), "server-cache")
    assert (found.severity, found.line) == (ERROR, 4)
    assert "for 320 s (dnssec-key-cache-ttl and then cache-ttl), but policy 'usual' waits 80 s" in found.message
    fixed = found.do.removeprefix(f"in {bed.config}: ")
    bed.config.write_text(f'{text}\n[[policy]]\nname = "usual"\n{fixed}\n')
    assert bed.examine().findings == []


def codes_in_the_source():
    folder = Path(findings.__file__).parent
    for file in (*folder.glob("checks/*.py"), folder / "examination.py", folder / "needs.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"error": 0, "warning": 0, "make": 0, "Finding": 1, "Need": 3, "_Need": 2}.get(node.func.id, 99)
                arguments = node.args[place : place + 1]
                yield from (arg.value for arg in arguments if isinstance(arg, ast.Constant))


def test_every_kind_of_finding_has_a_fix_that_a_test_applies():
    known = {code for _, _, code, *_ in BROKEN.values()} | set(FIXED_BY)
    lists = {"network", "address"}  # the names are arguments
    assert set(codes_in_the_source()) | lists == known
    for file, test in FIXED_BY.values():
        assert f"def {test}(" in (Path(__file__).parents[4] / file).read_text(), test
