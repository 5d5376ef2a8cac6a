"""Texts that are right but for a few places, as a slip of the hand, a bad disk or an enemy would leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import DrawFn

__all__ = ["mutated"]

_LONGEST = 40  # octets that one change takes out, puts in or doubles
_MOST_CHANGES = 6
_NASTY = (b"\0", b"\xff", b"\xc3", b"\r", b"\n", b"\t", b'"', b"\\", b"\xef\xbb\xbf", b"-1", b"9" * 25, b"x" * 300)


@st.composite
def mutated(draw: DrawFn, samples: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """One of the samples with a few changes; ``words`` are pieces that mean something to whoever reads it."""
    text = draw(st.sampled_from(samples))
    pieces = st.sampled_from((*_NASTY, *words)) | st.binary(min_size=1, max_size=4)
    for change in draw(st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=_MOST_CHANGES)):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, _LONGEST)))
        text = change(text, start, end, draw(pieces))
    return text


def _without(text: bytes, start: int, end: int, _: bytes) -> bytes:
    return text[:start] + text[end:]


def _with(text: bytes, start: int, _: int, piece: bytes) -> bytes:
    return text[:start] + piece + text[start:]


def _instead(text: bytes, start: int, end: int, piece: bytes) -> bytes:
    return text[:start] + piece + text[end:]


def _twice(text: bytes, start: int, end: int, _: bytes) -> bytes:
    return text[:end] + text[start:]


def _elsewhere(text: bytes, start: int, end: int, _: bytes) -> bytes:
    return text[start:end] + text[:start] + text[end:]


def _cut_off(text: bytes, start: int, _: int, __: bytes) -> bytes:
    return text[:start]


_CHANGES: tuple[Callable[[bytes, int, int, bytes], bytes], ...] = (
    *(_without, _with, _with, _instead, _instead, _twice, _elsewhere, _cut_off),
)
