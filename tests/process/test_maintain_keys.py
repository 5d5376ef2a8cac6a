"""A socket's service with --maintain-keys rolls over keys by itself, and two over one store make no key twice."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys

from tests.process.coprocess import wait_for
from tests.process.test_listen import serve  # noqa: F401  # a fixture

CONFIG = """
[store]
url = "sqlite:zones.db"
[[policy]]
name = "usual"
keys = "ksk+zsk"
[[zone]]
name = "example.org"
kind = "file"
file = "example.org.zone"
policy = "usual"
"""
ZONE = "$ORIGIN example.org.\n$TTL 60\n@ SOA ns1 h 1 1 1 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n"


def keys(path) -> list[tuple[int, int, int]]:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as store:
        return store.execute("SELECT flags, active, published FROM cryptokeys ORDER BY flags").fetchall()
    return []


def test_services_make_the_keys_of_their_zones_once(serve, tmp_path):  # noqa: F811
    (tmp_path / "example.org.zone").write_text(ZONE)
    config = tmp_path / "keys.toml"
    config.write_text(CONFIG)
    words = ("remoteshim", "--config", str(config), "--workers", "1", "--maintain-keys", "1")
    services = [serve(*words).ready(), serve(*words, listen=f"unix:{tmp_path}/other").ready()]
    wait_for(lambda: keys(tmp_path / "zones.db") == [(256, 1, 1), (257, 1, 1)], "the keys")
    with contextlib.closing(sqlite3.connect(tmp_path / "zones.db")) as store:
        [(first,)] = store.execute("SELECT last FROM pipebackend_rollover_zones")

        def looked_again() -> bool:
            return store.execute("SELECT last FROM pipebackend_rollover_zones").fetchone()[0] > first

        wait_for(looked_again, "another look")
    assert keys(tmp_path / "zones.db") == [(256, 1, 1), (257, 1, 1)]
    for service in services:
        assert service.end() == 0


KILLED = """
import json, os, signal, sqlite3, sys
from pipebackend.cli import key_roll
from pipebackend.cli.main import main
from pipebackend.store.database.database import Database

execute = Database.execute

def killed(at):
    left = [at]
    def counted(self, *given):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return execute(self, *given)
    Database.execute = counted
    main()

for at in range(1000):
    child = os.fork()
    if not child:
        killed(at)
    _, status = os.waitpid(child, 0)
    store = sqlite3.connect("zones.db")
    tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master")]
    flags = "id, active, published FROM"
    keys = store.execute(f"SELECT {flags} cryptokeys").fetchall() if "cryptokeys" in tables else []
    known = store.execute(f"SELECT {flags} pipebackend_rollover_keys").fetchall() if "cryptokeys" in tables else []
    store.close()
    print(json.dumps([os.WIFSIGNALED(status), keys, known]), flush=True)
    if not os.WIFSIGNALED(status):
        break
"""


def test_a_run_that_is_killed_at_any_statement_has_done_all_or_nothing(tmp_path):
    (tmp_path / "example.org.zone").write_text(ZONE)
    (tmp_path / "keys.toml").write_text(CONFIG)
    words = [sys.executable, "-c", KILLED, "--config", "keys.toml", "key", "maintain"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(found) > 10, done.stderr
    assert all(keys == known for _, keys, known in found), "the keys, and where they stand"
    assert all(keys == [] for was_killed, keys, _ in found if was_killed)
    assert found[-1][0] is False
    assert [key[1:] for key in found[-1][1]] == [[1, 1], [1, 1]]
