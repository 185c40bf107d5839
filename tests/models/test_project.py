"""Projects: one for each repository, and everything of it goes with it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee
import pytest

from jive.db import database
from jive.errors import InvalidValue, ProjectExists
from jive.models import Artifact, MCPAuditLog, Project, WebhookEvent
from tests.factories import make_artifact, make_audit_log, make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")


def test_creates_and_retrieves_project() -> None:
    project = make_project(name="Test Project")
    found = Project.get_by_id(project.id)
    assert (found.name, found.repo_url, found.webhook_secret) == (
        "Test Project",
        project.repo_url,
        "test-secret",
    )
    assert found.config == {"prdFile": "docs/prd.md", "architectureFile": "docs/architecture.md"}


def test_a_project_is_updated_and_deleted() -> None:
    project = make_project()
    project.name = "Another name"
    project.save()
    assert Project.get_by_id(project.id).name == "Another name"
    project.delete_instance()
    assert Project.get_or_none(Project.id == project.id) is None


def test_a_project_has_artifacts_deliveries_and_audit_logs() -> None:
    project = make_project()
    artifact, delivery, log = make_artifact(project), make_delivery(project), make_audit_log(project)
    assert list(project.artifacts) == [artifact]
    assert list(project.webhook_events) == [delivery]
    assert list(project.mcp_audit_logs) == [log]


def test_everything_of_a_project_goes_with_it() -> None:
    project, other = make_project(), make_project()
    for each in (project, other):
        make_artifact(each), make_delivery(each), make_audit_log(each)
    database.execute_sql("DELETE FROM projects WHERE id = %s", (str(project.id),))
    for model in (Artifact, WebhookEvent, MCPAuditLog):
        assert [row.project_id for row in model.select()] == [other.id]


def test_a_second_project_with_the_same_url_is_refused() -> None:
    project = make_project()
    with pytest.raises(ProjectExists, match=project.repo_url):
        make_project(repo_url=project.repo_url)
    assert Project.select().count() == 1


def test_a_row_of_plain_sql_gets_every_default() -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    database.execute_sql("INSERT INTO projects (name, repo_url, webhook_secret) VALUES ('n', 'u', 't')")
    project = Project.select(
        Project.id, Project.config, Project.created_at, Project.updated_at, Project.last_seen
    ).get()
    assert isinstance(project.id, uuid.UUID)
    assert project.config == {}
    assert before < project.created_at == project.updated_at == project.last_seen
    database.execute_sql(
        "INSERT INTO artifacts (project_id, path, name, type) VALUES (%s, 'p', 'n', 'PRD')",
        (str(project.id),),
    )
    assert Artifact.get().dependencies == []
    database.execute_sql(
        "INSERT INTO webhook_events (id, source, project_id, event_type, payload_hash) "
        "VALUES ('d', 'GITLAB', %s, 'push', 'h')",
        (str(project.id),),
    )
    delivery = WebhookEvent.get()
    assert (delivery.processed, delivery.retry_count, delivery.processed_at) == (False, 0, None)


def test_updated_at_is_never_moved_back_by_a_stale_object() -> None:
    stale = make_project()
    Project.update(name="Newer").where(Project.id == stale.id).execute()
    newer = Project.get_by_id(stale.id).updated_at
    stale.save()
    assert Project.get_by_id(stale.id).updated_at > newer


def test_ten_megabytes_of_config_are_refused_and_change_nothing() -> None:
    project = make_project()
    project.config = {"key": "x" * 10_000_000}
    with pytest.raises(InvalidValue, match="at most 65,536"):
        project.save()
    assert "prdFile" in Project.get_by_id(project.id).config
    with pytest.raises(peewee.IntegrityError, match="check"):
        database.execute_sql("UPDATE projects SET config = jsonb_build_object('key', repeat('x', 10000000))")


@pytest.mark.parametrize("config", [{"key": "a\0b"}, {"key": float("nan")}, {"key": object()}])
def test_config_that_jsonb_cannot_hold_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="config"):
        make_project(config=config)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/example/jive",
        "https://GitHub.com/Example/Jive.git",
        "http://github.com/example/jive/",
        "https://someone@github.com:443/example/jive.git",
        "git@github.com:example/jive.git",
        "ssh://git@github.com:22/example/jive",
    ],
)
def test_a_project_is_one_however_its_url_is_written(url: str) -> None:
    project = make_project(repo_url="https://github.com/example/jive.git")
    assert Project.get(Project.has_url(url)) == project
    with pytest.raises(ProjectExists):
        make_project(repo_url=url)


@pytest.mark.parametrize(
    "url", ["https://github.com/example/jive2", "https://gitlab.com/example/jive", "git@github.com:123/jive.git"]
)
def test_another_repository_is_another_project(url: str) -> None:
    make_project(repo_url="https://github.com/example/jive")
    assert Project.get_or_none(Project.has_url(url)) is None
