"""Garbage is collected again behind a block in which it was not."""

from __future__ import annotations

import gc

import pytest

from pipebackend.base import garbage


def test_it_is_collected_as_before_also_after_an_error() -> None:
    with pytest.raises(KeyError), garbage.uncollected():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_a_process_that_collects_none_goes_on_without() -> None:
    with garbage.uncollected():
        with garbage.uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
