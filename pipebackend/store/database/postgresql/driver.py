"""psycopg2, imported when a store in PostgreSQL is first used, and with a limit to how long the server may be silent.

Of the drivers it is imported in a quarter of the time (docs/postgresql.md). libpq has no limit of its own for an
answer: a server that is stopped, or a network that drops everything, would hold the process for ever.
"""

from __future__ import annotations

import select
from time import monotonic

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.postgresql import address
from pipebackend.store.database.postgresql.faults import Late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ERRORS", "connect", "load", "options", "without_limit"]

ERRORS = (Late, ValueError, OverflowError, MemoryError)  # that a call may raise beside psycopg2.Error
_KEEPALIVE = {"keepalives_idle": "10", "keepalives_interval": "3", "keepalives_count": "3"}


def load(path: str) -> Any:
    """The module; StoreFault if it is not installed."""
    try:
        import psycopg2
        import psycopg2.extensions
    except ImportError as exc:
        raise StoreFault(f"store {path}: needs psycopg2; pip install 'pipebackend[postgresql]'") from exc
    psycopg2.extensions.set_wait_callback(_wait)
    return psycopg2


def options(driver: Any, url: str) -> dict[str, Any]:
    """What the address says, by libpq's names; StoreFault."""
    try:
        found: dict[str, Any] = driver.extensions.parse_dsn(url)
    except driver.Error as exc:
        words = " ".join(str(exc).split()).partition(" in URI")[0].partition(': "')[0]
        raise StoreFault(f"store {address.shown(url)}: not an address that libpq reads: {words}") from None
    return {**_KEEPALIVE, "fallback_application_name": "pipebackend", **found, "client_encoding": "UTF8"}


def connect(driver: Any, wanted: dict[str, Any], seconds: float) -> Any:
    """A connection whose statements are transactions of their own until BEGIN; raises the driver's errors, or Late."""

    class Limited(driver.extensions.connection):  # type: ignore[misc]  # of a module that may not be there
        """A connection that knows how many seconds its next call may take; None for as long as it takes."""

        limit: float | None = seconds

    connection = driver.connect(connection_factory=Limited, **wanted)
    connection.autocommit = True
    types = driver.extensions
    octets = types.new_type((17,), "OCTETS", lambda value, cursor: _octets(driver.BINARY(value, cursor)))
    types.register_type(octets, connection)
    return connection


class without_limit:
    """A block with calls that psycopg2 cannot make with a limit: COPY."""

    def __init__(self, driver: Any) -> None:
        self._extensions = driver.extensions

    def __enter__(self) -> None:
        self._extensions.set_wait_callback(None)

    def __exit__(self, *_: object) -> None:
        self._extensions.set_wait_callback(_wait)


def _octets(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _wait(connection: Any) -> None:
    """Until a call is done; psycopg2 closes the connection if this raises."""
    state = connection.poll()
    if not state:
        return
    limit = getattr(connection, "limit", None)  # of the process's own connections, not of those of a user's code
    deadline = None if limit is None else monotonic() + limit
    while state:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN if state == 1 else select.POLLOUT)
        left = None if deadline is None else max(0.0, deadline - monotonic()) * 1000
        if not poll.poll(left):
            raise Late(f"{limit:g}")
        state = connection.poll()
