"""How far long work is: a line on stderr that is written over, where a person is looking."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Progress"]

_PATIENCE_SECONDS = 1.0  # of a person; short work shows nothing
_CLEAR = "\r\x1b[K"


class Progress:
    """``with Progress() as progress: progress("read", 20000)``; shows nothing where stderr is no terminal.

    Work that prints shows nothing either while its output goes to a terminal: there it is seen how far it is.
    """

    def __init__(self, *, prints: bool = False) -> None:
        self._is_shown = sys.stderr.isatty() and not (prints and sys.stdout.isatty())
        self._next = time.monotonic() + _PATIENCE_SECONDS
        self._is_dirty = False

    def __call__(self, what: str, count: int) -> None:
        """So many records were ``what`` so far."""
        now = time.monotonic()
        if self._is_shown and now >= self._next:
            self._next = now + _PATIENCE_SECONDS / 10
            self._is_dirty = True
            sys.stderr.write(f"{_CLEAR}{count} records {what} …")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._is_dirty:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
