"""All zones that are served: those of the configuration and those of the store; the longest name that fits answers."""

from __future__ import annotations

from pipebackend.base import logs
from pipebackend.base.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.zones.base import Zone
    from pipebackend.zones.kinds.stored import StoredZones
    from pipebackend.zones.registry import Registry

__all__ = ["Served"]

_LOG_KEY = "stored zones"


class Served:
    """The zones of one registry and one store. A zone of the configuration hides one of the same name in the store.

    A store that cannot be read is in the way only of those zones that the configuration does not have: they raise
    StoreFault.
    """

    def __init__(self, registry: Registry, stored: StoredZones | None) -> None:
        """``stored`` is None for a configuration without store."""
        self.registry = registry
        self._stored = stored
        self._version = registry, -1

    def version(self) -> object:
        """The same object for as long as no answer can have changed."""
        if self._stored is None:
            return self.registry
        try:
            stored = self._stored.version()
        except StoreFault:  # the next call that needs more reports it
            stored = -1
        if stored != self._version[1]:
            self._version = self.registry, stored
        return self._version

    def at(self, apex: str) -> Zone | None:
        """The zone of this canonical name."""
        stored = self._stored
        return self.registry.by_apex.get(apex) or (stored.by_apex(apex) if stored is not None else None)

    def with_id(self, ident: int) -> Zone | None:
        """The zone with this id."""
        zone: Zone | None = self.registry.by_id.get(ident)
        if zone is not None or self._stored is None:
            return zone
        stored = self._stored.by_id(ident)
        return stored if stored is not None and stored.apex not in self.registry.by_apex else None

    def zone_of(self, name: str, zone_id: int = -1) -> Zone | None:
        """The zone that answers for a canonical name; see ``Registry.zone_of``."""
        configured = self.registry.zone_of(name, zone_id)
        if configured is not None and configured.ident == zone_id:
            return configured
        if self._stored is None:
            return configured
        search = self._stored.zone_of
        stored = self._unless_broken(configured, lambda: search(name, zone_id))
        if stored is None or (configured is not None and _is_nearer(configured, stored, zone_id)):
            return configured
        return stored

    def all(self) -> list[Zone]:
        """Every zone: first those of the configuration, then those of the store in the order of their ids."""
        configured = list(self.registry.zones)
        if self._stored is None:
            return configured
        return [*configured, *(zone for zone in self._stored.all() if zone.apex not in self.registry.by_apex)]

    def _unless_broken(self, configured: Zone | None, search: Callable[[], Zone | None]) -> Zone | None:
        try:
            found = search()
        except StoreFault as exc:
            if configured is None:
                raise
            logs.once(_LOG_KEY, f"zones of the store are not served: {exc}")
            return None
        logs.forget(_LOG_KEY)
        return found


def _is_nearer(configured: Zone, stored: Zone, zone_id: int) -> bool:
    """Whether the first answers rather than the second: PowerDNS names it, or its name is not shorter."""
    if zone_id in (configured.ident, stored.ident):
        return zone_id == configured.ident
    return len(configured.apex) >= len(stored.apex)
