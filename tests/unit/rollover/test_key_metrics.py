"""The gauges of keys that roll over, as Prometheus reads them."""

from __future__ import annotations

from pipebackend.server.metrics import KeyCollector

DAY = 86_400


def gauges(path) -> dict[str, float]:
    return {
        family.name.removeprefix("pipebackend_key_"): sample.value
        for family in KeyCollector(str(path)).collect()
        for sample in family.samples
        if sample.labels == {"zone": "example.org"}
    }


def test_gauges(zoneutil, passing) -> None:
    config = zoneutil.folder / "pipebackend.toml"
    assert gauges(config) == {}, "before the first run"
    zoneutil.good("key", "maintain")
    passing.passes(100)
    assert gauges(config) == {
        "next_step_seconds": 80 + 300 + 2 + 300 + 3600 - 100,
        "parent_wait_seconds": 0,
        "parent_late": 0,
        "last_look_seconds": 100,
    }
    passing.passes(DAY)
    zoneutil.good("key", "maintain")
    passing.passes(8 * DAY)
    late = gauges(config)
    assert (late["parent_wait_seconds"], late["parent_late"]) == (8 * DAY, 1)


def test_a_configuration_that_cannot_be_read_has_none(tmp_path) -> None:
    assert gauges(tmp_path / "none.toml") == {}
