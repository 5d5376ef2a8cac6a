"""Files, directories and disks that a store cannot use: what is said, and that nothing was changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.store import open_store

APEX = "example.org"


@pytest.fixture
def store_kind():
    return "sqlite"


def add_key(store, content="key"):
    return store.add_key(APEX, 5, 257, True, True, content)


def in_database(path, *statements):
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def assert_refused(store, reason):
    """Neither read nor written, with a reason that names the file; the file as before."""
    before = open_bytes(store.path)
    for use in (lambda: store.keys(APEX), lambda: add_key(store), store.init, store.data_version):
        with pytest.raises(StoreFault, match=reason) as caught:
            use()
        assert store.path in str(caught.value)
    store.close()
    assert open_bytes(store.path) == before


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("content", [b"hello", b"key = 5\n" * 500, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused(content, store, tmp_path):
    (tmp_path / "zones.db").write_bytes(content)
    assert_refused(store, "not an SQLite database; name another file")
    [fault] = [line for line in store.check() if "mode" not in line]
    assert "not an SQLite database" in fault


def test_a_damaged_octet_in_the_schema_is_a_fault_of_the_store(store):
    """SQLite quotes it, and its words were no text any more: the process ended, and with it every zone."""
    add_key(store)
    store.close()
    in_database(store.path, "PRAGMA journal_mode = DELETE")
    octets = open_bytes(store.path)
    at = octets.index(b"domainmetadata")
    with open(store.path, "wb") as file:
        file.write(octets[:at] + b"\xa8" + octets[at + 1 :])
    assert_refused(store, "the database is damaged; restore a backup")


@pytest.mark.parametrize("cell", ["NULL", "5", "1.5", "x'61'"])
@pytest.mark.parametrize("column", ["name", "type", "master", "last_check", "notified_serial", "account"])
def test_a_cell_of_another_type_ends_no_list_of_zones(column, cell, store):
    """A damaged octet made a name NULL, and PowerDNS was refused all zones with a traceback."""
    store.create_domain(APEX, 5)
    store.create_domain("other.example", 6)
    without_rules = "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'domains'"
    in_database(store.path, "PRAGMA writable_schema = ON", without_rules)
    in_database(store.path, f"UPDATE domains SET {column} = {cell} WHERE id = 5")
    waiting = {found.apex: found for found in store.waiting_domains()}
    assert "other.example" in waiting
    assert {found.name for found in store.domains()} == set(waiting)
    assert {found.id for found in store.unfresh_domains(10)} <= {5, 6}
    if column == "name" and cell in ("NULL", "x'61'"):
        assert len(waiting) == 1
        assert "delete the row" in (faults := "\n".join(store.check())) or "NULL value in domains.name" in faults


def test_a_zone_whose_id_is_null_is_a_fault_of_the_store(store):
    """A damaged octet in the word KEY made the ids NULL: a write to the zone ended in a traceback."""
    store.create_domain(APEX, 5)
    store.close()
    without_key = "replace(sql, 'id INTEGER PRIMARY KEY', 'id INTEGER')"
    in_database(
        store.path,
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = {without_key} WHERE name = 'domains'",
    )
    for use in (lambda: store.set_metadata(APEX, 5, "X-A", ["a"]), lambda: add_key(store)):
        with pytest.raises(StoreFault, match=r"the id of the zone example\.org is not a number from 0 to"):
            use()
    assert store.domains() == list(store.waiting_domains()) == list(store.unfresh_domains(10)) == []
    assert any("of the zone example.org is not a number from 0 to" in line for line in store.check())


def test_a_database_of_another_program_is_refused(store):
    in_database(store.path, "CREATE TABLE cookies (x)")
    assert_refused(store, "belongs to something else: it has the table 'cookies'")


def test_a_store_of_a_newer_version_is_refused(store):
    store.init()
    store.close()
    in_database(store.path, "INSERT INTO pipebackend_schema VALUES (99, 'of the future')")
    assert_refused(store, "newer version of this software")


def test_a_store_that_becomes_newer_while_it_is_open_is_not_written_to(store):
    add_key(store)
    in_database(store.path, "INSERT INTO pipebackend_schema VALUES (99, 'of the future')")
    with pytest.raises(StoreFault, match="newer version"):
        add_key(store)
    store.close()
    connection = sqlite3.connect(store.path)
    assert connection.execute("SELECT count(*) FROM cryptokeys").fetchone() == (1,)
    connection.close()


def test_tables_of_an_older_powerdns_are_named(store):
    in_database(store.path, "CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT)")
    with pytest.raises(StoreFault, match=r"not those of PowerDNS 4\.7 \(no such column: d\.type\)"):
        store.domains()
    with pytest.raises(StoreFault, match=r"not those of PowerDNS 4\.7 \(no such table"):
        store.keys(APEX)


def test_a_damaged_store_is_found_by_check(store):
    for number in range(200):
        store.set_metadata(APEX, 5, f"X-{number}", ["x" * 200])
    store.close()
    with open(store.path, "r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 40000)
    faults = store.check()
    assert any("restore a backup" in fault for fault in faults), faults


def test_a_directory_is_no_store(store):
    os.mkdir(store.path)
    with pytest.raises(StoreFault, match="not a file"):
        store.keys(APEX)
    with pytest.raises(StoreFault, match="not a file"):
        add_key(store)


def test_a_missing_directory_is_named_by_a_write_and_read_as_empty(tmp_path):
    store = open_store("sqlite:missing/zones.db", tmp_path)
    assert store.keys(APEX) == []
    with pytest.raises(StoreFault, match=r"missing: No such file or directory; create it"):
        add_key(store)
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "file").touch()
    store = open_store("sqlite:file/zones.db", tmp_path)
    assert store.keys(APEX) == []
    with pytest.raises(StoreFault, match="is not a directory"):
        add_key(store)


@pytest.mark.parametrize("mode", [0o777, 0o703])
def test_a_directory_that_everybody_may_write_to_gets_no_keys(mode, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    store = open_store("sqlite:open/zones.db", tmp_path)
    with pytest.raises(StoreFault, match="everybody may write to the directory"):
        add_key(store)
    assert os.listdir(tmp_path / "open") == []


def test_a_sticky_directory_is_good_only_if_its_owner_can_be_trusted(tmp_path):
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o1777)
    store = open_store("sqlite:shared/zones.db", tmp_path)
    assert add_key(store) == 1
    store.close()
    if os.geteuid() == 0:
        os.chown(directory, 12345, 12345)
        with pytest.raises(StoreFault, match="everybody may write"):
            add_key(store)
        assert len(store.keys(APEX)) == 1
    store.close()


def test_a_store_made_by_root_belongs_to_the_owner_of_its_directory(store, tmp_path):
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, 12346)
    add_key(store)
    owners = {(found.st_uid, found.st_gid) for found in map(os.stat, tmp_path.iterdir())}
    directory = os.stat(tmp_path)
    assert owners == {(directory.st_uid, directory.st_gid)}


def test_check_names_modes_orphans_empty_keys_and_double_tsig_keys(store, tmp_path):
    add_key(store)
    store.close()
    os.chmod(store.path, 0o640)
    os.chmod(tmp_path, 0o777)
    in_database(
        store.path,
        "INSERT INTO cryptokeys (id, domain_id, flags, content) VALUES (8, 99, 257, 'key'), (9, 5, 257, '')",
        "INSERT INTO records (domain_id, name) VALUES (98, 'a'), (98, 'b')",
        "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k', 'hmac-md5', 'a'), ('k', 'hmac-sha1', 'b')",
    )
    assert [fault.removeprefix(f"store {store.path}: ") for fault in store.check()] == [
        f"mode is 0640, so others may reach the private keys; chmod 600 {store.path}",
        f"everybody may write to the directory {tmp_path} and replace the private keys; chmod o-w {tmp_path}",
        "records: 2 row(s) of a zone that is gone (domain_id 98); delete them",
        "cryptokeys: 1 row(s) of a zone that is gone (domain_id 99); delete them",
        "cryptokeys: the key with the id 9 is empty; delete it",
        "tsigkeys: 2 keys have the name k, and only one of them is used; import it again",
    ]


# backups


def test_a_backup_is_a_private_store_of_its_own(store, tmp_path):
    add_key(store)
    store.backup(tmp_path / "copy.db")
    add_key(store)
    copy = open_store("sqlite:copy.db", tmp_path)
    assert copy.keys(APEX) == store.keys(APEX)[:1]
    assert copy.check() == []
    copy.close()


def test_a_backup_overwrites_nothing_and_needs_a_store(store, tmp_path):
    with pytest.raises(StoreFault, match="there is none yet"):
        store.backup(tmp_path / "copy.db")
    add_key(store)
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreFault, match=r"copy\.db: File exists; name a new file"):
        store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"
    with pytest.raises(StoreFault, match="No such file or directory"):
        store.backup(tmp_path / "missing" / "copy.db")
    store.begin()
    with pytest.raises(StoreFault, match="commit or abort"):
        store.backup(tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()


# read-only and full


WITHOUT_RIGHTS = """
import sys
from pipebackend.base.errors import StoreFault
from pipebackend.store import open_store
store = open_store("sqlite:zones.db", sys.argv[1])
print([row.content for row in store.keys("example.org")])
try:
    store.add_key("example.org", 5, 257, True, True, "other")
except StoreFault as exc:
    print(exc)
print([row.content for row in store.keys("example.org")], store.data_version() > 0)
store.close()
"""


def run_without_rights(code, *arguments):
    """As a user for whom file modes count, also where the tests run as root."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if os.geteuid() == 0:
        lost = "-dac_override,-dac_read_search,-fowner"
        command = ["setpriv", f"--inh-caps={lost}", f"--bounding-set={lost}", *command]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o400, 0o700), (0o400, 0o500), (0o600, 0o500)])
def test_a_read_only_store_is_read_and_not_written(file_mode, directory_mode, store, tmp_path):
    add_key(store)
    store.close()
    os.chmod(store.path, file_mode)
    os.chmod(tmp_path, directory_mode)
    try:
        before, fault, after, is_versioned = [
            *(lines := run_without_rights(WITHOUT_RIGHTS, tmp_path))[:2],
            *lines[2].rsplit(" ", 1),
        ]
    finally:
        os.chmod(tmp_path, 0o700)
    assert (before, after, is_versioned) == ("['key']", "['key']", "True")
    assert fault.startswith(f"store {store.path}: ")
    assert "let this user" in fault


def test_a_store_that_may_not_be_read_is_a_fault_and_not_an_empty_store(store, tmp_path):
    """An empty answer would let PowerDNS serve a signed zone without its keys."""
    add_key(store)
    store.close()
    os.chmod(store.path, 0)
    code = "import sys; from pipebackend.store import open_store; from pipebackend.base.errors import StoreFault\n"
    code += "try: open_store('sqlite:zones.db', sys.argv[1]).keys('example.org')\nexcept StoreFault as e: print(e)"
    [fault] = run_without_rights(code, tmp_path)
    assert "cannot be opened; let this user read and write the file" in fault


def test_a_snapshot_of_a_read_only_store_follows_its_changes(store, tmp_path):
    """One user may only read; another one writes. The reader sees it, though it can share no log with the writer."""
    add_key(store)
    store.close()
    os.chmod(tmp_path, 0o500)
    code = """
import os, sys
from pipebackend.store import open_store
store = open_store("sqlite:zones.db", sys.argv[1])
seen = len(store.keys("example.org")), store.data_version()
os.write(1, b"ready\\n")
sys.stdin.readline()
print(len(store.keys("example.org")), store.data_version() != seen[1])
store.close()
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    if os.geteuid() == 0:
        command = ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "ready\n"
        os.chmod(tmp_path, 0o700)
        add_key(store)
        store.close()
        os.chmod(tmp_path, 0o500)
        try:
            assert reader.communicate("\n", timeout=60)[0] == "2 True\n"
        finally:
            os.chmod(tmp_path, 0o700)


def limited(store, pages):
    """As on a disk with room for a few more pages; the driver is reached past the public face."""
    store.init()
    store._db.connection().execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_database_keeps_what_it_has(store, opened):
    add_key(store)
    limited(store, 40)
    with pytest.raises(StoreFault, match="disk is full; nothing was changed; make room"):
        store.set_metadata(APEX, 5, "X-TEXT", ["x" * 1_000_000])
    store.begin()
    store.set_metadata(APEX, 5, "X-SMALL", ["1"])
    with pytest.raises(StoreFault, match="disk is full"):
        store.set_metadata(APEX, 5, "X-TEXT", ["x" * 1_000_000])
    with pytest.raises(StoreFault, match="nothing of it was kept"):
        store.commit()
    assert store.metadata(APEX) == opened().metadata(APEX) == {}
    assert add_key(store) == 2
    assert store.check() == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only a user who may mount can make a small disk")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(directory):
    with open(directory / "filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass


def test_a_full_disk_keeps_what_it_has_and_is_read(small_disk):
    store = open_store("sqlite:zones.db", small_disk)
    add_key(store)
    fill(small_disk)
    with pytest.raises(StoreFault, match="disk"):
        for _ in range(1000):
            store.set_metadata(APEX, 5, "X-TEXT", ["x" * 5000])
    faults = []
    other = open_store("sqlite:zones.db", small_disk)
    assert len(other.keys(APEX)) == len(store.keys(APEX)) == 1
    try:
        store.add_key(APEX, 5, 257, True, True, "x" * 20000)
    except StoreFault as exc:
        faults.append(str(exc))
    assert len(faults) == 1
    (small_disk / "filler").unlink()
    assert store.add_key(APEX, 5, 257, True, True, "y") == 2
    assert store.check() == []
    for one in (store, other):
        one.close()


def test_a_store_on_a_full_disk_is_read_by_a_new_process_and_written_when_there_is_room(small_disk):
    store = open_store("sqlite:zones.db", small_disk)
    add_key(store)
    store.close()
    fill(small_disk)
    assert len(store.keys(APEX)) == 1
    with pytest.raises(StoreFault, match="full"):
        add_key(store)
    assert len(store.keys(APEX)) == 1
    (small_disk / "filler").unlink()
    assert add_key(store) == 2
    store.close()


def test_a_store_cannot_be_made_on_a_full_disk(small_disk):
    fill(small_disk)
    store = open_store("sqlite:zones.db", small_disk)
    with pytest.raises(StoreFault, match="full"):
        add_key(store)
    (small_disk / "filler").unlink()
    assert add_key(store) == 1
    store.close()


def test_a_backup_to_a_full_disk_leaves_no_half_of_it(store, small_disk):
    store.set_metadata(APEX, 5, "X-TEXT", ["x" * 1_000_000])
    with pytest.raises(StoreFault, match=r"copy\.db: the disk is full"):
        store.backup(small_disk / "copy.db")
    assert os.listdir(small_disk) == []
    assert shutil.disk_usage(small_disk).used < 100_000
