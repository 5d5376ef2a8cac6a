"""NSD on loopback, as the primary or the secondary that is not PowerDNS."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.live.servers import HOST, Server, program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Nsd"]


class Nsd(Server):
    """An ``nsd``; ``clauses`` is what its configuration has besides the server: keys and zones, files in ``files``."""

    title = "nsd"

    def __init__(self, clauses: str, folder: Path, port: int | None = None, files: Path | None = None) -> None:
        super().__init__(folder, port)
        options = [
            f"ip-address: {HOST}@{self.port}",
            f'zonesdir: "{files or self.folder}"',
            f'xfrdir: "{self.folder}"',
            f'zonelistfile: "{self.folder}/zone.list"',
            f'xfrdfile: "{self.folder}/xfrd.state"',
            'pidfile: ""',
            'database: ""',
            'username: ""',
            "server-count: 1",
            "verbosity: 2",
            "xfrd-reload-timeout: 0",  # what was transferred is served at once
        ]
        own = "server:\n" + "".join(f"  {option}\n" for option in options)
        (self.folder / "nsd.conf").write_text(f"{own}remote-control:\n  control-enable: no\n{clauses}")

    def arguments(self) -> Sequence[str]:
        return [program("nsd"), "-d", "-c", str(self.folder / "nsd.conf")]

    def reload(self) -> None:
        """Read zone files that have changed, and tell the secondaries."""
        os.kill(self.pid, signal.SIGHUP)
