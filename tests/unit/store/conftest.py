"""A store of each kind; ``foreign`` is what other programs do to it."""

from __future__ import annotations

import pytest

from pipebackend.store import open_store


@pytest.fixture
def url(store_url):
    return store_url


@pytest.fixture
def opened(url, tmp_path):
    """``opened()`` is another view of the same store, as another process has it."""
    stores = []

    def open_one():
        stores.append(open_store(url, tmp_path))
        return stores[-1]

    yield open_one
    for one in stores:
        one.close()


@pytest.fixture
def store(opened):
    return opened()
