"""The sweep: missed scans are enqueued, unpublished events are published, and what is no longer needed is deleted."""

from datetime import timedelta

import pytest
import redis

from jive.clock import utcnow
from jive.db import database
from jive.models import Event, Project
from jive.models.enums import DeliveryState, ProjectSource
from jive.operate.seed import seed
from jive.pipeline import mirrors
from jive.pipeline.scan import scan_project
from jive.pipeline.sweep import sweep
from tests.conftest import using
from tests.factories import make_delivery, make_event, make_project
from tests.flow.stack import Repository

pytestmark = pytest.mark.usefixtures("db")

LONG_AGO = utcnow() - timedelta(days=400)


def enqueued() -> list[str]:
    """Sweep, and return the names of the projects whose scans were enqueued."""
    projects: list[Project] = []
    sweep(projects.append)
    return sorted(str(Project.get_by_id(project.id).name) for project in projects)


def make_old(project: Project, **fields: object) -> None:
    """Set the project's `updated_at` to LONG_AGO, which its trigger prevents otherwise."""
    database.execute_sql("ALTER TABLE projects DISABLE TRIGGER set_updated_at")
    Project.update(updated_at=LONG_AGO, **fields).where(Project.id == project.id).execute()
    database.execute_sql("ALTER TABLE projects ENABLE TRIGGER set_updated_at")


def test_pending_deliveries_whose_job_may_be_lost_are_scanned() -> None:
    make_delivery(make_project(name="received", scans_begun=1), received_at=LONG_AGO)
    make_delivery(make_project(name="waiting", scans_begun=1), received_at=LONG_AGO, state=DeliveryState.WAITING)
    make_delivery(make_project(name="just arrived", scans_begun=1))
    make_delivery(make_project(name="settled", scans_begun=1), received_at=LONG_AGO, state=DeliveryState.SETTLED)
    make_delivery(make_project(name="failed", scans_begun=1), received_at=LONG_AGO, state=DeliveryState.FAILED)
    assert enqueued() == ["received", "waiting"]


def test_remote_projects_that_were_not_scanned_for_long_are_scanned() -> None:
    make_old(make_project(name="fetched", scans_begun=1), head="1" * 40, rules_hash="rules")
    make_old(make_project(name="without commits", scans_begun=1), rules_hash="rules")
    make_old(make_project(name="folder", scans_begun=1, source=ProjectSource.FOLDER))
    make_project(name="scanned a moment ago", scans_begun=1)
    assert enqueued() == ["fetched", "without commits"]


def test_a_project_whose_first_job_was_lost_is_scanned_without_waiting_for_the_rescan() -> None:
    with using(JIVE_RESCAN_INTERVAL_S="1000000"):
        database.connect(reuse_if_open=True)
        make_old(make_project(name="never scanned", created_at=LONG_AGO))
        database.execute_sql("ALTER TABLE projects DISABLE TRIGGER set_updated_at")
        Project.update(updated_at=utcnow() - timedelta(seconds=10)).execute()
        database.execute_sql("ALTER TABLE projects ENABLE TRIGGER set_updated_at")
        make_project(name="added a moment ago")
        assert enqueued() == ["never scanned"]
        database.close()
    database.connect(reuse_if_open=True)


def test_the_sample_is_never_scanned_however_old() -> None:
    sample, _ = seed()
    make_old(sample)
    assert enqueued() == []


def test_a_repository_without_commits_is_scanned_again(repository: Repository) -> None:
    project = make_project(name="empty", repo_url=repository.path.as_uri())
    scan_project(project.id)
    make_old(project)
    assert enqueued() == ["empty"]


def test_a_sweep_that_cannot_enqueue_is_repeated_by_the_next() -> None:
    make_delivery(make_project(name="pending"), received_at=LONG_AGO)

    def fail(project: Project) -> None:
        raise redis.ConnectionError("refused")

    with pytest.raises(redis.ConnectionError):
        sweep(fail)
    assert enqueued() == ["pending"]


def test_unpublished_events_are_published_once() -> None:
    project = make_project()
    make_event(project, timestamp=LONG_AGO)
    make_event(project, timestamp=LONG_AGO)
    make_event(project, timestamp=utcnow())  # the process that wrote it is about to publish it
    with using(JIVE_EVENT_DAYS="3650"):
        database.connect(reuse_if_open=True)
        assert sweep(lambda _: None).events == 2
        assert sweep(lambda _: None).events == 0
        database.close()
    database.connect(reuse_if_open=True)


def test_old_events_are_deleted_after_they_were_published() -> None:
    project = make_project()
    make_event(project, timestamp=LONG_AGO, published_at=LONG_AGO)
    kept = make_event(project, timestamp=utcnow(), published_at=utcnow())
    assert sweep(lambda _: None).deleted == 1
    assert [row.id for row in Event.select()] == [kept.id]


def test_without_redis_old_events_stay_unpublished_and_are_kept() -> None:
    make_event(make_project(), timestamp=LONG_AGO)
    with using(REDIS_URL="redis://127.0.0.1:1"):
        database.connect(reuse_if_open=True)
        result = sweep(lambda _: None)
        assert (result.events, result.deleted) == (0, 0)
        database.close()
    database.connect(reuse_if_open=True)
    assert Event.get().published_at is None


def test_mirrors_of_removed_projects_are_deleted_unless_they_are_in_use(repository: Repository) -> None:
    repository.commit(prd="# PRD\n")
    kept, removed, used = make_project(), make_project(), make_project()
    for project in (kept, removed, used):
        project.repo_url = repository.path.as_uri()
        with mirrors.mirror_of(project) as mirror:
            mirror.fetch(None)
    removed.delete_instance()
    used.delete_instance()
    with mirrors.mirror_of(used):
        sweep(lambda _: None)
        assert mirrors.project_ids() == {kept.id, used.id}
    sweep(lambda _: None)
    assert mirrors.project_ids() == {kept.id}
