"""Migrations: applied once and as a whole, whoever starts them and however they end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from jive import schema
from jive.db import Database, database
from jive.drift import drift
from jive.errors import MigrationFailed, SchemaMismatch
from jive.models import MODELS
from tests.conftest import recreate, using
from tests.flow.processes import free_port

ROOT = Path(schema.__file__).parent.parent


def query(url: str, sql: str) -> list[tuple[object, ...]]:
    link = psycopg2.connect(url)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    link.close()
    return rows


def start(url: str, *words: str, folder: Path = ROOT) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=os.environ | {"DATABASE_URL": url},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(url: str, *words: str) -> tuple[int, str]:
    process = start(url, *words)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


@pytest.fixture
def other(empty_database: str) -> Iterator[Database]:
    """The process's own database object, for this test on an empty database."""
    with using(DATABASE_URL=empty_database):
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of migrations that is the test's own: two that work."""
    (tmp_path / "001_first.py").write_text(migration("CREATE TABLE first (id int)"))
    (tmp_path / "002_second.py").write_text(migration("CREATE TABLE second (id int)"))
    return tmp_path


def migration(sql: str) -> str:
    return f"def migrate(migrator, database, *, fake=False):\n    migrator.sql({sql!r})\n"


def tables(url: str) -> set[object]:
    return {row[0] for row in query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.mark.parametrize("words", [("jive", "migrate"), ("peewee_migrate", "migrate")])
def test_eight_at_once_apply_each_migration_once(empty_database: str, words: tuple[str, ...]) -> None:
    processes = [start(empty_database, *words) for _ in range(8)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, said
    names = [row[0] for row in query(empty_database, "SELECT name FROM migratehistory ORDER BY id")]
    assert names == sorted(path.stem for path in schema.MIGRATIONS.glob("0*.py"))


def test_pw_migrate_and_jive_migrate_keep_one_history(empty_database: str) -> None:
    assert run(empty_database, "peewee_migrate", "migrate")[0] == 0
    assert run(empty_database, "jive", "migrate") == (0, "Nothing to migrate.\n")
    assert run(empty_database, "jive", "migrate", "--check")[0] == 0


def test_rolling_back_and_forth_gives_the_same_schema(other: Database) -> None:
    schema.apply(other)
    router = schema.LockedRouter(other, migrate_dir=schema.MIGRATIONS)
    for _ in router.done:
        router.rollback()
    assert schema.status(other).applied == ()
    schema.apply(other)
    assert drift(other, MODELS) == []


def test_a_killed_migration_leaves_nothing_and_blocks_nobody(empty_database: str, folder: Path) -> None:
    (folder / "003_slow.py").write_text(migration("SELECT pg_sleep(60)"))
    code = f"from pathlib import Path; from jive import db, schema; schema.apply(db.database, Path({str(folder)!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"DATABASE_URL": empty_database})
    until = time.monotonic() + 30
    while not query(
        empty_database,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' "
        "AND pid <> pg_backend_pid()",
    ):
        assert time.monotonic() < until
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert tables(empty_database) == set()
    started_at = time.monotonic()
    assert run(empty_database, "jive", "migrate")[0] == 0
    assert time.monotonic() - started_at < 20


def test_a_failing_migration_leaves_the_database_as_it_was(other: Database, folder: Path, empty_database: str) -> None:
    (folder / "003_broken.py").write_text(migration("CREATE TABEL third (id int)"))
    with pytest.raises(MigrationFailed, match=r"003_broken failed: .*syntax error.*unchanged"):
        schema.apply(other, folder)
    assert tables(empty_database) == set()
    (folder / "003_broken.py").write_text(migration("CREATE TABLE third (id int)"))
    assert schema.apply(other, folder) == ["001_first", "002_second", "003_broken"]


@pytest.mark.parametrize("text", ["def migrate(:\n", "raise RuntimeError('no')\n"])
def test_a_migration_that_is_not_python_is_a_clear_error(other: Database, folder: Path, text: str) -> None:
    (folder / "003_broken.py").write_text(text)
    with pytest.raises(MigrationFailed, match="003_broken failed"):
        schema.apply(other, folder)


def test_an_edited_migration_is_reported_and_nothing_is_applied(other: Database, folder: Path) -> None:
    schema.apply(other, folder)
    (folder / "001_first.py").write_text(migration("CREATE TABLE first (id bigint)"))
    (folder / "003_third.py").write_text(migration("CREATE TABLE third (id int)"))
    assert schema.status(other, folder).edited == ("001_first",)
    with pytest.raises(MigrationFailed, match="edited: 001_first"):
        schema.apply(other, folder)
    assert schema.status(other, folder).pending == ("003_third",)


def test_other_line_ends_are_not_an_edit(other: Database, folder: Path) -> None:
    schema.apply(other, folder)
    path = folder / "001_first.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert schema.status(other, folder).problem is None


def test_a_missing_migration_is_reported(other: Database, folder: Path) -> None:
    schema.apply(other, folder)
    (folder / "001_first.py").unlink()
    problem = schema.status(other, folder).problem
    assert problem is not None
    assert "files of applied migrations are missing: 001_first" in problem


def test_a_database_of_a_newer_version_is_reported(other: Database, folder: Path) -> None:
    schema.apply(other, folder)
    (folder / "002_second.py").unlink()
    with pytest.raises(MigrationFailed, match="newer than this version of JIVE: it has 002_second"):
        schema.apply(other, folder)


def test_no_lock_is_left_on_the_connection(other: Database) -> None:
    other.connect()
    schema.apply(other)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    held = other.execute_sql(locks).fetchone()[0]
    other.close()
    assert held == 0


def test_check_exits_1_when_something_is_pending_or_drifted(empty_database: str) -> None:
    code, said = run(empty_database, "jive", "migrate", "--check")
    assert (code, "pending: 001_init" in said) == (1, True)
    assert run(empty_database, "jive", "migrate")[0] == 0
    assert run(empty_database, "jive", "migrate", "--check")[0] == 0
    query(empty_database, "DROP INDEX artifacts_project_id_type")
    code, said = run(empty_database, "jive", "migrate", "--check")
    assert (code, "artifacts_project_id_type" in said) == (1, True)


def test_a_process_refuses_to_serve_on_a_schema_that_is_not_its_own(empty_database: str) -> None:
    with using(PORT=str(free_port())):
        code, said = run(empty_database, "jive", "web")
    assert code == 1
    pending = ", ".join(sorted(path.stem for path in schema.MIGRATIONS.glob("0*.py")))
    assert said.startswith(f"jive: Migrations are pending: {pending}. Run `")
    assert said.endswith("jive migrate`.\n")


def test_the_current_schema_is_required(other: Database) -> None:
    with pytest.raises(SchemaMismatch, match="jive migrate"):
        schema.require_current(other)
    schema.apply(other)
    schema.require_current(other)


def test_the_tests_never_touch_a_database_by_another_name() -> None:
    with pytest.raises(pytest.exit.Exception, match="ends in _test"):
        recreate("postgresql://localhost/production")
