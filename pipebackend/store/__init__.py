"""The store of keys, settings and zones: the only place with SQL."""

from __future__ import annotations

from pipebackend.store.rows.domains import DomainRow
from pipebackend.store.store import Store, open_store

__all__ = ["DomainRow", "Store", "open_store"]
