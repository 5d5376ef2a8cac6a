"""Work that is done again and again beside a test."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Repeating"]


class Repeating(threading.Thread):
    """Does something again and again in the background; what fails there fails the test at its end."""

    def __init__(self, work: Callable[[], object], pause: float = 0.3) -> None:
        """``pause`` is in seconds, before each time."""
        super().__init__()
        self._work = work
        self._pause = pause
        self._ended = threading.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._ended.wait(self._pause):
                self._work()
        except BaseException as exc:
            self._failure = exc

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._ended.set()
        self.join()
        if self._failure is not None and kind is None:
            raise self._failure
