"""NSEC3 parameters of a zone: the NSEC3PARAM metadata of PowerDNS, which is RFC 5155 section 4.3's text."""

from __future__ import annotations

from pipebackend.base.errors import MetadataFault
from pipebackend.base.values import Value

__all__ = ["MAX_ITERATIONS", "Nsec3Param", "from_text", "to_text"]

SHA1 = 1  # the only hash algorithm there is (RFC 5155 section 11)
OPT_OUT = 1  # RFC 5155 section 3.1.2.1
MAX_ITERATIONS = 100  # PowerDNS's max-nsec3-iterations: it would hash with 100 while we hash with more
MAX_SALT_OCTETS = 255  # RFC 5155 section 3.1.5


class Nsec3Param(Value):
    """NSEC3 parameters; ``flags`` is 0 or 1 (opt-out), ``iterations`` counts after the first hash."""

    flags: int = 0
    iterations: int = 0
    salt: bytes = b""
    algorithm: int = SHA1

    @property
    def opt_out(self) -> bool:
        """Whether unsigned delegations may be left out of the chain (RFC 5155 section 6)."""
        return bool(self.flags & OPT_OUT)


def from_text(text: str) -> Nsec3Param:
    """The parameters written as algorithm, flags, iterations, salt: ``1 0 0 -``; raises MetadataFault."""
    fields = text.split()
    if len(fields) != 4:
        raise MetadataFault(f"NSEC3PARAM {_shown(text)} has {len(fields)} fields; write 4, such as '1 0 0 -'")
    algorithm, flags, iterations = map(_number, ("algorithm", "flags", "iterations"), fields)
    if algorithm != SHA1:
        raise MetadataFault(f"NSEC3PARAM algorithm {algorithm} is unknown; the only one is 1 (SHA-1)")
    if flags > OPT_OUT:
        raise MetadataFault(f"NSEC3PARAM flags {flags} are unknown; write 0, or 1 for opt-out")
    if iterations > MAX_ITERATIONS:
        raise MetadataFault(
            f"NSEC3PARAM asks for {iterations} iterations; PowerDNS stops at {MAX_ITERATIONS}"
            " (max-nsec3-iterations) and RFC 9276 asks for 0"
        )
    return Nsec3Param(flags, iterations, _salt(fields[3]))


def to_text(param: Nsec3Param) -> str:
    """The parameters as PowerDNS writes them: salt in lower-case hex, ``-`` if there is none."""
    return f"{param.algorithm} {param.flags} {param.iterations} {param.salt.hex() or '-'}"


def _number(what: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise MetadataFault(f"NSEC3PARAM {what} {_shown(text)} is not a number from 0 to 65535")
    return int(text)


def _salt(text: str) -> bytes:
    if text == "-":
        return b""
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        raise MetadataFault(f"NSEC3PARAM salt {_shown(text)} is not hex; write '-' for no salt") from None
    if len(salt) > MAX_SALT_OCTETS:
        raise MetadataFault(f"NSEC3PARAM salt has {len(salt)} octets; at most {MAX_SALT_OCTETS} are allowed")
    return salt


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 40 else text[:37] + "...")
