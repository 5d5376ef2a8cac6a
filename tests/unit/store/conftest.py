"""A store of each kind; ``foreign`` is what other programs do to it."""

from __future__ import annotations

import pytest

from pipebackend.store import open_store

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def kind(request):
    """The kinds of store; a test of one kind alone overrides it."""
    return request.param


@pytest.fixture
def url(kind, request):
    if kind == "sqlite":
        yield "sqlite:zones.db"
        return
    cluster = request.getfixturevalue("postgresql")
    database = cluster.new_database()
    yield database
    cluster.drop_database(database)


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
