"""pdns.conf is read as PowerDNS reads it; tests/live/test_doctor.py holds the same texts to the real one."""

from __future__ import annotations

import pytest

from pipebackend.diagnosis.doctor import pdnsconf

# Text, and what is then in force
READINGS = {
    "comments": ("# a\ncache-ttl=1 # b\n  # c\nquery-cache-ttl=2\t#d\n", {"cache-ttl": "1", "query-cache-ttl": "2"}),
    "a # inside a word": ("also-notify=a#b # c\n", {"also-notify": "a#b # c"}),
    "spaces around": ("  cache-ttl \t=  5  \n", {"cache-ttl": "5"}),
    "later lines win": ("cache-ttl=1\ncache-ttl=2\n", {"cache-ttl": "2"}),
    "added": ("also-notify=192.0.2.1\nalso-notify+=192.0.2.2\n", {"also-notify": "192.0.2.1, 192.0.2.2"}),
    "continued": ("also-notify=192.\\\n0.2.1\ncache-ttl=3\n", {"also-notify": "192.0.2.1", "cache-ttl": "3"}),
    "a continued comment": ("# off: \\\ncache-ttl=1\nquery-cache-ttl=4\n", {"query-cache-ttl": "4"}),
    "a word alone": ("master\n", {"master": ""}),
    "a value with =": ("server-id=a=b\n", {"server-id": "a=b"}),
    "an empty value": ("cache-ttl=7\nserver-id=\n", {"cache-ttl": "7", "server-id": ""}),
}


def read(folder, text, name=""):
    (folder / (f"pdns-{name}.conf" if name else "pdns.conf")).write_text(text)
    return pdnsconf.read(str(folder), name)


@pytest.mark.parametrize(("text", "wanted"), READINGS.values(), ids=READINGS)
def test_readings(tmp_path, text, wanted):
    conf = read(tmp_path, text)
    assert {name: setting.value for name, setting in conf.settings.items()} == wanted
    assert conf.faults == []


def test_lines_are_counted_in_the_file(tmp_path):
    conf = read(tmp_path, "# a\n\nalso-notify=1,\\\n2\n\ncache-ttl=3\n")
    assert [(line.name, line.line) for line in conf.lines] == [("also-notify", 3), ("cache-ttl", 6)]
    assert conf.settings["cache-ttl"].file == str(tmp_path / "pdns.conf")


def test_launch_and_suffixes(tmp_path):
    conf = read(tmp_path, "launch=remote:one, pipe\tgsqlite3,,\nlaunch+=bind\n")
    assert [launched.title for launched in conf.launched] == ["remote:one", "pipe", "gsqlite3", "bind"]
    assert conf.launched[0].setting("dnssec") == "remote-one-dnssec"
    assert conf.launched[1].setting("abi-version") == "pipe-abi-version"


def test_config_name(tmp_path):
    assert read(tmp_path, "cache-ttl=8\n", "inside").value("cache-ttl") == "8"
    assert read(tmp_path, "", "other").path == str(tmp_path / "pdns-other.conf")


def test_included_files_in_order_and_not_their_own_includes(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "b.conf").write_text("cache-ttl=2\n")
    (folder / "A.conf").write_text(f"cache-ttl=1\ninclude-dir={tmp_path}/none\n")
    (folder / ".hidden.conf").write_text("cache-ttl=9\n")
    (folder / "c.cnf").write_text("cache-ttl=9\n")
    conf = read(tmp_path, f"cache-ttl=0\ninclude-dir={folder}\ncache-ttl=0\n")
    assert (conf.value("cache-ttl"), conf.settings["cache-ttl"].file) == ("2", str(folder / "b.conf"))
    assert conf.faults == []


def test_places_that_cannot_be_read(tmp_path):
    assert "cannot be read" in pdnsconf.read(str(tmp_path), "").faults[0].message
    [fault] = read(tmp_path, "\ninclude-dir=/nonexistent-folder\n").faults
    assert (fault.line, "No such file" in fault.message) == (2, True)
    (tmp_path / "d" / "x.conf").mkdir(parents=True)
    [fault] = read(tmp_path, f"include-dir={tmp_path}/d\n").faults
    assert "x.conf is not a file" in fault.message
    [fault] = read(tmp_path, "launch+=remote\n").faults
    assert fault.write == "launch=remote"


def test_octets_that_are_no_text(tmp_path):
    (tmp_path / "pdns.conf").write_bytes(b"server-id=\xff\xfe\ncache-ttl=1\n")
    assert pdnsconf.read(str(tmp_path)).value("cache-ttl") == "1"


def test_numbers_and_switches(tmp_path):
    conf = read(tmp_path, "cache-ttl=abc\nquery-cache-ttl=12\n")
    assert [conf.number(name, 20) for name in ("cache-ttl", "query-cache-ttl", "negquery-cache-ttl")] == [20, 12, 20]
    assert [pdnsconf.is_yes(value) for value in ("yes", "no", "off", "No", "false", "")] == [
        True, False, False, True, True, True,
    ]  # fmt: skip
