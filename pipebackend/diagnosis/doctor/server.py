"""The ``pdns_server`` that is asked: its version, the backends it can load, and the settings it knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipebackend.base.errors import ConfigFault
from pipebackend.config import installed

__all__ = ["Server", "find"]

_DEFAULT = re.compile(r"^# ([a-z0-9-]+)=(.*)$", re.MULTILINE)
_NOT_LOADED = re.compile(r"Unable to load module '(.*?lib([^/']*)backend\.so)': (.*)")
_MISSING_FILE = "cannot open shared object file"


@dataclass(frozen=True, slots=True)
class Server:
    """``path`` is empty if there is none. ``defaults`` are its settings, with those of the backends that it loaded.

    ``not_loaded`` says of each backend that it could not load why, ``in_usual_folder`` are those of them that it can
    load without the ``module-dir`` of the configuration.
    """

    path: str = ""
    version: tuple[int, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    not_loaded: Mapping[str, str] = field(default_factory=dict)
    in_usual_folder: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """``/usr/sbin/pdns_server (4.9)``."""
        return f"{self.path} ({self.release or 'version unknown'})" if self.path else "no pdns_server"

    @property
    def release(self) -> str:
        """``4.9``; empty if unknown."""
        return ".".join(map(str, self.version))


def find(launch: Sequence[str], folder: str = "", program: str = "") -> Server:
    """Ask a server what it is and which settings it has with these backends; ``folder`` is ``module-dir``.

    ``program`` is its path, by default the installed one; raises ConfigFault if that is not a PowerDNS.
    """
    path = program or installed.path()
    if not path:
        return Server()
    version = installed.release(path)
    if program and not version:
        raise ConfigFault([f"{program} does not say that it is a PowerDNS Authoritative Server; name its pdns_server"])
    defaults, not_loaded = _settings(path, launch, [f"--module-dir={folder}"] if folder else [])
    usual = _settings(path, list(not_loaded), [])[1] if folder and not_loaded else not_loaded
    return Server(
        path,
        version,
        defaults,
        not_loaded,
        frozenset(not_loaded) - frozenset(usual),
    )


def _settings(path: str, launch: Sequence[str], words: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings with the backends that can be loaded, and why the others cannot: it names one at a time."""
    left, not_loaded = list(launch), dict[str, str]()
    while True:
        out, err = installed.said(path, "--no-config", "--config=default", f"--launch={','.join(left)}", *words)
        found = dict(_DEFAULT.findall(out))
        refused = _NOT_LOADED.search(err)
        if found or refused is None or not left:
            return found, not_loaded
        file, module, why = refused.groups()
        not_loaded[module] = f"there is no {file}" if _MISSING_FILE in why else f"it cannot load {file}: {why}"
        left = [word for word in left if word.partition(":")[0] not in not_loaded]
