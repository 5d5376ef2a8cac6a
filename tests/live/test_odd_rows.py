"""Rows of a database as people have them: cells of any type of SQLite are served as PowerDNS's gsqlite3 serves them.

Both read the same file. What gsqlite3 fails to serve must fail here too, and never hang: no value goes on the wire that
is not of its kind.
"""

from __future__ import annotations

import sqlite3

import dns.message
import dns.rcode
import pytest

from tests.live.servers import PdnsServer, gsqlite3_schema, pipe_config, remote_config

pytestmark = pytest.mark.live

APEX = "example.org"
# By owner: type, content, ttl, prio
ROWS = {
    "prio-null": ("MX", "10 mail.example.net", 60, None),
    "prio-null-srv": ("SRV", "1 2 3 target.example.net", 60, None),
    "prio-empty": ("MX", "10 mail.example.net", 60, ""),
    "prio-text": ("MX", "mail.example.net", 60, "20"),
    "prio-word": ("MX", "mail.example.net", 60, "high"),
    "prio-real": ("MX", "mail.example.net", 60, 10.5),
    "prio-huge": ("MX", "mail.example.net", 60, 99999999999),
    "prio-negative": ("MX", "mail.example.net", 60, -1),
    "prio-both": ("MX", "10 mail.example.net", 60, 10),
    "ttl-null": ("A", "192.0.2.1", None, 0),
    "ttl-empty": ("A", "192.0.2.1", "", 0),
    "ttl-hour": ("A", "192.0.2.1", "1h", 0),
    "ttl-word": ("A", "192.0.2.1", "hour", 0),
    "ttl-real": ("A", "192.0.2.1", 60.5, 0),
    "ttl-text": ("A", "192.0.2.1", " 60", 0),
    "ttl-negative": ("A", "192.0.2.1", -1, 0),
    "ttl-half": ("A", "192.0.2.1", 2**31, 0),
    "ttl-most": ("A", "192.0.2.1", 2**32 - 1, 0),
    "ttl-huge": ("A", "192.0.2.1", 99999999999, 0),
    "ttl-blob": ("A", "192.0.2.1", b"60", 0),
    "content-null": ("A", None, 60, 0),
    "content-blob": ("A", b"192.0.2.1", 60, 0),
    "content-blob-txt": ("TXT", b'"a\xffb"', 60, 0),
    "content-letters": ("TXT", '"Z\u00fcrich"', 60, 0),
    "content-newline": ("TXT", '"a\nb"', 60, 0),
    "content-tab": ("TXT", '"a\tb"', 60, 0),
    "content-number": ("TXT", 7, 60, 0),
    "content-wrong": ("A", "192.0.2.256", 60, 0),
    "content-quote": ("TXT", '"never closed', 60, 0),
    "content-bare": ("TXT", "bare words here", 60, 0),
    "content-spaces": ("A", " 192.0.2.1 ", 60, 0),
    "content-dot": ("CNAME", "target.example.net.", 60, 0),
    "type-small": ("a", "192.0.2.1", 60, 0),
    "type-unknown": ("URL", "https://example.net/", 60, 0),
    "type-blob": (b"A", "192.0.2.1", 60, 0),
    "type-number": (1, "192.0.2.1", 60, 0),
    "type-space": ("A ", "192.0.2.1", 60, 0),
}
# gsqlite3 leaves out the row and denies the name. Here it exists, as for the chain of a signed zone, which has it.
# PowerDNS 5.1 takes a type that it does not know for an empty non-terminal if REMOTE says it
UNKNOWN_TYPES = ("type-unknown", "type-number")
LEFT_OUT = ("ttl-huge", "ttl-negative", "ttl-word")


def make(path):
    connection = sqlite3.connect(path)
    connection.executescript(gsqlite3_schema().read_text())
    connection.execute("INSERT INTO domains (id, name, type) VALUES (1, ?, 'NATIVE')", (APEX,))
    insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio) VALUES (1, ?, ?, ?, ?, ?)"
    rows = [(f"{owner}.{APEX}", *row) for owner, row in ROWS.items()]
    rows += [(APEX, "SOA", f"ns1.{APEX} hostmaster.{APEX} 1 2 3 4 5", 60, 0), (APEX, "NS", f"ns1.{APEX}", 60, 0)]
    connection.executemany(insert, rows)
    connection.commit()
    connection.close()
    path.chmod(0o600)


def answers(server):
    found = {}
    for owner, (type_, *_) in ROWS.items():
        asked = type_.strip() if isinstance(type_, str) and type_ != "URL" else "A"
        response = server.dig(f"{owner}.{APEX}", asked)
        found[owner] = dns.rcode.to_text(response.rcode()), [rrset.to_text() for rrset in response.answer]
    return found


@pytest.mark.parametrize("settings", [remote_config, pipe_config], ids=["remote", "pipe"])
def test_odd_rows_are_answered_as_by_gsqlite3(tmp_path, settings):
    database = tmp_path / "zones.db"
    make(database)
    theirs = {"launch": "gsqlite3", "gsqlite3-database": str(database), "gsqlite3-dnssec": "yes"}
    with PdnsServer(theirs, tmp_path) as server:
        expected = answers(server)
    config = tmp_path / "pipebackend.toml"
    config.write_text('[store]\nurl = "sqlite:zones.db"\n')
    with PdnsServer(settings(config), tmp_path) as server:
        got = answers(server)
    for owner in LEFT_OUT:
        assert expected.pop(owner) == ("NXDOMAIN", [])
        assert got.pop(owner) == ("NOERROR", [])
    for owner in UNKNOWN_TYPES:
        assert expected.pop(owner)[1] == got.pop(owner)[1] == []
    assert got == expected
