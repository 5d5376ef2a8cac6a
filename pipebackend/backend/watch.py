"""Follows the files of a running process: changed ones are read again within a second, off the serving thread."""

from __future__ import annotations

import _thread
from time import monotonic

from pipebackend.base import logs
from pipebackend.base.errors import ConfigFault
from pipebackend.config import configuration
from pipebackend.zones import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Watcher", "report_refusal"]

POLL_SECONDS = 0.3  # a change counts when two looks in a row show the same: half-written files are left alone
_QUIET_SECONDS = 1.0  # after the start, for the first questions: then tables are looked through for faults
_SWITCH_SECONDS = 0.0005  # the serving thread gets the interpreter back this soon while a zone is loaded
_SHOWN_FAULTS = 20  # a table of garbage must not flood the log


class Watcher:
    """Holds the registry in force; ``start`` lets a thread replace it when files change."""

    def __init__(self, current: registry.Registry) -> None:
        self.registry = current
        self.reloads = 0
        self._nudge = _thread.allocate_lock()  # free when somebody asked to look at once
        self._nudge.acquire()

    def start(self) -> None:
        """Watch in a thread of its own, which ends with the process; at SIGHUP it does not wait."""
        import sys

        from pipebackend.base.signals import SIGHUP, signal

        signal(SIGHUP, lambda *_: self.nudge())
        sys.setswitchinterval(_SWITCH_SECONDS)
        _thread.start_new_thread(self._run, ())

    def nudge(self) -> None:
        """Let the thread read what changed now, also a file that may still be written to."""
        if self._nudge.locked():
            self._nudge.release()

    def refresh(self) -> None:
        """Read again what changed; a faulty configuration leaves the one in force, whose zones are still followed."""
        before = self.registry
        files = registry.fingerprint([before.config.path])
        try:
            fresh = _read_again(before.config) if files != before.files else before.config
            self.registry = registry.load(fresh, before, files)
        except ConfigFault as exc:
            logs.error(f"{exc}\nthe configuration in force stays as it was before")
            self.registry = registry.Registry(before.config, before.entries, files, before.store_url, before.powerdns)
        self.reloads += 1
        known = set(map(id, before.entries))
        for entry in self.registry.entries:
            if id(entry) not in known:
                if not entry.faults:
                    logs.info(f"zone {entry.apex or '.'} read again")
                report_refusal(entry)
                _report_faults(entry)

    def _run(self) -> None:
        stale = is_reported = False
        started = monotonic()
        while True:
            is_told = self._nudge.acquire(True, POLL_SECONDS)
            try:
                if not is_reported and monotonic() - started > _QUIET_SECONDS:
                    is_reported = True
                    for entry in self.registry.entries:
                        _report_faults(entry)
                was_stale, stale = stale, self.registry.is_stale()
                if is_told:
                    logs.info("SIGHUP: reading what has changed" if stale else "SIGHUP: no file has changed")
                if stale and (was_stale or is_told):
                    self.refresh()
                    stale = False
            except Exception:  # the edge of this thread: whatever a reload meets, the next change is followed
                logs.traceback("reading the changed files failed; the old ones stay in force")


def _read_again(before: configuration.Config) -> configuration.Config:
    """The configuration as it is now; an empty one says nothing, but a full disk or an editor leaves it like that."""
    fresh = configuration.read(before.path)
    if before.table and not fresh.table:
        raise ConfigFault([f"{before.path}: is empty now; if that is meant, restart PowerDNS"])
    return fresh


def report_refusal(entry: registry.Entry) -> None:
    """Log why a zone's source is refused, if it is."""
    if entry.faults:
        _report(entry.faults, entry.apex)
        fate = "is served as it was before" if entry.zone is not None else "is not served until its file is fixed"
        logs.error(f"zone {entry.apex or '.'} {fate}")


def _report_faults(entry: registry.Entry) -> None:
    if entry.zone is not None and not entry.faults:
        _report(entry.zone.faults, entry.apex)


def _report(faults: Sequence[str], apex: str) -> None:
    for fault in faults[:_SHOWN_FAULTS]:
        logs.warning(fault)
    if len(faults) > _SHOWN_FAULTS:
        logs.warning(f"… and {len(faults) - _SHOWN_FAULTS} more; zoneutil zone check {apex or '.'} lists them")
