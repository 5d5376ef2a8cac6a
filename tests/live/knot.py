"""Knot DNS on loopback, which signs a zone and rolls its keys over by a policy of its own (KASP)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live.servers import HOST, PATIENCE, Server, program

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Knot", "is_installed"]

CONFIG = """\
server:
  rundir: {folder}
  listen: {host}@{port}
control:
  listen: {control}
database:
  storage: {folder}/db
log:
  - target: stderr
    any: info
remote:
  - id: parent
    address: {host}@{parent}
submission:
  - id: parent
    parent: parent
    check-interval: 1
policy:
  - id: own
    algorithm: ecdsap256sha256
    ksk-lifetime: 0
    zsk-lifetime: 0
    propagation-delay: {propagation}
    dnskey-ttl: {ttl}
    zone-max-ttl: {ttl}
    ksk-submission: parent
    cds-cdnskey-publish: rollover
zone:
  - domain: {apex}
    file: {folder}/zone
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: own
"""


def is_installed() -> bool:
    return shutil.which("knotd", path="/usr/sbin:/sbin:/usr/local/sbin") is not None


class Knot(Server):
    """A ``knotd`` with one zone, KSK and ZSK; its keys roll over by command, and DNSKEY has the TTL of the zone."""

    title = "knot"

    def __init__(self, apex: str, text: str, folder: Path, *, parent: int, ttl: int, propagation: int) -> None:
        """``text`` is the zone's file, ``parent`` the port of the parent's server."""
        super().__init__(folder)
        self._apex = apex
        self._sockets = tempfile.TemporaryDirectory(prefix="knot-")  # short: sockets have 108 octets
        self._control = f"{self._sockets.name}/socket"
        (self.folder / "db").mkdir()
        (self.folder / "zone").write_text(text)
        config = CONFIG.format(
            folder=self.folder, host=HOST, port=self.port, control=self._control, parent=parent,
            propagation=propagation, ttl=ttl, apex=apex,
        )  # fmt: skip
        (self.folder / "knot.conf").write_text(config)

    def arguments(self) -> Sequence[str]:
        return [program("knotd"), "-c", str(self.folder / "knot.conf")]

    def stop(self) -> None:
        super().stop()
        self._sockets.cleanup()

    def roll(self, role: str) -> None:
        """Begin to replace the ``ksk`` or ``zsk``."""
        command = [program("knotc"), "-s", self._control, "zone-key-rollover", self._apex, role]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
