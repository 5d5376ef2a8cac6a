"""The names of key files as dnssec-keygen makes them: ``Kexample.com.+013+01676`` and ``.private`` or ``.key``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pipebackend.base.errors import KeyFault, NameFault
from pipebackend.dnsdata import names
from pipebackend.keys import algorithms
from pipebackend.keys.algorithms import Algorithm

__all__ = ["KeyFileName", "from_text", "owner", "to_text"]

_FORM = re.compile(r"K(?P<zone>(?:[a-z0-9_.-]|%[0-9A-F]{2})*\.)\+(?P<algorithm>\d{3})\+(?P<tag>\d{5})", re.I | re.A)


@dataclass(frozen=True, slots=True)
class KeyFileName:
    """Whose key a file holds: the canonical name of the zone, the algorithm, the key tag."""

    zone: str
    algorithm: Algorithm
    key_tag: int


def from_text(text: str) -> KeyFileName:
    """What a file name without its folder says, with or without ``.private`` or ``.key``; raises KeyFault."""
    form = _FORM.fullmatch(text.removesuffix(".private").removesuffix(".key"))
    if form is None or int(form["tag"]) > 0xFFFF:
        raise KeyFault(f"file name {text[:80]!r} is not of the form Kexample.com.+013+01676.private")
    try:
        return KeyFileName(_name_in(form), algorithms.from_number(int(form["algorithm"])), int(form["tag"]))
    except (NameFault, KeyFault) as exc:
        raise KeyFault(f"file name {text[:80]!r}: {exc}") from None


def owner(text: str) -> str | None:
    """Whose key a file of this name holds, of whatever algorithm; None if it is not a key file's name."""
    form = _FORM.fullmatch(text.removesuffix(".private").removesuffix(".key"))
    try:
        return _name_in(form) if form else None
    except NameFault:
        return None


def to_text(name: KeyFileName) -> str:
    """The file name without suffix; all octets that mean something to a file system become %XX, as in BIND."""
    labels = (quote_from_bytes(label.lower(), safe="") for label in names.labels(name.zone))
    zone = "".join(label.replace(".", "%2E").replace("~", "%7E") + "." for label in labels) or "."
    return f"K{zone}+{name.algorithm.number:03d}+{name.key_tag:05d}"


def _name_in(form: re.Match[str]) -> str:
    labels = form["zone"].removesuffix(".").split(".") if form["zone"] != "." else []
    return names.from_labels([unquote_to_bytes(label) for label in labels]).lower()
