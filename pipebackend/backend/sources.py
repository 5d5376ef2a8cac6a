"""Where answers come from: zones, store and keys at this moment, each opened when it is first asked for."""

from __future__ import annotations

from pipebackend.zones.served import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.backend.domainwrites import Writer
    from pipebackend.backend.keyring import Keyring
    from pipebackend.backend.watch import Watcher
    from pipebackend.store import Store
    from pipebackend.zones import registry
    from pipebackend.zones.kinds.stored import StoredZones

__all__ = ["PATIENCE", "Sources"]

PATIENCE = 0.01  # seconds in which a question may get what another process, or a file, has just changed


class Sources:
    """The configuration's zones and store, as ``watcher`` last read them."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._keyring: Keyring | None = None
        self._store_url = ""
        self._zones: Served | None = None
        self._writer: tuple[Keyring, Writer] | None = None

    @property
    def registry(self) -> registry.Registry:
        """The zones at this moment."""
        return self._watcher.registry

    @property
    def keyring(self) -> Keyring:
        """Keys and settings, from the store that the configuration names at this moment."""
        zones = self._watcher.registry
        if self._keyring is None or zones.store_url != self._store_url:
            self.close()  # the store that the configuration named before
            self._store_url = zones.store_url
            self._keyring = _open_keyring(zones.store_url, zones.config.folder)
        return self._keyring

    @property
    def zones(self) -> Served:
        """All zones at this moment, those of the store too."""
        current = self._watcher.registry
        if self._zones is None or self._zones.registry is not current:
            self._zones = Served(current, _stored_zones(self.keyring) if current.store_url else None)
        return self._zones

    @property
    def writer(self) -> Writer:
        """What this session writes to zones of the store; StoreFault if the configuration has no place for one."""
        keyring = self.keyring
        if self._writer is None or self._writer[0] is not keyring:
            from pipebackend.backend.domainwrites import Writer

            self._writer = (
                keyring,
                Writer(
                    keyring.store,
                    lambda apex: apex in self.registry.by_apex,
                    lambda: self.registry.powerdns.dialect,
                ),
            )
        return self._writer[1]

    @property
    def store(self) -> Store:
        """The store that the configuration names; raises StoreFault if it has no place for one."""
        return self.keyring.store

    def state(self) -> object:
        """The same object for as long as no answer that may be kept can have changed."""
        if self.is_writing:
            return object()  # each question is looked up again, and first writes what was fed
        return self.zones.version()

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is open, whose writes each question is to see."""
        return self._writer is not None and self._writer[1].is_open

    @property
    def patience(self) -> float:
        """For how many seconds ``state`` need not be asked again; none for who writes, and must see it."""
        return PATIENCE if self._writer is None else 0.0

    def start_watching(self) -> None:
        """Follow changes of the files from now on; for processes that stay."""
        self._watcher.start()

    def close(self) -> None:
        """Let go of the store, and of a transaction that is open; the next question opens it again."""
        if self._keyring is not None and self._store_url:
            self._keyring.store.close()


def _open_keyring(store_url: str, folder: str) -> Keyring:
    """Imported when the first question about keys or settings comes: not all zones are signed."""
    from pipebackend.backend.keyring import Keyring
    from pipebackend.store import open_store

    return Keyring(open_store(store_url, folder) if store_url else None)


def _stored_zones(keyring: Keyring) -> StoredZones:
    """Imported only where there is a store."""
    from pipebackend.zones.kinds.stored import StoredZones

    return StoredZones(keyring.store, PATIENCE)
