"""Follows the files of a running process: changed ones are read again within a second, off the serving thread."""

from __future__ import annotations

import _thread
import time

from pipebackend import config, logs
from pipebackend.errors import ConfigFault
from pipebackend.zones import registry

__all__ = ["Watcher"]

POLL_SECONDS = 0.3  # a change counts when two looks in a row show the same: half-written files are left alone
_SWITCH_SECONDS = 0.0005  # the serving thread gets the interpreter back this soon while a zone is loaded
_SHOWN_FAULTS = 20  # a table of garbage must not flood the log


class Watcher:
    """Holds the registry in force; ``start`` lets a thread replace it when files change."""

    def __init__(self, current: registry.Registry) -> None:
        self.registry = current
        self.reloads = 0

    def start(self) -> None:
        """Watch in a thread of its own; it ends with the process."""
        import sys

        sys.setswitchinterval(_SWITCH_SECONDS)
        _thread.start_new_thread(self._run, ())

    def refresh(self) -> None:
        """Read again what changed; a faulty configuration leaves the one in force, whose zones are still followed."""
        before = self.registry
        files = registry.fingerprint([before.config.path])
        try:
            fresh = config.read(before.config.path) if files != before.files else before.config
            self.registry = registry.load(fresh, before, files)
        except ConfigFault as exc:
            logs.error(f"{exc}\nthe configuration in force stays as it was before")
            self.registry = registry.load(before.config, before, files)
        self.reloads += 1
        self._report(before)

    def _report(self, before: registry.Registry | None) -> None:
        """Log the faults of zones that are new."""
        known = before.zones if before is not None else ()
        for zone in self.registry.zones:
            if zone in known:
                continue
            if before is not None:
                logs.info(f"zone {zone.apex or '.'} loaded")
            for fault in zone.faults[:_SHOWN_FAULTS]:
                logs.warning(fault)
            if len(zone.faults) > _SHOWN_FAULTS:
                logs.warning(
                    f"… and {len(zone.faults) - _SHOWN_FAULTS} more; zoneutil zone check {zone.apex} lists them"
                )

    def _run(self) -> None:
        self._report(None)
        stale = False
        while True:
            time.sleep(POLL_SECONDS)
            try:
                was_stale, stale = stale, self.registry.is_stale()
                if stale and was_stale:
                    self.refresh()
                    stale = False
            except Exception:  # the edge of this thread: whatever a reload meets, the next change is followed
                logs.traceback("reading the changed files failed; the old ones stay in force")
