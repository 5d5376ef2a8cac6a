"""The installed ``pdns_server``: its version, the backends it can load, and the settings it knows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Server", "find"]

_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
_PATIENCE = 20.0  # seconds; it answers in a fraction of one
_VERSION = re.compile(r"PowerDNS Authoritative Server (\d+)\.(\d+)")
_DEFAULT = re.compile(r"^# ([a-z0-9-]+)=(.*)$", re.MULTILINE)
_BUILT_IN = re.compile(r"Built-in modules: *(.*)")


@dataclass(frozen=True, slots=True)
class Server:
    """``path`` is empty if there is none. ``defaults`` are its settings; of backends only if they could be loaded.

    ``built_in`` are backends that need no module.
    """

    path: str = ""
    version: tuple[int, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    built_in: frozenset[str] = frozenset()
    knows_backends: bool = False

    def module_file(self, module: str, folder: str = "") -> str:
        """The file that PowerDNS loads for a backend; empty for one that is built in."""
        if module in self.built_in:
            return ""
        return os.path.join(folder or self.defaults.get("module-dir", ""), f"lib{module}backend.so")


def find(launch: str) -> Server:
    """Ask the installed server what it is, and which settings it has with these backends."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    path = shutil.which("pdns_server", path=folders)
    if path is None:
        return Server()
    said = _said(path, "--version")
    version = _VERSION.search(said)
    built_in = _BUILT_IN.search(said)
    defaults = _settings(path, f"--launch={launch}")
    return Server(
        path,
        tuple(map(int, version.groups())) if version else (),
        defaults or _settings(path),
        frozenset(built_in[1].split()) if built_in else frozenset(),
        bool(defaults),
    )


def _settings(path: str, *words: str) -> dict[str, str]:
    return dict(_DEFAULT.findall(_said(path, "--no-config", "--config=default", *words)))


def _said(path: str, *words: str) -> str:
    try:
        done = subprocess.run(
            [path, *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).decode("utf-8", "replace")
