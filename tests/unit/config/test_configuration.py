"""The configuration: where it is found, and a line for every fault of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipebackend.base.errors import ConfigFault
from pipebackend.config import configuration
from pipebackend.config.configuration import Config, Section
from tests.making import TABLE_ZONE, write_config


def section(**table: Any) -> Section:
    return Section(Config("c.toml", "/nowhere", {}), table, "zone[0]", [])


def test_the_given_file_wins(tmp_path: Path) -> None:
    given = str(tmp_path / "given.toml")
    assert configuration.find(given, {"PIPEBACKEND_CONFIG": "/other.toml"}) == given


def test_the_environment_comes_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipebackend.toml").touch()
    assert configuration.find(None, {"PIPEBACKEND_CONFIG": "other.toml"}) == str(tmp_path / "other.toml")


def test_the_working_folder_comes_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipebackend.toml").touch()
    assert configuration.find(None, {}) == str(tmp_path / "pipebackend.toml")
    assert configuration.find("", {"PIPEBACKEND_CONFIG": ""}) == str(tmp_path / "pipebackend.toml")


def test_without_a_file_the_built_in_configuration_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(configuration, "DEFAULT_FILES", ("pipebackend.toml",))
    found = configuration.load(None, {})
    assert (found.path, found.title) == ("", "built-in configuration")
    assert found.table["zone"][0]["name"] == "airports.aa"
    assert (Path(found.folder) / configuration.BUILT_IN_TABLE).exists()


def test_a_file_is_read_and_its_folder_is_known(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[[zone]]\nname = "aa"\n')
    assert configuration.load(str(path), {}) == Config(str(path), str(tmp_path), {"zone": [{"name": "aa"}]})


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    path = str(tmp_path / "none.toml")
    with pytest.raises(ConfigFault) as caught:
        configuration.read(path)
    assert caught.value.faults == (f"{path}: cannot be read: No such file or directory",)


@pytest.mark.parametrize("octets", [b"name = ", b"\xff", b"a = 1\na = 2\n", b"[zone\n"])
def test_what_is_no_toml_is_said(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(octets)
    with pytest.raises(ConfigFault) as caught:
        configuration.read(str(path))
    assert str(caught.value).startswith(f"{path}: is not TOML: ")


def test_right_values_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").touch()
    table = tomllib.loads(
        'text = "x"\nwhole = 5\nflag = true\nlist = ["a", "b"]\n'
        'name = "A.b."\nfile = "t.tsv"\n[sub]\na = 1\n[[many]]\nb = 2\n'
    )
    it = Section(Config("c.toml", str(tmp_path), {}), table, "", [])
    assert it.text("text") == "x"
    assert it.integer("whole", most=5) == 5
    assert it.boolean("flag", False) is True
    assert it.texts("list") == ["a", "b"]
    assert it.name("name") == "A.b"
    assert it.file("file") == str(tmp_path / "t.tsv")
    assert it.section("sub").integer("a") == 1
    assert [each.integer("b") for each in it.sections("many")] == [2]
    it.finish()
    assert it.faults == []


def test_defaults_stand_in_for_what_is_left_out() -> None:
    it = section()
    assert it.text("a", "x") == "x"
    assert it.integer("b", 3) == 3
    assert it.boolean("c", True) is True
    assert it.texts("d", []) == []
    assert it.name("e", "aa") == "aa"
    assert it.section("f").table == {}
    assert it.sections("g") == []
    assert not it.has("a")
    assert it.faults == []


@pytest.mark.parametrize(
    ("method", "value", "complaint"),
    [
        ("text", 5, "must be a string, not 5"),
        ("text", "", "must not be empty"),
        ("integer", "5", "must be a whole number, not '5'"),
        ("integer", True, "must be a whole number, not True"),
        ("integer", 1.5, "must be a whole number, not 1.5"),
        ("integer", -1, "must be from 0 to 2147483647, not -1"),
        ("integer", 2**31, "must be from 0 to 2147483647, not 2147483648"),
        ("texts", "a", "must be a list of strings, not 'a'"),
        ("texts", ["a", 1], "must be a list of strings"),
        ("name", ["a"], "must be a string, not ['a']"),
        ("name", "a..b", "name 'a..b' has an empty label"),
        ("name", "", "must not be empty"),
        ("file", "none.tsv", "there is no file /nowhere/none.tsv"),
        ("section", 5, "must be a table, not 5"),
        ("sections", {"a": 1}, "must be tables, written [[key]], not {'a': 1}"),
        ("sections", [1], "must hold tables, written [[key]]"),
        (
            "text",
            list(range(100)),
            "must be a string, not [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16...",
        ),
    ],
)
def test_a_wrong_value_is_one_fault_with_its_place(method: str, value: object, complaint: str) -> None:
    it = section(key=value)
    getattr(it, method)("key")
    assert it.faults == [f"c.toml: zone[0].key: {complaint}"]


def test_a_wrong_boolean() -> None:
    it = section(key=1)
    assert it.boolean("key", False) is False
    assert it.faults == ["c.toml: zone[0].key: must be true or false, not 1"]


@pytest.mark.parametrize(
    ("method", "what"), [("text", "a string"), ("integer", "a whole number"), ("texts", "a list of strings")]
)
def test_a_missing_key_is_one_fault(method: str, what: str) -> None:
    it = section()
    getattr(it, method)("key")
    assert it.faults == [f"c.toml: zone[0].key: is missing; it must be {what}"]


def test_unknown_keys_are_faults_and_the_known_ones_are_named() -> None:
    it = section(nmae="aa", colour=1)
    it.text("name", "x")
    it.integer("ttl", 1)
    it.finish()
    assert it.faults == [
        "c.toml: zone[0].nmae: unknown key; the keys here are name, ttl",
        "c.toml: zone[0].colour: unknown key; the keys here are name, ttl",
    ]


def test_the_place_leads_through_tables_and_lists() -> None:
    it = section(soa={"serial": "x"}, record=[{}, {"type": 1}])
    it.section("soa").integer("serial", 0)
    for each in it.sections("record"):
        each.text("type")
    assert it.faults == [
        "c.toml: zone[0].soa.serial: must be a whole number, not 'x'",
        "c.toml: zone[0].record[0].type: is missing; it must be a string",
        "c.toml: zone[0].record[1].type: must be a string, not 1",
    ]


def test_a_fault_of_the_whole_file_has_no_key() -> None:
    it = Section(Config("c.toml", "/", {}), {}, "", [])
    it.fault("", "is odd")
    assert it.faults == ["c.toml: is odd"]


def test_a_nul_in_a_text_is_a_fault_that_names_the_file(tmp_path: Path) -> None:
    """It was a traceback wherever the text was taken for a path."""
    path = write_config(tmp_path, TABLE_ZONE.replace("cities.tsv", "cities\\u0000.tsv"))
    with pytest.raises(ConfigFault, match=r"pipebackend\.toml: a text has a NUL"):
        configuration.read(str(path))


def test_a_configuration_here_that_others_may_write_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_config(tmp_path)
    assert configuration.find(None, {}) == str(path)
    path.chmod(0o666)
    assert configuration.find(None, {}) != str(path)
    assert "is not used" in capfd.readouterr().err
    path.chmod(0o644)
    tmp_path.chmod(0o777)
    assert configuration.find(None, {}) != str(path)
    assert configuration.find(str(path), {}) == str(path)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_is_not_part_of_the_configuration(tmp_path: Path, newline: str) -> None:
    """Editors of Windows write one."""
    path = write_config(tmp_path)
    plain = configuration.read(str(path)).table
    path.write_bytes(b"\xef\xbb\xbf" + path.read_text().replace("\n", newline).encode())
    assert configuration.read(str(path)).table == plain
