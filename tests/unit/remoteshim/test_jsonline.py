"""JSON by CPython's own C parts: the same values as the json module's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipebackend.base.errors import RequestFault
from remoteshim import jsonline


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '"a"',
        "0",
        "-1",
        "1.5",
        "1e3",
        "true",
        "false",
        "null",
        ' {"a": [1, {"b": "\\u00fc"}]} ',
        '"\\ud800"',
        "\t[1,\r\n2]",
    ],
)
def test_a_text_is_read_as_json_reads_it(text: str) -> None:
    assert jsonline.loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[1,",
        '"a',
        "{'a':1}",
        "{a:1}",
        "[1,]",
        "nul",
        "NaN",
        "Infinity",
        "-Infinity",
        "1 2",
        "{} x",
        '"\x01"',
        "-",
        "1" * 5000,
        "[" * 100_000,
        '{"a":' * 100_000,
        "\udcff",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(RequestFault, match=r"^not JSON"):
        jsonline.loads(text)


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -5, 2**40, "", 'a"b\\\n\t\x00ü\u2028😀', [], {}, [1, [2]], {"a": {"b": [True, None]}}],
)
def test_a_value_is_written_on_one_line_without_white_space(value: Any) -> None:
    text = jsonline.dumps(value)
    assert text.isascii()
    assert text.isprintable()
    assert text == json.dumps(value, separators=(",", ":"))


def test_quote_escapes_all_that_is_no_printable_ascii() -> None:
    assert jsonline.quote("ü\n\udcff") == '"\\u00fc\\n\\udcff"'
