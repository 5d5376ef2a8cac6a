"""BIND's private-key text, versions 1.2 and 1.3: what dnssec-keygen, ldns-keygen and PowerDNS write.

    Private-key-format: v1.3
    Algorithm: 13 (ECDSAP256SHA256)
    PrivateKey: R0Isxmx0JQRopKteDhmjOIvtYQ/MHceFH+x6uBl3IJo=
    Created: 20261122000154

Version 1.3 adds the times at which a key is published, used and withdrawn. PowerDNS keeps version 1.2 in
``cryptokeys.content``.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipebackend.base.errors import KeyFault
from pipebackend.keys import algorithms, material
from pipebackend.keys.algorithms import Algorithm
from pipebackend.keys.keypair import PrivateKey

__all__ = ["HMAC_ALGORITHMS", "TIME_FIELDS", "PrivateText", "read", "write"]

# The order in which BIND writes them
TIME_FIELDS = (
    "Created",
    "Publish",
    "Activate",
    "Revoke",
    "Inactive",
    "Delete",
    "DSPublish",
    "SyncPublish",
    "SyncDelete",
)
_NUMBER_FIELDS = ("Predecessor", "Successor", "MaxTTL", "RollPeriod")  # of BIND's own roll-over; not kept
_TOKEN_FIELDS = ("Engine", "Label", "PubLabel", "Slot", "PIN")  # the key is in a hardware token
_TIME_FORMAT = "%Y%m%d%H%M%S"
# The numbers that key files have for TSIG's hashes: BIND's, and 158 and 159, which are those of ldns
HMAC_ALGORITHMS = {
    157: "hmac-md5",
    158: "hmac-sha1",
    159: "hmac-sha256",
    161: "hmac-sha1",
    162: "hmac-sha224",
    163: "hmac-sha256",
    164: "hmac-sha384",
    165: "hmac-sha512",
}
_MAX_CHARS = 65_536  # the largest key, RSA of 4096 bits, takes 3,300


@dataclass(frozen=True, slots=True)
class PrivateText:
    """What a private-key text holds: algorithm, private key, and times in UTC by field name of TIME_FIELDS.

    ``missing`` counts the octets that PrivateKey is shorter than its algorithm has them: zeros, or a text cut short.
    """

    algorithm: Algorithm
    private: PrivateKey
    times: tuple[tuple[str, datetime], ...] = ()
    missing: int = field(default=0, compare=False)

    def __repr__(self) -> str:
        return f"PrivateText(algorithm={self.algorithm!r}, times={self.times!r})"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    value: str


def read(text: str, source: str = "private key") -> PrivateText:
    """The key that ``text`` holds; raises KeyFault that names ``source``, line and field."""
    if len(text) > _MAX_CHARS:
        raise KeyFault(f"{source}: {len(text)} characters are too many for a private key; is it another file?")
    lines = _lines(text, source)
    algorithm = _algorithm(lines, source)
    numbers = {}
    for name in material.field_names(algorithm):
        if name not in lines:
            raise KeyFault(f"{source}: {name} is missing; the file is cut short or is no {algorithm.mnemonic} key")
        numbers[name] = _octets(name, lines[name], source)
    try:
        private = material.from_fields(algorithm, numbers)
    except KeyFault as exc:
        name = str(exc).partition(" ")[0]
        raise KeyFault(f"{source}, line {lines[name].number}: {exc}") from None
    missing = 0 if algorithm.is_rsa else material.missing_octets(algorithm, numbers["PrivateKey"])
    return PrivateText(algorithm, private, _times(lines, source), missing)


def write(key: PrivateText) -> str:
    """The key's text: version 1.2, octet for octet what PowerDNS stores, or version 1.3 if there are times."""
    version = "v1.3" if key.times else "v1.2"
    out = [f"Private-key-format: {version}", f"Algorithm: {key.algorithm.number} ({key.algorithm.file_name})"]
    out += (f"{name}: {b64encode(octets).decode()}" for name, octets in material.to_fields(key.private).items())
    out += (f"{name}: {moment:{_TIME_FORMAT}}" for name, moment in key.times)
    return "\n".join(out) + "\n"


def _lines(text: str, source: str) -> dict[str, _Line]:
    """The text's lines by field name; the first one must be the version's."""
    found: dict[str, _Line] = {}
    for number, name, value in _split(text, source):
        if not found:
            _check_version(name, value, f"{source}, line {number}")
        if name in found:
            raise KeyFault(f"{source}, line {number}: {name} is given twice; a file holds one key")
        if name in _TOKEN_FIELDS:
            raise KeyFault(f"{source}, line {number}: {name}: keys in hardware tokens are not supported")
        found[name] = _Line(number, value)
    if not found:
        raise KeyFault(f"{source}: the file is empty; give the .private file of a key")
    return found


def _split(text: str, source: str) -> Iterator[tuple[int, str, str]]:
    """Line number, field and value of each line that is not blank."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(";"):  # a comment, as BIND and Net::DNS read it
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise KeyFault(f"{source}, line {number}: no 'Field: value'; cut short? give the .private file of a key")
        yield number, _NAMES.get(name.strip().lower(), name.strip()[:40]), value.strip()


def _check_version(name: str, value: str, where: str) -> None:
    if name != "Private-key-format":
        raise KeyFault(f"{where}: a private key starts with 'Private-key-format: v1.2' or v1.3; is it a .key file?")
    # BIND's rule: minor versions add fields, major ones change them
    if not re.fullmatch(r"v1\.\d{1,3}", value, re.ASCII):
        raise KeyFault(f"{where}: Private-key-format {value[:20]!r} is unknown; v1.2 and v1.3 can be read")


def _algorithm(lines: dict[str, _Line], source: str) -> Algorithm:
    line = lines.get("Algorithm")
    if line is None:
        raise KeyFault(f"{source}: Algorithm is missing; the file is cut short")
    number = re.match(r"(\d{1,3})(?: |$)", line.value, re.ASCII)
    if number is None:
        raise KeyFault(f"{source}, line {line.number}: Algorithm {line.value[:40]!r} does not start with a number")
    try:
        if int(number[1]) in HMAC_ALGORITHMS:
            raise KeyFault(f"{line.value[:40]} is of a TSIG key, not of DNSSEC: zoneutil tsig import FILE")
        return algorithms.from_number(int(number[1]))
    except KeyFault as exc:
        raise KeyFault(f"{source}, line {line.number}: Algorithm: {exc}") from None


def _octets(name: str, line: _Line, source: str) -> bytes:
    try:
        octets = b64decode(line.value, validate=True)
    except ValueError:  # binascii.Error is one
        raise KeyFault(f"{source}, line {line.number}: {name} is not base64; copy the file again") from None
    if not octets or len(line.value) % 4:
        raise KeyFault(f"{source}, line {line.number}: {name} is cut short; copy the file again")
    return octets


def _times(lines: dict[str, _Line], source: str) -> tuple[tuple[str, datetime], ...]:
    times = []
    for name in TIME_FIELDS:
        if name in lines:
            times.append((name, _moment(name, lines[name], source)))
    return tuple(times)


def _moment(name: str, line: _Line, source: str) -> datetime:
    try:
        if not re.fullmatch(r"\d{14}", line.value, re.ASCII):
            raise ValueError
        return datetime.strptime(line.value, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise KeyFault(
            f"{source}, line {line.number}: {name} {line.value[:20]!r} is no time such as 20261122000154"
        ) from None


_NAMES = {
    name.lower(): name
    for name in (
        "Private-key-format",
        "Algorithm",
        *material.RSA_FIELDS,
        "PrivateKey",
        *TIME_FIELDS,
        *_NUMBER_FIELDS,
        *_TOKEN_FIELDS,
    )
}
