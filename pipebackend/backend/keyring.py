"""A zone's keys and settings: what the store holds, and what a kind of zone demands.

Names need not be zones of ours: in hybrid set-ups the records come from another backend and only keys from here
(rule H-1).
"""

from __future__ import annotations

from pipebackend.base import logs
from pipebackend.base.errors import KeyFault, MetadataFault, StoreFault
from pipebackend.dnsdata import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from pipebackend.dnsdata.tsig import TsigKey
    from pipebackend.store import Store
    from pipebackend.store.rows.keyrows import KeyRow
    from pipebackend.zones.base import Zone

    Found = TypeVar("Found")

__all__ = ["MAX_KEYS", "Keyring", "Locked"]

MAX_KEYS = 100  # a DNSKEY answer of more would not fit a message of 64 KiB (RFC 1035 section 4.2.2)
_MAX_KNOWN = 10_000  # zones whose keys and settings are remembered
_OF_SIGNER = ("NSEC3NARROW", "NSEC3PARAM", "PRESIGNED")
_NARROW = {"NSEC3PARAM": ["1 0 0 -"], "NSEC3NARROW": ["1"]}


class Keyring:
    """Keys, metadata and TSIG keys; every writer raises a BackendError with the reason if it cannot."""

    def __init__(self, store: Store | None) -> None:
        """``store`` is None for the built-in configuration, which has no place for one."""
        self._store = store
        self._known_metadata: dict[str, Mapping[str, Sequence[str]]] = {}
        self._known_keys: dict[str, Sequence[KeyRow]] = {}
        self.is_cut_off = False  # the last answer is what the store held before it was damaged or gone

    def metadata(self, apex: str, zone: Zone | None) -> Mapping[str, Sequence[str]]:
        """A zone's settings by kind.

        A zone whose hashes cannot be put in order has NSEC3 in narrow mode or NSEC; one that cannot list its names
        has narrow NSEC3 whatever is stored.
        """
        stored = self._read(self._store.metadata, apex, self._known_metadata) if self._store is not None else {}
        told: Mapping[str, Sequence[str]] | None = getattr(
            zone, "settings", None
        )  # of a file that was signed elsewhere
        if told:
            return {**{kind: values for kind, values in stored.items() if kind not in _OF_SIGNER}, **told}
        if zone is None or not zone.narrow:
            return stored
        if zone.ring() is None:
            return {**_NARROW, **stored, "NSEC3NARROW": ["1"]}
        return {**stored, "NSEC3NARROW": ["1"]} if "NSEC3PARAM" in stored else stored

    @property
    def store(self) -> Store:
        """The store; StoreFault if the configuration has no place for one."""
        return self._writable()

    def set_metadata(self, apex: str, wanted_id: int, kind: str, values: Sequence[str]) -> None:
        """Replace the values of one kind; none delete it."""
        checked = self._checked(apex, kind, values)
        self._writable().set_metadata(apex, wanted_id, kind, checked)

    def add_metadata(self, apex: str, wanted_id: int, kind: str, value: str) -> None:
        """Add a value to those of one kind; what others add at the same time is kept."""
        self._checked(apex, kind, (value,))  # before the store is made for it
        with self.locked():
            values = [*self.store.metadata(apex).get(kind, ()), value]
            self.set_metadata(apex, wanted_id, kind, values)

    def locked(self) -> Locked:
        """A block whose writes are all kept or none, and in which what it reads stays true until its end."""
        return Locked(self)

    def keys(self, apex: str) -> Sequence[KeyRow]:
        """The DNSSEC keys of a zone."""
        return self._read(self._store.keys, apex, self._known_keys) if self._store is not None else ()

    def add_key(self, apex: str, wanted_id: int, flags: int, active: bool, published: bool, content: str) -> int:
        """Keep a key, given as BIND private-key text; returns its id."""
        from pipebackend.keys import bindfile

        store = self._writable()
        if flags not in (256, 257):
            raise KeyFault(f"zone {apex}: key flags must be 256 (ZSK) or 257 (KSK), not {flags}")
        bindfile.read(content, f"key for zone {apex}")
        if len(store.keys(apex)) >= MAX_KEYS:
            raise KeyFault(f"zone {apex} has {MAX_KEYS} keys; delete old ones first")
        return store.add_key(apex, wanted_id, flags, active, published, content)

    def set_key_active(self, apex: str, key_id: int, active: bool) -> None:
        """Let a key sign, or not."""
        self._demand(self._writable().set_key_active(apex, key_id, active), apex, key_id)

    def set_key_published(self, apex: str, key_id: int, published: bool) -> None:
        """Show a key in the DNSKEY RRset, or not."""
        self._demand(self._writable().set_key_published(apex, key_id, published), apex, key_id)

    def remove_key(self, apex: str, key_id: int) -> None:
        """Forget a key."""
        self._demand(self._writable().remove_key(apex, key_id), apex, key_id)

    def tsig_keys(self) -> Sequence[TsigKey]:
        """All TSIG keys."""
        return self._store.tsig_keys() if self._store is not None else ()

    def tsig_key(self, name: str) -> TsigKey | None:
        """One TSIG key, None if there is none of that name."""
        from pipebackend.dnsdata import tsig

        return self._store.tsig_key(tsig.key_name(name)) if self._store is not None else None

    def set_tsig_key(self, name: str, algorithm: str, secret: str) -> None:
        """Keep a TSIG key, in place of one of the same name."""
        from pipebackend.dnsdata import tsig

        key = tsig.checked(name, algorithm, secret)
        self._writable().set_tsig_key(key.name, key.algorithm, key.secret)

    def new_tsig_keys(self, keys: Sequence[TsigKey]) -> None:
        """Keep TSIG keys of new names, all or none: the other side of an old one would be locked out."""
        for key in keys:
            if self.tsig_key(key.name) is not None:
                raise KeyFault(f"there is a TSIG key {key.name} already; delete it first, or take another name")
        with self.locked():
            for key in keys:
                self.set_tsig_key(*key)

    def remove_tsig_key(self, name: str) -> None:
        """Forget a TSIG key."""
        from pipebackend.dnsdata import tsig

        if not self._writable().remove_tsig_key(tsig.key_name(name)):
            raise KeyFault(f"there is no TSIG key {names.printable(name)}")

    def begin(self) -> None:
        """Hold back what is written from now on; what an earlier ``begin`` held back is forgotten."""
        store = self._writable()
        store.abort()
        store.begin()

    def lock(self) -> None:
        """After ``begin``: keep other writers out until the end, so that what is read now stays true."""
        self._writable().init()

    def commit(self) -> bool:
        """Keep what was written since ``begin``; False if there was none (rule T-3)."""
        return self._store is not None and self._store.commit()

    def abort(self) -> bool:
        """Forget what was written since ``begin``; False if there was none."""
        return self._store is not None and self._store.abort()

    def _checked(self, apex: str, kind: str, values: Sequence[str]) -> Sequence[str]:
        from pipebackend.dnsdata import metadata

        store = self._writable()
        try:
            return metadata.checked(kind, values, tsig_key_exists=lambda name: store.tsig_key(name) is not None)
        except MetadataFault as exc:
            raise MetadataFault(f"zone {names.printable(apex) or '.'}: {exc}") from None

    def _read(self, read: Callable[[str], Found], apex: str, known: dict[str, Found]) -> Found:
        """What the store holds; what it held when it was read last, if it is damaged or gone since.

        Without its keys a signed zone would be bogus for every validator.
        """
        assert self._store is not None
        try:
            found = read(apex)
            lost = f"store {self._store.path}: it is gone, or empty"
            self.is_cut_off = not found and bool(known.get(apex)) and self._store.is_gone()
        except StoreFault as exc:
            if apex not in known:
                raise
            lost = str(exc)
            self.is_cut_off = True
        if self.is_cut_off:
            logs.once(self._store.path, f"{lost}; what was read from it before stays in force")
            return known[apex]
        if found:  # nothing is also what one that is gone has to say of a zone without settings
            logs.forget(self._store.path)
        if len(known) >= _MAX_KNOWN:
            known.clear()
        known[apex] = found
        return found

    def _writable(self) -> Store:
        if self._store is None:
            raise StoreFault("the built-in configuration has no store; keys and settings need a pipebackend.toml")
        return self._store

    @staticmethod
    def _demand(done: bool, apex: str, key_id: int) -> None:
        if not done:
            raise KeyFault(f"zone {names.printable(apex)} has no key with the id {key_id}")


class Locked:
    """See ``Keyring.locked``."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def __enter__(self) -> None:
        self._keyring.begin()
        try:
            self._keyring.lock()
        except BaseException:
            self._keyring.abort()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._keyring.commit()
        except BaseException:
            self._keyring.abort()
            raise
        if kind is not None:
            self._keyring.abort()
