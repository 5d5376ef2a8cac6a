"""The ``.key`` file beside a private key: the zone's name and the DNSKEY record, as a line of a zone file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.zonefile
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata import names
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK, ZSK, KeyPair

__all__ = ["PublicText", "paired", "read", "write"]

REVOKE = 0x80  # RFC 5011 section 7
_MAX_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class PublicText:
    """What a ``.key`` file holds: the canonical name of the zone, and its DNSKEY."""

    zone: str
    dnskey: DNSKEY


def read(text: str, source: str = "public key") -> PublicText:
    """The one DNSKEY that ``text`` holds; raises KeyFault that names ``source``."""
    if len(text) > _MAX_CHARS:
        raise KeyFault(f"{source}: {len(text)} characters are too many for a public key; is it another file?")
    try:
        rrsets = dns.zonefile.read_rrsets(text, rdclass=None, default_rdclass=dns.rdataclass.IN, default_ttl=0)
    except (dns.exception.DNSException, ValueError) as exc:
        raise KeyFault(f"{source}: no DNSKEY record: {exc}; give the .key file of a key") from None
    found = [(rrset.name, rdata) for rrset in rrsets for rdata in rrset]
    if len(found) != 1 or found[0][1].rdtype != dns.rdatatype.DNSKEY:
        raise KeyFault(f"{source}: {len(found)} records; the file must hold one DNSKEY record and no other")
    owner, rdata = found[0]
    return PublicText(names.from_text(owner.to_text()), cast(DNSKEY, rdata))


def write(zone: str, key: KeyPair) -> str:
    """The text of the ``.key`` file of ``zone``'s key, as dnssec-keygen and ldns-keygen read it."""
    kind = "key" if key.flags == KSK else "zone"
    owner = dns.name.from_text(zone, dns.name.root)
    return (
        f"; This is a {kind}-signing key, keyid {key.key_tag}, for {owner}\n"
        f"{owner} IN DNSKEY {key.dnskey.to_text(chunksize=0)}\n"
    )


def paired(private: PrivateText, public: PublicText, source: str = "public key") -> KeyPair:
    """The pair of both, with the flags of the public one; raises KeyFault if they do not fit each other."""
    flags = int(public.dnskey.flags)
    if flags & REVOKE:
        raise KeyFault(f"{source}: the key is revoked (RFC 5011); make a new one")
    if flags not in (ZSK, KSK):
        raise KeyFault(f"{source}: flags {flags} are not a zone key's; {ZSK} and {KSK} are")
    pair = KeyPair(private.algorithm, flags, private.private)
    if pair.dnskey != public.dnskey:
        raise KeyFault(f"{source}: the private key does not fit its DNSKEY; the two files are of different keys")
    return pair
