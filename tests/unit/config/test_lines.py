"""The line of a key or table in a configuration file."""

from __future__ import annotations

import pytest

from pipebackend.config.lines import line_of

TOML = """\
# a comment
trace = "x"
[store]
url = "sqlite:zones.db"

[[zone]]
name = "a.example"
records = [
  "www A 192.0.2.1",
]
[[zone.record]]
type = "TXT"
[[ zone.record ]]  # the second
type = "LOC"
content = "x"

[[zone]]
"name" = "b.example"
soa = { mname = "x" }
ttl=5
[zone.options]
name = "elsewhere"
"""


@pytest.mark.parametrize(
    ("place", "key", "line"),
    [
        ("", "trace", 2),
        ("", "name", 0),
        ("store", "url", 4),
        ("store", "", 3),
        ("zone[0]", "name", 7),
        ("zone[0]", "records", 8),
        ("zone[0]", "ttl", 6),
        ("zone[0].record[1]", "type", 14),
        ("zone[0].record[1]", "ttl", 13),
        ("zone[0].soa", "mname", 6),
        ("zone[1]", "name", 18),
        ("zone[1].soa", "mname", 19),
        ("zone[1]", "ttl", 20),
        ("zone[1].options", "name", 22),
        ("zone[7]", "name", 0),
    ],
)
def test_the_line_of_a_key_or_else_of_its_table(tmp_path, place, key, line):
    (tmp_path / "c.toml").write_text(TOML)
    assert line_of(str(tmp_path / "c.toml"), place, key) == line


def test_there_is_no_line_without_a_file(tmp_path):
    assert line_of("", "zone[0]", "name") == 0
    assert line_of(str(tmp_path / "none"), "zone[0]", "name") == 0
