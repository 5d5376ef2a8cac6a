"""The commands of ``pdnsutil backend-cmd``: what can be asked of a running process in words."""

from __future__ import annotations

import time

from pipebackend.backend import domaininfo
from pipebackend.base import stats
from pipebackend.base.errors import RequestFault
from pipebackend.base.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend

__all__ = ["COMMANDS", "answer"]

COMMANDS = {
    "help": "this list",
    "version": "the version of this program",
    "zones": "the zones, with their kind, id and serial",
    "stats": "calls by method and zone, failures, the slowest calls; of all processes that serve a socket",
    "stats json": "the same for programs",
    "zone COMMAND": "as zoneutil zone; zone --help lists the commands",
    "record COMMAND": "as zoneutil record; record --help lists the commands",
}


def answer(backend: Backend, text: str) -> list[str]:
    """The lines that answer a command; raises RequestFault for an unknown one."""
    word = text.strip()
    if word == "help":
        return [f"{name}: {what}" for name, what in COMMANDS.items()]
    if word == "version":
        return [f"pipebackend {VERSION}"]
    zones = backend.zones.all()
    if word == "zones":
        return [f"{zone.apex or '.'} {zone.kind} id {zone.ident} serial {domaininfo.serial_of(zone)}" for zone in zones]
    if word == "stats":
        return stats.lines(backend.all_numbers(), len(zones), time.time())
    if word == "stats json":
        import json

        return [json.dumps(backend.all_numbers())]
    if word.partition(" ")[0] in ("zone", "record"):
        from pipebackend.cli import remote  # with click, for these commands alone

        return remote.run(backend, word)
    raise RequestFault(f"unknown command {word.partition(' ')[0][:40]!r}; the commands are {', '.join(COMMANDS)}")
