"""Frozen values: what typing.NamedTuple gives, without its import."""

from __future__ import annotations

import pytest

from pipebackend.values import Value


class Point(Value):
    """A place."""

    x: int
    y: int = 5

    @property
    def total(self) -> int:
        return self.x + self.y


def test_fields_keep_their_order_and_defaults() -> None:
    assert Point._fields == ("x", "y")
    assert Point(1) == (1, 5)
    assert Point(y=2, x=1) == Point(1, 2)


def test_values_have_methods_and_a_docstring() -> None:
    assert Point(1, 2).total == 3
    assert Point.__doc__ == "A place."


def test_values_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Point(1).z = 2  # type: ignore[attr-defined]


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]


def test_a_changed_copy_leaves_the_original() -> None:
    point = Point(1)
    assert point._replace(y=9) == Point(1, 9)
    assert point == Point(1, 5)
