"""From a configuration to a backend."""

from __future__ import annotations

import os

from pipebackend.backend.backend import Backend
from pipebackend.backend.watch import Watcher, report_refusal
from pipebackend.base import ownership
from pipebackend.config import configuration
from pipebackend.zones import registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["open_as_owner", "open_backend"]


def open_backend(given: str | None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The backend of the configuration that is found for ``given``; raises ConfigFault with every fault."""
    return _backend_of(configuration.load(given, environ))


def open_as_owner(given: str | None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The same for a process that PowerDNS starts: one of root becomes the user who owns the store's folder.

    pdnsutil and an API without ``setuid`` start us as root; the server itself runs as another user, whose files these
    are. So nothing that this user has written is ever run or parsed as root, and no file of root stands in its way.
    """
    found = configuration.load(given, environ)
    user = ownership.owner_to_become(registry.store_folder(found)) if found.path else 0
    if user:
        ownership.become_owner(user)
    return _backend_of(found)


def _backend_of(found: configuration.Config) -> Backend:
    zones = registry.load(found)
    for entry in zones.entries:
        report_refusal(entry)
    return Backend(Watcher(zones))
