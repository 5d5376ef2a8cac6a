"""A socket's service with --maintain-keys rolls over keys by itself, and two over one store make no key twice."""

from __future__ import annotations

import contextlib
import sqlite3

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
