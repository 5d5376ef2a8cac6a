"""The numbers of a socket's server in the text form of Prometheus, from an HTTP server beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipebackend.base import logs, stats
from pipebackend.base.errors import BackendError, ConfigFault
from pipebackend.server import sharedstats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from pipebackend.rollover.maintainer import Report

__all__ = ["Collector", "KeyCollector", "serve"]


def serve(host: str, port: int, where: str, config: str | None = None) -> None:
    """Answer Prometheus in a thread of its own, from the counts in the folder ``where``; ConfigFault."""
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as exc:
        raise ConfigFault([f"--metrics needs {exc.name}: install it with pip install 'pipebackend[metrics]'"]) from exc
    registry = CollectorRegistry()
    registry.register(Collector(where))
    registry.register(KeyCollector(config))
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


class KeyCollector:
    """Tells where the keys of zones with a policy stand, from the store, whenever Prometheus asks."""

    def __init__(self, config: str | None) -> None:
        self._config = config

    def collect(self) -> Iterator[Metric]:
        """The gauges; none where no zone has a policy, or the store cannot be read, which the log then says."""
        from prometheus_client.core import GaugeMetricFamily

        step = GaugeMetricFamily("pipebackend_key_next_step_seconds", "Until the next step of keys.", labels=("zone",))
        wait = GaugeMetricFamily("pipebackend_key_parent_wait_seconds", "Waiting for the parent.", labels=("zone",))
        late = GaugeMetricFamily("pipebackend_key_parent_late", "1 if that is too long.", labels=("zone",))
        look = GaugeMetricFamily("pipebackend_key_last_look_seconds", "Since keys were looked after.", labels=("zone",))
        for report in self._reports():
            zone = report.apex or "."
            if report.plan.at is not None:
                step.add_metric([zone], max(0, report.plan.at - report.now))
            wait.add_metric([zone], report.waited)
            late.add_metric([zone], int(report.is_late))
            look.add_metric([zone], report.now - report.zone.last)
        yield from (family for family in (step, wait, late, look) if family.samples)

    def _reports(self) -> list[Report]:
        from pipebackend.backend.opening import open_backend
        from pipebackend.rollover.maintainer import Maintainer

        try:
            backend = open_backend(self._config, os.environ)
            try:
                maintainer = Maintainer(backend)
                found = (maintainer.remembered(apex) for apex, _ in maintainer.zones())
                return [report for report in found if report is not None]
            finally:
                backend.close()
        except BackendError as exc:
            logs.once("key metrics", f"no numbers of keys for Prometheus: {exc}")
            return []
