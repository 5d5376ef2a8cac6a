"""``pdns.conf`` as PowerDNS reads it: comments, continued lines, ``+=``, ``include-dir`` and the launch suffixes.

conf = read("/etc/powerdns", "")
conf.value("cache-ttl", "20"), conf.launched
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Fault", "Launched", "PdnsConf", "Setting", "is_yes", "read"]

_PROGRAM = "pdns"
_COMMENT = re.compile(r"^#|(?<=\s)#")
# To these PowerDNS adds nothing unless the file has set them before: they are empty by default.
_EMPTY_BY_DEFAULT = frozenset(("launch", "load-modules", "also-notify", "forward-notify", "include-dir"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One line; ``value`` of a ``+=`` line is what the setting has become by it."""

    name: str
    value: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A place that PowerDNS cannot read; ``line`` is 0 for a whole file, ``write`` or ``run`` fixes it."""

    file: str
    line: int
    message: str
    write: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Launched:
    """One backend of ``launch``: ``remote:one`` is module ``remote`` with the suffix ``one``."""

    module: str
    suffix: str = ""

    @property
    def title(self) -> str:
        """As ``launch`` writes it."""
        return f"{self.module}:{self.suffix}" if self.suffix else self.module

    def setting(self, key: str) -> str:
        """The name of this backend's setting, as ``remote-one-dnssec``."""
        return "-".join(part for part in (self.module, self.suffix, key) if part)


@dataclass(frozen=True, slots=True)
class PdnsConf:
    """The settings in force, each with the line that has set it, all lines, and what PowerDNS cannot read."""

    path: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    lines: Sequence[Setting] = ()
    faults: Sequence[Fault] = ()

    @property
    def launched(self) -> list[Launched]:
        """The backends in the order in which PowerDNS asks them."""
        words = re.split(r"[ ,\t]+", self.value("launch"))
        return [Launched(*word.split(":", 1)) for word in words if word]

    def value(self, name: str, default: str = "") -> str:
        """The value of a setting, ``default`` if no line sets it."""
        found = self.settings.get(name)
        return default if found is None else found.value

    def number(self, name: str, default: int) -> int:
        """A setting that is a number; ``default`` also for what is none."""
        value = self.value(name, str(default))
        return int(value) if value.isascii() and value.isdigit() else default


def is_yes(value: str) -> bool:
    """What PowerDNS makes of a switch: all but ``no`` and ``off`` is yes, also ``No`` and ``false``."""
    return value not in ("no", "off")


def read(folder: str, name: str = "") -> PdnsConf:
    """``pdns.conf`` in ``folder``, or ``pdns-NAME.conf``, with the files that it includes; never raises."""
    path = os.path.join(folder, f"{_PROGRAM}-{name}.conf" if name else f"{_PROGRAM}.conf")
    reader = _Reader()
    if reader.take(path):
        reader.take_included()
    return PdnsConf(path, reader.settings, reader.lines, reader.faults)


class _Reader:
    def __init__(self) -> None:
        self.settings: dict[str, Setting] = {}
        self.lines: list[Setting] = []
        self.faults: list[Fault] = []

    def take(self, path: str) -> bool:
        """Read one file; False if it cannot be read."""
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                for number, text in _joined(file):
                    self._take_line(path, number, text)
        except OSError as exc:
            run = f"zoneutil pdns conf --output {shlex.quote(path)}" if isinstance(exc, FileNotFoundError) else ""
            self.faults.append(Fault(path, 0, f"cannot be read: {exc.strerror}", run=run))
            return False
        return True

    def take_included(self) -> None:
        """The files of ``include-dir``; PowerDNS does not look at an ``include-dir`` in them."""
        setting = self.settings.get("include-dir")
        if setting is None or not setting.value:
            return
        try:
            names = sorted(os.listdir(setting.value), key=lambda name: (name.upper(), name))
        except OSError as exc:
            message = f"include-dir={setting.value}: {exc.strerror}; PowerDNS will not start"
            self._fault(setting, message, "include-dir=")
            return
        for name in names:
            path = os.path.join(setting.value, name)
            if name.startswith(".") or not name.endswith(".conf"):
                continue
            if not os.path.isfile(path):
                message = f"{path} is not a file; PowerDNS will not start"
                self._fault(setting, message, run=f"mv {shlex.quote(path)} {shlex.quote(path)}.off")
                return
            self.take(path)

    def _take_line(self, path: str, number: int, text: str) -> None:
        name, value, adds = _parts(text)
        setting = Setting(name, value, path, number)
        if adds:
            before = self.settings.get(name)
            if before is not None and before.value:
                setting = Setting(name, f"{before.value}, {value}", path, number)
            elif before is None and name in _EMPTY_BY_DEFAULT:
                message = f"{name}+= adds to a setting that no line before it has set, so PowerDNS will not start"
                self._fault(setting, message, f"{name}={value}")
        self.settings[name] = setting
        self.lines.append(setting)

    def _fault(self, setting: Setting, message: str, write: str = "", run: str = "") -> None:
        self.faults.append(Fault(setting.file, setting.line, message, write, run))


def _joined(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Lines without comments and with those that end in a backslash joined, each with the number of its first."""
    pending, first = "", 0
    for number, text in enumerate(lines, 1):
        first = first or number
        text = text.rstrip()
        if text.endswith("\\"):  # also at the end of a comment: PowerDNS takes the next line for a part of it
            pending += text[:-1]
            continue
        line = _without_comment(pending + text).strip()
        if line:
            yield first, line
        pending, first = "", 0


def _without_comment(line: str) -> str:
    """PowerDNS looks at the first # alone: at the start or after white space it begins a comment."""
    found = line.find("#")
    return line[:found] if found >= 0 and _COMMENT.match(line, found) else line


def _parts(line: str) -> tuple[str, str, bool]:
    for sign in ("+=", "="):
        if sign in line:
            name, _, value = line.partition(sign)
            return name.strip(), value.lstrip(" \t"), sign == "+="
    return line, "", False
