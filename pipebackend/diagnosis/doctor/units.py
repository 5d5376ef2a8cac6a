"""The systemd unit that starts PowerDNS: its user, and the directories that its fences hide.

Debian's unit runs as ``pdns`` with ProtectHome, ProtectSystem and PrivateTmp: a program in /home or a store in /etc
works from a shell and not from there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["NO_UNIT", "Unit", "find", "parse"]

_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_YES = frozenset(("1", "yes", "true", "on"))
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")
_SYSTEM = {
    "full": ("/usr", "/boot", "/efi", "/etc"),
    "strict": ("/",),
    **dict.fromkeys(_YES, ("/usr", "/boot", "/efi")),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What of a unit matters here; empty texts where it says nothing (systemd.exec(5))."""

    name: str = ""
    user: str = ""
    group: str = ""
    protect_home: str = ""
    protect_system: str = ""
    private_tmp: bool = False
    writable: tuple[str, ...] = ()

    def fence(self, path: str, to_write: bool) -> str:
        """Why a process of the unit cannot use ``path``; empty if the unit does not keep it away."""
        fix = f"put it elsewhere, or change {self.name} (systemctl edit)"
        if self.protect_home in (_YES | {"tmpfs"}) and _is_in(path, _HOMES):
            return f"{self.name} has ProtectHome={self.protect_home}, so PowerDNS does not see {path}; {fix}"
        if self.private_tmp and _is_in(path, _TEMPORARY):
            return f"{self.name} has PrivateTmp, so PowerDNS does not see {path}; {fix}"
        is_fixed = _is_in(path, _SYSTEM.get(self.protect_system, ())) and not _is_in(path, self.writable)
        if to_write and is_fixed:
            return f"{self.name} has ProtectSystem={self.protect_system}, so PowerDNS cannot write {path}; {fix}"
        return ""


NO_UNIT = Unit()


def find(config_name: str) -> Unit:
    """The unit that starts this PowerDNS, with its drop-ins; NO_UNIT where systemd does not run."""
    if not os.path.isdir("/run/systemd/system"):
        return NO_UNIT
    name = f"pdns@{config_name}.service" if config_name else "pdns.service"
    file = "pdns@.service" if config_name else name
    texts = [_text(os.path.join(folder, file)) for folder in _FOLDERS]
    first = next((text for text in texts if text), "")
    return parse(name, "\n".join([first, *_drop_ins(file)])) if first else NO_UNIT


def parse(name: str, text: str) -> Unit:
    """The unit of that name and text; later lines win, as in drop-ins."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";")):
            key, value = key.strip(), value.strip()
            adds = key == "ReadWritePaths" and value
            found[key] = f"{found.get(key, '')} {value}" if adds else value
    return Unit(
        name,
        found.get("User", ""),
        found.get("Group", ""),
        found.get("ProtectHome", "").lower(),
        found.get("ProtectSystem", "").lower(),
        found.get("PrivateTmp", "").lower() in _YES,
        tuple(path.lstrip("-+") for path in found.get("ReadWritePaths", "").split()),
    )


def _drop_ins(file: str) -> list[str]:
    texts = []
    for folder in reversed(_FOLDERS):
        try:
            names = sorted(os.listdir(f"{folder}/{file}.d"))
        except OSError:
            continue
        texts += [_text(f"{folder}/{file}.d/{name}") for name in names if name.endswith(".conf")]
    return texts


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    return any(f"{path}/".startswith(f"{folder.rstrip('/')}/") for folder in folders)
