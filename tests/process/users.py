"""Real users of this machine, and the project installed where each of them can run it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["PDNS", "STRANGER", "Installed", "as_user", "command_as", "installed", "needs_users"]

PDNS, STRANGER = "pdns", "nobody"
_SYSTEM_PYTHON = "/usr/bin/python3"
_NEEDED = (
    *("pipebackend", "remoteshim", "dns", "lmdb", "click", "cffi", "_cffi_backend*", "pycparser"),
    "cryptography*",  # with its metadata, which dnspython looks for
)
_TOP = Path(__file__).parents[2]


def _why_not() -> str:
    if os.geteuid():
        return "only root can act as other users"
    if not shutil.which("setpriv"):
        return "setpriv is not installed"
    try:
        pwd.getpwnam(PDNS)
    except KeyError:
        return f"there is no user {PDNS}: pdns-server makes it"
    asked = "import sys; print(*sys.version_info[:2])"
    theirs = subprocess.run([_SYSTEM_PYTHON, "-c", asked], capture_output=True, text=True, check=False)
    if theirs.stdout.split() != [str(number) for number in sys.version_info[:2]]:
        return f"{_SYSTEM_PYTHON} is another version than {sys.executable}, which other users may not enter"
    return ""


needs_users = pytest.mark.skipif(bool(_why_not()), reason=_why_not())


class Installed:
    """The commands, each a list of words, in a folder that everybody can enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, program: str, *words: str) -> list[str]:
        """The words that run one of our programs with the system's Python."""
        main = {"zoneutil": "pipebackend.cli.main", "remoteshim": "remoteshim.main", "pipebackend": "pipebackend.pipe"}
        code = f"import sys; sys.path.insert(0, {str(self.folder)!r}); from {main[program]} import main; main()"
        return [_SYSTEM_PYTHON, "-P", "-c", code, *words]


@contextmanager
def installed() -> Iterator[Installed]:
    """A copy of the project and of what it imports; for the length of a block."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # PrivateDevices hides /dev/shm
    try:
        folder.chmod(0o755)
        for place in (_TOP, Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))):
            for name in _NEEDED:
                for found in place.glob(name):
                    target = folder / found.name
                    if target.exists():
                        continue
                    shutil.copytree(found, target) if found.is_dir() else shutil.copy(found, target)
        yield Installed(folder)
    finally:
        shutil.rmtree(folder)


def command_as(user: str, words: list[str]) -> list[str]:
    """A command that another user runs."""
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", *words]


def as_user(user: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a command of another user says."""
    return subprocess.run(command_as(user, list(words)), capture_output=True, text=True, cwd=cwd, timeout=60)
