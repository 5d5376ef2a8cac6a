"""A private key as PEM: what openssl, Knot's key folder and ``pdnsutil export-zone-key-pem`` hold."""

from __future__ import annotations

import re
from base64 import b64decode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipebackend.base.errors import KeyFault
from pipebackend.keys import algorithms
from pipebackend.keys.algorithms import Algorithm
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import CURVES, PrivateKey

__all__ = ["is_pem", "read"]

_RSA_DEFAULT = 8  # PEM does not say which hash an RSA key signs with; RFC 8624 section 3.1 recommends this one
# openssl writes EC PARAMETERS before the key, and people keep certificates in the same file
_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?-----END (?:[A-Z]+ )*PRIVATE KEY-----", re.DOTALL)
# The object identifiers of the curves (RFC 5480 section 2.1.1.1) in DER
_CURVES = {bytes.fromhex("06082a8648ce3d030107"): CURVES[13], bytes.fromhex("06052b81040022"): CURVES[14]}
_ENCRYPTED = ("BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED")


def is_pem(text: str) -> bool:
    """Whether ``text`` is PEM of any kind."""
    return re.search(r"^\s*-----BEGIN ", text, re.MULTILINE) is not None


def read(text: str, algorithm: Algorithm | None, source: str = "private key") -> PrivateText:
    """The one private key in ``text``; ``algorithm`` says which of RSA's it is. Raises KeyFault that names ``source``.

    Without it an RSA key is of RSASHA256; all other keys tell by themselves.
    """
    if any(mark in text for mark in _ENCRYPTED):
        raise KeyFault(
            f"{source}: the key is encrypted: openssl pkey -in {source} -out plain.pem asks for its password"
        )
    found = _KEY.findall(text)
    if len(found) != 1:
        held = "no private key" if not found else f"{len(found)} private keys"
        raise KeyFault(f"{source}: is PEM with {held}; give a file with one '-----BEGIN PRIVATE KEY-----'")
    try:
        private = _with_zeros(found[0]) or load_pem_private_key(found[0].encode("ascii"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFault(f"{source}: the PEM text is not a private key that can be read; copy the file again") from None
    if not isinstance(private, PrivateKey):
        raise KeyFault(
            f"{source}: DNSSEC has no algorithm for this kind of key; use RSA, P-256, P-384, Ed25519 or Ed448"
        )
    known = _algorithm(private, source)
    if algorithm is not None and algorithm != known and not (algorithm.is_rsa and known.is_rsa):
        raise KeyFault(
            f"{source}: this is a key of {known.mnemonic}, not of {algorithm.mnemonic}; leave out --algorithm"
        )
    return PrivateText(algorithm or known, private)


def _with_zeros(pem: str) -> PrivateKey | None:
    """The ECDSA key in ``pem`` whose number is not as long as RFC 5915 section 3 has it, None for all others.

    GnuTLS, and so Knot, puts a zero before half of the numbers; others leave leading zeros out.
    """
    octets = b64decode("".join(line for line in pem.splitlines() if "-" not in line and ":" not in line))
    number = re.search(rb"\x02\x01\x01\x04([\x01-\x7f])(.*)", octets, re.DOTALL)  # version 1, OCTET STRING
    if number is None:
        return None
    scalar = number[2][: number[1][0]]
    for curve_octets, curve in _CURVES.items():
        size = (curve.key_size + 7) // 8
        if curve_octets in octets and (len(scalar) < size or (len(scalar) == size + 1 and not scalar[0])):
            return ec.derive_private_key(int.from_bytes(scalar), curve)
    return None


def _algorithm(private: PrivateKey, source: str) -> Algorithm:
    if isinstance(private, rsa.RSAPrivateKey):
        return algorithms.from_number(_RSA_DEFAULT)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return algorithms.from_number(15)
    if isinstance(private, ed448.Ed448PrivateKey):
        return algorithms.from_number(16)
    for number, curve in CURVES.items():
        if private.curve.name == curve.name:
            return algorithms.from_number(number)
    raise KeyFault(f"{source}: DNSSEC has no algorithm for the curve {private.curve.name}; use P-256 or P-384")
