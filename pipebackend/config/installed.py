"""The PowerDNS that is installed on this machine. Commands ask it; a coprocess does not, since that costs a process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

__all__ = ["path", "release", "said"]

_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
_PATIENCE = 20.0  # seconds; it answers in a fraction of one
_VERSION = re.compile(r"PowerDNS Authoritative Server (\d+)\.(\d+)")


def path() -> str:
    """Where ``pdns_server`` is; empty if it is not on this machine's path."""
    return shutil.which("pdns_server", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])) or ""


def release(program: str) -> tuple[int, ...]:
    """Major and minor number of the server at this path; empty if it is not a PowerDNS."""
    version = _VERSION.search("".join(said(program, "--version"))) if program else None
    return tuple(map(int, version.groups())) if version else ()


def said(program: str, *words: str) -> tuple[str, str]:
    """Its output and its messages; empty if it cannot be run."""
    try:
        done = subprocess.run(
            [program, *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
