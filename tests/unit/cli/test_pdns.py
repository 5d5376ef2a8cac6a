"""zoneutil pdns: what it prints, and when it exits with 1."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import ConfigFault
from pipebackend.diagnosis.doctor import advised
from tests.live.servers import installed_command


def settings(text):
    return dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))


def test_conf_prints_absolute_paths_and_a_reason_for_each_line(zoneutil):
    printed = zoneutil.good("pdns", "conf").out
    lines = printed.splitlines()
    assert [line[:2] == "# " for line in lines] == [True, False] * (len(lines) // 2)
    found = settings(printed)
    config = zoneutil.folder / "pipebackend.toml"
    assert found["remote-connection-string"].endswith(f"/remoteshim,timeout=2000,config={config}")
    assert found["remote-dnssec"] == "yes"


def test_conf_of_pipe_and_of_a_socket(zoneutil):
    found = settings(zoneutil.good("pdns", "conf", "--protocol", "pipe").out)
    assert found["pipe-command"].endswith(f"/pipebackend --config {zoneutil.folder}/pipebackend.toml")
    assert (found["zone-cache-refresh-interval"], found["pipe-abi-version"]) == ("0", "5")
    done = zoneutil.good("pdns", "conf", "--protocol", "remote-unix", "--socket", "/run/x.sock")
    assert settings(done.out)["remote-connection-string"] == "unix:path=/run/x.sock,timeout=2000"
    assert "--listen unix:/run/x.sock --config" in done.out


def test_conf_of_http(zoneutil):
    done = zoneutil.good("pdns", "conf", "--protocol", "remote-http", "--url", "http://127.0.0.1:8054/x")
    expected = "http:url=http://127.0.0.1:8054/x,post=1,post_json=1,timeout=2000"
    assert settings(done.out)["remote-connection-string"] == expected
    assert "--listen http://127.0.0.1:8054/x --config" in done.out


def test_conf_of_keys_elsewhere(zoneutil):
    found = settings(zoneutil.good("pdns", "conf", "--keys-in", "gsqlite3").out)
    assert (found["launch"], found["gsqlite3-database"]) == ("gsqlite3,remote", str(zoneutil.store))
    lines = zoneutil.good("pdns", "conf", "--keys-in", "bind-hybrid", "--json").json
    assert {line["name"]: line["value"] for line in lines}["bind-hybrid"] == "yes"
    assert all(line["why"] for line in lines)
    assert "cannot sign" in zoneutil.refused("pdns", "conf", "--protocol", "pipe", "--keys-in", "gsqlite3")


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("remote", "/a,b/x.toml"), ("pipe", "/a b/x.toml"), ("remote-unix", "/a #b/x.toml")],
)
def test_paths_that_powerdns_would_split(protocol, path):
    socket = path if protocol == "remote-unix" else advised.SOCKET
    with pytest.raises(ConfigFault, match="move it"):
        advised.lines(protocol, path, "", None, socket)


def test_keys_of_the_built_in_configuration_have_no_place():
    with pytest.raises(ConfigFault, match="no store"):
        advised.lines("remote", "", "", "gsqlite3")


@pytest.mark.parametrize("protocol", ["remote", "pipe"])
def test_check_likes_what_conf_prints(zoneutil, protocol):
    (zoneutil.folder / "pdns.conf").write_text(zoneutil.good("pdns", "conf", "--protocol", protocol).out)
    done = zoneutil.good("pdns", "check", "--config-dir", zoneutil.folder, "--json")
    assert [finding for finding in done.json["findings"] if finding["code"] not in ("server-missing", "root")] == []
    [trial] = done.json["trials"]
    assert "cities.example" in [answer["zone"] for answer in trial["answers"]]


def test_check_says_what_to_write_and_fails(zoneutil):
    command = installed_command("remoteshim")
    conf = zoneutil.folder / "pdns-x.conf"
    conf.write_text(f"launch=remote\nremote-connection-string=pipe:comand={command}\n")
    done = zoneutil("pdns", "check", "--config-dir", zoneutil.folder, "--config-name", "x")
    assert done.status == 1
    assert f"{conf}:2: error: pipe: has no option 'comand'" in done.out
    assert f"    write: remote-connection-string=pipe:command={command}\n" in done.out
    assert f"{conf}: 1 error, " in done.err
    assert not zoneutil.store.exists()  # looking makes nothing


def test_check_shows_the_answers(zoneutil):
    (zoneutil.folder / "pdns.conf").write_text(zoneutil.good("pdns", "conf", "--protocol", "pipe").out)
    assert "  cities.example SOA ns1.cities.example " in zoneutil.good(
        "pdns", "check", "--config-dir", zoneutil.folder
    ).out  # fmt: skip


def test_check_without_a_pdns_conf(zoneutil):
    done = zoneutil("pdns", "check", "--config-dir", zoneutil.folder / "none")
    assert (done.status, "cannot be read" in done.out) == (1, True)
