"""A MariaDB for one test: in a scratch folder, on a Unix socket, run by a user without privileges."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live.servers import PATIENCE, Server, program

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MariaDb"]

_UNPRIVILEGED = "nobody"  # MariaDB does not run as root


class MariaDb(Server):
    """The test's user is its administrator without a password, as root is on Debian (unix_socket)."""

    title = "mariadb"

    def __init__(self) -> None:
        # pytest's folders are closed to other users, and the path of a socket has 107 octets at most.
        self._scratch = Path(tempfile.mkdtemp(prefix="mariadb-"))
        super().__init__(self._scratch)
        self.socket = self._scratch / "sock"
        self._data = self._scratch / "data"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self._scratch, user.pw_uid, user.pw_gid)
            self._as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def client(self, folder: Path) -> None:
        """Put a ``mariadb`` that asks this server into a folder of commands."""
        command = folder / "mariadb"
        command.write_text(f'#!/bin/sh\nexec {program("mariadb")} --no-defaults --socket={self.socket} "$@"\n')
        command.chmod(0o755)

    def arguments(self) -> Sequence[str]:
        places = [f"--datadir={self._data}", f"--socket={self.socket}", f"--pid-file={self._scratch / 'pid'}"]
        return [*self._as_user, program("mariadbd"), "--no-defaults", *places, "--skip-networking"]

    def answers(self) -> bool:
        command = [program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--execute=SELECT 1"]
        return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0

    def start(self) -> None:
        """Make the system tables first."""
        account = f"--auth-root-socket-user={getpass.getuser()}"
        install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={self._data}", account]
        done = subprocess.run(
            [*self._as_user, *install, "--auth-root-authentication-method=socket", "--skip-test-db"],
            capture_output=True,
            text=True,
            cwd=self._scratch,
            timeout=10 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"mariadb-install-db: {done.stdout}{done.stderr}"
        super().start()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        shutil.rmtree(self._scratch)
