"""The pool: connections are opened when needed, always given back, and replaced when the server has closed them."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from jive import db, settings
from jive.db import Database, connection, database
from jive.errors import DatabaseUnavailable
from jive.operate import servers
from tests.conftest import FAST, using


def test_connects_to_database_successfully() -> None:
    assert db.check_connection() is True


def test_nothing_is_read_or_connected_at_import() -> None:
    code = "import jive.models, jive.web.app, jive.pubsub, jive.rate_limit, jive.cli"
    subprocess.run([sys.executable, "-c", code], env={"PATH": os.environ["PATH"]}, check=True)


def test_the_url_may_set_options_of_the_connection() -> None:
    url = settings.current().database_url
    mark = "&" if "?" in url else "?"
    with using(DATABASE_URL=f"{url}{mark}connect_timeout=7&application_name=mine"), connection() as db_held:
        name = db_held.execute_sql("SHOW application_name").fetchone()[0]
    assert name == "mine"


def test_a_server_that_vanishes_during_a_statement_is_noticed_in_time() -> None:
    with using(JIVE_DATABASE_TIMEOUT_S="4"), connection() as held:
        parameters = held.connection().get_dsn_parameters()
    assert (parameters["connect_timeout"], parameters["tcp_user_timeout"]) == ("4", "4000")


def test_a_connection_is_given_back_and_used_again() -> None:
    with connection():
        first = database.connection()
    with connection():
        assert database.connection() is first


def test_nested_blocks_share_a_connection() -> None:
    with connection(), connection():
        outer = database.connection()
    assert database.is_closed()
    assert outer is not None


def test_a_connection_is_given_back_when_the_block_raises() -> None:
    with pytest.raises(ZeroDivisionError), connection():
        1 / 0  # noqa: B018
    assert database.is_closed()
    with connection():
        first = database.connection()
    with connection():
        assert database.connection() is first


def test_a_connection_that_the_server_ended_is_not_handed_out() -> None:
    with connection():
        pid = database.execute_sql("SELECT pg_backend_pid()").fetchone()[0]
    link = psycopg2.connect(settings.current().database_url)
    link.autocommit = True
    link.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    link.close()
    with connection():
        assert database.execute_sql("SELECT pg_backend_pid()").fetchone()[0] != pid


@pytest.fixture
def small() -> Database:
    """A pool of two connections, which waits 1 s for one."""
    pool = Database()
    pool.configure(settings.current())
    pool.init(pool.database, max_connections=2, timeout=1)
    return pool


def test_a_thread_waits_for_a_connection_of_a_full_pool(small: Database) -> None:
    small.connect()
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        small.connect()
        holding.set()
        release.wait(10)
        small.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(10)
    got: list[bool] = []

    def wait_for_one() -> None:
        got.append(small.connect())
        small.close()

    waiter = threading.Thread(target=wait_for_one)
    waiter.start()
    release.set()
    waiter.join(10)
    holder.join(10)
    small.close_all()
    assert got == [True]


def test_more_threads_than_connections_all_get_one(small: Database) -> None:
    done: list[int] = []

    def work() -> None:
        for _ in range(20):
            small.connect()
            done.append(small.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
            small.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 160
    assert len(set(done)) <= 2
    small.close_all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: "postgresql://me:hush@127.0.0.1:1/jive", "refused"),
        (lambda url: re.sub(r"/\w+_test", "/missing_test", url), "does not exist"),
        (lambda url: "postgresql://me:hush@nowhere.invalid/jive", "translate host name"),
    ],
)
def test_a_server_that_cannot_be_reached_is_one_clear_line(change: Callable[[str], str], said: str) -> None:
    with using(DATABASE_URL=change(settings.current().database_url)):
        with pytest.raises(DatabaseUnavailable, match=said) as caught:
            db.ping()
        assert "\n" not in str(caught.value)
        assert "hush" not in str(caught.value)
        assert db.check_connection() is False


def test_the_pool_survives_a_restart_of_postgres(home: Path) -> None:
    part, url = servers.start_postgres(home, "own_test", FAST)
    pool = Database()
    pool.configure(settings.Settings(**vars(settings.current()) | {"database_url": url}))
    try:
        pool.connect()
        pool.close()
        part.stop()
        part, _ = servers.start_postgres(home, "own_test", FAST)
        pool.connect()
        assert pool.execute_sql("SELECT 1").fetchone() == (1,)
        pool.close_all()
    finally:
        part.stop()


def test_a_wrong_password_is_one_clear_line(home: Path) -> None:
    hba = home / "pg_hba.conf"
    hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    hba.chmod(0o644)
    home.chmod(0o755)
    part, url = servers.start_postgres(home, "own_test", (*FAST, f"hba_file={hba}"))
    try:
        link = psycopg2.connect(url)
        link.autocommit = True
        link.cursor().execute("CREATE ROLE me LOGIN PASSWORD 'right'")
        link.close()
        with using(DATABASE_URL=url.replace("postgres@", "me:hush@")):
            with pytest.raises(DatabaseUnavailable, match='password authentication failed for user "me"') as caught:
                db.ping()
            assert "hush" not in str(caught.value)
    finally:
        part.stop()


def test_a_pool_that_stays_full_is_an_error_in_time() -> None:
    with using(JIVE_DATABASE_POOL_SIZE="2", JIVE_DATABASE_TIMEOUT_S="2"):
        release, held = threading.Event(), threading.Barrier(3)

        def hold() -> None:
            with connection():
                held.wait(10)
                release.wait(20)

        holders = [threading.Thread(target=hold) for _ in range(2)]
        for holder in holders:
            holder.start()
        held.wait(10)
        started_at = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="in use"), connection():
            pytest.fail("there was a third connection")
        assert time.monotonic() - started_at < 10
        release.set()
        for holder in holders:
            holder.join(10)
        with connection() as db_held:
            assert db_held.execute_sql("SELECT 1").fetchone() == (1,)


def test_a_transaction_that_is_left_open_is_rolled_back() -> None:
    for _ in range(2):
        with connection() as held:
            held.execute_sql("BEGIN")
            held.execute_sql("CREATE TABLE left_open (id int)")  # it would exist the second time


def test_the_time_is_that_of_the_database_and_moves_within_a_transaction() -> None:
    with connection() as held, held.atomic():
        first, second = db.database_now(), db.database_now()
    assert first < second
    assert first.tzinfo is not None
