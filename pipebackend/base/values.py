"""Frozen values for the serving path: ``typing.NamedTuple`` without importing ``typing``, and without ``collections``.

Importing ``typing`` or ``dataclasses`` would double the start-up time, and PowerDNS starts us often; ``collections`` is
a tenth of it. Modules that do not serve questions use frozen dataclasses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as Value
else:
    try:
        from _collections import _tuplegetter as _field  # what collections.namedtuple has for its fields
    except ImportError:  # another Python implementation

        def _field(index, doc):
            return property(lambda self: self[index], doc=doc)

    _new_tuple = tuple.__new__

    class _Fields(tuple):
        """What all values have, by the names that named tuples give it."""

        __slots__ = ()

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **changes):
            changed = _new_tuple(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return changed

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join([f"{field}={value!r}" for field, value in self._asdict().items()])
            return f"{type(self).__name__}({shown})"

    class _ValueMeta(type):
        def __new__(meta, name, bases, namespace):
            if not bases:
                return super().__new__(meta, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = tuple([namespace.pop(field) for field in fields if field in namespace])
            given = "".join([f"{field}, " for field in fields])
            # A function that names its arguments, as the quickest way to make one
            new = eval(f"lambda _cls, {given}: _new_tuple(_cls, ({given}))", {"_new_tuple": _new_tuple})
            new.__defaults__ = defaults
            namespace |= {field: _field(index, "") for index, field in enumerate(fields)}
            shared = {"__slots__": (), "__new__": new, "_fields": fields, "__match_args__": fields}
            return type(name, (_Fields,), namespace | shared)

    class Value(metaclass=_ValueMeta):
        """Base of a frozen value; subclass it as one would ``typing.NamedTuple``."""


__all__ = ["Value"]
