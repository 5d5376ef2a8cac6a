"""docs/remote-limits.md: what pdnsutil cannot do over REMOTE does not happen, and zoneutil's way does."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.live.servers import PdnsServer, installed_command, remote_config
from tests.making import write_config

pytestmark = pytest.mark.live

ZONE = "stored.example"


@pytest.fixture
def zoneutil(tmp_path):
    config = write_config(tmp_path)

    def run(*words):
        command = [installed_command("zoneutil"), "--config", str(config), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    return run


@pytest.fixture
def pdns(zoneutil, tmp_path):
    return PdnsServer(remote_config(str(tmp_path / "pipebackend.toml"), dnssec=True), tmp_path)


def facts(zoneutil):
    return json.loads(zoneutil("zone", "show", ZONE, "--json"))


def test_pdnsutil_makes_no_zone_and_zoneutil_does(zoneutil, pdns):
    pdns.pdnsutil("create-zone", ZONE, f"ns1.{ZONE}")
    assert ZONE not in zoneutil("zone", "list")
    zoneutil("zone", "create", ZONE)
    assert ZONE in pdns.said("list-all-zones")
    pdns.pdnsutil("delete-zone", ZONE)
    assert ZONE in zoneutil("zone", "list")
    zoneutil("zone", "delete", ZONE, "--yes")
    assert ZONE not in pdns.said("list-all-zones")


def test_kind_and_account_are_changed_by_zoneutil_alone(zoneutil, pdns):
    zoneutil("zone", "create", ZONE)
    pdns.pdnsutil("set-kind", ZONE, "primary")
    pdns.pdnsutil("set-account", ZONE, "customers")
    assert (facts(zoneutil)["role"], facts(zoneutil)["account"]) == ("native", "")
    zoneutil("zone", "set-kind", ZONE, "primary")
    zoneutil("zone", "set-account", ZONE, "customers")
    assert (facts(zoneutil)["role"], facts(zoneutil)["account"]) == ("primary", "customers")
    assert ZONE in pdns.said("list-all-zones", "primary")


def test_autoprimaries_are_added_by_zoneutil_alone(zoneutil, pdns):
    pdns.pdnsutil("add-autoprimary", "192.0.2.1", "ns1.example.net")
    assert zoneutil("autoprimary", "list") == ""
    zoneutil("autoprimary", "add", "192.0.2.1", "ns1.example.net")
    assert "192.0.2.1" in zoneutil("autoprimary", "list")
