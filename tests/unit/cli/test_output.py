"""What commands print: columns that line up, JSON that keeps its letters."""

from __future__ import annotations

import json
import os

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


def test_a_file_takes_the_place_of_one_and_of_a_link_whole(tmp_path):
    (tmp_path / "other").write_text("stays")
    (tmp_path / "link").symlink_to("other")
    output.write_whole(tmp_path / "link", b"new", 0o600)
    assert ((tmp_path / "link").read_text(), (tmp_path / "other").read_text()) == ("new", "stays")
    assert (tmp_path / "link").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "other"]


def test_a_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", "/dev/stdout", "/dev/null", "/dev/new"):
        with pytest.raises(OSError, match="not a file"):
            output.write_whole(path, b"new")
    assert os.path.islink("/dev/stdout")
