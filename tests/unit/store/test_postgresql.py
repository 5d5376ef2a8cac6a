"""A store in PostgreSQL when PostgreSQL is not there, not well, a standby, or behind a pooler."""

from __future__ import annotations

import base64
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipebackend.base.errors import StoreFault
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from pipebackend.store.database.postgresql import address, connection
from pipebackend.store.rows import rrs
from tests.live.postgresql import Cluster, Relay, connected
from tests.live.servers import HOST, PATIENCE, free_port, program
from tests.process.disks import fill, small_disk
from tests.unit.store import foreign

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")


@pytest.fixture
def store_kind():
    return "postgresql"


@pytest.fixture(scope="module")
def cluster(postgresql):
    """One that tests may stop."""
    with Cluster() as own:
        yield own


@pytest.fixture
def broken(cluster):
    """A store in it, with a key."""
    with closing(open_store(cluster.new_database(), "/")) as found:
        found.add_key(APEX, 5, 257, True, True, "key")
        yield found


def eventually(read):
    """What a read gives as soon as it gives anything."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return read()
        except StoreFault:
            assert time.monotonic() < deadline
            time.sleep(0.05)


# addresses


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://pdns@db.example/pdns", "postgresql://pdns@db.example/pdns"),
        ("postgresql://pdns:se%3Acret@db/pdns?sslmode=require", "postgresql://pdns@db/pdns?sslmode=require"),
        ("postgres:///pdns?password=secret&host=/run", "postgres:///pdns?host=/run"),
        ("postgresql://u:p@a:1,b:2/d?sslpassword=x", "postgresql://u@a:1,b:2/d"),
    ],
)
def test_an_address_is_shown_without_its_passwords(url, shown):
    assert address.shown(url) == shown
    assert open_store(url, "/").path == shown


def test_an_address_that_libpq_does_not_read_is_refused_without_its_password():
    with pytest.raises(StoreFault) as caught:
        open_store("postgresql://pdns:secret@[::1/pdns", "/").domains()
    assert "secret" not in str(caught.value)


def test_another_host_comes_first_after_one_that_never_answered():
    options = {"host": "a,b,c", "port": "1,2,3", "dbname": "x"}
    assert address.rotated(options, 4) == {"host": "b,c,a", "port": "2,3,1", "dbname": "x"}


def test_no_driver_is_a_fault_with_the_extra_to_install():
    code = (
        "import sys; sys.modules['psycopg2'] = None\nfrom pipebackend.store import open_store\n"
        "try: open_store('postgresql:///x', '/').domains()\nexcept Exception as exc: print(exc)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'pipebackend[postgresql]'" in done.stdout


# a database that is not there


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_server_that_ended_is_a_fault_until_it_is_there_again(how, cluster, broken):
    cluster.stop(how)
    with pytest.raises(StoreFault, match="onnection"):
        broken.keys(APEX)
    with pytest.raises(StoreFault):
        broken.add_key(APEX, 5, 256, True, True, "lost")
    with pytest.raises(StoreFault):
        broken.data_version()
    cluster.start()
    assert [key.content for key in eventually(lambda: broken.keys(APEX))] == ["key"]
    broken.add_key(APEX, 5, 256, True, True, "after")
    assert [key.content for key in broken.keys(APEX)] == ["key", "after"]


def test_a_connection_that_the_server_ended_is_replaced_and_nobody_notices(cluster, broken):
    assert len(broken.keys(APEX)) == 1
    before = broken.data_version()
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pipebackend'"
    cluster.rows("postgres", end_all)
    assert len(broken.keys(APEX)) == 1
    assert broken.data_version() != before  # it may be another server by now
    cluster.rows("postgres", end_all)
    broken.add_key(APEX, 5, 256, True, True, "another")
    broken.begin()
    broken.add_key(APEX, 5, 256, True, True, "lost")
    cluster.rows("postgres", end_all)
    with pytest.raises(StoreFault):
        broken.add_key(APEX, 5, 256, True, True, "lost")
    with pytest.raises(StoreFault, match="nothing of it was kept"):
        broken.commit()
    assert [key.content for key in broken.keys(APEX)] == ["key", "another"]


def test_a_transaction_whose_connection_is_lost_before_its_commit_is_not_kept(cluster, broken):
    broken.begin()
    broken.add_key(APEX, 5, 256, True, True, "lost")
    cluster.rows("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(StoreFault):
        broken.commit()
    assert [key.content for key in broken.keys(APEX)] == ["key"]


def test_no_connection_that_is_free_is_a_fault_with_what_to_raise(postgresql):
    with Cluster(max_connections="5", superuser_reserved_connections="0", max_wal_senders="0") as small:
        url = small.new_database()
        others = [connected(url) for _ in range(5)]
        with closing(open_store(url, "/")) as store:
            with pytest.raises(StoreFault, match="too many clients"):
                store.domains()
            for one in others:
                one.close()
            assert eventually(store.domains) == []


def test_a_process_has_one_connection(cluster, broken):
    broken.add_key(APEX, 5, 256, True, True, "another")
    list(broken.listing(5, APEX))
    ours = "WHERE datname = current_database() AND application_name = 'pipebackend'"
    assert foreign.rows(broken, f"SELECT count(*) FROM pg_stat_activity {ours}") == [(1,)]


# a database that does not answer


@pytest.fixture
def relay(postgresql):
    with closing(Relay(postgresql.port)) as found:
        yield found


def through(relay, cluster, seconds):
    """The address of a new database by way of the relay, with a limit to the time that it is waited for."""
    url = cluster.new_database().replace("=30", f"={seconds}")
    return url.replace(f":{cluster.port}/", f":{relay.port}/")


def test_a_network_that_drops_everything_holds_nobody_for_long(postgresql, relay):
    with closing(open_store(through(relay, postgresql, 3), "/")) as store:
        eventually(lambda: store.add_key(APEX, 5, 257, True, True, "key"))
        relay.drops = True
        started = time.monotonic()
        for _ in ("the connection that there was", "a new one"):
            with pytest.raises(StoreFault, match="did not answer within 3 s"):
                store.keys(APEX)
        for _ in range(3):  # at once, for a moment
            with pytest.raises(StoreFault):
                store.keys(APEX)
        assert time.monotonic() - started < PATIENCE
        relay.drops = False
        assert len(eventually(lambda: store.keys(APEX))) == 1


def test_of_several_hosts_one_that_never_answers_is_left(postgresql, relay):
    relay.drops = True
    url = postgresql.new_database().replace(f"{HOST}:", f"{HOST}:{relay.port},{HOST}:").replace("=30", "=3")
    with closing(open_store(url, "/")) as store:
        with pytest.raises(StoreFault, match="did not answer"):
            store.domains()
        assert eventually(store.domains) == []


def test_a_question_gets_its_fault_before_powerdns_gives_up(postgresql, relay):
    assert connection.CONNECT_SECONDS + connection.ANSWER_SECONDS < 2
    relay.drops = True
    url = through(relay, postgresql, 3).partition("?")[0]
    with closing(open_store(url, "/")) as store, pytest.raises(StoreFault, match=r"within 0\.7 s"):
        store.domains()


def test_a_lock_of_others_is_a_fault_and_what_was_held_up_is_answered_after_it(url):
    with closing(open_store(url.replace("=30", "=3"), "/")) as store, closing(connected(url)) as other:
        eventually(lambda: store.add_key(APEX, 5, 257, True, True, "key"))
        other.cursor().execute("BEGIN; LOCK TABLE domains IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreFault, match="did not answer"):
            store.keys(APEX)
        other.cursor().execute("COMMIT")
        assert len(eventually(lambda: store.keys(APEX))) == 1


# other databases


def test_a_store_of_a_newer_version_is_refused(store, opened):
    store.init()
    foreign.execute(store, "INSERT INTO pipebackend_schema VALUES (99, 'of the future')")
    with pytest.raises(StoreFault, match="newer version"):
        opened().domains()
    with pytest.raises(StoreFault, match="newer version"):
        store.add_key(APEX, 5, 257, True, True, "key")


def test_a_database_that_is_not_there_is_named(postgresql):
    with closing(open_store(postgresql.url("nowhere"), "/")) as store, pytest.raises(StoreFault, match="createdb"):
        store.domains()


def test_a_name_that_powerdns_has_no_room_for_is_refused(store):
    long = r"\255" * 63 + "." + r"\255" * 10 + f".{APEX}"
    store.create_domain(APEX, 7)
    with pytest.raises(StoreFault, match="255 characters for a name; nothing was changed"):
        store.fill(7, [SOA, SOA._replace(owner=long, type="A", content="192.0.2.1")], lambda count: None)
    assert list(store.listing(7, APEX)) == []


def test_tables_of_another_version_are_a_fault(store, url):
    foreign.execute(store, "CREATE TABLE domains (id SERIAL PRIMARY KEY, title TEXT)")
    with pytest.raises(StoreFault, match="not those of PowerDNS"):
        store.domains()


# plans


def test_a_process_that_looked_up_names_of_a_small_zone_finds_them_in_a_large_one(store, opened, url):
    """Without statistics PostgreSQL would look for a name among all rows of the zone."""
    store.create_domain(APEX, 7)
    store.fill(7, [SOA], lambda count: None)
    foreign.execute(store, "ANALYZE")
    serving = opened()
    for _ in range(5):
        serving.records_at(7, APEX)
        serving.hiding(7, [APEX])
        serving.soa(7, APEX)
        serving.domain(APEX)
        serving.neighbours(7, APEX, APEX)
    many = "'h' || n || '.example.org', 'A', '192.0.2.1' FROM generate_series(1, 5000) AS many (n)"
    foreign.execute(store, f"INSERT INTO records (domain_id, name, type, content) SELECT 7, {many}")
    raw = serving._db._handle.connection
    with raw.cursor() as cursor:
        cursor.execute("SELECT name, statement, parameter_types::text[] FROM pg_prepared_statements")
        asked = [row for row in cursor.fetchall() if "FROM records" in row[1] or "JOIN records" in row[1]]
        assert len(asked) >= 3
        for name, statement, types in asked:
            values = ["'7'" if type_ == "integer" else "'example.org'" for type_ in types]
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) EXECUTE {name}({', '.join(values)})")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, statement
            assert "Rows Removed by Filter: 5000" not in plan, statement
            assert "rows=5000" not in plan, statement


def test_many_new_names_are_counted_for_the_plans_of_all(store, url):
    store.create_domain(APEX, 7)
    hosts = [SOA._replace(owner=f"h{n}.{APEX}", type="A", content="192.0.2.1") for n in range(1500)]
    store.fill(7, [SOA, *hosts], lambda count: None)
    found = foreign.rows(
        store, "SELECT reltuples::int FROM pg_class WHERE relname IN ('records', 'pipebackend_places')"
    )
    assert found == [(1501,), (1501,)]


# several at once


WRITER = """
import sys
from pipebackend.store import open_store
store = open_store(sys.argv[1], "/")
for number in range(5):
    print(store.add_key("example.org", 5, 256, True, True, f"{sys.argv[2]} {number}"), flush=True)
"""


def test_eight_processes_that_add_keys_get_ids_of_their_own(store, url):
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(8)
    ]
    ids = [line for process in running for line in process.communicate(timeout=5 * PATIENCE)[0].split()]
    assert len(ids) == len(set(ids)) == 40
    assert len(store.keys(APEX)) == 40
    assert [row.id for row in store.domains()] == [5]


def test_what_another_program_writes_while_names_are_put_in_order_is_not_forgotten(store, url):
    """Its note is not that of a row which this transaction could see."""
    store.create_domain(APEX, 7)
    store.fill(7, [SOA], lambda count: None)
    insert = "INSERT INTO records (domain_id, name, type, content) VALUES (7, '{0}.example.org', 'A', '192.0.2.1')"
    foreign.execute(store, insert.format("x"))
    with closing(connected(url)) as other:
        other.cursor().execute("BEGIN; " + insert.format("x") + "; " + insert.format("y"))
        store.rectify(7)
        assert not store.is_stale(7)
        other.cursor().execute("COMMIT")
    assert store.is_stale(7)
    store.rectify(7)
    assert store.neighbours(7, f"x.{APEX}", APEX) == (f"x.{APEX}", f"y.{APEX}")


def test_a_write_of_the_same_rows_at_the_same_moment_is_refused_with_what_to_do(store, url):
    store.create_domain(APEX, 7)
    store.begin()
    store.init()
    assert store.domain(APEX) is not None
    foreign.execute(store, "UPDATE domains SET account = 'theirs'")
    with pytest.raises(StoreFault, match="same rows at this moment"):
        store.set_account(APEX, "ours")
    store.abort()
    store.set_account(APEX, "ours")


# a standby


@contextmanager
def standby_of(primary, database):
    with Cluster(of=primary, hot_standby="on") as standby:
        standby.until(database, "SELECT pg_is_in_recovery() AND to_regclass('domains') IS NOT NULL")
        yield standby


@pytest.mark.parametrize("is_synchronous", [False, True])
def test_a_standby_follows_refuses_writes_and_is_written_to_when_it_is_promoted(is_synchronous, postgresql):
    settings = {"synchronous_standby_names": "*", "synchronous_commit": "remote_apply"} if is_synchronous else {}
    with Cluster() as primary:
        url = primary.new_database()
        database = url.rpartition("/")[2].partition("?")[0]
        with closing(open_store(url, "/")) as first:
            first.create_domain(APEX, 7)
            first.fill(7, [SOA, SOA._replace(owner=f"www.{APEX}", type="A", content="192.0.2.1")], lambda count: None)
            first.add_key(APEX, 7, 257, True, True, "key")
        with standby_of(primary, database) as standby:
            for name, value in settings.items():
                primary.execute("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
            primary.execute("postgres", "SELECT pg_reload_conf()")
            both = url.replace("@", f"@{HOST}:{standby.port},")
            with (
                closing(open_store(url, "/")) as first,
                closing(open_store(standby.url(database), "/")) as second,
                closing(open_store(both, "/")) as either,
            ):
                assert second.keys(APEX) == first.keys(APEX)
                assert list(second.listing(7, APEX)) == list(first.listing(7, APEX))
                assert second.neighbours(7, APEX, APEX) == (APEX, f"www.{APEX}")
                assert second.check() == []
                assert [one.standing().read_only for one in (first, second)] == ["", "it is a standby"]
                with pytest.raises(StoreFault, match="read-only here"):
                    second.add_key(APEX, 7, 256, True, True, "refused")
                before = second.data_version()
                assert either.domain_id(APEX) == 7  # of the standby, which comes first
                new = either.add_key(APEX, 7, 256, True, True, "new")  # at the primary
                if not is_synchronous:
                    eventually_true(lambda: second.data_version() != before and len(second.keys(APEX)) == 2)
                assert second.data_version() != before
                if not is_synchronous:
                    check_that_a_standby_that_lags_has_what_it_has_replayed(standby, first, second)
                assert [key.id for key in second.keys(APEX)] == [first.keys(APEX)[0].id, new]
                primary.stop(signal.SIGKILL)
                assert len(second.keys(APEX)) == 2
                standby.promote()
                if is_synchronous:
                    standby.execute("postgres", "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
                assert eventually(lambda: second.add_key(APEX, 7, 256, True, True, "promoted"))
                assert eventually(lambda: either.add_key(APEX, 7, 256, True, True, "promoted too"))
                assert len(second.keys(APEX)) == 4


def check_that_a_standby_that_lags_has_what_it_has_replayed(standby, first, second):
    standby.execute("postgres", "SELECT pg_wal_replay_pause()")
    standby.until("postgres", "SELECT pg_get_wal_replay_pause_state() = 'paused'")
    before = second.data_version(), second.keys(APEX), list(second.listing(7, APEX))
    late = first.add_key(APEX, 7, 256, True, True, "late")
    first.set_account(APEX, "late")
    assert (second.data_version(), second.keys(APEX), list(second.listing(7, APEX))) == before
    assert first.remove_key(APEX, late)
    standby.execute("postgres", "SELECT pg_wal_replay_resume()")
    eventually_true(lambda: second.domains()[0].account == "late" and second.keys(APEX) == before[1])


def eventually_true(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# a full disk, a pooler, a password, a crash in the middle


def test_a_full_disk_keeps_what_it_has_and_is_read(cluster):
    disk = cluster.scratch / "disk"
    with small_disk(disk, megabytes=24):
        (disk / "tables").mkdir()
        shutil.chown(disk / "tables", "nobody")
        cluster.execute("postgres", f"CREATE TABLESPACE small LOCATION '{disk}/tables'")
        name = "on_the_small_disk"
        cluster.execute("postgres", f"CREATE DATABASE {name} TABLESPACE small")
        with closing(open_store(cluster.url(name), "/")) as store:
            store.create_domain(APEX, 7)
            store.fill(7, [SOA], lambda count: None)
            store.add_key(APEX, 7, 257, True, True, "key")
            filler = fill(disk)
            hosts = [SOA._replace(owner=f"h{n}.{APEX}", type="TXT", content=f'"{"x" * 200}"') for n in range(3000)]
            with pytest.raises(StoreFault, match="its disk is full; nothing was changed"):
                store.fill(7, [SOA, *hosts], lambda count: None)
            assert list(store.listing(7, APEX)) == [SOA]
            assert len(store.keys(APEX)) == 1
            assert not store.is_stale(7)
            filler.unlink()
            assert store.fill(7, [SOA, *hosts], lambda count: None) == 3001
        cluster.drop_database(cluster.url(name))
        cluster.execute("postgres", "DROP TABLESPACE small")


@contextmanager
def pgbouncer(cluster):
    """The port of one that gives the server's connections away for a transaction each."""
    port = free_port()
    scratch = tempfile.mkdtemp()  # pytest's folders are closed to other users
    os.chmod(scratch, 0o755)
    Path(scratch, "pgbouncer.ini").write_text(
        f"[databases]\n* = user=postgres host={HOST} port={cluster.port}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        "ignore_startup_parameters = extra_float_digits\n"
    )
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [*as_user, program("pgbouncer"), f"{scratch}/pgbouncer.ini"], stderr=subprocess.DEVNULL, cwd=scratch
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(scratch)


@pytest.mark.skipif(not shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), reason="not installed: pgbouncer")
def test_behind_a_pooler_all_works(postgresql):
    with pgbouncer(postgresql) as port:
        url = postgresql.new_database().replace(f":{postgresql.port}/", f":{port}/")
        with closing(open_store(url, "/")) as store, closing(open_store(url, "/")) as other:
            eventually(store.domains)
            for one in (store, other) * 3:
                one.add_key(APEX, 7, 257, True, True, "key")
                for _ in range(5):
                    assert one.keys(APEX)
            assert len(store.keys(APEX)) == 6
            hosts = (SOA._replace(owner=f"h{n}.{APEX}", type="A", content="192.0.2.1") for n in range(3000))
            store.create_domain(APEX, 7)
            store.set_aside(rrs.row(7, record, None) for record in (SOA, *hosts))
            store.replace_records(7, 3001)
            listing = store.listing(7, APEX)
            assert next(listing) == SOA
            assert len(other.keys(APEX)) == 6
            assert len(list(listing)) == 3000
            assert store.neighbours(7, APEX, APEX) == (APEX, f"h0.{APEX}")
            assert not other.is_stale(7)


PASSWORDS = ("a1password2of3the4tests", "and5another6one7of8them")  # long enough for the look for secrets in logs


def test_a_password_that_changed_is_a_fault_until_it_is_right(postgresql, tmp_path):
    with Cluster() as cluster:
        database = cluster.new_database().rpartition("/")[2].partition("?")[0]
        cluster.execute("postgres", f"CREATE ROLE pdns LOGIN PASSWORD '{PASSWORDS[0]}'")
        cluster.execute(database, "GRANT ALL ON SCHEMA public TO pdns")
        cluster.demand_passwords("pdns")
        passwords = tmp_path / "pgpass"
        passwords.write_text(f"*:*:*:*:{PASSWORDS[0]}\n")
        passwords.chmod(0o600)
        with closing(open_store(cluster.url(database, user="pdns", passfile=str(passwords)), "/")) as store:
            store.add_key(APEX, 5, 257, True, True, "key")
            cluster.execute("postgres", f"ALTER ROLE pdns PASSWORD '{PASSWORDS[1]}'")
            assert len(store.keys(APEX)) == 1  # by the connection that there is
            store.close()
            with pytest.raises(StoreFault, match="password") as caught:
                store.keys(APEX)
            assert PASSWORDS[0] not in str(caught.value)
            passwords.write_text(f"*:*:*:*:{PASSWORDS[1]}\n")
            assert len(eventually(lambda: store.keys(APEX))) == 1


ROLES = re.findall(r"```sql\n(.*?)```", (Path(__file__).parents[3] / "docs" / "postgresql.md").read_text(), re.S)


def test_the_roles_of_the_page_may_do_what_it_says(postgresql):
    with Cluster() as cluster:
        database = cluster.new_database().rpartition("/")[2].partition("?")[0]
        cluster.execute("postgres", ROLES[0])
        cluster.execute(database, "GRANT ALL ON SCHEMA public TO pdns_owner")
        as_role = {role: cluster.url(database, user=f"pdns_{role}") for role in ("owner", "writer", "reader")}
        with (
            closing(open_store(as_role["owner"], "/")) as owner,
            closing(open_store(as_role["writer"], "/")) as writer,
            closing(open_store(as_role["reader"], "/")) as reader,
        ):
            owner.init()
            with closing(connected(as_role["owner"])) as connection:
                connection.cursor().execute(ROLES[1])
            writer.create_domain(APEX, 7)
            writer.fill(7, [SOA], lambda count: None)
            writer.add_key(APEX, 7, 257, True, True, "key")
            writer.set_metadata(APEX, 7, "NSEC3PARAM", ["1 0 0 -"])
            assert len(reader.keys(APEX)) == 1
            assert list(reader.listing(7, APEX)) == [SOA]
            with pytest.raises(StoreFault, match="lacks a right"):
                reader.add_key(APEX, 7, 256, True, True, "key")
            assert writer.delete_domain(APEX)
            assert reader.domains() == []


def test_the_server_s_log_has_no_key_that_a_role_may_not_write(postgresql):
    """The server logs a statement that it refuses, which had the private key in it."""
    url = postgresql.new_database()
    database = url.rpartition("/")[2].partition("?")[0]
    private, secret = (base64.b64encode(os.urandom(33)).decode() for _ in range(2))
    with closing(open_store(url, "/")) as owner:
        owner.init()
        owner.create_domain(APEX, 7)
    postgresql.execute(
        database,
        f"CREATE ROLE {database}_records LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {database}_records; "
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {database}_records; "
        f"REVOKE INSERT ON cryptokeys, tsigkeys FROM {database}_records",
    )
    with closing(open_store(postgresql.url(database, user=f"{database}_records"), "/")) as store:
        for write in (
            lambda: store.add_key(APEX, 7, 257, True, True, private),
            lambda: store.set_tsig_key("k", "hmac-sha256", secret),
        ):
            with pytest.raises(StoreFault, match="lacks a right"):
                write()
    for table in ("cryptokeys", "tsigkeys"):
        assert f"permission denied for table {table}" in postgresql.log
    for value in (private, secret):
        assert value not in postgresql.log
    with closing(open_store(url, "/")) as owner:
        owner.add_key(APEX, 7, 257, True, True, private)
        owner.set_tsig_key("k", "hmac-sha256", secret)
        assert [row.content for row in owner.keys(APEX)] == [private]
        assert owner.tsig_key("k").secret == secret
    postgresql.drop_database(url)


IMPORTER = """
import sys
from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
store = open_store(sys.argv[1], "/")
soa = Record("example.org", "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")
print("begin", flush=True)
for serial in range(1, 10000):
    new = soa._replace(content=f"ns1.example.org hostmaster.example.org {serial} 2 3 4 5")
    hosts = [Record(f"h{n}.example.org", "TXT", 60, f'"{serial}"') for n in range(40)]
    store.fill(7, [new, *hosts], lambda count: None)
"""


def test_a_writer_that_is_killed_at_any_moment_leaves_the_old_or_the_new(store, url, is_long):
    store.create_domain(APEX, 7)
    store.fill(7, [SOA], lambda count: None)
    for moment in range(200 if is_long else 8):
        with subprocess.Popen([sys.executable, "-c", IMPORTER, url], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"begin\n"
            time.sleep(random.random() / 5)
            writer.kill()
        records = list(store.listing(7, APEX))
        serial = records[0].content.split()[2]
        assert {record.content for record in records[1:]} <= {f'"{serial}"'}, moment
        assert len(records) in (1, 41)
        assert not store.is_stale(7)
        store.set_account(APEX, f"writer {moment}")  # the lock of the dead is gone
