"""Databases of gsqlite3 of older schemas, with odd rows: each ends in a served zone and in faults that name the rows.

The shapes are made of the installed one, which is that of 4.7 to 5.1, by taking back what PowerDNS's upgrades added.
"""

from __future__ import annotations

import sqlite3

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from tests.live.servers import PdnsServer, remote_config
from tests.live.test_odd_rows import APEX, make

pytestmark = pytest.mark.live

# By the release whose schema it is: what 4.7 has and it has not, and what it has instead
OLDER = {
    "4.7": "",
    "4.3": """DROP INDEX catalog_idx;
    ALTER TABLE domains DROP COLUMN catalog; ALTER TABLE domains DROP COLUMN options;""",
}
OLDER["4.2"] = (
    OLDER["4.3"]
    + """ALTER TABLE cryptokeys DROP COLUMN published;
    DROP INDEX records_lookup_idx; DROP INDEX records_lookup_id_idx; DROP INDEX records_order_idx;
    CREATE INDEX rec_name_index ON records (name); CREATE INDEX orderindex ON records (ordername);"""
)
OLDER["4.1"] = OLDER["4.2"] + "ALTER TABLE records ADD COLUMN change_date INTEGER DEFAULT NULL;"
FAULTY = ("content-null", "content-wrong", "content-quote", "type-unknown", "ttl-word", "prio-word")


@pytest.mark.parametrize("release", OLDER)
def test_odd_rows_of_an_older_schema_are_served_or_named(tmp_path, release):
    database, config = tmp_path / "zones.db", tmp_path / "pipebackend.toml"
    make(database)
    connection = sqlite3.connect(database)
    connection.executescript(OLDER[release])
    connection.close()
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    backend = open_backend(str(config))
    try:
        found = "\n".join(map(str, [*Operator(backend).zone_faults(APEX), *backend.store.check()]))
    finally:
        backend.close()
    assert [owner for owner in FAULTY if f"{owner}.{APEX}" not in found] == []
    with PdnsServer(remote_config(config), tmp_path) as server:
        assert server.dig(f"prio-null.{APEX}", "MX").answer[0].to_text().endswith(" MX 10 mail.example.net.")
        assert server.dig(f"ttl-empty.{APEX}", "A").answer[0].ttl == 3600
        assert server.dig(APEX, "SOA").answer
