"""Frozen values for the serving path: ``typing.NamedTuple`` without importing ``typing``.

Importing ``typing`` or ``dataclasses`` would double the start-up time, and PowerDNS starts us often.
Modules that do not serve questions use frozen dataclasses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as Value
else:
    from collections import namedtuple

    class _ValueMeta(type):
        def __new__(meta, name, bases, namespace):
            if not bases:
                return super().__new__(meta, name, bases, namespace)
            fields = list(namespace.get("__annotations__", ()))
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            base = namedtuple(f"_{name}", fields, defaults=defaults)
            return type(name, (base,), {**namespace, "__slots__": ()})

    class Value(metaclass=_ValueMeta):
        """Base of a frozen value; subclass it as one would ``typing.NamedTuple``."""


__all__ = ["Value"]
