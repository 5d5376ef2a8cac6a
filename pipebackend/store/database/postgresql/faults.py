"""What PostgreSQL's errors mean to the operator."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.faults import BUSY_SECONDS

__all__ = ["READ_ONLY", "Late", "code", "of"]

READ_ONLY = ("25006", "55000")  # read_only_sql_transaction; and what a standby says of a lock
_NOT_KEPT = "nothing was changed"

# By SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html): what is wrong; what to do
_MEANINGS = {
    "25006": f"it is read-only here, as a standby is; {_NOT_KEPT}; write to the primary",
    "55000": f"it is read-only here, as a standby is; {_NOT_KEPT}; write to the primary",
    "25P02": "an earlier statement of this transaction failed; abort it",
    "55P03": f"another process has been writing for more than {BUSY_SECONDS} s; try again when it is done",
    "40": f"another program has written the same rows at this moment; {_NOT_KEPT}; try again",
    "28": "it does not let this user in; look at user and password, and at pg_hba.conf",
    "3D": "there is no such database; make it with createdb",
    "42501": "this user lacks a right; docs/postgresql.md has the GRANT lines",
    "42P01": "the tables are not those of PowerDNS 4.7; apply the schema upgrades that PowerDNS ships",
    "42703": "the tables are not those of PowerDNS 4.7; apply the schema upgrades that PowerDNS ships",
    "22001": f"a value is longer than PowerDNS's table takes, 255 characters for a name; {_NOT_KEPT}; shorten it",
    "22": f"a value cannot be stored; {_NOT_KEPT}",
    "23": f"a value cannot be stored; {_NOT_KEPT}",
    "53300": "it has no connection free; raise max_connections, or start fewer processes",
    "53100": f"its disk is full; {_NOT_KEPT}; make room and try again",
    "53": f"it is out of resources; {_NOT_KEPT}",
    "57P": "it is being started or stopped; try again",
    "XX": "the database is damaged; restore a backup",
}
# What is said of a connection that was not made, which has no SQLSTATE in psycopg2
_OF_CONNECTING = (
    ("authentication failed", "28"),
    ("pg_hba.conf", "28"),
    ("too many", "53300"),
    ('database "', "3D"),
)


class Late(Exception):
    """The server said nothing for so many seconds."""


def of(path: str, exc: Exception) -> StoreFault:
    """What a call of the driver may raise, as a fault that names the database."""
    if isinstance(exc, Late):
        return StoreFault(f"store {path}: it did not answer within {exc} s")
    if isinstance(exc, OverflowError | ValueError):  # UnicodeError is one; a NUL, which no text can have
        return StoreFault(f"store {path}: a value cannot be stored or read: {exc}; {_NOT_KEPT}")
    state = _state(exc) or next((state for words, state in _OF_CONNECTING if words in str(exc)), "")
    meaning = next((_MEANINGS[state[:count]] for count in (5, 3, 2) if state and state[:count] in _MEANINGS), "")
    return StoreFault(f"store {path}: {meaning} ({_words(exc)})" if meaning else f"store {path}: {_words(exc)}")


def code(fault: StoreFault) -> str:
    """The SQLSTATE behind the fault, empty if there is none."""
    return _state(fault.__cause__)


def _state(exc: BaseException | None) -> str:
    return str(getattr(exc, "pgcode", "") or "")


def _words(exc: Exception) -> str:
    """PostgreSQL's message without its details, which show rows, and so perhaps a private key."""
    primary = getattr(getattr(exc, "diag", None), "message_primary", None)
    return str(primary) if primary else " ".join(str(exc).split())
