"""What an operator does with a zone's keys and its kind of denial; PowerDNS's own questions go to ``keyring``.

Nothing here is imported while questions are answered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import dns.name
from dns.rdtypes.ANY.DS import DS

from pipebackend.backend.keyring import Keyring
from pipebackend.base.errors import KeyFault, MetadataFault
from pipebackend.dnsdata import nsec3param
from pipebackend.keys import algorithms, bindfile, keyfiles, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keyfiles import ExportedKey
from pipebackend.keys.keypair import DIGESTS, KSK, ZSK, KeyPair
from pipebackend.store.rows.keyrows import KeyRow

if TYPE_CHECKING:
    from pipebackend.zones.base import Zone

__all__ = ["Delegation", "KeyFacts", "Signing", "described"]

_SIGNING_KINDS = ("NSEC3PARAM", "NSEC3NARROW", "PRESIGNED")  # what pdnsutil disable-dnssec deletes, too


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """All of a key but its private part.

    ``role`` is what PowerDNS calls the key: KSK and ZSK if the zone has active keys of both kinds with its algorithm,
    else CSK. ``times`` are in UTC by BIND's names
    of them. If the stored text is not a key, ``fault`` says why, and what depends on it is empty or 0.
    """

    id: int
    role: str
    flags: int
    active: bool
    published: bool
    algorithm: str = ""
    bits: int = 0
    tag: int = 0
    times: Sequence[tuple[str, datetime]] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Delegation:
    """A DS record for the parent zone, and the id of the key that it stands for."""

    key_id: int
    owner: str
    ds: DS

    def to_text(self) -> str:
        """The record as a line of a zone file."""
        return f"{self.owner} IN DS {self.ds}"


@dataclass(frozen=True, slots=True)
class _Read:
    """A stored key with what its text holds; ``pair`` and ``text`` are None if that is not a key."""

    row: KeyRow
    pair: KeyPair | None = None
    text: PrivateText | None = field(default=None, repr=False)
    fault: str = ""


class Signing:
    """The keys and the denial of one zone of ours; methods raise KeyFault, MetadataFault or StoreFault.

    What fails has changed nothing.
    """

    def __init__(self, keyring: Keyring, apex: str, wanted_id: int, zone: Zone | None) -> None:
        """``zone`` is None while its source is refused; its keys can be cared for all the same."""
        self._keyring = keyring
        self._apex = apex
        self._title = apex or "."
        self._wanted_id = wanted_id
        self._zone = zone

    def all_keys(self) -> list[KeyFacts]:
        """The zone's keys in the order of their ids."""
        return described(self._apex, self._keyring.keys(self._apex))

    def key(self, key_id: int) -> KeyFacts:
        """One key."""
        self._row(key_id)
        return next(key for key in self.all_keys() if key.id == key_id)

    def generate(self, flags: int, algorithm: str, active: bool) -> KeyFacts:
        """Makes a key, published."""
        pair = keypair.generate(algorithms.from_text(algorithm), flags)
        with self._keyring.locked():
            key_id = self._add(pair, PrivateText(pair.algorithm, pair.private), active, True)
        return self.key(key_id)

    def import_file(
        self, path: str, flags: int | None, active: bool, published: bool, algorithm: str | None = None
    ) -> KeyFacts:
        """Takes a key from a ``.private`` file, with the ``.key`` file if one is beside it, or from a PEM file."""
        wanted = None if algorithm is None else algorithms.from_text(algorithm)
        pair, text = keyfiles.load(path, self._apex, flags, wanted)
        with self._keyring.locked():
            for known in _read(self._apex, self._keyring.keys(self._apex)):
                if known.pair == pair:
                    raise KeyFault(f"{path}: zone {self._title} has this key already, with the id {known.row.id}")
            key_id = self._add(pair, text, active, published)
        return self.key(key_id)

    def export(self, key_id: int) -> ExportedKey:
        """A key with its private part."""
        [known] = _read(self._apex, [self._row(key_id)])
        if known.pair is None or known.text is None:
            raise KeyFault(known.fault)
        return keyfiles.exported(self._apex, known.pair, known.text)

    def export_to(self, key_id: int, folder: str) -> list[str]:
        """Writes a key as dnssec-keygen does, a private and a public file, and returns their paths."""
        return keyfiles.save(self.export(key_id), folder)

    def set_active(self, key_id: int, active: bool) -> KeyFacts:
        """Lets a key sign, or not."""
        self._row(key_id)
        self._keyring.set_key_active(self._apex, key_id, active)
        return self.key(key_id)

    def set_published(self, key_id: int, published: bool) -> KeyFacts:
        """Shows a key in the DNSKEY RRset, or not."""
        self._row(key_id)
        self._keyring.set_key_published(self._apex, key_id, published)
        return self.key(key_id)

    def delete(self, key_id: int) -> None:
        """Forgets a key."""
        self._row(key_id)
        self._keyring.remove_key(self._apex, key_id)

    def delegations(self) -> list[Delegation]:
        """The DS records, of each digest type that is in use, for all active KSKs and CSKs."""
        rows = self._keyring.keys(self._apex)
        signers = {key.id for key in described(self._apex, rows) if key.active and key.role != "ZSK"}
        owner = dns.name.from_text(self._apex, dns.name.root).to_text()
        return [
            Delegation(known.row.id, owner, known.pair.ds(self._apex, digest))
            for known in _read(self._apex, rows)
            if known.pair is not None and known.row.id in signers
            for digest in DIGESTS
        ]

    def secure(self) -> KeyFacts:
        """Makes the one key that signs all of the zone, which so far must have none."""
        with self._keyring.locked():
            if self._keyring.keys(self._apex):
                raise KeyFault(f"zone {self._title} has keys already; see zoneutil key list {self._title}")
            if "1" in self._metadata().get("PRESIGNED", ()):
                raise KeyFault(f"zone {self._title} is PRESIGNED, so keys would not be used; unset that first")
            pair = keypair.generate()
            key_id = self._add(pair, PrivateText(pair.algorithm, pair.private), True, True)
        return self.key(key_id)

    def unsecure(self) -> None:
        """Forgets all keys, and the settings that only a signed zone has; nothing if there are none."""
        if not self._keyring.keys(self._apex) and not self._metadata().keys() & set(_SIGNING_KINDS):
            return
        with self._keyring.locked():
            for row in self._keyring.keys(self._apex):
                self._keyring.remove_key(self._apex, row.id)
            for kind in _SIGNING_KINDS:
                self._set(kind, ())

    def use_nsec(self) -> None:
        """Denies with NSEC (RFC 4034 section 4)."""
        if self._zone is not None and self._zone.ring() is None:
            raise MetadataFault(f"zone {self._title} cannot list its names, so it always has NSEC3 in narrow mode")
        with self._keyring.locked():
            self._set("NSEC3PARAM", ())
            self._set("NSEC3NARROW", ())

    def use_nsec3(self, param: str, narrow: bool) -> bool:
        """Denies with NSEC3 of these parameters; True if it is in narrow mode, also because the zone must have that."""
        try:
            nsec3param.from_text(param)
        except MetadataFault as exc:
            raise MetadataFault(f"zone {self._title}: {exc}") from None
        with self._keyring.locked():
            self._set("NSEC3PARAM", (param,))
            self._set("NSEC3NARROW", ("1",) if narrow else ())
        return "1" in self._keyring.metadata(self._apex, self._zone).get("NSEC3NARROW", ())

    def _metadata(self) -> dict[str, Sequence[str]]:
        return dict(self._keyring.metadata(self._apex, None))

    def _set(self, kind: str, values: Sequence[str]) -> None:
        self._keyring.set_metadata(self._apex, self._wanted_id, kind, values)

    def _add(self, pair: KeyPair, text: PrivateText, active: bool, published: bool) -> int:
        content = bindfile.write(text)
        return self._keyring.add_key(self._apex, self._wanted_id, pair.flags, active, published, content)

    def _row(self, key_id: int) -> KeyRow:
        rows = self._keyring.keys(self._apex)
        for row in rows:
            if row.id == key_id:
                return row
        known = f"its keys have the ids {', '.join(str(row.id) for row in rows)}" if rows else "it has no keys"
        raise KeyFault(f"zone {self._title} has no key with the id {key_id}; {known}")


def described(apex: str, rows: Sequence[KeyRow]) -> list[KeyFacts]:
    """The facts of a zone's keys."""
    found = _read(apex, rows)
    active = {(key.pair.algorithm.number, key.row.flags) for key in found if key.pair is not None and key.row.active}
    return [_facts(key, active) for key in found]


def _facts(key: _Read, active: Collection[tuple[int, int]]) -> KeyFacts:
    row, pair = key.row, key.pair
    if pair is None or key.text is None:
        return KeyFacts(row.id, "", row.flags, row.active, row.published, fault=key.fault)
    return KeyFacts(
        id=row.id,
        role=_role(pair, active),
        flags=row.flags,
        active=row.active,
        published=row.published,
        algorithm=pair.algorithm.mnemonic,
        bits=pair.bits,
        tag=pair.key_tag,
        times=key.text.times,
    )


def _role(pair: KeyPair, active: Collection[tuple[int, int]]) -> str:
    number = pair.algorithm.number
    if (number, KSK) in active and (number, ZSK) in active:
        return "KSK" if pair.flags == KSK else "ZSK"
    return "CSK"


def _read(apex: str, rows: Sequence[KeyRow]) -> list[_Read]:
    return [_read_row(f"zone {apex or '.'}, key {row.id}", row) for row in rows]


def _read_row(title: str, row: KeyRow) -> _Read:
    try:
        text = bindfile.read(row.content, title)
    except KeyFault as exc:
        return _Read(row, fault=str(exc))
    try:
        return _Read(row, KeyPair(text.algorithm, row.flags, text.private), text)
    except KeyFault as exc:
        return _Read(row, fault=f"{title}: {exc}")
