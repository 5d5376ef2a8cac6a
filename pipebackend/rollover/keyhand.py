"""The keys of one zone as PowerDNS has them in the store: read, and made to be what a plan says.

PowerDNS makes CDS of each published key that is an entry (rule K-2). Where one of them is not meant, though it is in
the DNSKEY RRset, CDS and CDNSKEY are records of the zone for that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipebackend.backend.keyring import MAX_KEYS
from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata.records import Record
from pipebackend.keys import algorithms, bindfile, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK, ZSK, KeyPair
from pipebackend.rollover import denial, machine
from pipebackend.rollover.adoption import Found
from pipebackend.rollover.machine import CDS_DELETE, CDS_KEYS, CDS_NONE, CDS_RECORDS
from pipebackend.store.rows import rrs

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.rdtypes.ANY.DNSKEY import DNSKEY

    from pipebackend.backend.backend import Backend
    from pipebackend.config.policies import Policy
    from pipebackend.rollover.moves import New
    from pipebackend.rollover.states import Key, Zone
    from pipebackend.store.rows.keyrows import KeyRow

__all__ = ["KeyHand"]

_CDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    CDS_NONE: ((), ()),
    CDS_KEYS: (("2",), ("1",)),  # digest type 2: RFC 8624 section 3.3
    CDS_RECORDS: ((), ()),
    CDS_DELETE: (("0",), ("0",)),  # RFC 8078 section 4
}
_RECORDS_KIND = "X-PIPEBACKEND-CDS"  # metadata: the tags of the keys whose CDS are records of the zone


class KeyHand:
    """Keys are written only if it ``writes``, inside a transaction of the store."""

    def __init__(self, backend: Backend, apex: str, writes: bool = False) -> None:
        self._keyring = backend.keyring
        self._apex = apex
        self._wanted_id = backend.wanted_id(apex)
        self._writes = writes
        self._unmade = 0  # keys that a hand that writes would have made
        self._rows = self._keyring.keys(apex)
        self._pairs = {row.id: _pair(apex, row) for row in self._rows}

    def dnskeys(self) -> dict[int, DNSKEY]:
        """The DNSKEY of each key, by id."""
        return {key_id: pair.dnskey for key_id, pair in self._pairs.items()}

    def found(self) -> list[Found]:
        """The keys as they are."""
        return [self._found(row) for row in self._rows]

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
        self._rows = self._keyring.keys(self._apex)
        return Found(key_id, pair.key_tag, new.algorithm, flags == KSK, False, False)

    def apply(self, zone: Zone) -> None:
        """Makes the rows what the zone's keys say."""
        if not self._writes:
            return
        wanted = {key.id: key for key in zone.keys if not key.is_gone}
        for row in self._rows:
            key = wanted.get(row.id)
            if key is None:
                self._keyring.remove_key(self._apex, row.id)
            else:
                self._apply(key, row)

    def deny(self, zone: Zone, policy: Policy, now: int) -> tuple[list[str], int | None]:
        """Has PowerDNS deny with NSEC or NSEC3 as the policy says; what was done, and when there is more to do."""
        before = denial.read(self._keyring, self._apex)
        after, text = denial.changed(before, zone, policy, now)
        if self._writes:
            denial.write(self._keyring, self._apex, self._wanted_id, before, after)
        return [text] if text else [], after.until

    def publish_cds(self, zone: Zone, policy: Policy) -> None:
        """Has PowerDNS publish CDS and CDNSKEY, or not; nothing if the policy leaves that to the operator."""
        if not policy.cds:
            return
        cds = machine.cds_of(zone, policy)
        for kind, values in zip(("PUBLISH-CDS", "PUBLISH-CDNSKEY"), _CDS[cds], strict=True):
            self._set(kind, values)
        entries = [key.id for key in zone.keys if key.is_entry and key.published and key.ds.is_in and not key.is_gone]
        self._put_records([self._pairs[key_id] for key_id in entries] if cds == CDS_RECORDS else [], zone.dnskey_ttl)

    def _put_records(self, pairs: Sequence[KeyPair], ttl: int) -> None:
        """CDS and CDNSKEY of these keys become records of a stored zone; those that a person wrote are left alone.

        ``ttl`` is that which PowerDNS gives them itself: a larger one would prolong all waits.
        """
        store = self._keyring.store
        domain = store.domain(self._apex)
        tags = [f"{pair.key_tag}" for pair in pairs]
        if domain is None or not domain.has_soa or self._set(_RECORDS_KIND, tags) is False:
            return
        for type_ in ("CDS", "CDNSKEY"):
            store.remove_rrset(domain.id, self._apex, type_)
        records = [Record(self._apex, "CDS", ttl, _unbroken(pair.cds(self._apex)).lower()) for pair in pairs]
        records += [Record(self._apex, "CDNSKEY", ttl, _unbroken(pair.cdnskey)) for pair in pairs]
        store.add_records([rrs.row(domain.id, record, None) for record in records])

    def _set(self, kind: str, values: Sequence[str]) -> bool:
        """Whether metadata was changed."""
        if list(self._keyring.metadata(self._apex, None).get(kind, ())) == list(values):
            return False
        self._keyring.set_metadata(self._apex, self._wanted_id, kind, values)
        return True

    def _apply(self, key: Key, row: KeyRow) -> None:
        if row.active != key.active:
            self._keyring.set_key_active(self._apex, row.id, key.active)
        if row.published != key.published:
            self._keyring.set_key_published(self._apex, row.id, key.published)

    def _unlike(self, flags: int, algorithm: int) -> KeyPair:
        """A key whose tag no other key of the zone has: DS and RRSIG name keys by it."""
        tags = {pair.key_tag for pair in self._pairs.values()}
        while (pair := keypair.generate(algorithms.from_number(algorithm), flags)).key_tag in tags:
            pass
        return pair

    def _found(self, row: KeyRow) -> Found:
        pair = self._pairs[row.id]
        return Found(row.id, pair.key_tag, pair.algorithm.number, pair.flags == KSK, row.active, row.published)


def _unbroken(rdata: Rdata) -> str:
    """The text of CDS or CDNSKEY, without spaces in the digest or key."""
    *numbers, octets = rdata.to_text().split(maxsplit=3)
    return " ".join([*numbers, octets.replace(" ", "")])


def _pair(apex: str, row: KeyRow) -> KeyPair:
    text = bindfile.read(row.content, f"zone {apex or '.'}, key {row.id}")
    return KeyPair(text.algorithm, row.flags, text.private)
