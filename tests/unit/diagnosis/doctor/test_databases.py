"""A store in PostgreSQL that does not let PowerDNS do what its configuration asks of it."""

from __future__ import annotations

import pytest

from pipebackend.store import open_store
from tests.live.servers import HOST, free_port
from tests.making import write_config

REMOTE = "launch=remote\nremote-connection-string=pipe:command=<remoteshim>,config=<config>\nremote-dnssec=yes\n"


def codes(bed):
    return {finding.code for finding in bed.examine().findings}


@pytest.fixture
def database(postgresql):
    url = postgresql.new_database()
    yield url
    postgresql.drop_database(url)


@pytest.fixture
def with_store(bed):
    """Puts an address into the configuration."""
    return lambda url: write_config(bed.folder, f'[store]\nurl = "{url}"\n')


def test_a_role_that_may_not_write(bed, with_store, postgresql, database):
    name = database.rpartition("/")[2].partition("?")[0]
    store = with_store(database)
    bed.write(REMOTE)
    assert "database-read-only" not in codes(bed)
    postgresql.execute(name, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    try:
        opened = open_store(database, store.parent)
        opened.init()
        opened.close()
        postgresql.execute(name, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        with_store(database.replace("postgres@", "reader@"))
        assert "database-read-only" not in codes(bed)
        bed.write(REMOTE + "api=yes\n")
        [found] = [one for one in bed.examine().findings if one.code == "database-read-only"]
        assert found.line == 4
        assert "its role has no right to write" in found.message
        postgresql.execute(name, "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader")
        assert "database-read-only" not in codes(bed)
    finally:
        postgresql.execute(name, "DROP OWNED BY reader", "DROP ROLE reader")


def test_more_processes_than_connections(bed, with_store, database):
    opened = open_store(database, with_store(database).parent)
    opened.init()
    opened.close()
    bed.write(REMOTE + "distributor-threads=500\n")
    assert "database-connections" in codes(bed)
    bed.write(REMOTE + "distributor-threads=2\n")
    assert "database-connections" not in codes(bed)


def test_an_address_where_nobody_listens(bed, with_store):
    with_store(f"postgresql://pdns:secret@{HOST}:{free_port()}/pdns")
    bed.write(REMOTE)
    [found] = [one for one in bed.examine().findings if one.code == "store"]
    assert "onnection refused" in found.message
    assert "secret" not in found.message
