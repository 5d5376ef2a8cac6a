"""The tables in PostgreSQL: PowerDNS's gpgsql schema of version 4.7, and our own beside it.

The same names and types as PowerDNS's own schema, so that ``launch=gpgsql`` serves a store that we made, and PowerDNS's
later schema upgrades apply to it. A database that PowerDNS's schema made is taken as it is: only tables, triggers
and functions of our own are added to it.
"""

from __future__ import annotations

from pipebackend.base.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]

__all__ = ["LOCK", "OUR_TABLE", "TABLES", "VERSION", "bring_up_to_date", "checked_version"]

OUR_TABLE = "pipebackend_schema"
LOCK = f"LOCK TABLE {OUR_TABLE} IN EXCLUSIVE MODE"  # which lets readers read
TABLES = ("domains", "records", "cryptokeys", "domainmetadata", "tsigkeys", "supermasters", "comments")

_OWNED = "CONSTRAINT domain_exists FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE"
_LOWER = "CONSTRAINT c_lowercase_name CHECK (name::text = lower(name::text))"

_POWERDNS_TABLES = f"""
CREATE TABLE domains (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    master VARCHAR(128) DEFAULT NULL,
    last_check INT DEFAULT NULL,
    type TEXT NOT NULL,
    notified_serial BIGINT DEFAULT NULL,
    account VARCHAR(40) DEFAULT NULL,
    options TEXT DEFAULT NULL,
    catalog TEXT DEFAULT NULL,
    {_LOWER});
CREATE UNIQUE INDEX name_index ON domains (name);
CREATE INDEX catalog_idx ON domains (catalog);
CREATE TABLE records (
    id BIGSERIAL PRIMARY KEY,
    domain_id INT DEFAULT NULL,
    name VARCHAR(255) DEFAULT NULL,
    type VARCHAR(10) DEFAULT NULL,
    content VARCHAR(65535) DEFAULT NULL,
    ttl INT DEFAULT NULL,
    prio INT DEFAULT NULL,
    disabled BOOL DEFAULT FALSE,
    ordername VARCHAR(255),
    auth BOOL DEFAULT TRUE,
    {_OWNED},
    {_LOWER});
CREATE INDEX rec_name_index ON records (name);
CREATE INDEX nametype_index ON records (name, type);
CREATE INDEX domain_id ON records (domain_id);
CREATE INDEX recordorder ON records (domain_id, ordername text_pattern_ops);
CREATE TABLE supermasters (
    ip INET NOT NULL,
    nameserver VARCHAR(255) NOT NULL,
    account VARCHAR(40) NOT NULL,
    PRIMARY KEY (ip, nameserver));
CREATE TABLE comments (
    id SERIAL PRIMARY KEY,
    domain_id INT NOT NULL,
    name VARCHAR(255) NOT NULL,
    type VARCHAR(10) NOT NULL,
    modified_at INT NOT NULL,
    account VARCHAR(40) DEFAULT NULL,
    comment VARCHAR(65535) NOT NULL,
    {_OWNED},
    {_LOWER});
CREATE INDEX comments_domain_id_idx ON comments (domain_id);
CREATE INDEX comments_name_type_idx ON comments (name, type);
CREATE INDEX comments_order_idx ON comments (domain_id, modified_at);
CREATE TABLE domainmetadata (
    id SERIAL PRIMARY KEY,
    domain_id INT REFERENCES domains (id) ON DELETE CASCADE,
    kind VARCHAR(32),
    content TEXT);
CREATE INDEX domainidmetaindex ON domainmetadata (domain_id);
CREATE TABLE cryptokeys (
    id SERIAL PRIMARY KEY,
    domain_id INT REFERENCES domains (id) ON DELETE CASCADE,
    flags INT NOT NULL,
    active BOOL,
    published BOOL DEFAULT TRUE,
    content TEXT);
CREATE INDEX domainidindex ON cryptokeys (domain_id);
CREATE TABLE tsigkeys (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255),
    algorithm VARCHAR(50),
    secret VARCHAR(255),
    {_LOWER});
CREATE UNIQUE INDEX namealgoindex ON tsigkeys (name, algorithm);
"""

# As in ``database/schema``. A note in ``stale`` also says which transaction wrote it, so that nobody waits for another
# one's note, and a note that is removed is never that of a transaction whose rows were not seen yet. The functions
# have the rights of the role that made them: who writes by gpgsql needs none on our tables.
_OUR_TABLES = """
CREATE TABLE pipebackend_places (
    domain_id INT NOT NULL,
    hidden INT NOT NULL,
    key BYTEA NOT NULL,
    insecure INT NOT NULL,
    spelled TEXT,
    PRIMARY KEY (domain_id, hidden, key));
CREATE TABLE pipebackend_hashes (
    domain_id INT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (domain_id, hash));
CREATE TABLE pipebackend_orders (domain_id INT PRIMARY KEY, param TEXT NOT NULL);
CREATE TABLE pipebackend_stale (
    domain_id INT NOT NULL,
    name TEXT NOT NULL,
    writer BIGINT NOT NULL DEFAULT txid_current(),
    PRIMARY KEY (domain_id, name, writer));
CREATE TABLE pipebackend_refusals (domain_id INT PRIMARY KEY, at BIGINT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE pipebackend_settings_only (domain_id INT PRIMARY KEY);
CREATE TABLE pipebackend_rollover_zones (
    domain_id INT PRIMARY KEY,
    last BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    zone_ttl BIGINT NOT NULL,
    dnskey_ttl BIGINT NOT NULL,
    ds_ttl BIGINT NOT NULL,
    zone_horizon BIGINT NOT NULL,
    dnskey_horizon BIGINT NOT NULL,
    algorithm INT NOT NULL,
    rolls TEXT NOT NULL,
    parent TEXT NOT NULL);
CREATE TABLE pipebackend_rollover_keys (
    domain_id INT NOT NULL,
    id INT NOT NULL,
    tag INT NOT NULL,
    algorithm INT NOT NULL,
    role TEXT NOT NULL,
    is_sep INT NOT NULL,
    active INT NOT NULL,
    published INT NOT NULL,
    goal TEXT NOT NULL,
    made BIGINT NOT NULL,
    is_gone INT NOT NULL,
    is_withheld INT NOT NULL,
    dnskey TEXT NOT NULL, dnskey_since BIGINT NOT NULL, dnskey_until BIGINT,
    key_rrsig TEXT NOT NULL, key_rrsig_since BIGINT NOT NULL, key_rrsig_until BIGINT,
    zone_rrsig TEXT NOT NULL, zone_rrsig_since BIGINT NOT NULL, zone_rrsig_until BIGINT,
    ds TEXT NOT NULL, ds_since BIGINT NOT NULL, ds_until BIGINT,
    PRIMARY KEY (domain_id, id));
CREATE TABLE pipebackend_rollover_looks (boot TEXT PRIMARY KEY, seconds BIGINT NOT NULL, moment BIGINT NOT NULL);
INSERT INTO pipebackend_stale (domain_id, name) SELECT id, '' FROM domains;
INSERT INTO pipebackend_settings_only (domain_id) SELECT id FROM domains
    WHERE type = 'NATIVE' AND NOT EXISTS (SELECT 1 FROM records WHERE domain_id = domains.id);
"""

_FUNCTION = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
_TRIGGERS = f"""
CREATE FUNCTION pipebackend_note(zone INT, written TEXT) RETURNS void {_FUNCTION} AS $$ BEGIN
    IF zone IS NOT NULL AND written IS NOT NULL THEN
        INSERT INTO {{0}}.pipebackend_stale (domain_id, name) SELECT id, written FROM {{0}}.domains WHERE id = zone
            AND NOT EXISTS (SELECT 1 FROM {{0}}.pipebackend_stale
            WHERE domain_id = zone AND name IN ('', written) AND writer = txid_current());
    END IF;
END $$;
CREATE FUNCTION pipebackend_records() RETURNS trigger {_FUNCTION} AS $$ BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM {{0}}.pipebackend_note(OLD.domain_id, OLD.name); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM {{0}}.pipebackend_note(NEW.domain_id, NEW.name); END IF;
    IF TG_OP = 'INSERT' AND NEW.type = 'SOA' THEN
        DELETE FROM {{0}}.pipebackend_refusals WHERE domain_id = NEW.domain_id;
        DELETE FROM {{0}}.pipebackend_settings_only WHERE domain_id = NEW.domain_id;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION pipebackend_metadata() RETURNS trigger {_FUNCTION} AS $$ BEGIN
    IF TG_OP <> 'INSERT' AND OLD.kind IN ('NSEC3PARAM', 'NSEC3NARROW') THEN
        PERFORM {{0}}.pipebackend_note(OLD.domain_id, '');
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.kind IN ('NSEC3PARAM', 'NSEC3NARROW') THEN
        PERFORM {{0}}.pipebackend_note(NEW.domain_id, '');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION pipebackend_domains() RETURNS trigger {_FUNCTION} AS $$ BEGIN
    DELETE FROM {{0}}.pipebackend_places WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_hashes WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_orders WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_stale WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_refusals WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_settings_only WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_rollover_zones WHERE domain_id = OLD.id;
    DELETE FROM {{0}}.pipebackend_rollover_keys WHERE domain_id = OLD.id;
    RETURN NULL;
END $$;
CREATE FUNCTION pipebackend_truncated() RETURNS trigger {_FUNCTION} AS $$ BEGIN
    INSERT INTO {{0}}.pipebackend_stale (domain_id, name) SELECT id, '' FROM {{0}}.domains ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER pipebackend_records AFTER INSERT OR DELETE OR UPDATE OF domain_id, name, type, disabled ON records
    FOR EACH ROW WHEN (current_setting('pipebackend.filling', TRUE) IS DISTINCT FROM '1')
    EXECUTE FUNCTION pipebackend_records();
CREATE TRIGGER pipebackend_metadata AFTER INSERT OR DELETE OR UPDATE ON domainmetadata
    FOR EACH ROW EXECUTE FUNCTION pipebackend_metadata();
CREATE TRIGGER pipebackend_domains AFTER DELETE ON domains FOR EACH ROW EXECUTE FUNCTION pipebackend_domains();
CREATE TRIGGER pipebackend_truncated AFTER TRUNCATE ON records EXECUTE FUNCTION pipebackend_truncated();
"""


def _make_powerdns_tables(run: Run) -> None:
    if run("SELECT to_regclass('domains') IS NULL", ())[0][0]:
        run(_POWERDNS_TABLES, ())


def _make_our_tables(run: Run) -> None:
    run(_OUR_TABLES, ())
    [(here,)] = run("SELECT quote_ident(current_schema())", ())
    run(_TRIGGERS.replace("{0}", str(here)), ())


def _rewrite_contents(run: Run) -> None:
    from pipebackend.store.rows import contents

    contents.rewrite_few(run)


# In order, each applied once, in the transaction that records it; add at the end, never change one that was released.
_MIGRATIONS: tuple[tuple[str, Callable[[Run], None]], ...] = (
    ("tables of PowerDNS 4.7", _make_powerdns_tables),
    ("our tables beside them", _make_our_tables),
    ("content as PowerDNS writes it", _rewrite_contents),
)
VERSION = len(_MIGRATIONS)
_DONE = f"SELECT coalesce(max(version), 0) FROM {OUR_TABLE}"


def checked_version(run: Run, path: str) -> int:
    """How many migrations were applied; StoreFault if the store is of a newer version of this software."""
    version = int(str(run(_DONE, ())[0][0]))
    if version > VERSION:
        raise StoreFault(
            f"store {path}: made by a newer version of this software (schema {version}, this one knows {VERSION}); "
            "install that version, or restore a backup from before"
        )
    return version


def bring_up_to_date(run: Run, path: str) -> None:
    """Makes what is missing, inside the caller's transaction; StoreFault as ``checked_version``."""
    run(f"CREATE TABLE IF NOT EXISTS {OUR_TABLE} (version INT PRIMARY KEY, name TEXT NOT NULL)", ())
    done = checked_version(run, path)
    for version, (name, apply) in enumerate(_MIGRATIONS[done:], done + 1):
        apply(run)
        run(f"INSERT INTO {OUR_TABLE} (version, name) VALUES (?, ?)", (version, name))
