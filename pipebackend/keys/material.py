"""The private part of a key as the named numbers of BIND's key files, both ways.

RSA keys are written in eight numbers, all other kinds in one, ``PrivateKey`` (RFC 6605 section 6, RFC 8080
section 5 show them).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipebackend.base.errors import KeyFault
from pipebackend.keys.algorithms import Algorithm
from pipebackend.keys.keypair import CURVES, PrivateKey

__all__ = ["RSA_FIELDS", "field_names", "from_fields", "missing_octets", "to_fields"]

RSA_FIELDS = (
    "Modulus",
    "PublicExponent",
    "PrivateExponent",
    "Prime1",
    "Prime2",
    "Exponent1",
    "Exponent2",
    "Coefficient",
)
_SCALAR_FIELDS = ("PrivateKey",)
_MAX_ZEROS = 4  # one key in 2**32 begins with so many
_SCALAR_OCTETS = {13: 32, 14: 48, 15: 32, 16: 57}


def field_names(algorithm: Algorithm) -> tuple[str, ...]:
    """The fields that a key of this algorithm is written in, in the order of the files."""
    return RSA_FIELDS if algorithm.is_rsa else _SCALAR_FIELDS


def from_fields(algorithm: Algorithm, fields: Mapping[str, bytes]) -> PrivateKey:
    """The private key with these big-endian numbers, one for each of ``field_names``.

    Raises KeyFault that starts with the name of the field that is wrong.
    """
    if algorithm.is_rsa:
        return _rsa_key({name: int.from_bytes(fields[name]) for name in RSA_FIELDS})
    octets = fields["PrivateKey"]
    if algorithm.number in CURVES:
        return _curve_key(algorithm, octets)
    _check_length(algorithm, octets)
    if algorithm.number == 15:
        return ed25519.Ed25519PrivateKey.from_private_bytes(octets)
    return ed448.Ed448PrivateKey.from_private_bytes(octets)


def to_fields(private: PrivateKey) -> dict[str, bytes]:
    """The key's numbers, big-endian, by field name in the order of the files."""
    if isinstance(private, rsa.RSAPrivateKey):
        return _rsa_fields(private.private_numbers())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return {"PrivateKey": private.private_numbers().private_value.to_bytes((private.key_size + 7) // 8)}
    return {"PrivateKey": private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())}


def _rsa_fields(numbers: rsa.RSAPrivateNumbers) -> dict[str, bytes]:
    public = numbers.public_numbers
    parts = (public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return {name: part.to_bytes((part.bit_length() + 7) // 8) for name, part in zip(RSA_FIELDS, parts, strict=True)}


def _rsa_key(number: Mapping[str, int]) -> rsa.RSAPrivateKey:
    n, e, d, p, q, dp, dq, inverse = (number[name] for name in RSA_FIELDS)
    _check_rsa(n, e, d, p, q)
    expected = {"Exponent1": d % (p - 1), "Exponent2": d % (q - 1)}
    for name, value in expected.items():
        if number[name] != value:
            raise KeyFault(f"{name} does not fit PrivateExponent and its prime; copy the file again")
    if inverse * q % p != 1:
        raise KeyFault("Coefficient does not fit Prime1 and Prime2; copy the file again")
    try:
        return rsa.RSAPrivateNumbers(p, q, d, dp, dq, inverse, rsa.RSAPublicNumbers(e, n)).private_key()
    except ValueError as exc:
        raise KeyFault(f"Modulus and the other numbers make no RSA key: {exc}") from None


def _check_rsa(n: int, e: int, d: int, p: int, q: int) -> None:
    if p < 3 or q < 3 or p * q != n:
        raise KeyFault("Modulus is not the product of Prime1 and Prime2; copy the file again")
    # RFC 8017 section 3.2: d is the inverse of e modulo lambda(n); some tools take a multiple of lambda, phi(n)
    if e < 3 or e * d % lcm(p - 1, q - 1) != 1:
        raise KeyFault("PrivateExponent does not fit PublicExponent and the primes; copy the file again")


def _curve_key(algorithm: Algorithm, octets: bytes) -> ec.EllipticCurvePrivateKey:
    missing = missing_octets(algorithm, octets)
    if missing > _MAX_ZEROS or (missing < 0 and octets[: -_SCALAR_OCTETS[algorithm.number]].strip(b"\0")):
        _check_length(algorithm, octets)
    try:
        return ec.derive_private_key(int.from_bytes(octets), CURVES[algorithm.number])
    except ValueError:
        raise KeyFault(f"PrivateKey is out of the range of {algorithm.mnemonic}; copy the file again") from None


def missing_octets(algorithm: Algorithm, octets: bytes) -> int:
    """How many leading octets of a scalar are not written: ldns, PowerDNS and old BIND leave out those that are 0."""
    return _SCALAR_OCTETS[algorithm.number] - len(octets)


def _check_length(algorithm: Algorithm, octets: bytes) -> None:
    size = _SCALAR_OCTETS[algorithm.number]
    if len(octets) != size:
        raise KeyFault(
            f"PrivateKey has {len(octets)} octets where {algorithm.mnemonic} has {size}; copy the file again"
        )
