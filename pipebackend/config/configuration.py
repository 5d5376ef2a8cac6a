"""The configuration file: TOML in, checked sections out, every fault at once.

A reader pulls the keys that it knows out of a ``Section``; ``finish`` then complains about all others. So each zone
kind owns its keys, and a fault never hides the next one.
"""

from __future__ import annotations

import os

from pipebackend.base import logs, ownership
from pipebackend.base.errors import ConfigFault, NameFault
from pipebackend.base.values import Value
from pipebackend.config import plaintoml
from pipebackend.dnsdata import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["BUILT_IN", "BUILT_IN_TABLE", "Config", "Section", "find", "load", "read"]

DEFAULT_FILES = ("pipebackend.toml", "/etc/powerdns/pipebackend.toml")
ENVIRONMENT_KEY = "PIPEBACKEND_CONFIG"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What the README shows as TOML (a test holds both equal); here as Python, since tomllib alone would double the start.
BUILT_IN_TABLE = "airports.tsv"
BUILT_IN: dict[str, Any] = {
    "zone": [
        {
            "name": "airports.aa",
            "kind": "table",
            "file": BUILT_IN_TABLE,
            "key": "iata",
            "ttl": 60,
            "soa": {"mname": "ns1.airports.aa", "rname": "hostmaster.airports.aa"},
            "ns": ["ns1.airports.aa"],
            "records": ["ns1 A 127.0.0.1"],
            "record": [
                {"type": "TXT", "content": "{name}"},
                {"type": "LOC", "content": "{latitude} {longitude} {elevation_m}"},
            ],
        }
    ]
}


class Config(Value):
    """A configuration as read: ``path`` is ``""`` for the built-in one; relative paths are relative to ``folder``."""

    path: str
    folder: str
    table: Mapping[str, Any]

    @property
    def title(self) -> str:
        """How errors call this configuration."""
        return self.path or "built-in configuration"


def find(given: str | None, environ: Mapping[str, str]) -> str:
    """The path of the configuration file to use; ``""`` for the built-in one.

    That of the current directory counts only if nobody but the caller and root can have written it: a configuration
    names code to run, and the caller may be root in a directory of somebody else.
    """
    if given:
        return os.path.abspath(given)
    if environ.get(ENVIRONMENT_KEY):
        return os.path.abspath(environ[ENVIRONMENT_KEY])
    for path in map(os.path.abspath, filter(os.path.exists, DEFAULT_FILES)):
        fault = "" if path in DEFAULT_FILES else ownership.untrusted(path)
        if not fault:
            return path
        logs.warning(f"{path} is not used: {fault}; name it with --config if it is meant")
    return ""


def read(path: str) -> Config:
    """The TOML file at ``path``, unchecked, or the built-in configuration for ``""``; raises ConfigFault."""
    if not path:
        return Config("", _PACKAGE, BUILT_IN)
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")  # editors of Windows write a byte order mark
        table = plaintoml.read(text)
        if table is None:
            import tomllib

            table = tomllib.loads(text)
    except OSError as exc:
        raise ConfigFault([f"{path}: cannot be read: {exc.strerror}"]) from exc
    except ValueError as exc:  # of decode and of tomllib
        raise ConfigFault([f"{path}: is not TOML: {exc}"]) from exc
    if "0000" in text and _has_nul(table):  # it is written \\u0000, and only so
        raise ConfigFault([f"{path}: a text has a NUL (\\u0000), which no path, name or record can have; remove it"])
    return Config(path, os.path.dirname(path), table)


def load(given: str | None, environ: Mapping[str, str]) -> Config:
    """Find and read the configuration; raises ConfigFault."""
    return read(find(given, environ))


class Section:
    """One table of the configuration, read key by key; faults gather in a list that all sections share."""

    def __init__(
        self, config: Config, table: Mapping[str, Any], path: str, faults: list[str], zone: str | None = None
    ) -> None:
        """``path`` is the place in the file, as in ``zone[0].soa``; ``zone`` is the name of the zone around it."""
        self.config = config
        self.table = table
        self.path = path
        self.faults = faults
        self._zone = zone
        self._read: set[str] = set()

    def fault(self, key: str, message: str) -> None:
        """Note that ``key`` of this section is wrong: with the line of the file, and the zone by its name."""
        place = ".".join(part for part in (self.path, key) if part)
        shown = place
        if self._zone:
            shown = f"zone {self._zone}: {place.partition(']')[2].lstrip('.')}"
        self.faults.append(": ".join(part for part in (self.place(key), shown, message) if part))

    def place(self, key: str = "") -> str:
        """The file, and the line of ``key`` or of this section; only looked for when something is wrong."""
        from pipebackend.config.lines import line_of

        line = line_of(self.config.path, self.path, key)
        return f"{self.config.title}:{line}" if line else self.config.title

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.table

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without ``default`` it must be there and not empty. A fault is noted and gives ``""``."""
        value = self._value(key, str, "a string", default)
        if value == "" and default is None:
            self.fault(key, "must not be empty")
        return value if isinstance(value, str) else ""

    def integer(self, key: str, default: int | None = None, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self._value(key, int, "a whole number", default)
        if not isinstance(value, int):
            return least
        if not least <= value <= most:
            self.fault(key, f"must be from {least} to {most}, not {value}")
            return least
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """``true`` or ``false``."""
        value = self._value(key, bool, "true or false", default)
        return value is True

    def texts(self, key: str, default: Sequence[str] | None = None) -> list[str]:
        """A list of strings."""
        value = self._value(key, list, "a list of strings", default)
        if value is None:
            return []
        if not all(isinstance(item, str) for item in value):
            self.fault(key, "must be a list of strings")
            return []
        return list(value)

    def name(self, key: str, default: str | None = None) -> str:
        """A domain name, as spelled."""
        text = self.text(key, default)
        return self.checked_name(key, text) if text else ""

    def checked_name(self, key: str, text: str) -> str:
        """``text`` as a domain name; a fault is noted and gives ``""``."""
        try:
            return names.spelling(text)
        except NameFault as exc:
            self.fault(key, str(exc))
            return ""

    def file(self, key: str) -> str:
        """The absolute path of a file that exists."""
        text = self.text(key)
        if not text:
            return ""
        path = os.path.join(self.config.folder, text)
        if not os.path.isfile(path):
            self.fault(key, f"there is no file {path}")
        return path

    def section(self, key: str) -> Section:
        """The table under ``key``; an empty one where it is missing."""
        value = self._value(key, dict, "a table", {})
        return Section(self.config, value or {}, f"{self.path}.{key}".lstrip("."), self.faults, self._zone)

    def sections(self, key: str) -> list[Section]:
        """The tables under ``[[key]]``."""
        value = self._value(key, list, f"tables, written [[{key}]]", [])
        prefix = f"{self.path}.{key}".lstrip(".")
        found = []
        for number, item in enumerate(value or []):
            if isinstance(item, dict):
                zone = item.get("name") if prefix == "zone" and isinstance(item.get("name"), str) else self._zone
                found.append(Section(self.config, item, f"{prefix}[{number}]", self.faults, zone))
            else:
                self.fault(key, f"must hold tables, written [[{key}]]")
        return found

    def finish(self) -> None:
        """Complain about each key that nobody read."""
        known = ", ".join(sorted(self._read))
        for key in self.table:
            if key not in self._read:
                self._read.add(key)  # said once, however often this is called
                self.fault(key, f"unknown key; the keys here are {known}")

    def _value(self, key: str, type_: type, what: str, default: Any) -> Any:
        self._read.add(key)
        if key not in self.table:
            if default is None:
                self.fault(key, f"is missing; it must be {what}")
            return default
        value = self.table[key]
        if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
            self.fault(key, f"must be {what}, not {_shown(value)}")
            return default
        return value


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
