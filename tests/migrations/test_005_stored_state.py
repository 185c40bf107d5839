"""The upgrade of a database that version 0.1.0 filled: every row keeps its meaning, and 0.1.0 may still write."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from jive import schema
from jive.db import Database, connection, database
from jive.drift import drift
from jive.models import MODELS, Project
from tests.conftest import new_database, using
from tests.flow.processes import run

BEFORE = "004_scan_error"


@pytest.fixture(scope="module")
def old_database() -> Iterator[str]:
    """The URL of a database with the schema of version 0.1.0."""
    with new_database("old") as url:
        with using(DATABASE_URL=url), connection():
            router().run(BEFORE)
        yield url


@pytest.fixture
def old(old_database: str) -> Iterator[Database]:
    """The same database in a transaction that is rolled back after the test."""
    with using(DATABASE_URL=old_database), connection() as db, db.atomic() as transaction:
        assert schema.status(db).pending[0] == "005_stored_state"
        yield db
        transaction.rollback()


def router() -> schema.LockedRouter:
    return schema.LockedRouter(database, migrate_dir=schema.MIGRATIONS)


def execute(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    cursor = database.execute_sql(sql, values)
    return list(cursor.fetchall()) if cursor.description else []


def add_project(url: str, name: str = "Project", **fields: Any) -> str:
    """Insert a project as version 0.1.0 does, and return its id."""
    row = {"name": name, "repo_url": url, "webhook_secret": "token"} | fields
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    [(project_id,)] = execute(f"INSERT INTO projects ({columns}) VALUES ({places}) RETURNING id", *row.values())
    return str(project_id)


def add_artifact(project_id: str) -> None:
    execute("INSERT INTO artifacts (project_id, path, name, type) VALUES (%s, 'a.md', 'A', 'PRD')", project_id)


def add_delivery(project_id: str, **fields: Any) -> str:
    row = {"id": str(uuid.uuid4()), "source": "GITHUB", "event_type": "push", "payload_hash": "h"} | fields
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    execute(
        f"INSERT INTO webhook_events (project_id, {columns}) VALUES (%s, {places})",
        project_id,
        *row.values(),
    )
    return str(row["id"])


def source_of(project_id: str) -> str:
    [(source,)] = execute("SELECT source FROM projects WHERE id = %s", project_id)
    return str(source)


def test_a_migrated_database_has_not_drifted_and_takes_no_migration_twice(empty_database: str) -> None:
    with using(DATABASE_URL=empty_database), connection() as db:
        router().run(BEFORE)
        add_delivery(add_project("https://github.com/example/a", head="abc", reading="rules"))
        assert router().run()[0] == "005_stored_state"
        assert drift(db, MODELS) == []
    assert run("migrate", "--check", DATABASE_URL=empty_database)[0] == 0
    assert run("migrate", DATABASE_URL=empty_database)[1] == "Nothing to migrate.\n"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/example/jive",
        "https://GitHub.com/Example/JIVE.git",
        "git@github.com:example/jive.git",
        "ssh://git@github.com:22/example/jive/",
        "http://someone@github.com/example/jive",
    ],
)
def test_the_sample_is_found_however_its_url_is_written(old: Database, url: str) -> None:
    project = add_project(url, "JIVE sample")
    add_artifact(project)
    router().run()
    assert source_of(project) == "sample"


@pytest.mark.parametrize("url", ["https://github.com/example/jive2", "https://gitlab.com/example/jive"])
def test_another_repository_is_not_the_sample(old: Database, url: str) -> None:
    project = add_project(url, "JIVE sample")
    router().run()
    assert source_of(project) == "remote"


REMOTE = "https://github.com/example/a"
LOCAL = "file:///srv/a"


@pytest.mark.parametrize(
    ("url", "fields", "has_artifact", "has_delivery", "source"),
    [
        (REMOTE, {"reading": "rules"}, True, False, "folder"),
        (REMOTE, {"reading": ""}, True, False, "folder"),
        (LOCAL, {"reading": "rules"}, True, False, "folder"),
        (LOCAL, {"reading": ""}, False, False, "folder"),
        ("/srv/a", {"reading": "rules"}, False, False, "folder"),
        (LOCAL, {"reading": "rules"}, True, True, "folder"),
        (LOCAL, {"reading": "rules", "head": "abc"}, True, True, "folder"),
        (LOCAL, {}, False, False, "folder"),
        # A webhook was set up for it.
        (REMOTE, {"reading": "rules"}, True, True, "remote"),
        # It was fetched, perhaps without a commit in it.
        (REMOTE, {"reading": "rules", "head": "abc"}, True, False, "remote"),
        (REMOTE, {"reading": "rules"}, False, False, "remote"),
        # It was added, and not fetched yet, or a folder stands in for it.
        (REMOTE, {}, False, False, "remote"),
        (REMOTE, {}, True, False, "remote"),
    ],
)
def test_the_source_follows_from_the_url_and_from_what_was_read(
    old: Database, url: str, fields: dict[str, str], has_artifact: bool, has_delivery: bool, source: str
) -> None:
    project = add_project(url, **fields)
    if has_artifact:
        add_artifact(project)
    if has_delivery:
        add_delivery(project)
    router().run()
    assert source_of(project) == source


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/a/b", "GITHUB"),
        ("git@gitlab.com:a/b.git", "GITLAB"),
        ("ssh://git@bitbucket.org:22/a/b", "BITBUCKET"),
        ("https://GITHUB.com/a/b", "GITHUB"),
        ("https://git.example.com/github.com/b", None),
        ("https://github.com.example.com/a/b", None),
        ("file:///github.com/a/b", None),
        ("/github.com/a/b", None),
    ],
)
def test_the_host_is_taken_from_a_domain_that_says_it(old: Database, url: str, host: str | None) -> None:
    add_project(url)
    router().run()
    assert execute("SELECT host FROM projects") == [(host,)]


def test_a_sample_that_version_0_1_0_tried_to_fetch_is_not_in_error_any_more(old: Database) -> None:
    sample = add_project("https://github.com/example/jive", scan_error="cannot be fetched")
    remote = add_project(REMOTE, scan_error="cannot be fetched")
    router().run()
    errors = dict(execute("SELECT id::text, scan_error FROM projects"))
    assert errors == {sample: None, remote: "cannot be fetched"}


def test_equal_names_get_their_slugs_in_the_order_in_which_they_were_added(old: Database) -> None:
    for number, (name, year) in enumerate([("Twin", 2026), ("Twin", 2024), ("twin!", 2025), ("图书馆", 2023)]):
        project_id = str(uuid.UUID(int=number))  # in another order than the times
        add_project(f"https://github.com/example/{number}", name, id=project_id, created_at=f"{year}-01-01T00:00:00Z")
    router().run()
    rows = execute("SELECT name, slug FROM projects ORDER BY created_at")
    assert rows == [("图书馆", "project"), ("Twin", "twin"), ("twin!", "twin-2"), ("Twin", "twin-3")]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "received"),
        ({"retry_count": 1, "error_message": "x"}, "waiting"),
        ({"retry_count": 2, "error_message": "x"}, "waiting"),
        ({"error_message": "x"}, "waiting"),
        ({"retry_count": 3, "error_message": "x"}, "failed"),
        ({"processed": True, "processed_at": "2026-01-02T03:04:05Z"}, "settled"),
        ({"processed": True, "retry_count": 3}, "settled"),
    ],
)
def test_a_delivery_keeps_its_state_and_all_else(old: Database, fields: dict[str, Any], state: str) -> None:
    delivery = add_delivery(add_project(REMOTE), **fields)
    sql = "SELECT to_jsonb(webhook_events) - 'state' FROM webhook_events"
    before = execute(sql)
    router().run()
    assert execute(sql) == before
    assert execute("SELECT state FROM webhook_events WHERE id = %s", delivery) == [(state,)]


def test_nothing_else_of_a_project_changes_not_even_the_time_of_its_last_change(old: Database) -> None:
    for number, fields in enumerate([{}, {"reading": "rules"}, {"reading": "rules", "head": "abc"}]):
        add_project(f"https://github.com/example/{number}", **fields)
    sql = "SELECT to_jsonb(projects) - '{slug,source,host,rules_hash}'::text[] FROM projects ORDER BY repo_url"
    before = execute(sql)
    router().run()
    assert execute(sql) == before
    assert execute("SELECT rules_hash FROM projects ORDER BY repo_url") == [(None,), ("rules",), ("rules",)]
    execute("UPDATE projects SET name = 'Renamed'")
    assert all(after[0]["updated_at"] > row[0]["updated_at"] for after, row in zip(execute(sql), before, strict=True))


def test_rolling_back_gives_every_row_back(old: Database) -> None:
    tables = ("projects", "artifacts", "webhook_events")

    def everything() -> list[str]:
        rows = [execute(f"SELECT to_jsonb({table}) FROM {table} ORDER BY id") for table in tables]
        return [json.dumps(row, sort_keys=True) for row in rows]

    project = add_project(REMOTE, reading="rules")
    add_artifact(project)
    for fields in ({}, {"retry_count": 3, "error_message": "x"}, {"processed": True, "processed_at": "2026-01-02Z"}):
        add_delivery(project, **fields)
    before = everything()
    for _ in range(2):
        for _ in router().run():
            router().rollback()
        assert schema.status(old).applied[-1] == BEFORE
        assert everything() == before


# Version 0.1.0 may run until every process of an installation was replaced. These are its statements.

RECORD = "SELECT record_deliveries(%s, %s, %s::uuid[], %s, %s, %s, %s)"
SETTLE = """UPDATE webhook_events SET processed = true, processed_at = now(), error_message = NULL
    WHERE project_id = %s AND NOT processed AND received_at <= clock_timestamp()"""
COUNT_FAILURE = """UPDATE webhook_events SET retry_count = retry_count + 1, error_message = 'x'
    WHERE project_id = %s AND NOT processed AND received_at <= clock_timestamp() AND retry_count < 3"""
REVIVE = "UPDATE webhook_events SET retry_count = 0, error_message = NULL WHERE NOT processed AND retry_count >= 3"
APPLY = "UPDATE projects SET head = %s, reading = %s, scan_applied = scan_applied + 1, last_seen = now() WHERE id = %s"


def record(project_id: str, delivery: str, *, settled: bool) -> list[tuple[Any, ...]]:
    columns: list[list[Any]] = [[delivery], ["GITHUB"], [project_id], ["push"], ["h"], [settled], [None]]
    return execute(RECORD, *columns)


def states() -> list[tuple[Any, ...]]:
    return execute("SELECT state, processed, retry_count, error_message FROM webhook_events ORDER BY id")


def test_deliveries_that_version_0_1_0_handles_after_the_upgrade_have_the_state_that_it_means(old: Database) -> None:
    router().run()
    project = add_project(REMOTE)
    assert record(project, "1", settled=True) == [("1",)]
    assert record(project, "2", settled=False) == [("2",)]
    assert states() == [("settled", True, 0, None), ("received", False, 0, None)]
    execute(COUNT_FAILURE, project)
    assert states()[1] == ("waiting", False, 1, "x")
    assert record(project, "2", settled=False) == [("2",)]  # its host delivers it again
    assert states()[1] == ("waiting", False, 0, None)
    for _ in range(4):
        execute(COUNT_FAILURE, project)
    assert states()[1] == ("failed", False, 3, "x")
    execute(REVIVE)
    assert states()[1] == ("waiting", False, 0, None)
    execute(SETTLE, project)
    assert states()[1] == ("settled", True, 0, None)
    assert record(project, "2", settled=False) == []  # a duplicate
    assert states()[1] == ("settled", True, 0, None)


def test_a_failed_delivery_that_is_delivered_again_waits_again(old: Database) -> None:
    router().run()
    project = add_project(REMOTE)
    record(project, "1", settled=False)
    for _ in range(3):
        execute(COUNT_FAILURE, project)
    assert record(project, "1", settled=False) == [("1",)]
    assert states() == [("waiting", False, 0, None)]


def test_projects_that_version_0_1_0_adds_and_scans_after_the_upgrade_are_whole(old: Database) -> None:
    router().run()
    remote = add_project("https://github.com/example/remote", "Twin")
    folder = add_project("https://github.com/example/folder", "Twin", reading="")

    def facts(project: str) -> list[tuple[Any, ...]]:
        return execute("SELECT slug, source, head, rules_hash, reading FROM projects WHERE id = %s", project)

    assert facts(remote) == [("twin", "remote", None, None, None)]
    assert facts(folder) == [("twin-2", "folder", None, "", "")]
    execute(APPLY, "abc", "rules", remote)
    execute(APPLY, None, "rules", folder)
    assert facts(remote) == [("twin", "remote", "abc", "rules", "rules")]
    assert facts(folder) == [("twin-2", "folder", None, "rules", "rules")]
    execute(APPLY, None, None, remote)  # a folder stands in for the remote
    execute(APPLY, "abc", "rules", folder)  # a delivery had the remote scanned
    assert facts(remote) == [("twin", "remote", None, None, None)]
    assert facts(folder) == [("twin-2", "remote", "abc", "rules", "rules")]
    assert Project.select(Project.id).where(Project.rules_hash.is_null()).count() == 1
