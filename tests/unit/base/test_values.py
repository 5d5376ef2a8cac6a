"""Frozen values: what typing.NamedTuple gives, without its import."""

from __future__ import annotations

import copy
import pickle

import pytest

from pipebackend.base.values import Value


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


def test_a_field_that_is_unknown_is_an_error() -> None:
    with pytest.raises(TypeError):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="Point has no field z"):
        Point(1)._replace(z=2)  # type: ignore[call-arg]


def test_a_value_is_shown_with_its_fields() -> None:
    assert repr(Point(1)) == "Point(x=1, y=5)"
    assert Point(1)._asdict() == {"x": 1, "y": 5}


def test_a_value_is_matched_by_its_fields() -> None:
    match Point(1, 2):
        case Point(x, y=2):
            assert x == 1
        case _:
            pytest.fail("not matched")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda point: pickle.loads(pickle.dumps(point))])
def test_a_copy_is_a_value_too(copied) -> None:
    found = copied(Point(1, 2))
    assert found == Point(1, 2)
    assert type(found) is Point


def test_a_changed_copy_leaves_the_original() -> None:
    point = Point(1)
    assert point._replace(y=9) == Point(1, 9)
    assert point == Point(1, 5)
