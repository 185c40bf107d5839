"""The sweep: what was recorded and not settled is scanned, what was written and not told is told, what is old goes."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from jive.clock import utcnow
from jive.db import database
from jive.models import Event, Project
from jive.models.webhook_event import MAX_ATTEMPTS
from jive.pipeline.sweep import sweep
from jive.repositories import storage
from tests.conftest import using
from tests.factories import make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")

LONG_AGO = utcnow() - timedelta(days=400)


def scanned() -> list[str]:
    enqueued: list[Project] = []
    sweep(enqueued.append)
    return sorted(str(Project.get_by_id(project.id).name) for project in enqueued)


def age(project: Project, **fields: object) -> None:
    """Make the project as old as LONG_AGO, which its trigger would not let us."""
    database.execute_sql("ALTER TABLE projects DISABLE TRIGGER set_updated_at")
    Project.update(updated_at=LONG_AGO, **fields).where(Project.id == project.id).execute()
    database.execute_sql("ALTER TABLE projects ENABLE TRIGGER set_updated_at")


def test_what_waits_for_long_is_scanned_and_what_has_just_come_is_not() -> None:
    make_delivery(make_project(name="old"), received_at=LONG_AGO)
    make_delivery(make_project(name="new"))
    make_delivery(make_project(name="settled"), received_at=LONG_AGO, processed=True)
    make_delivery(make_project(name="resting"), received_at=LONG_AGO, retry_count=MAX_ATTEMPTS, error_message="no")
    assert scanned() == ["old"]


def test_a_project_that_was_not_scanned_for_long_is_due_unless_it_came_from_a_folder() -> None:
    age(make_project(name="never"))
    age(make_project(name="empty"), rules_hash="rules")
    age(make_project(name="fetched"), head="1" * 40, rules_hash="rules")
    age(make_project(name="folder", source="folder"))
    age(make_project(name="sample", source="sample"))
    make_project(name="young")
    assert scanned() == ["empty", "fetched", "never"]


def event(project: Project, number: int, **fields: object) -> None:
    made = {"event": "artifact_updated", "payload": {"path": "a"}, "timestamp": LONG_AGO}
    Event.create(project=project, id=number, **made | fields)


def test_what_was_not_told_is_told_once() -> None:
    project = make_project()
    event(project, 1)
    event(project, 2)
    event(project, 3, timestamp=utcnow())  # its writer has a moment to tell it
    with using(JIVE_EVENT_DAYS="3650"):
        database.connect(reuse_if_open=True)
        assert sweep(lambda _: None).events == 2
        assert sweep(lambda _: None).events == 0
        database.close()
    database.connect()


def test_old_events_go_once_they_were_told() -> None:
    project = make_project()
    event(project, 1, published_at=LONG_AGO)
    event(project, 2, timestamp=utcnow(), published_at=utcnow())
    assert sweep(lambda _: None).deleted == 1
    assert [row.id for row in Event.select()] == [2]


def test_without_redis_nothing_is_marked_as_told() -> None:
    project = make_project()
    event(project, 1)
    with using(REDIS_URL="redis://127.0.0.1:1"):
        database.connect(reuse_if_open=True)
        assert sweep(lambda _: None).events == 0
        database.close()
    database.connect()
    assert Event.get().published_at is None


def test_mirrors_of_projects_that_are_gone_go_unless_they_are_in_use(home: Path) -> None:
    with using(JIVE_DATA_DIR=str(home)):
        database.connect(reuse_if_open=True)
        kept, gone, used = make_project(), make_project(), make_project()
        places = {project: home / "repositories" / f"{project.id}.git" for project in (kept, gone, used)}
        (home / "repositories" / "notes").mkdir(parents=True)
        for place in places.values():
            storage.make(place, time.monotonic() + 60)
        gone.delete_instance()
        used.delete_instance()
        with storage.locked(places[used], time.monotonic()):
            sweep(lambda _: None)
            assert [place.exists() for place in places.values()] == [True, False, True]
        sweep(lambda _: None)
        assert {place.name for place in (home / "repositories").iterdir()} == {places[kept].name, "notes"}
        database.close()
    database.connect()
