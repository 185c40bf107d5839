"""Postgres: one pool of connections per process, configured at its first use."""

import contextlib
import select
import threading
import time
from datetime import datetime
from typing import Any, NamedTuple

import peewee
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase
from psycopg2.extensions import parse_dsn

from jive import settings
from jive.errors import DatabaseUnavailable

NULL_LOCK = contextlib.nullcontext()


class Seat(NamedTuple):
    """A connection of the pool, idle or in use. Peewee's pool unpacks the fields in this order."""

    timestamp: float
    poller: Any  # a select.poll on the connection; creating one costs as much as polling
    connection: Any


class Database(PooledPostgresqlDatabase):
    """A pool of Postgres connections, configured at its first use.

    It differs from peewee's pool in three ways:

    - Whether an idle connection is still open is asked of the kernel, not of the server: that takes no round trip.
    - Connections are opened outside of every lock: an unreachable server delays only the threads that connect.
    - The settings are read when the first connection is taken, not at import.
    """

    def __init__(self) -> None:
        super().__init__(None)
        # Peewee holds this lock while it connects. It protects nothing here: the state belongs to the thread.
        self._lock = NULL_LOCK
        self._configure_lock = threading.Lock()

    def configure(self, config: settings.Settings) -> None:
        """Use the database that `config` names from the next connection on; does not connect."""
        self.connect_params: dict[str, Any] = {}  # peewee keeps those of an earlier configuration
        parameters = parse_dsn(config.database_url)
        defaults = {
            "connect_timeout": config.database_timeout_s,
            # An idle connection to a host that vanished is noticed after half a minute, not two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            # During a statement it is noticed after this time, not when the kernel gives up after a quarter of an hour.
            "tcp_user_timeout": config.database_timeout_s * 1000,
            "application_name": "jive",
        }
        self.init(
            parameters.pop("dbname"),
            max_connections=config.database_pool_size,
            timeout=config.database_timeout_s,
            **defaults | parameters,
        )

    def connect(self, reuse_if_open: bool = False) -> bool:
        # The usual case. It skips layers of peewee that cost more than all the rest.
        if self._state.closed and (conn := self._take()) is not None:
            self._state.set_connection(conn)
            return True
        if self.deferred:
            with self._configure_lock:
                if self.deferred:
                    self.configure(settings.current())
        return bool(super().connect(reuse_if_open))

    def close(self) -> bool:
        if self._state.closed or self._state.transactions:
            return bool(super().close())
        conn = self._state.conn
        self._state.reset()
        self._close(conn)
        return True

    def _take(self) -> Any:
        """Return the idle connection that was used last, or None if there is none."""
        with self._pool_lock:
            while self._connections:
                seat = self._connections.pop()
                # Bytes on an idle connection mean that the server has closed it.
                if not (seat.connection.closed or seat.poller.poll(0)):
                    self._in_use[id(seat.connection)] = seat
                    return seat.connection
                self._close_raw(seat.connection)
        return None

    def _close(self, conn: Any, close_conn: bool = False) -> None:
        if close_conn or not self._can_reuse(conn):
            super()._close(conn, close_conn=True)
            return
        with self._pool_lock:
            if seat := self._in_use.pop(id(conn), None):
                self._connections.append(seat)
                self._pool_available.notify()

    def _connect(self) -> Any:
        with self._pool_lock:
            if (conn := self._take()) is not None:
                return conn
            if len(self._in_use) >= self._max_connections:
                raise MaxConnectionsExceeded("every connection of the pool is in use")
            place = object()  # counts as a connection in use while one is opened outside of the lock
            self._in_use[id(place)] = Seat(time.time(), None, None)
        try:
            conn = peewee.PostgresqlDatabase._connect(self)  # type: ignore[attr-defined]
        except BaseException:
            with self._pool_lock:
                del self._in_use[id(place)]
                self._pool_available.notify()
            raise
        poller = select.poll()
        poller.register(conn.fileno(), select.POLLIN)
        with self._pool_lock:
            opened_at = self._in_use.pop(id(place)).timestamp
            self._in_use[id(conn)] = Seat(opened_at, poller, conn)
        return conn


database = Database()


class connection:  # noqa: N801  # reads as a function; a class costs half as much as a generator
    """Hold a connection of the pool for the block, and return it to the pool afterwards.

    Nested blocks share the connection. A transaction that is still open at the end is rolled back.

    Raises:
        DatabaseUnavailable: there was no connection within `database_timeout_s`.
    """

    __slots__ = ("_is_outermost",)

    def __enter__(self) -> Database:
        self._is_outermost = database.is_closed()
        if self._is_outermost:
            try:
                database.connect()
            except MaxConnectionsExceeded as exc:
                raise DatabaseUnavailable("All connections of the pool are in use (JIVE_DATABASE_POOL_SIZE)") from exc
            except (peewee.OperationalError, peewee.InterfaceError) as exc:
                raise DatabaseUnavailable(f"Postgres cannot be reached: {first_line(exc)}") from exc
        return database

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            database.close()


def first_line(exc: BaseException) -> str:
    """Return the first line of an error's message. In libpq's errors it may name the server, but not the password."""
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)


def database_now() -> datetime:
    """Return the current time on the clock of the database, which all processes share."""
    now: datetime = database.execute_sql("SELECT clock_timestamp()").fetchone()[0]
    return now


def ping() -> None:
    """Run a query, and wait for the answer.

    Raises:
        DatabaseUnavailable: there was none; the message is the driver's, which may name the server.
    """
    with connection() as db:
        try:
            db.execute_sql("SELECT 1").fetchone()
        except peewee.PeeweeException as exc:
            raise DatabaseUnavailable(f"Postgres did not answer: {first_line(exc)}") from exc


def check_connection() -> bool:
    """Return whether Postgres answers a query."""
    try:
        ping()
    except DatabaseUnavailable:
        return False
    return True
