"""One connection to PostgreSQL: made when it is needed, made again when it was lost, never waited for too long.

- A question gets its answer, or a fault, before PowerDNS's own limit of 2 s: ``CONNECT_SECONDS`` for a connection and
  ``ANSWER_SECONDS`` for rows; ``connect_timeout`` in the address is both, where it is given. What writes, or looks at
  a whole table, may take long.
- The server ends a connection that was idle for ``IDLE_SECONDS``; the next question makes another one.
- Statements that come again are prepared, which halves their time; not behind a pooler, where the next transaction
  may be on another connection.
"""

from __future__ import annotations

from time import monotonic

from pipebackend.base.errors import StoreFault
from pipebackend.store.database.postgresql import address, driver, faults
from pipebackend.store.database.postgresql.statements import Statement, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pipebackend.store.database.interfaces import Row, Values

__all__ = ["IDLE", "IN_TRANSACTION", "LONG_SECONDS", "WITH_SECRETS", "Connection"]

CONNECT_SECONDS = 0.7
ANSWER_SECONDS = 1.2
LONG_SECONDS = 120.0
IDLE_SECONDS = 300
RETRY_SECONDS = 0.3  # after an attempt to connect that failed
IDLE, IN_TRANSACTION = 0, 2  # libpq's states of a connection
_PREPARED_FROM = 3  # uses of a statement
_COPIED_AT_ONCE = 1 << 16
_MOST_STATEMENTS = 500  # that are remembered; those of questions are far fewer
_UNKNOWN = ("26000", "42P05")  # what a pooler makes of prepared statements
WITH_SECRETS = ("INSERT INTO cryptokeys", "INSERT INTO tsigkeys")  # as the last value; within a transaction
_SET_SECRET = "SELECT set_config('pipebackend.secret', ?, TRUE)"
_AGAIN = ("40001", "40P01")  # a read on a standby that was in the way of what it had to replay

# Of a connection of our own: literals are as ``statements`` writes them; a statement is planned once and by an index,
# though the table may be small at that moment; and none is compiled for the price that is then put on a whole table.
# ``idle_session_timeout`` is of PostgreSQL 14.
_FIRST = f"""SELECT pg_backend_pid(), CASE WHEN pg_backend_pid() = ? THEN (SELECT count(set_config(name, value, FALSE))
    FROM (VALUES ('standard_conforming_strings', 'on'), ('plan_cache_mode', 'force_generic_plan'),
    ('enable_seqscan', 'off'), ('jit', 'off'), ('idle_session_timeout', '{IDLE_SECONDS * 1000}'))
    AS wanted (name, value) WHERE current_setting(name, TRUE) IS NOT NULL) END"""


class Connection:
    """To the database at an address; StoreFault from every method that cannot do its work."""

    __slots__ = ("_driver", "_prepared", "_refused", "_statements", "_turns", "is_pooled", "opened", "options", "path",
                 "raw", "url")  # fmt: skip

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = address.shown(url)
        self.opened = 0  # how often
        self.raw: Any = None  # psycopg2's
        self.options: dict[str, Any] = {}
        self.is_pooled = False
        self._driver: Any = None
        self._statements: dict[str, Statement] = {}
        self._prepared = self._turns = 0
        self._refused: tuple[float, StoreFault] | None = None  # until when not to try again, and why

    def state(self) -> int | None:
        """libpq's state of the transaction; None without a connection."""
        raw = self.raw
        return None if raw is None or raw.closed else raw.get_transaction_status()

    def seconds(self, usual: float = ANSWER_SECONDS) -> float:
        """How long the server may be silent."""
        given = str(self.options.get("connect_timeout", ""))
        return float(given) if given.isdigit() and int(given) else usual

    def open(self, **wanted: str) -> None:
        """Connects, unless it is connected; with other options than the address's in any case."""
        if self.raw is not None and not self.raw.closed and not wanted:
            return
        self.drop()
        if self._refused is not None and monotonic() < self._refused[0] and not wanted:
            raise self._refused[1]
        if self._driver is None:
            self._driver = driver.load(self.path)
            self.options = driver.options(self._driver, self.url)
        turned = address.rotated({**self.options, **wanted}, self._turns)
        turned.pop("connect_timeout", None)
        try:
            self.raw = driver.connect(self._driver, turned, self.seconds(CONNECT_SECONDS))
            told = self.raw.get_backend_pid()
            [(pid, _)] = self._execute(Statement(_FIRST), (told,), self.seconds())[1]
        except (self._driver.Error, *driver.ERRORS) as exc:
            self.drop()
            self._turns += isinstance(exc, faults.Late)
            fault = faults.of(self.path, exc)
            fault.__cause__ = exc
            self._refused = monotonic() + RETRY_SECONDS, fault
            raise fault from exc
        self._refused = None
        self.is_pooled = pid != told  # a pooler makes one up
        self.opened += 1

    def drop(self) -> None:
        """Gives the connection back."""
        if self.raw is not None and not self.raw.closed:
            self.raw.close()
        self.raw = None
        for statement in self._statements.values():
            statement.name = ""

    def execute(self, sql: str, values: Values = (), seconds: float = LONG_SECONDS) -> tuple[Any, list[Row]]:
        """One statement, or several with ``;`` between them: its cursor for what it changed, and all its rows."""
        self.open()
        try:
            if sql.startswith(WITH_SECRETS):
                sql, values = self._without_secret(sql, values)
            return self._execute(self._statement(sql), values, seconds)
        except (self._driver.Error, *driver.ERRORS) as exc:
            raise faults.of(self.path, exc) from exc

    def read(self, sql: str, values: Values = (), seconds: float = LONG_SECONDS) -> list[Row]:
        """The rows of a statement, which is made again on another connection if this one was lost."""
        was_free = self.state() in (IDLE, None)
        try:
            return self.execute(sql, values, self.seconds(seconds) if was_free else LONG_SECONDS)[1]
        except StoreFault as exc:
            state = faults.code(exc)
            if not was_free or isinstance(exc.__cause__, faults.Late):
                raise
            if self.state() is not None and state not in (*_UNKNOWN, *_AGAIN):
                raise
            self.is_pooled = self.is_pooled or state in _UNKNOWN
        return self.execute(sql, values, self.seconds(seconds))[1]

    def many(self, sql: str, values: Sequence[Values]) -> None:
        """One changing statement for each of ``values``, sent together."""
        statement = self._statement(sql)
        try:
            with self.raw.cursor() as cursor:
                texts = [cursor.mogrify(statement.text, self._ordered(statement, one)) for one in values]
        except (self._driver.Error, *driver.ERRORS) as exc:
            raise faults.of(self.path, exc) from exc
        self.execute(b";".join(texts).decode())

    def copy(self, into: str, text: str) -> None:
        """Rows for ``table (columns)``, as ``statements.copied`` writes them."""
        from io import StringIO

        self.open()
        try:
            with driver.without_limit(self._driver), self.raw.cursor() as cursor:
                cursor.copy_expert(f"COPY {into} FROM STDIN", StringIO(text), _COPIED_AT_ONCE)
        except (self._driver.Error, *driver.ERRORS) as exc:
            raise faults.of(self.path, exc) from exc

    def _execute(self, statement: Statement, values: Values, seconds: float) -> tuple[Any, list[Row]]:
        raw = self.raw
        raw.limit = seconds
        cursor = raw.cursor()
        statement.uses += 1
        if not statement.name and statement.uses >= _PREPARED_FROM and statement.is_query and not self.is_pooled:
            self._prepare(cursor, statement)
        if statement.name:
            cursor.execute(statement.call(values))
        elif statement.count:
            cursor.execute(statement.text, self._ordered(statement, values))
        else:
            cursor.execute(statement.sql)
        return cursor, cursor.fetchall() if cursor.description is not None else []

    def _without_secret(self, sql: str, values: Values) -> tuple[str, Values]:
        """The statement without its last value: the server logs one that it refuses, with all values in it."""
        self._execute(self._statement(_SET_SECRET), values[-1:], LONG_SECONDS)
        before, _, after = sql.rpartition("?")
        return f"{before}current_setting('pipebackend.secret'){after}", values[:-1]

    def _prepare(self, cursor: Any, statement: Statement) -> None:
        self._prepared += 1
        name = f"pipebackend_{self._prepared}"
        cursor.execute(f"PREPARE {name} AS {statement.numbered}")
        statement.name = name

    def _ordered(self, statement: Statement, values: Values) -> list[object]:
        return statement.ordered(text_of(values, self._driver.Binary))

    def _statement(self, sql: str) -> Statement:
        try:
            return self._statements[sql]
        except KeyError:
            if len(self._statements) >= _MOST_STATEMENTS:
                self._statements.clear()
            made = self._statements[sql] = Statement(sql)
            return made
