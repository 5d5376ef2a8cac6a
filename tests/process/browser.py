"""Headless Chromium, driven over two pipes by the DevTools protocol: JSON objects, each ended by an octet of zero."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEIGHT", "WIDTH", "Browser", "is_installed"]

WIDTH, HEIGHT = 1280, 800
PATIENCE = 120.0  # seconds until a browser that does not answer counts as broken
# It says what it misses of a desktop on stderr, which is not the page's fault; what a page says comes over the pipe.
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--remote-debugging-pipe"),
)


def is_installed() -> bool:
    return shutil.which("chromium") is not None


class Browser:
    """One page in a window of WIDTH x HEIGHT; ``complaints`` are errors and warnings that it has logged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._pending = b""
        self._session = ""
        self._seen: set[str] = set()  # names of events
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        words = ["chromium", *OPTIONS, f"--user-data-dir={self._folder}", f"--window-size={WIDTH},{HEIGHT}"]
        # It reads from 3 and writes to 4, wherever Python has these pipes now
        script = f'exec "$@" 3<&{to_it} 4>&{from_it}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", *words, "about:blank"],
            pass_fds=(to_it, from_it),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self._call("Browser.close")
        self._process.wait(PATIENCE)
        os.close(self._write)
        os.close(self._read)

    def open(self, path: Path) -> None:
        """Opens a file and waits until it is there with all it needs."""
        self._seen.clear()
        self._call("Page.navigate", url=path.resolve().as_uri())
        deadline = time.monotonic() + PATIENCE
        while "Page.loadEventFired" not in self._seen:
            self._receive(deadline)

    def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page, as JSON has it."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """An event of the mouse, such as ``mouseMoved``."""
        self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while (answer := self._receive(deadline)).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            assert ready, "Chromium does not answer"
            octets = os.read(self._read, 65536)
            assert octets, f"Chromium has ended with status {self._process.wait(PATIENCE)}"
            self._pending += octets
        text, _, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method", ""), message.get("params", {})
        self._seen.add(method)
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(params["entry"]))
