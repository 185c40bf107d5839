"""Artifacts: written where they differ, identified by their path, and never with a value that no enum has."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import peewee
import pytest

from jive.db import database
from jive.errors import InvalidValue
from jive.models import Artifact, Project
from jive.models.enums import ArtifactType
from tests.factories import make_artifact, make_project

pytestmark = pytest.mark.usefixtures("db")


def test_a_path_is_unique_within_its_project_only() -> None:
    project = make_project()
    make_artifact(project, path="docs/prd.md")
    make_artifact(make_project(), path="docs/prd.md")
    with pytest.raises(peewee.IntegrityError):
        make_artifact(project, path="docs/prd.md")


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


def test_an_upsert_takes_more_rows_than_one_batch_holds() -> None:
    project = make_project()
    rows = [{"path": f"docs/{n}.md", "name": "N", "type": ArtifactType.OTHER, "content": "x"} for n in range(1201)]
    assert len(Artifact.upsert(project.id, rows)) == 1201
    assert Artifact.upsert(project.id, rows) == []
    Artifact.upsert(project.id, [row | {"content": "y"} for row in rows])
    assert Artifact.select().where(Artifact.content == "y").count() == 1201


def test_a_status_that_is_not_in_its_enum_is_refused() -> None:
    with pytest.raises(InvalidValue):
        make_artifact(make_project(), status="Almost")


def upsert(project: Project, *rows: dict[str, Any]) -> list[tuple[str, bool]]:
    usual = {"name": "N", "type": ArtifactType.OTHER, "content": "x"}
    return sorted(Artifact.upsert(project.id, [usual | row for row in rows]))


def test_an_upsert_writes_only_what_differs_and_says_what_is_new() -> None:
    project = make_project()
    assert upsert(project, {"path": "a"}, {"path": "b"}) == [("a", True), ("b", True)]
    before = Artifact.get(Artifact.path == "b").updated_at
    assert upsert(project, {"path": "a", "content": "y"}, {"path": "b"}, {"path": "c"}) == [("a", False), ("c", True)]
    assert Artifact.get(Artifact.path == "b").updated_at == before
    assert upsert(make_project(), {"path": "a"}) == [("a", True)]


def test_artifacts_are_removed_by_what_is_gone_or_by_what_is_left() -> None:
    project, other = make_project(), make_project()
    for path in ("a", "b", "c"):
        make_artifact(project, path=path, type="PRD", version="1")
        make_artifact(other, path=path)
    assert Artifact.remove(project.id, gone=["a", "z"], present=None) == [("a", ArtifactType.PRD, "1")]
    assert Artifact.remove(project.id, gone=None, present=["c"]) == [("b", ArtifactType.PRD, "1")]
    assert Artifact.blob_ids(project.id).keys() == {"c"}
    assert Artifact.remove(project.id, gone=None, present=[]) == [("c", ArtifactType.PRD, "1")]
    assert Artifact.remove(project.id, gone=[], present=None) == []
    assert Artifact.blob_ids(other.id).keys() == {"a", "b", "c"}


def test_the_count_by_type_has_every_type() -> None:
    project = make_project()
    make_artifact(project, type="STORY"), make_artifact(project, type="STORY"), make_artifact(make_project())
    assert Artifact.count_by_type(project.id) == dict.fromkeys(ArtifactType, 0) | {ArtifactType.STORY: 2}


def test_a_type_that_is_not_in_its_enum_is_refused_in_python_and_in_postgres() -> None:
    project = make_project()
    with pytest.raises(InvalidValue, match=r"EPIC.* is not a"):
        make_artifact(project, type="EPIC")
    assert Artifact.get_by_id(make_artifact(project, type="STORY").id).type is ArtifactType.STORY
    with pytest.raises(peewee.IntegrityError, match="check"):
        database.execute_sql("UPDATE artifacts SET type = 'EPIC'")
