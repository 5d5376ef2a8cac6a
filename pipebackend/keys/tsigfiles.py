"""TSIG keys in files of other programs: BIND's blocks and key files, Knot's and NSD's sections, and lines.

key "transfer" { algorithm hmac-sha256; secret "…"; };      named.conf, dhcpd.conf, tsig-keygen
key:                                                        knot.conf and keymgr -t; NSD writes name: for id:
  - id: transfer
    algorithm: hmac-sha256
    secret: …
Ktransfer.+163+12345.private and .key                       dnssec-keygen up to 9.12, ldns-keygen
hmac-sha256:transfer:…                                      dig -y, kdig -y
transfer. hmac-sha256. …                                    pdnsutil list-tsig-keys
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata import tsig
from pipebackend.dnsdata.tsig import TsigKey
from pipebackend.keys import filename, keytext
from pipebackend.keys.bindfile import HMAC_ALGORITHMS

__all__ = ["load", "read"]

_HINT = (
    "give a file with a key block of named.conf, a key: section of knot.conf or nsd.conf, "
    "a K….private or K….key file of an HMAC key, or a line ALGORITHM:KEY:SECRET"
)
_TOKEN = re.compile(r'"(?P<quoted>[^"\n]*)"|/\*.*?\*/|(?://|#)[^\n]*|(?P<word>[^\s{};"]+)|(?P<mark>[{};])', re.DOTALL)
_SECTION_LINE = re.compile(r"""^(\s*)(-\s+)?([a-z-]+)\s*:\s*(?:"([^"]*)"|'([^']*)'|([^\s#]*))""", re.IGNORECASE)
_KEY_RECORD = re.compile(r"^(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?:\d+\s+)?KEY\s+\d+\s+3\s+(\d+)\s+([^;]+)", re.IGNORECASE)
_COLONS = re.compile(r"(hmac-[\w.-]+):([^:\s]+):(\S+)", re.IGNORECASE)
_WORDS = re.compile(r"(?:.*\s)?(\S+)\s+(hmac-[\w.-]+)\s+(\S+)", re.IGNORECASE)  # `Create new TSIG key …` before them


def load(path: str) -> list[TsigKey]:
    """The TSIG keys that the file ``path`` holds, at least one; raises KeyFault that names the file."""
    text = keytext.read(path, _HINT)
    if _is_key_file(text) and _named(path) is None:
        public = path.removesuffix(".private") + ".key"
        if public != path and os.path.exists(public):
            return read(keytext.read(public, _HINT), public)
    return read(text, path)


def read(text: str, source: str = "TSIG key") -> list[TsigKey]:
    """The keys in ``text``; ``source`` is the path, which names the key of a ``.private`` file."""
    found = list(_found(text, source))
    if not found:
        raise KeyFault(f"{source}: holds no TSIG key; {_HINT}")
    keys: dict[str, TsigKey] = {}
    for name, algorithm, secret in found:
        key = _checked(name, algorithm, secret, source)
        if keys.setdefault(key.name, key) != key:
            raise KeyFault(f"{source}: TSIG key {key.name} is there twice with different secrets; leave one")
    return list(keys.values())


def _checked(name: str, algorithm: str, secret: str, source: str) -> TsigKey:
    for value, field in ((algorithm, "algorithm"), (secret, "secret")):
        if not value:
            raise KeyFault(f"{source}: TSIG key {name[:80]} has no {field}; add it, or leave the key out")
    try:
        return tsig.checked(name, algorithm, secret)
    except KeyFault as exc:
        raise KeyFault(f"{source}: {exc}") from None


def _found(text: str, source: str) -> Iterator[tuple[str, str, str]]:
    """Name, algorithm and secret of each key, as written."""
    if _is_key_file(text):
        yield _of_private_file(text, source)
    elif re.search(r"\bkey\s*[\s\"][^\s{]+\s*\{", text, re.IGNORECASE):
        yield from _of_blocks(text)
    elif re.search(r"^key\s*:", text, re.MULTILINE):
        yield from _of_sections(text)
    else:
        yield from _of_lines(text)


def _is_key_file(text: str) -> bool:
    return text.lstrip().startswith("Private-key-format")


def _of_private_file(text: str, source: str) -> tuple[str, str, str]:
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())
    }
    number = fields.get("algorithm", "").partition(" ")[0]
    algorithm = HMAC_ALGORITHMS.get(int(number)) if number.isdecimal() else None
    if algorithm is None:
        raise KeyFault(f"{source}: holds a DNSSEC key, not a TSIG key: zoneutil key import ZONE {source}")
    name = _named(source)
    if name is None:
        raise KeyFault(f"{source}: does not tell the key's name; put the .key file beside it")
    return name, algorithm, fields.get("key", "")


def _named(path: str) -> str | None:
    return filename.owner(os.path.basename(path))


def _of_blocks(text: str) -> Iterator[tuple[str, str, str]]:
    tokens = [
        match["quoted"] if match["quoted"] is not None else match["word"] or match["mark"]
        for match in _TOKEN.finditer(text)
        if match.lastgroup
    ]
    for at, word in enumerate(tokens[:-2]):
        if word.lower() == "key" and tokens[at + 2] == "{" and tokens[at + 1] not in ("{", "}", ";"):
            inside = tokens[at + 3 :]
            inside = inside[: inside.index("}")] if "}" in inside else inside
            fields = {
                inside[i].lower(): inside[i + 1] for i in range(len(inside) - 1) if i == 0 or inside[i - 1] == ";"
            }
            yield tokens[at + 1], fields.get("algorithm", ""), fields.get("secret", "")


def _of_sections(text: str) -> Iterator[tuple[str, str, str]]:
    keys: list[dict[str, str]] = []
    is_key = False
    for line in text.splitlines():
        match = _SECTION_LINE.match(line)
        if match is None:
            continue
        indent, dash, field, *values = match.groups()
        if not indent and not dash:
            is_key = field.lower() == "key"
        if is_key and (dash or not indent):
            keys.append({})
        if is_key and (indent or dash):
            keys[-1][field.lower()] = next((value for value in values if value is not None), "")
    for key in keys:
        name = key.get("id") or key.get("name")
        if name:
            yield name, key.get("algorithm", tsig.DEFAULT_ALGORITHM if "id" in key else ""), key.get("secret", "")


def _of_lines(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        record = _KEY_RECORD.match(line)
        colons = _COLONS.fullmatch(line.strip())
        words = _WORDS.fullmatch(line.strip())
        if record and int(record[2]) in HMAC_ALGORITHMS:
            yield record[1], HMAC_ALGORITHMS[int(record[2])], record[3]
        elif colons:
            yield colons[2], colons[1], colons[3]
        elif words:
            yield words[1], words[2], words[3]
