"""The keys of one zone as PowerDNS has them in the store: read, and made to be what a plan says.

A key whose CDS is not to be published, though it signs the DNSKEY RRset and is in it, stands in two rows: PowerDNS
makes CDS of each row that is both active and published (rule K-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipebackend.backend.keyring import MAX_KEYS
from pipebackend.base.errors import KeyFault
from pipebackend.keys import algorithms, bindfile, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK, ZSK, KeyPair
from pipebackend.rollover.adoption import Found
from pipebackend.rollover.machine import CDS_DELETE, CDS_KEYS, CDS_NONE

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNSKEY import DNSKEY

    from pipebackend.backend.backend import Backend
    from pipebackend.config.policies import Policy
    from pipebackend.rollover.moves import New
    from pipebackend.rollover.states import Key, Zone
    from pipebackend.store.rows.keyrows import KeyRow

__all__ = ["KeyHand"]

_CDS = {CDS_NONE: ((), ()), CDS_KEYS: (("2",), ("1",)), CDS_DELETE: (("0",), ("0",))}  # digest type 2: RFC 8624


class KeyHand:
    """Keys are written only if it ``writes``, inside a transaction of the store."""

    def __init__(self, backend: Backend, apex: str, writes: bool = False) -> None:
        self._keyring = backend.keyring
        self._apex = apex
        self._wanted_id = backend.wanted_id(apex)
        self._writes = writes
        self._unmade = 0  # keys that a hand that writes would have made
        self._rows = self._grouped()
        self._pairs = {rows[0].id: _pair(apex, rows[0]) for rows in self._rows}

    def dnskeys(self) -> dict[int, DNSKEY]:
        """The DNSKEY of each key, by id."""
        return {key_id: pair.dnskey for key_id, pair in self._pairs.items()}

    def found(self) -> list[Found]:
        """The keys as they are; the rows of one key count as one."""
        return [self._found(rows) for rows in self._rows]

    def make(self, new: New) -> Found:
        """A new key that neither signs nor is published; none is kept by a hand that does not write."""
        flags = ZSK if new.role == "zsk" else KSK
        if not self._writes:
            self._unmade += 1
            return Found(max([0, *self._pairs]) + self._unmade, 0, new.algorithm, flags == KSK, False, False)
        if len(self._keyring.keys(self._apex)) >= MAX_KEYS:
            raise KeyFault(f"zone {self._apex} has {MAX_KEYS} keys; delete old ones first")
        pair = self._unlike(flags, new.algorithm)
        text = bindfile.write(PrivateText(pair.algorithm, pair.private))
        key_id = self._keyring.add_key(self._apex, self._wanted_id, flags, False, False, text)
        self._pairs[key_id] = pair
        self._rows = self._grouped()
        return Found(key_id, pair.key_tag, new.algorithm, flags == KSK, False, False)

    def apply(self, zone: Zone) -> None:
        """Makes the rows what the zone's keys say."""
        if not self._writes:
            return
        wanted = {key.id: key for key in zone.keys if not key.is_gone}
        for rows in self._rows:
            key = wanted.get(rows[0].id)
            if key is None:
                for row in rows:
                    self._keyring.remove_key(self._apex, row.id)
            else:
                self._apply(key, rows)

    def publish_cds(self, cds: str, policy: Policy) -> None:
        """Has PowerDNS publish CDS and CDNSKEY, or not; nothing if the policy leaves that to the operator."""
        if not policy.cds:
            return
        metadata = self._keyring.metadata(self._apex, None)
        for kind, values in zip(("PUBLISH-CDS", "PUBLISH-CDNSKEY"), _CDS[cds], strict=True):
            if list(metadata.get(kind, ())) != list(values):
                self._keyring.set_metadata(self._apex, self._wanted_id, kind, values)

    def _apply(self, key: Key, rows: Sequence[KeyRow]) -> None:
        is_split = key.is_withheld and key.active and key.published
        flags = [(False, True), (True, False)] if is_split else [(key.active, key.published)]
        for row, (active, published) in zip(rows, flags, strict=False):
            if row.active != active:
                self._keyring.set_key_active(self._apex, row.id, active)
            if row.published != published:
                self._keyring.set_key_published(self._apex, row.id, published)
        for row in rows[len(flags) :]:
            self._keyring.remove_key(self._apex, row.id)
        for active, published in flags[len(rows) :]:
            first = rows[0]
            self._keyring.add_key(self._apex, self._wanted_id, first.flags, active, published, first.content)

    def _unlike(self, flags: int, algorithm: int) -> KeyPair:
        """A key whose tag no other key of the zone has: DS and RRSIG name keys by it."""
        tags = {pair.key_tag for pair in self._pairs.values()}
        while (pair := keypair.generate(algorithms.from_number(algorithm), flags)).key_tag in tags:
            pass
        return pair

    def _grouped(self) -> list[list[KeyRow]]:
        groups: dict[tuple[int, str], list[KeyRow]] = {}
        for row in self._keyring.keys(self._apex):
            groups.setdefault((row.flags, row.content), []).append(row)
        return list(groups.values())

    def _found(self, rows: Sequence[KeyRow]) -> Found:
        pair = self._pairs[rows[0].id]
        active, published = any(row.active for row in rows), any(row.published for row in rows)
        return Found(rows[0].id, pair.key_tag, pair.algorithm.number, pair.flags == KSK, active, published)


def _pair(apex: str, row: KeyRow) -> KeyPair:
    text = bindfile.read(row.content, f"zone {apex or '.'}, key {row.id}")
    return KeyPair(text.algorithm, row.flags, text.private)
