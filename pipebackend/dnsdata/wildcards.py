"""Patterns of PowerDNS's search: ``*`` stands for any characters, ``?`` for one; letters have one case."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["matcher"]


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether all of a text fits ``pattern``.

    The parts between the stars are found from the left, each as early as it can be: what is to the left of a star never
    has to be tried again, so the cost grows with text times pattern. A regular expression tries all ways.
    """
    first, *parts = pattern.lower().split("*")

    def matches(text: str) -> bool:
        text = text.lower()
        if not parts:
            return len(text) == len(first) and _fits(first, text, 0)
        *middle, last = parts
        end = len(text) - len(last)
        if end < len(first) or not _fits(first, text, 0) or not _fits(last, text, end):
            return False
        at = len(first)
        for part in middle:
            at = _find(part, text, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return matches


def _find(part: str, text: str, start: int, end: int) -> int:
    """Where ``part`` first fits between ``start`` and ``end``, -1 if nowhere."""
    if "?" not in part:
        return text.find(part, start, end)
    return next((at for at in range(start, end - len(part) + 1) if _fits(part, text, at)), -1)


def _fits(part: str, text: str, at: int) -> bool:
    """Whether the text has ``part`` at this place."""
    if "?" not in part:
        return text.startswith(part, at)
    piece = text[at : at + len(part)]
    return len(piece) == len(part) and all(wanted in ("?", char) for wanted, char in zip(part, piece, strict=True))
