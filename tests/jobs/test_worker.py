"""The worker: it does not start on a database that it cannot use, and has a heartbeat while it runs."""

import signal

import psycopg2
import pytest
import redis

from jive import schema
from jive.db import connection
from jive.processes import own_command
from tests.conftest import using
from tests.flow.processes import run, running

NEWEST = max(path.stem for path in schema.MIGRATIONS.glob("0*.py"))


def undo_newest_migration(url: str) -> None:
    with using(DATABASE_URL=url), connection() as db:
        router = schema.LockedRouter(db, migrate_dir=schema.MIGRATIONS)
        router.run()
        router.rollback()


def test_a_worker_does_not_start_before_the_database_is_migrated(own_queue: redis.Redis, empty_database: str) -> None:
    undo_newest_migration(empty_database)
    own_queue.lpush("huey.redis.jive", b"a job")
    status, output, errors = run("worker", DATABASE_URL=empty_database)
    assert (status, output) == (1, "")
    assert errors == f"jive: Migrations are pending: {NEWEST}. Run `{own_command()} migrate`.\n"
    assert own_queue.keys() == [b"huey.redis.jive"]  # no heartbeat, and the job is still queued


def test_a_worker_does_not_start_on_the_schema_of_a_newer_version(own_queue: redis.Redis, empty_database: str) -> None:
    assert run("migrate", DATABASE_URL=empty_database)[0] == 0
    link = psycopg2.connect(empty_database)
    link.autocommit = True
    link.cursor().execute("INSERT INTO migratehistory (name, migrated_at) VALUES ('999_future', now())")
    link.close()
    status, output, errors = run("worker", DATABASE_URL=empty_database)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert "newer than this version of JIVE: it has 999_future" in errors
    assert own_queue.keys() == []


def test_a_worker_without_postgres_does_not_start(own_queue: redis.Redis) -> None:
    status, output, errors = run("worker", DATABASE_URL="postgresql://me:hush@127.0.0.1:1/jive")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("jive: Postgres cannot be reached: ")
    assert "hush" not in errors
    assert own_queue.keys() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_has_a_heartbeat_until_it_is_stopped(own_queue: redis.Redis, number: int) -> None:
    with running("worker") as worker:
        worker.line("worker alive")
        assert len(own_queue.keys("jive:worker:*")) == 1
        assert run("worker", "--check")[0] == 0
        assert worker.end(number) == 0
    assert "worker stopped" in "".join(worker.said)
    assert own_queue.keys("jive:worker:*") == []
    assert run("worker", "--check")[0] == 1
