"""TSIG keys (RFC 8945): their names, algorithms and secrets, as PowerDNS's table ``tsigkeys`` holds them."""

from __future__ import annotations

from pipebackend.base.errors import KeyFault, NameFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHM",
    "TsigKey",
    "algorithm_from_text",
    "checked",
    "generate",
    "key_name",
]

# Algorithm → octets of a new secret: no fewer than the hash gives (RFC 8945 section 8), as many as
# `pdnsutil generate-tsig-key` makes. A gss-tsig key has no shared secret, only a name (RFC 3645).
ALGORITHMS = {
    "hmac-md5": 32,
    "hmac-sha1": 32,
    "hmac-sha224": 32,
    "hmac-sha256": 64,
    "hmac-sha384": 64,
    "hmac-sha512": 64,
    "gss-tsig": 0,
}
DEFAULT_ALGORITHM = "hmac-sha256"  # RFC 8945 section 6: must be implemented, recommended for use
MAX_SECRET_CHARS = 255  # the column tsigkeys.secret of PowerDNS's schema
_WIRE_NAMES = {"hmac-md5.sig-alg.reg.int": "hmac-md5"}  # RFC 8945 section 6; PowerDNS stores the short form


class TsigKey(Value):
    """One TSIG key: canonical name, algorithm of ``ALGORITHMS``, secret in base64 (empty for gss-tsig)."""

    name: str
    algorithm: str
    secret: str

    def __repr__(self) -> str:  # secrets must not reach a log through a traceback
        return f"TsigKey(name={self.name!r}, algorithm={self.algorithm!r})"


def checked(name: str, algorithm: str, secret: str) -> TsigKey:
    """The key with these parts, normalised; raises KeyFault.

    Name and algorithm may have a trailing dot and any case, as PowerDNS sends them (rule R-19).
    """
    key = key_name(name)
    known = algorithm_from_text(algorithm)
    if known == "gss-tsig":
        return TsigKey(key, known, "")
    return TsigKey(key, known, _checked_secret(key, secret))


def generate(name: str, algorithm: str = DEFAULT_ALGORITHM) -> TsigKey:
    """A new key with a random secret; raises KeyFault for a bad name or algorithm."""
    from binascii import b2a_base64
    from secrets import token_bytes

    key = key_name(name)
    known = algorithm_from_text(algorithm)
    if known == "gss-tsig":
        raise KeyFault(f"TSIG key {key}: a gss-tsig key has no secret to generate; use hmac-sha256")
    return TsigKey(key, known, b2a_base64(token_bytes(ALGORITHMS[known]), newline=False).decode())


def key_name(text: str) -> str:
    """The canonical name of the key that ``text`` names; raises KeyFault."""
    try:
        name = names.from_text(text)
    except NameFault as exc:
        raise KeyFault(f"TSIG key {text[:80]!r}: {exc}") from None
    if not name:
        raise KeyFault("a TSIG key needs a name; give it one, such as 'transfer'")
    return name


def algorithm_from_text(text: str) -> str:
    """The algorithm that ``text`` names in any case, with or without trailing dot; raises KeyFault."""
    algorithm = text.lower().removesuffix(".")
    algorithm = _WIRE_NAMES.get(algorithm, algorithm)
    if algorithm not in ALGORITHMS:
        whole, _, bits = algorithm.rpartition("-")
        if whole in ALGORITHMS and bits.isdecimal():  # BIND's way to shorten the MAC (RFC 8945 section 5.2.2.1)
            raise KeyFault(
                f"TSIG algorithm {text[:80]!r} shortens signatures; PowerDNS cannot: use {whole} on both servers"
            )
        raise KeyFault(f"TSIG algorithm {text[:80]!r} is unknown; use one of {', '.join(ALGORITHMS)}")
    return algorithm


def _checked_secret(key: str, text: str) -> str:
    from binascii import a2b_base64, b2a_base64

    if len(text) > MAX_SECRET_CHARS:
        raise KeyFault(f"TSIG key {key}: the secret has {len(text)} characters; {MAX_SECRET_CHARS} are the most")
    compact = "".join(text.split())  # tools break long secrets with blanks
    try:
        if len(compact) % 4:  # Python 3.11 lets surplus padding pass
            raise ValueError
        octets = a2b_base64(compact, strict_mode=True)
    except ValueError:  # binascii.Error is one
        raise KeyFault(f"TSIG key {key}: the secret is not base64; paste it again") from None
    if not octets:
        raise KeyFault(f"TSIG key {key}: the secret is empty; generate one")
    return b2a_base64(octets, newline=False).decode()
