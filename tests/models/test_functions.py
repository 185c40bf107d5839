"""The functions in Postgres: whichever version of JIVE writes a row, both versions read the same from it."""

import threading
import uuid
from typing import Any

import peewee
import psycopg2
import pytest

from jive import settings
from jive.db import database
from jive.models import Project, WebhookEvent
from jive.models.enums import DeliveryState
from jive.models.webhook_event import MAX_ATTEMPTS
from tests.factories import make_delivery, make_project

TIMEOUT_S = 20

pytestmark = pytest.mark.usefixtures("db")


def execute(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    cursor = database.execute_sql(sql, values)
    return list(cursor.fetchall()) if cursor.description else []


# Slugs.


def insert_project(name: str) -> str:
    """Insert a project as a statement that knows no slug does, and return its slug."""
    sql = "INSERT INTO projects (name, repo_url, webhook_secret) VALUES (%s, %s, 'token') RETURNING slug"
    [(slug,)] = execute(sql, name, f"https://github.com/example/{uuid.uuid4()}")
    return str(slug)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Lending library", "lending-library"),
        ("  --JIVE!! 2.0--  ", "jive-2-0"),
        ("INFO", "info"),
        ("Bücherei Zürich", "bucherei-zurich"),
        ("Müller & Söhne", "muller-sohne"),
        ("Ångström", "angstrom"),
        ("图书馆", "project"),
        ("图书馆 v2", "v2"),
        ("", "project"),
        ("'; DROP TABLE projects; --", "drop-table-projects"),
        ("x" * 100, "x" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_a_slug_is_made_from_the_name(name: str, slug: str) -> None:
    assert insert_project(name) == slug


def test_equal_names_get_numbers() -> None:
    assert [insert_project("Twin") for _ in range(3)] == ["twin", "twin-2", "twin-3"]
    assert [insert_project("图书馆") for _ in range(2)] == ["project", "project-2"]
    assert insert_project("Twin 2") == "twin-2-2"


def test_a_number_that_became_free_is_given_again() -> None:
    for _ in range(3):
        insert_project("Twin")
    execute("DELETE FROM projects WHERE slug = 'twin-2'")
    assert insert_project("Twin") == "twin-2"


def test_rows_of_one_statement_get_different_slugs() -> None:
    sql = """INSERT INTO projects (name, repo_url, webhook_secret)
        SELECT 'Twin', 'https://github.com/example/' || n, 'token' FROM generate_series(1, 5) n RETURNING slug"""
    assert [slug for (slug,) in execute(sql)] == ["twin", "twin-2", "twin-3", "twin-4", "twin-5"]


def test_a_name_that_changes_keeps_its_slug_and_a_given_slug_is_kept() -> None:
    project = make_project(name="Before", slug="chosen")
    Project.update(name="After").where(Project.id == project.id).execute()
    assert Project.get_by_id(project.id).slug == "chosen"


@pytest.mark.parametrize("slug", ["", "Upper", "two words", "-a", "a-", "a--b", "ü", "a/b"])
def test_a_slug_that_is_not_fit_for_a_url_is_refused(slug: str) -> None:
    with pytest.raises(peewee.IntegrityError, match="projects_slug_check"):
        make_project(slug=slug)


def test_two_projects_cannot_share_a_slug() -> None:
    make_project(slug="same")
    with pytest.raises(peewee.IntegrityError, match="projects_slug"):
        make_project(slug="same")


def test_two_connections_that_insert_the_same_name_at_the_same_time_get_different_slugs() -> None:
    links = [psycopg2.connect(settings.current().database_url) for _ in range(2)]
    slugs: list[str] = []

    def insert(link: Any, url: str) -> None:
        with link.cursor() as cursor:
            cursor.execute(
                "INSERT INTO projects (name, repo_url, webhook_secret) VALUES ('Twin', %s, 'token') RETURNING slug",
                (url,),
            )
            slugs.append(cursor.fetchone()[0])

    first, second = links
    insert(first, "https://github.com/example/first")
    waiting = threading.Thread(target=insert, args=(second, "https://github.com/example/second"))
    waiting.start()
    wait_until_blocked(second.info.backend_pid)
    first.commit()
    waiting.join(TIMEOUT_S)
    second.commit()
    for link in links:
        link.close()
    assert slugs == ["twin", "twin-2"]


def wait_until_blocked(pid: int) -> None:
    """Wait until another connection holds the lock that the connection with this process id waits for."""
    pause = threading.Event()
    for _ in range(TIMEOUT_S * 100):
        if execute("SELECT pg_blocking_pids(%s)", pid) != [([],)]:
            return
        pause.wait(0.01)
    raise AssertionError("nothing holds it up")


# The rules hash, which version 0.1.0 calls `reading`, and the source, which it does not know.


def rules(project: Project) -> tuple[Any, Any]:
    [row] = execute("SELECT rules_hash, reading FROM projects WHERE id = %s", str(project.id))
    return row[0], row[1]


def update_project(project: Project, assignments: str) -> None:
    execute(f"UPDATE projects SET {assignments} WHERE id = %s", str(project.id))


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        ("rules_hash = 'new'", "new"),
        ("reading = 'new'", "new"),
        ("rules_hash = NULL", None),
        ("reading = NULL", None),
        ("reading = ''", ""),
        ("rules_hash = 'new', reading = 'other'", "new"),
        ("rules_hash = 'old', reading = 'new'", "new"),
        ("rules_hash = 'new', reading = 'old'", "new"),
        ("rules_hash = 'new', reading = NULL", "new"),
        ("name = 'Renamed'", "old"),
    ],
)
def test_rules_hash_and_reading_are_equal_whichever_is_updated(assignments: str, expected: str | None) -> None:
    project = make_project(rules_hash="old")
    update_project(project, assignments)
    assert rules(project) == (expected, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"rules_hash": "a"}, "a"),
        ({"reading": "a"}, "a"),
        ({"reading": ""}, ""),
        ({"rules_hash": "a", "reading": "b"}, "a"),
    ],
)
def test_rules_hash_and_reading_are_equal_whichever_is_inserted(fields: dict[str, str], expected: str | None) -> None:
    assert rules(make_project(**fields)) == (expected, expected)


def source_of(project: Project) -> str:
    return str(Project.get_by_id(project.id).source)


def test_a_project_that_version_0_1_0_adds_has_the_source_that_it_means() -> None:
    sql = "INSERT INTO projects (name, repo_url, webhook_secret{}) VALUES ('n', %s, 'token'{}) RETURNING source"
    assert execute(sql.format("", ""), "https://github.com/example/remote") == [("remote",)]
    assert execute(sql.format(", reading", ", ''"), "https://github.com/example/folder") == [("folder",)]


def test_a_folder_project_whose_remote_version_0_1_0_has_fetched_is_remote() -> None:
    project = make_project(source="folder", rules_hash="rules")
    update_project(project, "head = NULL, reading = 'other', scan_applied = 2")  # the folder again
    assert source_of(project) == "folder"
    update_project(project, "head = 'abc', reading = 'other', scan_applied = 3")  # its remote
    assert source_of(project) == "remote"
    update_project(project, "head = NULL, reading = NULL, scan_applied = 4")  # the folder stands in for the remote
    assert source_of(project) == "remote"


@pytest.mark.parametrize(
    ("assignments", "constraint"),
    [
        ("source = 'clone'", "projects_source_check"),
        ("source = ''", "projects_source_check"),
        ("host = 'github'", "projects_host_check"),
        ("host = 'GITEA'", "projects_host_check"),
    ],
)
def test_a_source_or_host_that_is_not_in_its_enum_is_refused(assignments: str, constraint: str) -> None:
    with pytest.raises(peewee.IntegrityError, match=constraint):
        update_project(make_project(), assignments)


# The state of deliveries, which version 0.1.0 reads from `processed`, `retry_count` and `error_message`.


def insert_delivery(**fields: Any) -> str:
    """Insert a delivery as plain SQL that names only these columns, and return its id."""
    project = make_project()
    delivery = {"id": str(uuid.uuid4()), "source": "GITHUB", "event_type": "push", "payload_hash": "h"} | fields
    columns, places = ", ".join(delivery), ", ".join(["%s"] * len(delivery))
    sql = f"INSERT INTO webhook_events (project_id, {columns}) VALUES (%s, {places})"
    execute(sql, str(project.id), *delivery.values())
    return str(delivery["id"])


def update_delivery(delivery: str, assignments: str) -> None:
    execute(f"UPDATE webhook_events SET {assignments} WHERE id = %s", delivery)


def state_of(delivery: str) -> str:
    """Return the state of a delivery, once it is certain that version 0.1.0 reads the same from its own columns."""
    row = WebhookEvent.get_by_id(delivery)
    assert row.processed == (row.state is DeliveryState.SETTLED)
    assert (row.processed_at is not None) == row.processed
    if not row.processed:
        assert (row.retry_count >= MAX_ATTEMPTS) == (row.state is DeliveryState.FAILED)
    return str(row.state)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "received"),
        ({"processed": True}, "settled"),
        ({"processed": True, "retry_count": 3, "error_message": "x"}, "settled"),
        ({"retry_count": 1, "error_message": "x"}, "waiting"),
        ({"error_message": "x"}, "waiting"),
        ({"retry_count": 3, "error_message": "x"}, "failed"),
        ({"retry_count": 7}, "failed"),
        ({"state": "received"}, "received"),
        ({"state": "waiting"}, "waiting"),
        ({"state": "failed"}, "failed"),
        ({"state": "settled"}, "settled"),
        # Contradictions: a state other than the default counts, unless the delivery is processed.
        ({"state": "settled", "processed": True}, "settled"),
        ({"state": "failed", "processed": True}, "settled"),
        ({"state": "waiting", "retry_count": 3}, "waiting"),
        ({"state": "failed", "retry_count": 1}, "failed"),
        ({"state": "received", "retry_count": 3}, "failed"),
        ({"state": "settled", "retry_count": 3}, "settled"),
    ],
)
def test_an_inserted_delivery_has_one_state_in_both_versions(fields: dict[str, Any], state: str) -> None:
    assert state_of(insert_delivery(**fields)) == state


SETTLE = "processed = true, processed_at = now(), error_message = NULL"
COUNT_FAILURE = "retry_count = retry_count + 1, error_message = 'x'"
FINAL_FAILURE = "retry_count = 3, error_message = 'x'"
REVIVE = "retry_count = 0, error_message = NULL"


@pytest.mark.parametrize(
    ("before", "assignments", "after"),
    [
        # What version 0.1.0 writes.
        ("received", SETTLE, "settled"),
        ("waiting", SETTLE, "settled"),
        ("failed", SETTLE, "settled"),
        ("received", COUNT_FAILURE, "waiting"),
        ("waiting", COUNT_FAILURE, "waiting"),
        ("received", FINAL_FAILURE, "failed"),
        ("waiting", FINAL_FAILURE, "failed"),
        ("failed", REVIVE, "waiting"),
        ("settled", "processed = false", "received"),
        # What this version writes.
        ("received", "state = 'settled'", "settled"),
        ("waiting", "state = 'settled', error_message = NULL", "settled"),
        ("failed", "state = 'settled', error_message = NULL", "settled"),
        ("received", f"state = 'waiting', {COUNT_FAILURE}", "waiting"),
        ("waiting", f"state = 'waiting', {COUNT_FAILURE}", "waiting"),
        ("received", f"state = 'failed', {FINAL_FAILURE}", "failed"),
        ("failed", f"state = 'waiting', {REVIVE}", "waiting"),
        # What a person may write.
        ("received", "state = 'failed'", "failed"),
        ("failed", "state = 'waiting'", "waiting"),
        ("failed", "state = 'received'", "received"),
        ("settled", "state = 'waiting'", "waiting"),
        ("settled", "event_type = 'other'", "settled"),
        ("failed", "event_type = 'other'", "failed"),
        # Contradictions: a state that changes counts, and then what changes.
        ("received", "state = 'waiting', processed = true", "waiting"),
        ("received", "state = 'settled', processed = false", "settled"),
        ("settled", "state = 'settled', processed = false", "received"),
        ("waiting", "state = 'waiting', processed = true", "settled"),
        ("failed", "state = 'waiting', retry_count = 3", "waiting"),
        ("failed", "state = 'failed', retry_count = 0, error_message = NULL", "waiting"),
    ],
)
def test_an_updated_delivery_has_one_state_in_both_versions(before: str, assignments: str, after: str) -> None:
    made: dict[str, dict[str, Any]] = {
        "received": {},
        "waiting": {"state": "waiting", "retry_count": 1, "error_message": "x"},
        "failed": {"state": "failed", "retry_count": 3, "error_message": "x"},
        "settled": {"state": "settled"},
    }
    delivery = insert_delivery(**made[before])
    assert state_of(delivery) == before
    update_delivery(delivery, assignments)
    assert state_of(delivery) == after


def test_three_failed_attempts_of_either_version_fail_a_delivery_for_both() -> None:
    delivery = insert_delivery()
    states = []
    for assignments in (COUNT_FAILURE, "retry_count = 2, state = 'waiting'", COUNT_FAILURE):
        update_delivery(delivery, assignments)
        states.append(state_of(delivery))
    assert states == ["waiting", "waiting", "failed"]


def test_a_delivery_keeps_the_time_at_which_it_was_settled() -> None:
    delivery = insert_delivery(processed=True, processed_at="2026-01-02T03:04:05Z")
    update_delivery(delivery, "state = 'settled', event_type = 'other'")
    assert WebhookEvent.get_by_id(delivery).processed_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_the_number_of_attempts_in_the_trigger_is_that_of_the_code() -> None:
    assert state_of(insert_delivery(retry_count=MAX_ATTEMPTS - 1)) == "waiting"
    assert state_of(insert_delivery(retry_count=MAX_ATTEMPTS)) == "failed"


@pytest.mark.parametrize("state", ["resting", "", "SETTLED"])
def test_a_state_that_is_not_in_its_enum_is_refused(state: str) -> None:
    delivery = make_delivery(make_project())
    with pytest.raises(peewee.IntegrityError, match="webhook_events_state_check"):
        update_delivery(str(delivery.id), f"state = '{state}'")


def test_without_its_trigger_a_delivery_cannot_be_processed_and_not_settled() -> None:
    delivery = make_delivery(make_project())
    with database.atomic() as transaction:
        execute("ALTER TABLE webhook_events DISABLE TRIGGER keep_delivery_state")
        with pytest.raises(peewee.IntegrityError, match="webhook_events_processed_is_settled"), database.atomic():
            update_delivery(str(delivery.id), "processed = true")
        transaction.rollback()
