"""What makes a store in SQLite, and one of an older version into one of this: our own tables and triggers among it.

A database that PowerDNS's schema made is taken as it is: only tables of our own are added to it. Imported when tables
are to be made, and not at each start.
"""

from __future__ import annotations

from pipebackend.dnsdata import names
from pipebackend.store.database import powerdnstables
from pipebackend.store.database.schema import OUR_TABLE, apex_from, checked, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipebackend.store.database.schema import Run

__all__ = ["bring_up_to_date", "drop_triggers_of_records"]


def _make_powerdns_tables(run: Run) -> None:
    if "domains" not in tables(run):
        _run_all(run, powerdnstables.TABLES)


# The order of the names in ``records``, kept by ``order``. ``hashes`` are made with the NSEC3 parameters in ``orders``,
# which has each zone that is in order. ``stale`` says which names were written since: '' stands for all names, and then
# no others are noted.
_ORDER_TABLES = (
    """CREATE TABLE pipebackend_names (
        domain_id INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        key BLOB NOT NULL,
        name TEXT NOT NULL,
        insecure INTEGER NOT NULL,
        PRIMARY KEY (domain_id, hidden, key)) WITHOUT ROWID""",
    """CREATE TABLE pipebackend_hashes (
        domain_id INTEGER NOT NULL,
        hash TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (domain_id, hash)) WITHOUT ROWID""",
    "CREATE TABLE pipebackend_orders (domain_id INTEGER PRIMARY KEY, param TEXT NOT NULL)",
    """CREATE TABLE pipebackend_stale (
        domain_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (domain_id, name)) WITHOUT ROWID""",
    "INSERT INTO pipebackend_stale (domain_id, name) SELECT id, '' FROM domains",
)

# ``key`` is that of ``names.order_key_in``; ``spelled`` the owner where it is kept with capitals. ``hidden`` are names
# below a zone cut or a DNAME, ``insecure`` zone cuts without DS.
_PLACES = (
    """CREATE TABLE pipebackend_places (
        domain_id INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        key BLOB NOT NULL,
        insecure INTEGER NOT NULL,
        spelled TEXT,
        PRIMARY KEY (domain_id, hidden, key)) WITHOUT ROWID""",
    "DELETE FROM pipebackend_stale",
    "INSERT INTO pipebackend_stale (domain_id, name) SELECT id, '' FROM domains",
    "DROP TRIGGER pipebackend_domains_delete",
    """CREATE TRIGGER pipebackend_domains_delete AFTER DELETE ON domains BEGIN
        DELETE FROM pipebackend_places WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_hashes WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_orders WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_stale WHERE domain_id = OLD.id;
        END""",
)


def _noting(trigger: str, event: str, row: str, name: str, condition: str) -> str:
    """A trigger that notes a name of the zone as written.

    Triggers run in whatever process writes, so they use plain SQL; ``OR IGNORE`` would yield to the conflict clause of
    the statement that fires them.
    """
    return f"""CREATE TRIGGER {trigger} AFTER {event} WHEN {condition} BEGIN
        INSERT INTO pipebackend_stale (domain_id, name) SELECT {row}.domain_id, {name} WHERE NOT EXISTS
            (SELECT 1 FROM pipebackend_stale WHERE domain_id = {row}.domain_id AND name IN ('', {name}));
        END"""


def _triggers() -> Iterator[str]:
    of_record = "{0}.domain_id IS NOT NULL AND {0}.name IS NOT NULL"
    orders = "{0}.kind IN ('NSEC3PARAM', 'NSEC3NARROW')"  # what else there is does not change the order
    for event, rows in (("INSERT", ("NEW",)), ("DELETE", ("OLD",)), ("UPDATE", ("OLD", "NEW"))):
        of = " OF domain_id, name, type, disabled" if event == "UPDATE" else ""
        for row in rows:
            ending = f"{event}_{row}".lower()
            yield _noting(
                f"pipebackend_records_{ending}",
                f"{event}{of} ON records",
                row,
                f"{row}.name",
                of_record.format(row),
            )
            yield _noting(f"pipebackend_metadata_{ending}", f"{event} ON domainmetadata", row, "''", orders.format(row))
    yield """CREATE TRIGGER pipebackend_domains_delete AFTER DELETE ON domains BEGIN
        DELETE FROM pipebackend_names WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_hashes WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_orders WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_stale WHERE domain_id = OLD.id;
        END"""


def _make_places(run: Run) -> None:
    """Half as large as the table before: what is almost always the same for name and key is kept once.

    The places are found again at the next look; how a signer spelled a name could not be.
    """
    _run_all(run, _PLACES)
    spelled = run(
        "SELECT d.id, d.name, n.name FROM pipebackend_names AS n JOIN domains AS d ON d.id = n.domain_id "
        "WHERE n.name <> lower(n.name)",
        (),
    )
    for ident, apex, name in spelled:
        key = names.order_key_in(apex_from(str(apex)), str(name).lower())
        run("INSERT INTO pipebackend_places VALUES (?, 0, ?, 0, ?)", (ident, key, name))
    run("DROP TABLE pipebackend_names", ())


def _make_order_tables(run: Run) -> None:
    _run_all(run, _ORDER_TABLES)
    _run_all(run, _triggers())


# Why the last new contents of a zone were not taken, see ``refusals``. A writer of an SOA has changed the zone since.
_REFUSAL_TABLE = (
    """CREATE TABLE pipebackend_refusals (
        domain_id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        reason TEXT NOT NULL)""",
    """CREATE TRIGGER pipebackend_records_insert_soa AFTER INSERT ON records WHEN NEW.type = 'SOA' BEGIN
        DELETE FROM pipebackend_refusals WHERE domain_id = NEW.domain_id;
        END""",
    """CREATE TRIGGER pipebackend_refusals_delete AFTER DELETE ON domains BEGIN
        DELETE FROM pipebackend_refusals WHERE domain_id = OLD.id;
        END""",
)


def _make_refusal_table(run: Run) -> None:
    _run_all(run, _REFUSAL_TABLE)


# Zones that were only ever given keys or settings, whose records another backend may have. One that gets an SOA is
# written here from then on.
_KEPT_FOR_OTHERS = (
    "CREATE TABLE pipebackend_settings_only (domain_id INTEGER PRIMARY KEY)",
    """INSERT INTO pipebackend_settings_only (domain_id) SELECT id FROM domains
        WHERE type = 'NATIVE' AND NOT EXISTS (SELECT 1 FROM records WHERE domain_id = domains.id)""",
    """CREATE TRIGGER pipebackend_records_insert_first_soa AFTER INSERT ON records WHEN NEW.type = 'SOA' BEGIN
        DELETE FROM pipebackend_settings_only WHERE domain_id = NEW.domain_id;
        END""",
    """CREATE TRIGGER pipebackend_settings_only_delete AFTER DELETE ON domains BEGIN
        DELETE FROM pipebackend_settings_only WHERE domain_id = OLD.id;
        END""",
)


def _make_settings_only(run: Run) -> None:
    _run_all(run, _KEPT_FOR_OTHERS)


# Where the keys of each zone stand (see pipebackend/rollover/states.py): ``*_since`` and ``*_until`` are seconds on the
# clock that ``looks`` keeps for all machines.
_RECORDS_OF_KEYS = ("dnskey", "key_rrsig", "zone_rrsig", "ds")
_ROLLOVER_TABLES = (
    """CREATE TABLE IF NOT EXISTS pipebackend_rollover_zones (
        domain_id INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        hold_until INTEGER NOT NULL,
        zone_ttl INTEGER NOT NULL,
        dnskey_ttl INTEGER NOT NULL,
        ds_ttl INTEGER NOT NULL,
        zone_horizon INTEGER NOT NULL,
        dnskey_horizon INTEGER NOT NULL,
        algorithm INTEGER NOT NULL,
        rolls TEXT NOT NULL,
        parent TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS pipebackend_rollover_keys (
        domain_id INTEGER NOT NULL,
        id INTEGER NOT NULL,
        tag INTEGER NOT NULL,
        algorithm INTEGER NOT NULL,
        role TEXT NOT NULL,
        is_sep INTEGER NOT NULL,
        active INTEGER NOT NULL,
        published INTEGER NOT NULL,
        goal TEXT NOT NULL,
        made INTEGER NOT NULL,
        is_gone INTEGER NOT NULL,
        is_withheld INTEGER NOT NULL,
        """
    + "".join(
        f"{each} TEXT NOT NULL, {each}_since INTEGER NOT NULL, {each}_until INTEGER, " for each in _RECORDS_OF_KEYS
    )
    + "PRIMARY KEY (domain_id, id))",
    """CREATE TABLE IF NOT EXISTS pipebackend_rollover_looks (
        boot TEXT PRIMARY KEY,
        seconds INTEGER NOT NULL,
        moment INTEGER NOT NULL)""",
    """CREATE TRIGGER IF NOT EXISTS pipebackend_rollover_delete AFTER DELETE ON domains BEGIN
        DELETE FROM pipebackend_rollover_zones WHERE domain_id = OLD.id;
        DELETE FROM pipebackend_rollover_keys WHERE domain_id = OLD.id;
        END""",
)


def _make_rollover_tables(run: Run) -> None:
    _run_all(run, _ROLLOVER_TABLES)


def _rewrite_contents(run: Run) -> None:
    from pipebackend.store.rows import contents

    contents.rewrite_few(run)


def _mark_zones_with_dname(run: Run) -> None:
    run("DELETE FROM pipebackend_stale WHERE domain_id IN (SELECT domain_id FROM records WHERE type = 'DNAME')", ())
    run(
        "INSERT INTO pipebackend_stale (domain_id, name) SELECT DISTINCT domain_id, '' FROM records "
        "WHERE type = 'DNAME' AND domain_id IS NOT NULL",
        (),
    )


def drop_triggers_of_records(run: Run) -> list[str]:
    """The statements that make our triggers on ``records`` again, which are dropped; inside a transaction."""
    found = run("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'pipebackend_records_*'", ())
    _run_all(run, [f"DROP TRIGGER {name}" for name, _ in found])
    return [str(sql) for _, sql in found]


def _run_all(run: Run, statements: Iterable[str]) -> None:
    for statement in statements:
        run(statement, ())


# In order, each applied once, in the transaction that records it; add at the end, never change one that was released.
_ALL: tuple[tuple[str, Callable[[Run], None]], ...] = (
    ("tables of PowerDNS 4.7", _make_powerdns_tables),
    ("the order of the names in records", _make_order_tables),
    ("the same in half the space", _make_places),
    ("why a zone was not replaced", _make_refusal_table),
    ("which zones have only keys and settings here", _make_settings_only),
    ("content as PowerDNS writes it", _rewrite_contents),
    ("names below a DNAME are hidden", _mark_zones_with_dname),
    ("where keys stand that roll over", _make_rollover_tables),
)


def bring_up_to_date(run: Run, path: str) -> None:
    """Makes what is missing, inside the caller's transaction; StoreFault as ``checked``."""
    found, done = checked(run, path)
    if OUR_TABLE not in found:
        run(f"CREATE TABLE {OUR_TABLE} (version INTEGER PRIMARY KEY, name TEXT NOT NULL)", ())
    for version, (name, apply) in enumerate(_ALL[done:], done + 1):
        apply(run)
        run(f"INSERT INTO {OUR_TABLE} (version, name) VALUES (?, ?)", (version, name))
