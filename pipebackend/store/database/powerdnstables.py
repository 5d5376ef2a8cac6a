"""PowerDNS's own tables in SQLite, its generic SQL schema of version 4.7.

The same table, column and index names as PowerDNS's, so that ``launch=gsqlite3`` serves a store that we made, and
PowerDNS's later schema upgrades apply to it.
"""

from __future__ import annotations

__all__ = ["TABLES"]

_OWNED_BY_DOMAIN = "FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE ON UPDATE CASCADE"

TABLES = (
    """CREATE TABLE domains (
        id INTEGER PRIMARY KEY,
        name VARCHAR(255) NOT NULL COLLATE NOCASE,
        master VARCHAR(128) DEFAULT NULL,
        last_check INTEGER DEFAULT NULL,
        type VARCHAR(8) NOT NULL,
        notified_serial INTEGER DEFAULT NULL,
        account VARCHAR(40) DEFAULT NULL,
        options VARCHAR(65535) DEFAULT NULL,
        catalog VARCHAR(255) DEFAULT NULL)""",
    "CREATE UNIQUE INDEX name_index ON domains (name)",
    "CREATE INDEX catalog_idx ON domains (catalog)",
    f"""CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        domain_id INTEGER DEFAULT NULL,
        name VARCHAR(255) DEFAULT NULL,
        type VARCHAR(10) DEFAULT NULL,
        content VARCHAR(65535) DEFAULT NULL,
        ttl INTEGER DEFAULT NULL,
        prio INTEGER DEFAULT NULL,
        disabled BOOLEAN DEFAULT 0,
        ordername VARCHAR(255),
        auth BOOL DEFAULT 1,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX records_lookup_idx ON records (name, type)",
    "CREATE INDEX records_lookup_id_idx ON records (domain_id, name, type)",
    "CREATE INDEX records_order_idx ON records (domain_id, ordername)",
    """CREATE TABLE supermasters (
        ip VARCHAR(64) NOT NULL,
        nameserver VARCHAR(255) NOT NULL COLLATE NOCASE,
        account VARCHAR(40) NOT NULL)""",
    "CREATE UNIQUE INDEX ip_nameserver_pk ON supermasters (ip, nameserver)",
    f"""CREATE TABLE comments (
        id INTEGER PRIMARY KEY,
        domain_id INTEGER NOT NULL,
        name VARCHAR(255) NOT NULL,
        type VARCHAR(10) NOT NULL,
        modified_at INT NOT NULL,
        account VARCHAR(40) DEFAULT NULL,
        comment VARCHAR(65535) NOT NULL,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX comments_idx ON comments (domain_id, name, type)",
    "CREATE INDEX comments_order_idx ON comments (domain_id, modified_at)",
    f"""CREATE TABLE domainmetadata (
        id INTEGER PRIMARY KEY,
        domain_id INT NOT NULL,
        kind VARCHAR(32) COLLATE NOCASE,
        content TEXT,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX domainmetaidindex ON domainmetadata (domain_id)",
    f"""CREATE TABLE cryptokeys (
        id INTEGER PRIMARY KEY,
        domain_id INT NOT NULL,
        flags INT NOT NULL,
        active BOOL,
        published BOOL DEFAULT 1,
        content TEXT,
        {_OWNED_BY_DOMAIN})""",
    "CREATE INDEX domainidindex ON cryptokeys (domain_id)",
    """CREATE TABLE tsigkeys (
        id INTEGER PRIMARY KEY,
        name VARCHAR(255) COLLATE NOCASE,
        algorithm VARCHAR(50) COLLATE NOCASE,
        secret VARCHAR(255))""",
    "CREATE UNIQUE INDEX namealgoindex ON tsigkeys (name, algorithm)",
)
