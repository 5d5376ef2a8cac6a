"""docs/from-pdns-remotebackend.md: both halves answer the same; the first one needs the package that it is about."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit import documents

PAGE = documents.text("docs/from-pdns-remotebackend.md")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pdns") is None, reason="the package Pdns-Remotebackend is not installed"
)
QUESTIONS = [
    (name, type_)
    for name in ("clock.example.net.", "utc.clock.example.net.", "ME.clock.example.net.", "no.clock.example.net.")
    for type_ in ("ANY", "SOA", "TXT")
]


def answers(command: list[str | Path], folder: Path) -> list[list[tuple[str, str, str, int]]]:
    """The records that a coprocess has for each of the questions, in one order."""
    asked = [
        {"qname": name, "qtype": type_, "remote": "192.0.2.1", "local": "192.0.2.53", "real-remote": "192.0.2.1/32"}
        for name, type_ in QUESTIONS
    ]
    lines = "".join(json.dumps({"method": "lookup", "parameters": one | {"zone-id": -1}}) + "\n" for one in asked)
    done = subprocess.run(command, cwd=folder, input=lines, capture_output=True, text=True, timeout=60, check=True)
    return [
        sorted((one["qname"].lower().rstrip("."), one["qtype"], one["content"], one["ttl"]) for one in answer["result"])
        for answer in map(json.loads, done.stdout.splitlines())
    ]


def test_both_halves_answer_the_same(tmp_path: Path) -> None:
    documents.write_files(PAGE, tmp_path)
    ours: list[str | Path] = [Path(sys.executable).parent / "remoteshim", "--config", "pipebackend.toml"]
    theirs: list[str | Path] = [sys.executable, "handler.py"]
    for _ in range(3):  # a minute may end between the two
        found, wanted = answers(ours, tmp_path), answers(theirs, tmp_path)
        if found == wanted:
            break
    assert found == wanted
    assert [len(records) for records in found] == [2, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0]
    assert found[6][0][2] == '"192.0.2.1"'
