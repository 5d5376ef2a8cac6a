"""The DNSSEC algorithms that PowerDNS signs with, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from pipebackend.base.errors import KeyFault

__all__ = ["ALGORITHMS", "DEFAULT", "Algorithm", "from_number", "from_text"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm: number, PowerDNS's mnemonic, the name in key files, key sizes in bits.

    ``may_generate`` is false for those that are only imported: signing with SHA-1
    is not recommended any more (RFC 8624 section 3.1).
    """

    number: int
    mnemonic: str
    file_name: str
    default_bits: int
    min_bits: int
    max_bits: int
    may_generate: bool = True

    @property
    def is_rsa(self) -> bool:
        """Whether the key size is free, and the key is written in parts."""
        return self.file_name.startswith("RSA")


def _rsa(number: int, mnemonic: str, may_generate: bool = True) -> Algorithm:
    # RFC 5702 section 2.2 begins RSASHA512 at 1024 bits, RFC 3110 section 2 ends RSA at 4096; 2048 is BIND's default
    return Algorithm(number, mnemonic, mnemonic.upper(), 2048, 1024, 4096, may_generate)


def _fixed(number: int, mnemonic: str, bits: int) -> Algorithm:
    return Algorithm(number, mnemonic, mnemonic.upper(), bits, bits, bits)


ALGORITHMS = {
    algorithm.number: algorithm
    for algorithm in (
        _rsa(5, "rsasha1", may_generate=False),
        _rsa(7, "rsasha1-nsec3-sha1", may_generate=False),
        _rsa(8, "rsasha256"),
        _rsa(10, "rsasha512"),
        _fixed(13, "ecdsap256sha256", 256),
        _fixed(14, "ecdsap384sha384", 384),
        _fixed(15, "ed25519", 256),
        _fixed(16, "ed448", 456),
    )
}
DEFAULT = ALGORITHMS[13]  # RFC 8624 section 3.1 recommends it for new keys, PowerDNS has it as its default
_BY_MNEMONIC = {algorithm.mnemonic: algorithm for algorithm in ALGORITHMS.values()}


def from_number(number: int) -> Algorithm:
    """The algorithm with this number; raises KeyFault."""
    if number not in ALGORITHMS:
        raise KeyFault(f"DNSSEC algorithm {number} is not supported; use one of {_choices()}")
    return ALGORITHMS[number]


def from_text(text: str) -> Algorithm:
    """The algorithm with this mnemonic, in any case, or this number; raises KeyFault."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit() and len(word) <= 3:
        return from_number(int(word))
    if word not in _BY_MNEMONIC:
        raise KeyFault(f"DNSSEC algorithm {text[:40]!r} is unknown; use one of {_choices()}")
    return _BY_MNEMONIC[word]


def _choices() -> str:
    return ", ".join(f"{algorithm.mnemonic} ({algorithm.number})" for algorithm in ALGORITHMS.values())
