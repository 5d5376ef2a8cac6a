"""Signals without the standard module ``signal``, which imports enum and so costs 4 ms of each start."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import SIG_DFL, SIG_IGN, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGTERM, signal
else:
    from _signal import SIG_DFL, SIG_IGN, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGTERM, signal

__all__ = ["SIGCHLD", "SIGHUP", "SIGINT", "SIGKILL", "SIGTERM", "SIG_DFL", "SIG_IGN", "signal"]
