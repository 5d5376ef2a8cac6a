"""Broken configurations: each is named at its line, and what is written about it mends it."""

from __future__ import annotations

import dataclasses
import os
import socket

import pytest

from pipebackend.doctor.findings import ERROR, WARNING
from pipebackend.doctor.server import Server
from pipebackend.doctor.units import Unit
from pipebackend.doctor.users import User
from tests.making import CITIES, TABLE_ZONE
from tests.unit.doctor.conftest import add_key, open_up

REMOTE = "launch=remote\nremote-connection-string=pipe:command=<remoteshim>,config=<config>\nremote-dnssec=yes\n"
PIPE = (
    "launch=pipe\npipe-command=<pipebackend> --config <config>\n"
    "zone-cache-refresh-interval=0\npipe-abi-version=5\npipe-timeout=2000\n"
)
CONNECTION = "remote-connection-string=pipe:command=<remoteshim>,config=<config>"

# The patient, a code, the number of the line (0: a line that is missing), and what the first cure that holds says.
# What ends in "write" can be mended by the written line alone; test_what_is_written_mends does it.
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
    "zeromq": ("launch=remote\nremote-connection-string=zeromq:endpoint=ipc:///x\n", ERROR, "zeromq", 2, "use pipe:"),
    "http without post_json": (
        "launch=remote\nremote-connection-string=http:url=http://127.0.0.1:1,post=1\n",
        ERROR, "http-post-json", 2, "url=http://127.0.0.1:1,post=1,post_json=1",
    ),
    "https": (
        "launch=remote\nremote-connection-string=http:url=https://x,post=1,post_json=1\n", ERROR, "http-url", 2, "http://",
    ),
    "socket that is not there": (
        "launch=remote\nremote-connection-string=unix:path=<folder>/none\n", ERROR, "socket", 2, "--listen unix:",
    ),
    "socket that is a file": (
        "launch=remote\nremote-connection-string=unix:path=<folder>/pdns.conf\n", ERROR, "socket", 2, "remove it",
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
}  # fmt: skip


def finding_of(report_or_case, code):
    findings = [finding for finding in report_or_case.findings if finding.code == code]
    assert findings, f"no {code} among {[finding.code for finding in report_or_case.findings]}"
    return findings[0]


@pytest.mark.parametrize(("text", "severity", "code", "line", "mend"), BROKEN.values(), ids=BROKEN)
def test_broken_configurations_are_named(bed, text, severity, code, line, mend):
    bed.write(text)
    found = finding_of(bed.examine(), code)
    assert (found.severity, found.file, found.line) == (severity, str(bed.conf), line)
    assert mend in found.write or mend in found.do
    assert f"{bed.conf}:{line}: {severity}: " in found.text or not line


MENDED = (
        "zone cache on with pipe", "zone cache set with pipe", "default abi", "abi 3", "abi 6", "abi in words",
        "regex without the apex", "quoted command", "quoted connection string", "two spaces",
        "command without its path", "command that is not there", "the other command", "comma for a space",
        "misspelt option", "space after a comma", "misspelt connector", "connector left out", "misspelt setting",
        "misspelt backend", "launched twice", "timeout of milliseconds", "timeout 0", "timeout in words",
        "short pipe-timeout", "caches off", "many processes", "chroot",
)  # fmt: skip


@pytest.mark.parametrize("name", MENDED)
def test_what_is_written_mends(bed, name):
    text, _, code, *_ = BROKEN[name]
    bed.write(text)
    bed.fix(finding_of(bed.examine(), code))
    report = bed.examine()
    assert report.findings == []
    assert [answer.zone for trial in report.trials for answer in trial.answers] == ["cities.example"]


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
    assert found["unknown-setting"].write == "remote-dnssec=no"


def test_an_old_server(bed):
    bed.server = dataclasses.replace(bed.server, version=(4, 4))
    bed.write(REMOTE)
    assert "is 4.4" in finding_of(bed.examine(), "version").message


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
    bed.config.write_text("[[zone]]\nname = 3\n")
    assert finding_of(bed.examine(), "config").file == str(bed.config)


def test_a_zone_that_is_refused(bed):
    bed.write(REMOTE)
    (bed.folder / "cities.tsv").write_text(CITIES.replace("33.94250", "133.94250").replace("code", "kode"))
    assert "zoneutil zone check" in finding_of(bed.examine(), "zone").do


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
    assert "may not run it" in finding_of(bed.examine(), "not-executable").message


def findings_for(bed, user):
    from pipebackend.doctor.checks import all_findings

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
        assert [f.code for f in findings_for(bed, STRANGER)] == ["socket-closed"]
        assert findings_for(bed, bed.case().user) == []


def test_a_socket_as_pipe_command(bed):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(bed.folder / "s"))
        bed.write(PIPE.replace("<pipebackend> --config <config>", "<folder>/s"))
        report = bed.examine()
    assert finding_of(report, "pipe-socket").severity == WARNING
    assert report.untried == ["pipe was not tried: PIPE over a socket is not tried from here"]
