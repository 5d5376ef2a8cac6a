"""The numbers of a socket's server in the text form of Prometheus, from an HTTP server beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipebackend.base import stats
from pipebackend.base.errors import ConfigFault
from pipebackend.server import sharedstats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

__all__ = ["Collector", "serve"]


def serve(host: str, port: int, where: str) -> None:
    """Answer Prometheus in a thread of its own, from the counts in the folder ``where``; ConfigFault."""
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as exc:
        raise ConfigFault([f"--metrics needs {exc.name}: install it with pip install 'pipebackend[metrics]'"]) from exc
    registry = CollectorRegistry()
    registry.register(Collector(where))
    try:
        start_http_server(port, host, registry)
    except OSError as exc:
        raise ConfigFault([f"--metrics {host}:{port}: {exc.strerror}"]) from exc


class Collector:
    """Adds up what the workers counted whenever Prometheus asks."""

    def __init__(self, where: str) -> None:
        self._where = where

    def collect(self) -> Iterator[Metric]:
        """The metrics; none of them while no worker has written its counts."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        parts = sharedstats.read(self._where)
        if not parts:
            return
        total = stats.added(parts)
        calls = CounterMetricFamily("pipebackend_calls", "Calls answered.", labels=("method", "zone"))
        failures = CounterMetricFamily("pipebackend_failures", "Calls that failed.", labels=("method", "zone"))
        for method, zone, count, failed in total["calls"]:
            calls.add_metric((method, zone), count)
            failures.add_metric((method, zone), failed)
        yield calls
        yield failures
        yield CounterMetricFamily("pipebackend_reloads", "Times that changed files were read.", value=total["reloads"])
        yield GaugeMetricFamily("pipebackend_workers", "Processes that answer.", value=total["processes"])
        yield GaugeMetricFamily("pipebackend_start_time_seconds", "Since 1970.", value=total["started"])
        slowest = total["slowest"][0][0] / 1000 if total["slowest"] else 0.0
        yield GaugeMetricFamily("pipebackend_slowest_call_seconds", "The slowest call since the start.", value=slowest)
