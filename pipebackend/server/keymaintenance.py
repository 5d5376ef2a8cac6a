"""``--maintain-keys``: a socket's service does what is due with the keys of zones, in a process of its own.

Several services may do so over one store: each run is a transaction, and finds what the one before it has done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from pipebackend.base import logs
from pipebackend.config.policies import LATE_STATUS
from pipebackend.server import sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["start"]

_COMMAND = "from pipebackend.cli.main import main; main()"


def start(config: str | None, every: int) -> None:
    """Run ``zoneutil key maintain`` now and every so many seconds, until this process ends."""
    words = ["--config", os.path.abspath(config)] if config else []
    command = [sys.executable, "-P", "-c", _COMMAND, *words, "key", "maintain"]
    threading.Thread(target=_repeat, args=(command, every), daemon=True, name="keys").start()


def _repeat(command: Sequence[str], every: int) -> None:
    pause = threading.Event()
    while True:
        status = _run(command)
        if status not in (0, LATE_STATUS):  # of a parent that is waited for the run itself has said it
            logs.error(f"zoneutil key maintain ended with status {status}; it runs again in {every} s")
        pause.wait(every)


def _run(command: Sequence[str]) -> int:
    environ = sockets.environ_of_children(os.environ)
    return subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode
