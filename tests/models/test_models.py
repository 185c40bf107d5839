"""The four models: what they hold, what they refuse, and how they hang together."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import peewee
import pytest

from jive.catalog import projects
from jive.db import database
from jive.errors import InvalidValue, NotFound, ProjectExists
from jive.models import MODELS, Artifact, Event, MCPAuditLog, Project, WebhookEvent
from jive.models.enums import ArtifactType, MCPResult, WebhookSource
from tests.factories import make_artifact, make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")


def make_audit_log(project: Project, **fields: Any) -> MCPAuditLog:
    made = {
        "actor_type": "service_account",
        "actor_id": "agent-7",
        "actor_name": "Build agent",
        "tool": "get_artifact",
        "scope": "project:read",
        "args_hash": "a" * 64,
        "result": MCPResult.SUCCESS,
        "ip_address": "203.0.113.9",
        "user_agent": "agent/1.0",
    }
    return MCPAuditLog.create(project=project, **made | fields)


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


def test_a_project_is_found_by_id_url_or_name() -> None:
    project = make_project(name="Named")
    for word in (str(project.id), project.repo_url, "Named", "named"):
        assert projects.find(word).id == project.id


def test_a_name_of_two_projects_or_of_none_is_refused() -> None:
    make_project(name="Twin"), make_project(name="Twin")
    with pytest.raises(NotFound, match="More than one"):
        projects.find("Twin")
    with pytest.raises(NotFound, match="no project Nobody"):
        projects.find("Nobody")


def test_a_path_is_unique_within_its_project_only() -> None:
    project = make_project()
    make_artifact(project, path="docs/prd.md")
    make_artifact(make_project(), path="docs/prd.md")
    with pytest.raises(peewee.IntegrityError):
        make_artifact(project, path="docs/prd.md")


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


def move_by_save(artifact: Artifact) -> None:
    artifact.name = "Moved"
    artifact.save()


def move_by_update(artifact: Artifact) -> None:
    Artifact.update(name="Moved").where(Artifact.id == artifact.id).execute()


def move_by_upsert(artifact: Artifact) -> None:
    Artifact.upsert(artifact.project_id, [{"path": artifact.path, "name": "Moved", "type": artifact.type}])


def move_by_plain_sql(artifact: Artifact) -> None:
    database.execute_sql("UPDATE artifacts SET name = 'Moved'")


@pytest.mark.parametrize("move", [move_by_save, move_by_update, move_by_upsert, move_by_plain_sql])
def test_updated_at_moves_on_every_path(move: Any) -> None:
    artifact = make_artifact(make_project())
    before = Artifact.get_by_id(artifact.id).updated_at
    move(artifact)
    after = Artifact.get_by_id(artifact.id)
    assert after.name == "Moved"
    assert after.updated_at > before


def test_updated_at_is_never_moved_back_by_a_stale_object() -> None:
    stale = make_project()
    Project.update(name="Newer").where(Project.id == stale.id).execute()
    newer = Project.get_by_id(stale.id).updated_at
    stale.save()
    assert Project.get_by_id(stale.id).updated_at > newer


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda project, value: make_artifact(project, type=value), "EPIC"),
        (lambda project, value: make_delivery(project, source=value), "GITEA"),
        (lambda project, value: make_audit_log(project, result=value), "MAYBE"),
    ],
)
def test_a_value_that_is_not_in_its_enum_is_refused(make: Any, value: str) -> None:
    project = make_project()
    with pytest.raises(InvalidValue, match=f"{value}.* is not a"):
        make(project, value)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE artifacts SET type = 'EPIC'",
        "UPDATE webhook_events SET source = 'github'",
        "UPDATE mcp_audit_logs SET result = 'MAYBE'",
        "UPDATE mcp_audit_logs SET actor_type = 'robot'",
    ],
)
def test_the_database_refuses_such_a_value_too(sql: str) -> None:
    project = make_project()
    make_artifact(project), make_delivery(project), make_audit_log(project)
    with pytest.raises(peewee.IntegrityError, match="check"):
        database.execute_sql(sql)


def test_enums_come_back_as_members() -> None:
    project = make_project()
    make_artifact(project, type="STORY"), make_delivery(project, source=WebhookSource.BITBUCKET)
    assert Artifact.get().type is ArtifactType.STORY
    assert WebhookEvent.get().source is WebhookSource.BITBUCKET


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


def test_times_are_utc_whatever_the_session_says() -> None:
    noon_in_tokyo = datetime(2026, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=9)))
    artifact = make_artifact(make_project(), created_at=noon_in_tokyo)
    with database.atomic():
        database.execute_sql("SET LOCAL timezone = 'America/New_York'")
        read = Artifact.get_by_id(artifact.id).created_at
    assert read == noon_in_tokyo
    assert read.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="zone"):
        make_artifact(make_project(), created_at=datetime(2026, 1, 2))  # noqa: DTZ001  # that is the point


def test_two_hosts_cannot_share_a_delivery_id() -> None:
    project = make_project()
    make_delivery(project, id="same", source=WebhookSource.GITHUB)
    with pytest.raises(peewee.IntegrityError):
        make_delivery(project, id="same", source=WebhookSource.GITLAB)


def test_an_upsert_takes_more_rows_than_one_batch_holds() -> None:
    project = make_project()
    rows = [{"path": f"docs/{n}.md", "name": "N", "type": ArtifactType.OTHER, "content": "x"} for n in range(1201)]
    assert len(Artifact.upsert(project.id, rows)) == 1201
    assert Artifact.upsert(project.id, rows) == []
    Artifact.upsert(project.id, [row | {"content": "y"} for row in rows])
    assert Artifact.select().where(Artifact.content == "y").count() == 1201


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


def test_a_status_is_refused_that_no_enum_knows() -> None:
    with pytest.raises(InvalidValue):
        make_artifact(make_project(), status="Almost")


def test_every_model_is_registered() -> None:
    assert set(MODELS) == {Project, Artifact, WebhookEvent, MCPAuditLog, Event}
