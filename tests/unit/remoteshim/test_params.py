"""Parameters: the right type, or a fault that names method and parameter."""

from __future__ import annotations

from typing import Any

import pytest

from pipebackend.base.errors import RequestFault
from remoteshim.params import Params


def test_right_values_are_given_back() -> None:
    params = Params("m", {"t": "x", "n": -5, "yes": True, "no": 0, "list": ["a"], "o": {"n": 1}})
    assert params.text("t") == "x"
    assert params.number("n") == -5
    assert params.flag("yes") is True
    assert params.flag("no") is False
    assert params.texts("list") == ["a"]
    assert params.object("o").number("n") == 1


def test_defaults_stand_in_for_what_is_left_out() -> None:
    params = Params("m", {})
    assert params.text("t", "x") == "x"
    assert params.number("n", 3) == 3
    assert params.flag("f", True) is True


@pytest.mark.parametrize(
    ("reader", "wanted", "wrong"),
    [
        ("text", "a string", [5, None, True, [], {}]),
        ("number", "a whole number", ["5", None, True, 1.5, []]),
        ("flag", "true or false", ["true", None, 2, []]),
        ("texts", "a list of strings", ["a", [1], None, {}]),
        ("object", "an object", ["a", [], None]),
    ],
)
def test_a_wrong_type_is_a_fault(reader: str, wanted: str, wrong: list[Any]) -> None:
    for value in wrong:
        with pytest.raises(RequestFault) as caught:
            getattr(Params("lookup", {"key": value}), reader)("key")
        assert str(caught.value) == f"lookup: parameter key must be {wanted}"


@pytest.mark.parametrize("reader", ["text", "number", "flag", "texts", "object"])
def test_a_missing_one_is_a_fault(reader: str) -> None:
    with pytest.raises(RequestFault) as caught:
        getattr(Params("lookup", {}), reader)("key")
    assert str(caught.value) == "lookup: parameter key is missing"


def test_a_fault_inside_an_object_names_the_object() -> None:
    with pytest.raises(RequestFault, match=r"^addDomainKey: key: parameter flags is missing$"):
        Params("addDomainKey", {"key": {}}).object("key").number("flags")


@pytest.mark.parametrize("values", [None, [], "x", 5])
def test_parameters_must_be_an_object(values: Any) -> None:
    with pytest.raises(RequestFault, match=r"^lookup: parameters must be an object$"):
        Params("lookup", values)
