"""The Postgres and Redis of a run: private ones, or those that TEST_DATABASE_URL and TEST_REDIS_URL name."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import parse_dsn

from jive import keys, schema
from jive.db import database
from jive.operate.servers import start_postgres, start_redis
from jive.redis_client import client


@dataclass(frozen=True)
class Stores:
    """The stores of a run.

    Attributes:
        database_url: a migrated database.
        redis_url: a Redis.
        home: an empty folder, deleted when the run ends.
        private: the environment variables of the stores that this run started.
        servers: the process ids of those stores.
    """

    database_url: str
    redis_url: str
    home: Path
    private: frozenset[str]
    servers: tuple[int, ...]


@contextlib.contextmanager
def started() -> Iterator[Stores]:
    """Start the stores that are not given, set this process's environment to use them, and migrate.

    At the end of the block the servers are stopped and the folder is deleted.

    Raises:
        ValueError: TEST_DATABASE_URL names a database that is not for tests; nothing was changed.
        ServerUnavailable: a server is missing or did not start.
    """
    database_url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if database_url and not parse_dsn(database_url)["dbname"].endswith("_test"):
        raise ValueError("TEST_DATABASE_URL must name a database whose name ends in _test")
    private: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="jive-bench-") as folder, contextlib.ExitStack() as parts:
        home = Path(folder)
        if not database_url:
            postgres, database_url = start_postgres(home, "jive_test")
            parts.callback(postgres.stop)
            private["DATABASE_URL"] = postgres.process.pid
        if not redis_url:
            redis, redis_url = start_redis(home)
            parts.callback(redis.stop)
            private["REDIS_URL"] = redis.process.pid
        os.environ |= {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "JIVE_SECRET_KEYS": keys.make()}
        os.environ["JIVE_LOG_LEVEL"] = "WARNING"
        schema.apply(database)
        parts.callback(client().close)
        parts.callback(database.close_all)
        yield Stores(database_url, redis_url, home, frozenset(private), tuple(private.values()))
