"""One HTTP service of ours, and the connection strings by which PowerDNS asks it.

with HttpService(folder, config) as service:
    PdnsServer(service.settings("post_json"), folder)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

from tests.live.servers import HOST, PATIENCE, PATIENT, end, free_port, installed_command

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMS", "HttpService"]

# What a connection string says beside the url. A slash and a query are ways to write a suffix, too.
FORMS = {"rest": "", "rest with suffix": ",url-suffix=.json", "post": ",post=1", "post_json": ",post=1,post_json=1"}


class HttpService:
    """``remoteshim --listen http://…`` for the length of a block."""

    def __init__(self, folder: Path, config: Path | None = None, *options: str, path: str = "/dns") -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}{path}"
        self._folder = folder
        self._log = folder / f"http-{self.port}.log"
        self._command = [installed_command("remoteshim"), "--listen", self.url, *options]
        if config is not None:
            self._command += ["--config", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def settings(self, form: str, dnssec: bool = True, url: str = "") -> dict[str, str]:
        """PowerDNS's settings to ask it in a form; ``url`` is that of a proxy in front of it."""
        connection = f"http:url={url or self.url},timeout={PATIENT}{FORMS[form]}"
        return {"launch": "remote", "remote-connection-string": connection, "remote-dnssec": "yes" if dnssec else "no"}

    @property
    def pid(self) -> int:
        """The process that accepts connections."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it said so far."""
        return self._log.read_text(errors="backslashreplace")

    def reload(self) -> None:
        """Replace its workers."""
        os.kill(self.pid, signal.SIGHUP)

    def __enter__(self) -> Self:
        environ = {key: value for key, value in os.environ.items() if key != "PIPEBACKEND_CONFIG"}
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._process is not None
        end(self._process)
        if kind is not None:
            print(f"--- log of {self.url}\n{self.log}")

    def _answers(self) -> bool:
        """Any request will do: a worker takes it."""
        try:
            with socket.create_connection((HOST, self.port), 1) as client:
                client.settimeout(PATIENCE)
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return client.recv(16).startswith(b"HTTP/1.1 ")
        except OSError:
            return False
