"""What keeps a user from a file: modes on the way to it, and systemd's fences."""

from __future__ import annotations

import os
import subprocess

import pytest

from pipebackend.diagnosis.doctor import units, users
from tests.unit.diagnosis.doctor.conftest import open_up

STRANGER = users.User("stranger", 54321, 54321)
DEBIAN = """
[Service]
User=pdns
Group=pdns
PrivateTmp=true
ProtectHome=true
ProtectSystem=full
# ProtectHome=no
"""


@pytest.fixture
def open_path(tmp_path):
    """A folder that strangers may enter."""
    open_up(tmp_path)
    return tmp_path


def test_modes_of_the_file(open_path):
    file = open_path / "f"
    file.touch()
    for mode, refused in ((0o600, "may not read it"), (0o604, ""), (0o640, "may not read it")):
        file.chmod(mode)
        assert said(STRANGER, str(file), "r").endswith(refused)
        assert bool(said(STRANGER, str(file), "r")) == bool(refused)
    group = users.User("member", 54321, 54321, frozenset((os.stat(file).st_gid,)))
    assert users.obstacle(group, str(file), "r") is None
    assert "may not write" in said(group, str(file), "w")
    assert users.obstacle(group, str(file), "w").run == f"chmod g+w {file}"


def said(user, path, need):
    found = users.obstacle(user, path, need)
    return found.text if found else ""


def test_all_directories_that_shut_out_are_opened_by_one_command(open_path):
    inner = open_path / "shut" / "too"
    inner.mkdir(parents=True)
    (inner / "f").touch()
    for folder in (inner, open_path / "shut"):
        folder.chmod(0o700)
    found = users.obstacle(STRANGER, str(inner / "f"), "r")
    assert found.is_directory and found.run == f"chmod o+x {open_path}/shut && chmod o+x {inner}"
    subprocess.run(found.run, shell=True, check=True)
    assert users.obstacle(STRANGER, str(inner / "f"), "r") is None


def test_the_directory_that_shuts_out_is_named(open_path):
    inner = open_path / "shut" / "inner"
    inner.mkdir(parents=True)
    (inner / "f").touch()
    (open_path / "shut").chmod(0o750)
    assert said(STRANGER, str(inner / "f"), "r").startswith(f"{open_path}/shut (drwxr-x---")


def test_links_are_followed_to_the_directories_behind(open_path):
    shut = open_path / "shut"
    shut.mkdir(mode=0o700)
    (shut / "f").touch()
    (open_path / "link").symlink_to(shut / "f")
    assert said(STRANGER, str(open_path / "link"), "r").startswith(f"{shut} ")


def test_the_owner_and_root(tmp_path):
    file = tmp_path / "f"
    file.touch(mode=0o600)
    root = users.User("root", 0, 0)
    assert users.obstacle(root, str(file), "w") is None
    assert "may not run" in said(root, str(file), "x")
    assert users.obstacle(users.current(), str(file), "r") is None
    assert "No such file" in said(root, str(tmp_path / "none"), "r")


def test_users_by_name():
    assert users.named("no-such-user-here") is None
    root = users.named("0")
    assert root is not None and (root.name, root.uid) == ("root", 0)
    assert users.named("root", "no-such-group-here") is None
    assert users.current().is_us


def test_a_unit_and_its_fences():
    unit = units.parse("pdns.service", DEBIAN)
    assert (unit.user, unit.group) == ("pdns", "pdns")
    assert "ProtectHome" in unit.fence("/home/ann/venv/bin/remoteshim", False)
    assert "PrivateTmp" in unit.fence("/tmp/zones.toml", False)
    assert "ProtectSystem=full" in unit.fence("/etc/powerdns/zones.db", True)
    assert unit.fence("/etc/powerdns/zones.db", False) == unit.fence("/homes/x", False) == ""
    assert unit.fence("/var/lib/powerdns/zones.db", True) == ""


def test_later_lines_of_a_unit_win():
    text = DEBIAN + "\nProtectHome=no\nReadWritePaths=/etc/powerdns\nReadWritePaths=-/srv\nPrivateTmp=\n"
    unit = units.parse("pdns.service", text)
    assert unit.writable == ("/etc/powerdns", "/srv")
    assert unit.fence("/home/ann/x", True) == unit.fence("/etc/powerdns/zones.db", True) == unit.fence("/tmp/x", True)
    assert "cannot write /etc/other" in unit.fence("/etc/other", True)


def test_fences_are_obstacles(tmp_path):
    (tmp_path / "f").touch()
    unit = units.Unit("pdns.service", private_tmp=True, protect_home="true", protect_system="strict")
    user = users.current(unit)
    assert "pdns.service" in said(user, str(tmp_path / "f"), "w")
