from __future__ import annotations

import pytest

from pipebackend.store import open_store


@pytest.fixture
def opened(tmp_path):
    """``opened()`` is another view of the same store, as another process has it."""
    stores = []

    def open_one():
        stores.append(open_store("sqlite:zones.db", tmp_path))
        return stores[-1]

    yield open_one
    for one in stores:
        one.close()


@pytest.fixture
def store(opened):
    return opened()
