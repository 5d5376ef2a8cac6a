"""gsqlite3 beside this program, set up wrongly: what the real PowerDNS then does, and that the doctor's fix is one."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from tests.live.servers import HOST, PATIENCE, free_port
from tests.live.test_doctor import signed_config
from tests.live.test_doctor_fixes import REMOTE, heal, patient, works
from tests.live.test_doctor_zones import zoneutil
from tests.making import write_config
from tests.unit.diagnosis.doctor.conftest import add_key

pytestmark = pytest.mark.live

ZONE = "cities.example"
BOTH = REMOTE.replace("launch=remote\n", "launch=gsqlite3,remote\n")


def is_signed(powerdns):
    answer = powerdns.dig(f"lax.{ZONE}", "TXT", "+dnssec").answer
    return any(" RRSIG " in rrset.to_text() for rrset in answer)


def theirs(folder, with_key=False):
    """A database with PowerDNS's tables that is not our store."""
    config = folder / "theirs.toml"
    config.write_text('[store]\nurl = "sqlite:theirs.db"\n' + (folder / "pipebackend.toml").read_text())
    if with_key:
        add_key(config)
    else:
        zoneutil(config, "store", "init")
    return folder / "theirs.db"


def test_keys_in_a_database_without_gsqlite3_dnssec(tmp_path):
    config = write_config(tmp_path)
    powerdns = patient(f"gsqlite3-database={theirs(tmp_path, with_key=True)}", tmp_path, BOTH)
    assert not works(powerdns, is_signed)
    heal(powerdns, config, "gsqlite3-dnssec")
    assert works(powerdns, is_signed)


def test_keys_in_the_store_behind_another_database(tmp_path):
    config = signed_config(tmp_path)
    powerdns = patient(f"gsqlite3-database={theirs(tmp_path)}\ngsqlite3-dnssec=yes", tmp_path, BOTH)
    assert not works(powerdns, is_signed)
    heal(powerdns, config, "other-file")
    assert works(powerdns, is_signed)


def test_a_database_that_is_not_there(tmp_path):
    config = signed_config(tmp_path)
    powerdns = patient(f"gsqlite3-database={tmp_path}/typo.db\ngsqlite3-dnssec=yes", tmp_path, BOTH)
    assert not works(powerdns, is_signed)
    heal(powerdns, config, "database")
    assert works(powerdns, is_signed)


def test_a_database_of_its_own_is_fine(tmp_path):
    """PowerDNS's own zones there, ours here, signed or not each in its place."""
    config = write_config(tmp_path)
    powerdns = patient(f"gsqlite3-database={theirs(tmp_path)}\ngsqlite3-dnssec=yes", tmp_path, BOTH)
    assert powerdns.report(config).findings == []
    powerdns.said("create-zone", "theirs.test")
    assert works(powerdns)


def keeps_what_the_api_makes(powerdns):
    """In 4.7 a zone that the API makes with remote in front was there, and empty (2026-11)."""
    conf = (powerdns.folder / "pdns.conf").read_text()
    port = re.search(r"webserver-port=(\d+)", conf)[1]
    rrset = {"name": "www.new.test.", "type": "A", "ttl": 60, "records": [{"content": "192.0.2.80", "disabled": False}]}
    zone = {"name": "new.test.", "kind": "Native", "nameservers": ["ns.new.test."], "rrsets": [rrset]}
    request = urllib.request.Request(
        f"http://{HOST}:{port}/api/v1/servers/localhost/zones", json.dumps(zone).encode(), {"X-API-Key": "key"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as made:
        assert made.status == 201
    return "192.0.2.80" in str(powerdns.dig("www.new.test", "A").answer)


def test_remote_and_gsqlite3_on_one_file(tmp_path):
    config = signed_config(tmp_path)
    both = BOTH.replace("gsqlite3,remote", "remote,gsqlite3")
    text = f"gsqlite3-database={tmp_path}/zones.db\ngsqlite3-dnssec=yes\nzone-cache-refresh-interval=0\n"
    powerdns = patient(f"{text}webserver=yes\nwebserver-port={free_port()}\napi=yes\napi-key=key", tmp_path, both)
    heal(powerdns, config, "one-file")
    assert "launch=gsqlite3,remote" in (powerdns.folder / "pdns.conf").read_text()
    assert works(powerdns, keeps_what_the_api_makes)
