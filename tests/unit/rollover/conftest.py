"""``zoneutil`` on a folder with a policy, and a clock that goes where a test wants it."""

from __future__ import annotations

import pytest

from pipebackend.rollover import clock, maintainer
from tests.unit.cli.conftest import Zoneutil

POLICIES = """
[[policy]]
name = "usual"
keys = "ksk+zsk"
zsk_lifetime = "90d"
ksk_lifetime = "1y"

[[policy]]
name = "one key"
keys = "csk"

[[policy]]
name = "hashed"
keys = "ksk+zsk"
nsec3 = true

[[policy]]
name = "plain"
keys = "ksk+zsk"
nsec3 = false

[[policy]]
name = "unsigned"
keys = "none"
"""


class Clock:
    """The system's counter and the time of day."""

    def __init__(self) -> None:
        self.boot, self.seconds, self.wall = "first", 1000, 1_800_000_000

    def passes(self, seconds: int) -> None:
        self.seconds += seconds
        self.wall += seconds


@pytest.fixture
def passing(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "uptime", lambda: clock.Uptime(made.boot, made.seconds))
    monkeypatch.setattr(maintainer.time, "time", lambda: float(made.wall))
    return made


@pytest.fixture
def url():
    """The store's address; a test of both kinds overrides it."""
    return "sqlite:zones.db"


@pytest.fixture
def zoneutil(tmp_path, monkeypatch, capsys, passing, url):
    made = Zoneutil(tmp_path, monkeypatch, capsys)
    made.use_store(url)
    made.extend(POLICIES)
    (tmp_path / "example.org.zone").write_text(
        "$ORIGIN example.org.\n$TTL 3600\n@ SOA ns1 h 1 1 1 86400 300\n@ NS ns1\nns1 A 192.0.2.53\n"
    )
    made.good("zone", "import", "example.org", tmp_path / "example.org.zone")
    made.good("zone", "set-policy", "example.org", "usual")
    return made
