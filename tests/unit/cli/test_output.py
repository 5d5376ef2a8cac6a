"""What commands print: columns that line up, JSON that keeps its letters."""

from __future__ import annotations

import json

import pytest

from pipebackend.cli import output


def test_columns_line_up_and_nothing_trails(capsys):
    output.print_rows([{"zone": "a", "serial": 1, "ok": True}, {"zone": "longer.example", "serial": None, "ok": False}])
    assert capsys.readouterr().out.splitlines() == [
        "zone            serial  ok",
        "a               1       yes",
        "longer.example  -       no",
    ]


def test_no_rows_print_nothing(capsys):
    output.print_rows([])
    assert capsys.readouterr().out == ""


def test_json_keeps_its_letters(capsys):
    output.as_json({"name": "São Paulo", "of": [1, None, True]})
    out = capsys.readouterr().out
    assert "São Paulo" in out
    assert json.loads(out) == {"name": "São Paulo", "of": [1, None, True]}


@pytest.mark.parametrize(("count", "text"), [(0, "no faults"), (1, "1 fault"), (2, "2 faults")])
def test_counted(count, text):
    assert output.counted(count, "fault") == text
