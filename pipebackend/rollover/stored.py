"""A zone of ``states`` as rows of the store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pipebackend.rollover.states import RECORDS, Key, Span, Zone

__all__ = ["read", "written"]

_PLAIN = [field.name for field in fields(Key) if field.name not in RECORDS]
_FLAGS = ("is_sep", "active", "published", "is_gone", "is_withheld")


def read(zone: Mapping[str, Any] | None, keys: list[dict[str, Any]]) -> Zone:
    """The zone of these rows; an empty one where nothing is known."""
    if zone is None:
        return Zone()
    return Zone(**{**zone, "rolls": tuple(str(zone["rolls"]).split()), "keys": tuple(map(_key, keys))})


def written(zone: Zone) -> tuple[dict[str, object], list[dict[str, object]]]:
    """The rows of a zone."""
    cells = {field.name: getattr(zone, field.name) for field in fields(Zone) if field.name != "keys"}
    return {**cells, "rolls": " ".join(zone.rolls)}, [_cells(key) for key in zone.keys]


def _key(row: dict[str, Any]) -> Key:
    plain: dict[str, Any] = {name: bool(row[name]) if name in _FLAGS else row[name] for name in _PLAIN}
    plain |= {record: Span(row[record], row[f"{record}_since"], row[f"{record}_until"]) for record in RECORDS}
    return Key(**plain)


def _cells(key: Key) -> dict[str, object]:
    plain = {name: getattr(key, name) for name in _PLAIN}
    for record in RECORDS:
        span = getattr(key, record)
        plain |= {record: span.state, f"{record}_since": span.since, f"{record}_until": span.until}
    return {name: int(value) if isinstance(value, bool) else value for name, value in plain.items()}
