"""Postgres: one pooled database, connected when first used, and the base of every model."""

import contextlib
import select
import threading
import time
from collections.abc import Iterator
from typing import Any

import peewee
from playhouse.pool import MaxConnectionsExceeded, PoolConnection, PooledPostgresqlDatabase
from psycopg2.extensions import parse_dsn

from jive import settings
from jive.errors import DatabaseUnavailable

NULL_LOCK = contextlib.nullcontext()


class Database(PooledPostgresqlDatabase):
    """A pool of Postgres connections that is configured at its first use.

    It differs from peewee's in three things. Taking a connection from the pool asks the kernel, not the
    server, whether the connection still stands, so it costs no round trip. A connection is opened outside of
    every lock, so an unreachable server delays only the threads that wait for it. The settings are read when
    the first connection is asked for, not at import.
    """

    def __init__(self) -> None:
        super().__init__(None)
        # Peewee holds this lock while it connects. It guards nothing here: the state is the thread's own.
        self._lock = NULL_LOCK
        self._configure_lock = threading.Lock()

    def configure(self, config: settings.Settings) -> None:
        """Use the database that `config` names, from the next connection on; connects nowhere."""
        self.connect_params: dict[str, Any] = {}  # peewee would keep those of an earlier configuration
        parameters = parse_dsn(config.database_url)
        self.init(
            parameters.pop("dbname"),
            **parameters,
            max_connections=config.database_pool_size,
            timeout=config.database_timeout_s,
            connect_timeout=config.database_timeout_s,
            # A peer that vanished without a word is noticed in half a minute, not in two hours.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=4,
            application_name="jive",
        )

    def connect(self, reuse_if_open: bool = False) -> bool:
        if self.deferred:
            with self._configure_lock:
                if self.deferred:
                    self.configure(settings.current())
        return bool(super().connect(reuse_if_open))

    def _connect(self) -> Any:
        with self._pool_lock:
            while self._connections:
                opened_at, _, conn = self._connections.pop()
                if not self._is_closed(conn):
                    self._in_use[self.conn_key(conn)] = PoolConnection(opened_at, conn, time.time())
                    return conn
                self._close_raw(conn)
            if len(self._in_use) >= self._max_connections:
                raise MaxConnectionsExceeded("every connection of the pool is in use")
            place = object()  # keeps our seat while we connect outside of the lock
            self._in_use[id(place)] = PoolConnection(time.time(), None, time.time())
        try:
            conn = peewee.PostgresqlDatabase._connect(self)  # type: ignore[attr-defined]
        except BaseException:
            with self._pool_lock:
                del self._in_use[id(place)]
                self._pool_available.notify()
            raise
        with self._pool_lock:
            self._in_use[self.conn_key(conn)] = self._in_use.pop(id(place))._replace(connection=conn)
        return conn

    def _is_closed(self, conn: Any) -> bool:
        if conn.closed:
            return True
        # Nobody speaks on an idle connection but a server that ends it.
        poller = select.poll()
        poller.register(conn.fileno(), select.POLLIN)
        return bool(poller.poll(0))


database = Database()


# Functions that the schema is made of, beside tables; a migration brings the same.
FUNCTIONS = {
    "set_updated_at": """
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$""",
    "repo_key": r"""
CREATE OR REPLACE FUNCTION repo_key(url text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(CASE
        WHEN url ~ '^(file://|/)' THEN regexp_replace(url, '^file://', '')
        WHEN url ~ '^[A-Za-z+]+://' THEN lower(regexp_replace(url, '^[A-Za-z+]+://([^@/]*@)?([^/:]+)(:\d+)?/*', '\2/'))
        ELSE lower(regexp_replace(url, '^([^@/:]*@)?([^/:]+):/*', '\2/'))
    END, '(/|\.git)+$', '')
$$""",
}


class BaseModel(peewee.Model):
    """The base of every model: one database; `updated_at`, where there is one, moves at every update."""

    class Meta:
        database = database
        legacy_table_names = False  # indexes are named after their table

    @classmethod
    def create_table(cls, safe: bool = True, **options: Any) -> None:
        """Create the table with its indexes, functions and triggers: the schema that a migration must bring."""
        for sql in FUNCTIONS.values():
            database.execute_sql(sql)
        super().create_table(safe, **options)
        if "updated_at" in cls._meta.columns:
            database.execute_sql(
                f"CREATE OR REPLACE TRIGGER set_updated_at BEFORE UPDATE ON {cls._meta.table_name} "
                "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
            )


@contextlib.contextmanager
def connection() -> Iterator[Database]:
    """Hold one connection of the pool for the block, and give it back at its end.

    Nested blocks share it. A transaction that is open at the end is rolled back.

    Raises:
        DatabaseUnavailable: no connection could be had within `database_timeout_s`.
    """
    if not database.is_closed():
        yield database
        return
    try:
        database.connect()
    except (peewee.OperationalError, peewee.InterfaceError, MaxConnectionsExceeded) as exc:
        raise DatabaseUnavailable(f"Postgres cannot be reached: {first_line(exc)}") from exc
    try:
        yield database
    finally:
        database.close()


def first_line(exc: BaseException) -> str:
    """Return an error's first line, which is the part that a person reads; libpq puts no password there."""
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)


def ping() -> None:
    """Run `SELECT 1`.

    Raises:
        DatabaseUnavailable: with the driver's reason.
    """
    with connection() as db:
        try:
            db.execute_sql("SELECT 1").fetchone()
        except peewee.PeeweeException as exc:
            raise DatabaseUnavailable(f"Postgres does not answer: {first_line(exc)}") from exc


def check_connection() -> bool:
    """Return whether Postgres answers a query."""
    try:
        ping()
    except DatabaseUnavailable:
        return False
    return True
