"""zoneutil store: made, checked, copied and shown; and what every command says of a store that cannot be used."""

from __future__ import annotations

import grp
import os
import pwd
import sqlite3
import stat

import pytest

from pipebackend.keys import bindfile
from pipebackend.store import open_store
from pipebackend.store.database.schema import OUR_TABLE

ZONE = "cities.example"


def test_init_makes_a_private_file_once(zoneutil):
    assert zoneutil.good("store", "init").out == f"{zoneutil.store}\n"
    assert stat.S_IMODE(os.stat(zoneutil.store).st_mode) == 0o600
    zoneutil.good("key", "secure", ZONE)
    before = zoneutil.contents()
    zoneutil.good("store", "init")
    assert zoneutil.contents() == before


def test_a_store_that_is_well_or_not_made_yet_has_no_faults(zoneutil):
    for zone in (ZONE, r"0/25\.x.example"):
        done = zoneutil.good("store", "check")
        assert (done.out, done.err) == ("", f"{zoneutil.store}: no faults\n")
        assert zoneutil.good("store", "check", "--json").json == {"store": str(zoneutil.store), "faults": []}
        zoneutil.good("key", "secure", zone)


def test_check_finds_keys_that_are_none_and_settings_that_are_wrong(zoneutil):
    """Other programs write the same tables and check less."""
    store = open_store("sqlite:zones.db", zoneutil.folder)
    store.add_key(ZONE, 7, 257, True, True, "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n")
    store.set_metadata(ZONE, 7, "NSEC3PARAM", ["1 0 0"])
    store.set_metadata(ZONE, 7, "TSIG-ALLOW-AXFR", ["gone"])
    store.close()
    done = zoneutil("store", "check")
    assert done.status == 1
    assert [line.partition(";")[0] for line in done.out.splitlines()] == [
        f"zone {ZONE}, key 1: PrivateKey is missing",
        f"zone {ZONE}: NSEC3PARAM: NSEC3PARAM '1 0 0' has 3 fields",
        f"zone {ZONE}: TSIG-ALLOW-AXFR: there is no TSIG key 'gone'",
    ]
    assert done.err.endswith(": 3 faults\n")
    assert len(zoneutil("store", "check", "--json").json["faults"]) == 3


def test_check_finds_a_store_that_others_can_read(zoneutil):
    zoneutil.good("store", "init")
    zoneutil.store.chmod(0o644)
    done = zoneutil("store", "check")
    assert (done.status, done.err) == (1, f"{zoneutil.store}: 1 fault\n")
    assert "chmod 600" in done.out


def test_check_finds_what_everybody_can_change(zoneutil):
    zoneutil.good("store", "init")
    folder = zoneutil.store.parent
    for path in (folder / "pipebackend.toml", folder / "cities.tsv"):
        mode = path.stat().st_mode
        path.chmod(0o666)
        done = zoneutil("store", "check")
        assert done.status == 1
        assert f"{path} can be written by everybody (mode 0666); chmod o-w {path}" in done.out
        path.chmod(mode)
    assert zoneutil("store", "check").status == 0


def test_check_looks_at_the_group_and_at_the_folders_above(zoneutil):
    """Who may rename a folder decides which store is found below it."""
    zoneutil.good("store", "init")
    above = zoneutil.store.parent
    mode = stat.S_IMODE(above.stat().st_mode)
    zoneutil.good("store", "check")
    group = next(each for each in grp.getgrall() if each.gr_gid not in (0, os.getegid()))
    if os.geteuid():
        pytest.skip("only root can give a folder to another group")
    os.chown(above, -1, group.gr_gid)
    above.chmod(mode | stat.S_IWGRP)
    done = zoneutil("store", "check")
    assert f"the members of group {group.gr_name} could replace what is in it; chmod g-w {above}\n" in done.out
    above.chmod(mode)
    inner = above / "inner"
    inner.mkdir(0o700)
    config = above / "pipebackend.toml"
    config.write_text(f'[store]\nurl = "sqlite:inner/zones.db"\n{config.read_text()}')
    zoneutil.good("store", "init")
    above.chmod(mode | stat.S_IWOTH)
    done = zoneutil("store", "check")
    assert f": everybody could replace what is in it and so {inner}; chmod o-w {above}\n" in done.out
    above.chmod(mode)
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(above, nobody, -1)
    done = zoneutil("store", "check")
    assert f"{above} belongs to nobody, who could replace what is in it and so {inner}; move it to" in done.out
    os.chown(above, 0, -1)
    zoneutil.good("store", "check")


def test_the_group_of_the_owner_alone_may_write(zoneutil):
    """The doctor itself opens the folder of the store to the group of PowerDNS's user."""
    zoneutil.good("store", "init")
    if os.geteuid():
        pytest.skip("only root can give a folder to another group")
    above, nobody = zoneutil.store.parent, pwd.getpwnam("nobody")
    zoneutil.store.chmod(0o600)
    os.chown(zoneutil.store, nobody.pw_uid, nobody.pw_gid)
    os.chown(above, -1, nobody.pw_gid)
    above.chmod(0o770)
    shares = [entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == nobody.pw_gid and entry.pw_uid]
    done = zoneutil("store", "check")
    assert ("could replace" in done.out) == (shares != ["nobody"])


def test_a_backup_is_a_store_with_the_same_keys(zoneutil):
    zoneutil.good("key", "secure", ZONE)
    before, copy = zoneutil.contents(), zoneutil.folder / "copy.db"
    zoneutil.good("store", "backup", copy)
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    zoneutil.good("key", "unsecure", ZONE, "--yes")
    for leftover in zoneutil.folder.glob("zones.db*"):
        leftover.unlink()
    copy.rename(zoneutil.store)
    assert zoneutil.contents() == before


def test_a_backup_overwrites_nothing(zoneutil):
    zoneutil.good("key", "secure", ZONE)
    target = zoneutil.folder / "precious"
    target.write_text("mine")
    assert f"backup {target}: File exists" in zoneutil.refused("store", "backup", target)
    assert target.read_text() == "mine"


def test_a_store_that_is_not_there_has_no_backup(zoneutil):
    assert f"store {zoneutil.store}: there is none yet" in zoneutil.refused("store", "backup", zoneutil.folder / "b")
    assert not (zoneutil.folder / "b").exists()


def test_dump_shows_all_but_secrets(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    zoneutil.good("meta", "set", ZONE, "ALSO-NOTIFY", "192.0.2.1")
    zoneutil.good("tsig", "generate", "transfer")
    found = zoneutil.good("store", "dump", "--json").json
    [zone] = found.pop("zones")
    assert found == {"store": str(zoneutil.store), "tsig_keys": [{"name": "transfer", "algorithm": "hmac-sha256"}]}
    assert zone["keys"] == zoneutil.good("key", "list", ZONE, "--json").json
    assert (zone["zone"], zone["type"], zone["settings"]) == (ZONE, "NATIVE", {"ALSO-NOTIFY": ["192.0.2.1"]})
    lines = zoneutil.good("store", "dump").out.splitlines()
    assert lines[0] == f"zone {ZONE} id {zone['id']} type NATIVE"
    assert lines[2].startswith("1   CSK   257    ecdsap256sha256")
    assert "ALSO-NOTIFY  192.0.2.1" in lines
    assert lines[-1] == "transfer  hmac-sha256"


def test_dump_shows_zones_of_other_backends(zoneutil):
    """In hybrid set-ups only their keys are here."""
    store = open_store("sqlite:zones.db", zoneutil.folder)
    store.ensure_domain("other.example", 3)
    store.ensure_domain("", 4)
    store.close()
    assert [zone["zone"] for zone in zoneutil.good("store", "dump", "--json").json["zones"]] == ["other.example", "."]


def test_an_empty_store_dumps_nothing(zoneutil):
    assert zoneutil.good("store", "dump").out == ""
    assert not zoneutil.store.exists()


EVERY_USE = [
    ("key", "list", ZONE),
    ("key", "generate", ZONE),
    ("key", "secure", ZONE),
    ("key", "ds", ZONE),
    ("meta", "list", ZONE),
    ("meta", "set", ZONE, "X-A", "1"),
    ("meta", "add", ZONE, "X-A", "1"),
    ("zone", "nsec3", ZONE),
    ("tsig", "list"),
    ("tsig", "generate", "k"),
    ("store", "init"),
    ("store", "backup", "/nowhere/b"),
    ("store", "dump"),
]


@pytest.mark.parametrize("words", EVERY_USE)
def test_a_file_that_is_no_database_is_named_and_left_alone(zoneutil, words):
    zoneutil.store.write_bytes(b"these are my notes\n" * 100)
    _check_refused(zoneutil, words, "not an SQLite database")
    assert zoneutil.store.read_bytes() == b"these are my notes\n" * 100


@pytest.mark.parametrize("words", EVERY_USE)
def test_a_store_of_a_newer_version_is_left_alone(zoneutil, words):
    zoneutil.good("store", "init")
    with sqlite3.connect(zoneutil.store) as database:
        database.execute(f"INSERT INTO {OUR_TABLE} (version, name) VALUES (99, 'from the future')")
    database.close()
    _check_refused(zoneutil, words, "made by a newer version")


def _check_refused(zoneutil, words, why):
    done = zoneutil(*words)
    assert (done.status, done.out) == (1, "")
    assert f"zoneutil: store {zoneutil.store}: {why}" in done.err
    assert "Traceback" not in done.err


def test_check_tells_of_a_file_that_is_no_database(zoneutil):
    zoneutil.store.write_bytes(b"notes" * 1000)
    done = zoneutil("store", "check", "--json")
    assert done.status == 1
    assert any("not an SQLite database" in fault for fault in done.json["faults"])


def test_the_built_in_configuration_has_no_store(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from pipebackend.base.errors import StoreFault
    from pipebackend.cli.main import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPEBACKEND_CONFIG", raising=False)
    runner = CliRunner()
    for words in (["store", "init"], ["key", "secure", "airports.aa"], ["meta", "add", "airports.aa", "X-A", "1"]):
        done = runner.invoke(cli, words)
        assert isinstance(done.exception, StoreFault)
        assert "pipebackend.toml" in str(done.exception)
    assert runner.invoke(cli, ["key", "list", "airports.aa", "--json"]).stdout == "[]\n"


def test_keys_of_pdnsutil_form_are_kept_octet_for_octet(zoneutil):
    text = zoneutil.good("key", "generate", ZONE) and zoneutil.good("key", "export", ZONE, 1).out
    assert text == bindfile.write(bindfile.read(text))
    [[(_, [(_, flags, active, published, content)], _)], _] = zoneutil.contents()
    assert (flags, active, published, content) == (257, True, True, text)
