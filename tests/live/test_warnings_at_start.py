"""What a coprocess says at its start of the PowerDNS that launched it, when that would sign what is not true."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.diagnosis.doctor import atstart
from tests.live.pairs import bind_database
from tests.live.servers import PdnsServer, pipe_config, remote_config
from tests.live.test_store_gsqlite3 import of_powerdns
from tests.making import TABLE_ZONE, write_config
from tests.process.coprocess import children

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

APEX = "cities.example"


def elsewhere(folder: Path) -> dict[str, str]:
    """Settings of a database of PowerDNS's own, with the zone's keys and nothing else."""
    database = folder / "keys.db"
    of_powerdns(database)
    rows = sqlite3.connect(database)
    rows.execute("INSERT INTO domains (name, type) VALUES (?, 'NATIVE')", (APEX,))
    rows.commit()
    rows.close()
    keys = {"launch": "gsqlite3", "gsqlite3-database": str(database), "gsqlite3-dnssec": "yes"}
    PdnsServer(keys, folder / "keys").said("add-zone-key", APEX, "ksk", "active", "ecdsa256")
    return keys


def found(settings: dict[str, str], folder: Path, config: Path) -> list[str]:
    """What would be said to a PowerDNS that runs with these settings."""
    with PdnsServer(settings, folder / "pdns") as server:
        conf = atstart.conf_of(server.pid)
        assert conf is not None
        module = "pipe" if "pipe" in settings["launch"] else "remote"
        return list(atstart.warnings(conf, module, open_backend(str(config))))


def test_keys_elsewhere_and_no_questions_for_us(tmp_path: Path) -> None:
    """A zone goes bogus name by name: each coprocess that stays says it, once."""
    config = write_config(tmp_path)
    keys = elsewhere(tmp_path)
    remote = remote_config(config)
    with PdnsServer({**keys, **remote, "launch": "gsqlite3,remote"}, tmp_path / "pdns") as server:
        assert server.dig(f"lax.{APEX}", "TXT").answer
        line = server.wait_for_log("signs denials of names that exist")
        assert f"{APEX} has keys in gsqlite3 and records in remote" in line
        assert f"set remote-dnssec=yes in {server.folder / 'pdns.conf'}" in line
        for process in server.coprocesses():  # those that take the place of others need not say it again
            for child in children(process):
                os.kill(child, signal.SIGKILL)
        server.wait_for_log("a new one goes on in its place")
        assert server.dig(f"lax.{APEX}", "TXT").answer
        time.sleep(2)
        coprocesses = len(server.coprocesses())
        assert 1 <= server.log.count("signs denials") <= coprocesses


def test_keys_elsewhere_and_all_as_it_should_be(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    keys = elsewhere(tmp_path)
    remote = remote_config(config, dnssec=True)
    assert found({**keys, **remote, "launch": "gsqlite3,remote"}, tmp_path, config) == []
    assert found(remote, tmp_path, config) == []


def test_another_backend_with_other_zones_is_none_of_our_business(tmp_path: Path) -> None:
    config = write_config(tmp_path, TABLE_ZONE.replace("Cities.Example", "other.example"))
    settings = {**elsewhere(tmp_path), **remote_config(config), "launch": "gsqlite3,remote"}
    assert found(settings, tmp_path, config) == []


def test_over_pipe_only_narrow_nsec3_is_safe(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    keys = elsewhere(tmp_path)
    settings = {**keys, **pipe_config(config), "launch": "gsqlite3,pipe"}
    [line] = found(settings, tmp_path, config)
    assert f"{APEX} has keys in gsqlite3 and records in pipe" in line
    assert "narrow" in line
    PdnsServer(keys, tmp_path / "keys").said("set-nsec3", APEX, "1 0 0 -", "narrow")
    assert found(settings, tmp_path, config) == []


def test_keys_of_ours_that_are_never_asked_for(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    PdnsServer(remote_config(config, dnssec=True), tmp_path / "pdns").said("secure-zone", APEX)
    with PdnsServer(remote_config(config), tmp_path / "pdns") as server:
        assert server.dig(f"lax.{APEX}", "TXT").answer
        line = server.wait_for_log("stays unsigned")
        assert f"{APEX} has keys in our store" in line


def test_a_backend_whose_keys_cannot_be_seen(tmp_path: Path) -> None:
    """BIND's keys are in a database that PowerDNS makes; a setting of the command line counts too."""
    config = write_config(tmp_path)
    settings = {**remote_config(config), "launch": "bind,remote", "bind-config": os.devnull}
    assert found(settings, tmp_path, config) == []
    settings["bind-dnssec-db"] = bind_database(tmp_path, [], "nsec")
    [line] = found(settings, tmp_path, config)
    assert line.startswith("if bind has keys")


def test_what_is_no_powerdns_is_left_alone() -> None:
    assert atstart.conf_of(os.getpid()) is None
    assert atstart.conf_of(0) is None
