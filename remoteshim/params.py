"""The parameters of a request, narrowed to the types that a method needs."""

from __future__ import annotations

from pipebackend.base.errors import RequestFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Params"]


class Params:
    """A request's ``parameters``; every reader raises RequestFault with the method and parameter at fault."""

    def __init__(self, method: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise RequestFault(f"{method}: parameters must be an object")
        self._method = method
        self._values: Mapping[str, Any] = values

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self._values.get(key, default)
        if isinstance(value, str):
            return value
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'a string')}")

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number."""
        value = self._values.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'a whole number')}")

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self._values.get(key)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'a list of strings')}")

    def objects(self, key: str) -> list[Params]:
        """A list of objects, whose members are parameters too."""
        value = self._values.get(key)
        if isinstance(value, list):
            return [Params(f"{self._method}: {key}", item) for item in value]
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'a list of objects')}")

    def object(self, key: str) -> Params:
        """An object, whose members are parameters too."""
        value = self._values.get(key)
        if isinstance(value, dict):
            return Params(f"{self._method}: {key}", value)
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'an object')}")

    def flag(self, key: str, default: bool | None = None) -> bool:
        """``true`` or ``false``, or 1 or 0."""
        value = self._values.get(key, default)
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise RequestFault(f"{self._method}: parameter {key} {self._complaint(key, 'true or false')}")

    def _complaint(self, key: str, wanted: str) -> str:
        return f"must be {wanted}" if key in self._values else "is missing"
