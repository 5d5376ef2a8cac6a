"""A DNSSEC key pair, and the records that are made of it: DNSKEY, DS, CDS and CDNSKEY."""

from __future__ import annotations

from dataclasses import dataclass, field

import dns.dnssec
import dns.name
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from dns.exception import AlgorithmKeyMismatch
from dns.rdtypes.ANY.CDNSKEY import CDNSKEY
from dns.rdtypes.ANY.CDS import CDS
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS

from pipebackend.base.errors import KeyFault
from pipebackend.keys.algorithms import DEFAULT, Algorithm

__all__ = ["CURVES", "DIGESTS", "KSK", "ZSK", "KeyPair", "PrivateKey", "generate"]

ZSK = 256  # ZONE (RFC 4034 section 2.1.1)
KSK = 257  # ZONE and SEP; a combined signing key has the same flags
DIGESTS = ("sha256", "sha384")  # types 2 and 4; a DS with SHA-1 must not be made (RFC 8624 section 3.3)
PUBLIC_EXPONENT = 65_537
CURVES: dict[int, ec.EllipticCurve] = {13: ec.SECP256R1(), 14: ec.SECP384R1()}  # RFC 6605 section 1

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair with its algorithm and flags (256 or 257); raises KeyFault if they do not fit each other.

    Two pairs are equal if their DNSKEY records are; the private key never shows in a repr.
    """

    algorithm: Algorithm
    flags: int
    private: PrivateKey = field(repr=False, compare=False)
    dnskey: DNSKEY = field(init=False)

    def __post_init__(self) -> None:
        if self.flags not in (ZSK, KSK):
            raise KeyFault(f"flags {self.flags} are not a zone key's; use {ZSK} (ZSK) or {KSK} (KSK and CSK)")
        object.__setattr__(self, "dnskey", _dnskey(self.algorithm, self.flags, self.private))

    @property
    def bits(self) -> int:
        """The key's size as operators know it: the modulus for RSA, else the algorithm's own."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.key_size
        return self.algorithm.default_bits

    @property
    def key_tag(self) -> int:
        """The number by which DS and RRSIG records call the key (RFC 4034 appendix B)."""
        return dns.dnssec.key_id(self.dnskey)

    @property
    def cdnskey(self) -> CDNSKEY:
        """The content of the CDNSKEY record (RFC 7344 section 3.2)."""
        return dns.dnssec.make_cdnskey(self.private.public_key(), self.algorithm.number, self.flags)

    def ds(self, owner: str, digest: str = "sha256") -> DS:
        """The content of the DS record of zone ``owner``; raises KeyFault if ``digest`` is none of DIGESTS."""
        return dns.dnssec.make_ds(_absolute(owner), self.dnskey, _checked_digest(digest))

    def cds(self, owner: str, digest: str = "sha256") -> CDS:
        """The content of the CDS record (RFC 7344 section 3.1), with the arguments of ``ds``."""
        return dns.dnssec.make_cds(_absolute(owner), self.dnskey, _checked_digest(digest))


def generate(algorithm: Algorithm = DEFAULT, flags: int = KSK, bits: int | None = None) -> KeyPair:
    """A new key pair; ``bits`` is the RSA modulus, by default the algorithm's. Raises KeyFault."""
    if not algorithm.may_generate:
        raise KeyFault(f"{algorithm.mnemonic} is too weak for new keys (RFC 8624); use {DEFAULT.mnemonic}")
    size = algorithm.default_bits if bits is None else bits
    if not algorithm.min_bits <= size <= algorithm.max_bits:
        allowed = f"{algorithm.min_bits} to {algorithm.max_bits}" if algorithm.is_rsa else str(algorithm.min_bits)
        raise KeyFault(f"{algorithm.mnemonic} keys of {size} bits are not made; {allowed} is allowed")
    return KeyPair(algorithm, flags, _new_private_key(algorithm, size))


def _new_private_key(algorithm: Algorithm, bits: int) -> PrivateKey:
    if algorithm.is_rsa:
        return rsa.generate_private_key(PUBLIC_EXPONENT, bits)
    if algorithm.number in CURVES:
        return ec.generate_private_key(CURVES[algorithm.number])
    if algorithm.number == 15:
        return ed25519.Ed25519PrivateKey.generate()
    return ed448.Ed448PrivateKey.generate()


def _dnskey(algorithm: Algorithm, flags: int, private: PrivateKey) -> DNSKEY:
    curve = CURVES.get(algorithm.number)
    try:
        if curve and isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name != curve.name:
            raise AlgorithmKeyMismatch  # dnspython compares the kind of key alone
        return dns.dnssec.make_dnskey(private.public_key(), algorithm.number, flags)
    except AlgorithmKeyMismatch:
        raise KeyFault(f"the private key is no {algorithm.mnemonic} key") from None
    except ValueError as exc:
        raise KeyFault(f"the private key cannot be a DNSKEY of {algorithm.mnemonic}: {exc}") from None


def _absolute(owner: str) -> dns.name.Name:
    return dns.name.from_text(owner, dns.name.root)


def _checked_digest(digest: str) -> str:
    if digest.lower() not in DIGESTS:
        raise KeyFault(f"DS digest {digest[:40]!r} is unknown; use {' or '.join(DIGESTS)}")
    return digest.upper()
