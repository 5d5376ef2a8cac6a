"""One database, two programs: what we write is served by PowerDNS's gsqlite3, and what pdnsutil made is used by us."""

from __future__ import annotations

import json
import sqlite3
import subprocess

import dns.dnssec
import dns.name
import dns.rdatatype
import pytest

from pipebackend.dnsdata.tsig import TsigKey
from pipebackend.store import open_store
from tests.live.servers import PdnsServer, gsqlite3_schema, installed_command, pdns_version
from tests.making import write_config

pytestmark = pytest.mark.live

APEX = "example.org"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"

COLUMNS = ["id", "domain_id", "name", "type", "content", "ttl", "prio", "disabled", "ordername", "auth"]


def gsqlite3(path, folder):
    """PowerDNS on a database, not started: ``pdnsutil`` works at once."""
    settings = {"launch": "gsqlite3", "gsqlite3-database": str(path), "gsqlite3-dnssec": "yes"}
    return PdnsServer(settings, folder)


def said(server, *words):
    """What pdnsutil says when all goes well."""
    done = server.pdnsutil(*words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def of_powerdns(path):
    """A database as PowerDNS's own schema makes it."""
    connection = sqlite3.connect(path)
    connection.executescript(gsqlite3_schema().read_text())
    connection.close()
    path.chmod(0o600)


def shape(path):
    """Tables with their columns, indexes with theirs, and foreign keys; without what is ours."""
    connection = sqlite3.connect(path)
    names = "SELECT name FROM sqlite_master WHERE type = ? AND tbl_name NOT LIKE 'pipebackend%'"
    found = {}
    for (table,) in connection.execute(names, ("table",)).fetchall():
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        found[table] = columns, connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    for (index,) in connection.execute(names, ("index",)).fetchall():
        found[index] = connection.execute(f"PRAGMA index_xinfo({index})").fetchall()
    connection.close()
    return found


def content(path):
    """All rows of PowerDNS's tables."""
    connection = sqlite3.connect(path)
    tables = ("domains", "records", "supermasters", "comments", "domainmetadata", "cryptokeys", "tsigkeys")
    rows = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    return rows


@pytest.fixture
def made_by_pdnsutil(tmp_path):
    """A signed zone with settings and a TSIG key; with its server and its path."""
    path = tmp_path / "theirs.db"
    of_powerdns(path)
    server = gsqlite3(path, tmp_path)
    said(server, "create-zone", APEX, f"ns1.{APEX}")
    said(server, "secure-zone", APEX)
    said(server, "add-zone-key", APEX, "zsk", "inactive", "unpublished", "2048", "rsasha256")
    said(server, "set-nsec3", APEX, "1 0 0 ab")
    said(server, "set-meta", APEX, "ALLOW-AXFR-FROM", "192.0.2.0/24", "AUTO-NS")
    said(server, "import-tsig-key", "Transfer.Key", "hmac-sha256", SECRET)
    said(server, "activate-tsig-key", APEX, "transfer.key", "primary")
    return server, path


def test_our_tables_are_those_of_powerdns(tmp_path):
    of_powerdns(tmp_path / "theirs.db")
    store = open_store("sqlite:ours.db", tmp_path)
    store.init()
    store.close()
    assert shape(tmp_path / "ours.db") == shape(tmp_path / "theirs.db")


def test_a_database_of_pdnsutil_is_read_as_it_is(made_by_pdnsutil):
    _, path = made_by_pdnsutil
    before = path.read_bytes()
    store = open_store(f"sqlite:{path}", "/")
    [zone] = store.domains()
    assert (zone.name, zone.type) == (APEX, "NATIVE")
    csk, zsk = store.keys("EXAMPLE.ORG")
    assert (csk.flags, csk.active, csk.published) == (257, True, True)
    assert (zsk.flags, zsk.active, zsk.published) == (256, False, False)
    assert "Algorithm: 13 (ECDSAP256SHA256)" in csk.content
    assert "Algorithm: 8 (RSASHA256)" in zsk.content
    of_new_zones = {} if pdns_version() < (5, 0) else {"SOA-EDIT-API": ["DEFAULT"]}
    assert store.metadata(APEX) == of_new_zones | {
        "NSEC3PARAM": ["1 0 0 ab"],
        "ALLOW-AXFR-FROM": ["192.0.2.0/24", "AUTO-NS"],
        "TSIG-ALLOW-AXFR": ["transfer.key"],
    }
    assert store.tsig_keys() == [TsigKey("transfer.key", "hmac-sha256", SECRET)]
    assert store.check() == []
    store.close()
    assert path.read_bytes() == before


def test_our_writes_leave_the_rest_of_a_database_of_pdnsutil_alone(made_by_pdnsutil, tmp_path):
    server, path = made_by_pdnsutil
    shape_before, rows = shape(path), content(path)
    store = open_store(f"sqlite:{path}", "/")
    store.set_metadata("other.example", 9, "ALSO-NOTIFY", ["192.0.2.1"])
    store.close()
    assert shape(path) == shape_before
    rows["domains"].append((9, "other.example", None, None, "NATIVE", None, None, None, None))
    rows["domainmetadata"].append((rows["domainmetadata"][-1][0] + 1, 9, "ALSO-NOTIFY", "192.0.2.1"))
    written = content(path)
    for table in (written, rows):  # our commit puts the order right that pdnsutil leaves to rectify-zone
        table["records"] = [row[: COLUMNS.index("ordername")] for row in table["records"]]
    assert written == rows
    assert "192.0.2.1" in said(server, "get-meta", "other.example", "ALSO-NOTIFY")


def lines_of_keys(server):
    """DNSKEY and DS lines of show-zone; ids may differ from database to database."""
    return [line for line in said(server, "show-zone", APEX).splitlines() if "DNSKEY" in line or "DS =" in line]


def test_pdnsutil_shows_what_we_wrote(made_by_pdnsutil, tmp_path):
    """Keys copied through us from their database to ours give the same DNSKEY and DS."""
    theirs, path = made_by_pdnsutil
    source, target = open_store(f"sqlite:{path}", "/"), open_store("sqlite:ours.db", tmp_path)
    for row in source.keys(APEX):
        target.add_key(APEX, 42, row.flags, row.active, row.published, row.content)
    for kind, values in source.metadata(APEX).items():
        target.set_metadata(APEX, 42, kind, values)
    for key in source.tsig_keys():
        target.set_tsig_key(*key)
    ours = gsqlite3(tmp_path / "ours.db", tmp_path)
    assert len(lines_of_keys(theirs)) > 3
    assert lines_of_keys(ours) == lines_of_keys(theirs)
    for words in (("show-zone", APEX), ("list-keys", APEX), ("list-tsig-keys",)):
        assert said(ours, *words) == said(theirs, *words)
    source.close()
    target.close()


def test_each_sees_at_once_what_the_other_changes(tmp_path):
    store = open_store("sqlite:zones.db", tmp_path)
    store.ensure_domain(APEX, 7)
    server = gsqlite3(tmp_path / "zones.db", tmp_path)
    version = store.data_version()
    said(server, "add-zone-key", APEX, "ksk", "active", "published", "ecdsa256")
    assert store.data_version() != version
    [key] = store.keys(APEX)
    assert key.active
    store.set_key_active(APEX, key.id, False)
    store.set_key_published(APEX, key.id, False)
    [line] = [line for line in said(server, "show-zone", APEX).splitlines() if line.startswith("ID =")]
    assert "Inactive" in line
    assert "Unpublished" in line
    said(server, "activate-zone-key", APEX, str(key.id))
    assert store.keys(APEX)[0].active
    assert store.remove_key(APEX, key.id)
    assert "not actively secured" in said(server, "show-zone", APEX)
    store.set_tsig_key("k", "hmac-sha512", SECRET)
    assert said(server, "list-tsig-keys") == f"k. hmac-sha512. {SECRET}\n"
    said(server, "delete-tsig-key", "k")
    assert store.tsig_keys() == []
    store.close()


def signed(server, type_):
    """The apex's records of one type and their signatures; PowerDNS gives the two in any order."""
    found = {rrset.rdtype: rrset for rrset in server.dig(APEX, type_, "+dnssec").answer}
    return found[dns.rdatatype.from_text(type_)], found[dns.rdatatype.RRSIG]


def test_powerdns_serves_a_zone_with_the_keys_that_we_keep(made_by_pdnsutil, tmp_path):
    """A server that runs on our store signs with a key that we add while it runs."""
    _, path = made_by_pdnsutil
    source, store = open_store(f"sqlite:{path}", "/"), open_store("sqlite:ours.db", tmp_path)
    domain_id = store.ensure_domain(APEX, 42)
    connection = sqlite3.connect(tmp_path / "ours.db")
    with connection:
        soa = f"ns1.{APEX} hostmaster.{APEX} 1 3600 600 86400 300"
        insert = "INSERT INTO records (domain_id, name, type, content, ttl, ordername) VALUES (?, ?, ?, ?, 60, '')"
        connection.execute(insert, (domain_id, APEX, "SOA", soa))
    connection.close()
    with gsqlite3(tmp_path / "ours.db", tmp_path) as server:
        assert not server.dig(APEX, "DNSKEY").answer
        key = source.keys(APEX)[0]
        store.add_key(APEX, 42, key.flags, key.active, key.published, key.content)
        name = dns.name.from_text(APEX)
        keys, _ = signed(server, "DNSKEY")
        soa, signatures = signed(server, "SOA")
        dns.dnssec.validate(soa, signatures, {name: keys})
    source.close()
    store.close()


def test_autoprimaries_are_those_of_pdnsutil(tmp_path):
    """Rows that zoneutil adds are listed by pdnsutil on the same database, and the other way round."""
    config = write_config(tmp_path)
    zoneutil = [installed_command("zoneutil"), "--config", str(config), "autoprimary"]

    def done(*words):
        return subprocess.run([*zoneutil, *words], capture_output=True, text=True, timeout=60, check=True).stdout

    done("add", "192.0.2.1", "NS1.example.", "--account", "ours")
    server = gsqlite3(tmp_path / "zones.db", tmp_path)
    said(server, "add-autoprimary", "2001:db8::1", "ns2.example", "theirs")
    assert said(server, "list-autoprimaries").splitlines() == [
        "IP=192.0.2.1, NS=ns1.example, account=ours",
        "IP=2001:db8::1, NS=ns2.example, account=theirs",
    ]
    assert json.loads(done("list", "--json")) == [
        {"address": "192.0.2.1", "nameserver": "ns1.example", "account": "ours"},
        {"address": "2001:db8::1", "nameserver": "ns2.example", "account": "theirs"},
    ]
    done("remove", "2001:db8::1")
    said(server, "remove-autoprimary", "192.0.2.1", "ns1.example")
    assert said(server, "list-autoprimaries") == done("list") == ""
