"""A document of a project, as the repository holds it now."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import peewee

from jive.clock import utcnow
from jive.db import BaseModel
from jive.models.enums import ArtifactType
from jive.models.fields import EnumField, JsonbField, TimestampField
from jive.models.project import Project

MAX_DEPENDENCIES_BYTES = 1_048_576
UPSERT_BATCH = 500


class Artifact(BaseModel):
    """A document, known by its path inside its project's repository.

    `name` is its title. `created_at` and `created_by` are what the document says of itself, and may be
    missing. `dependencies` is a list of `{"path": str, "version": str | None}`. `content` is its text.
    """

    id = peewee.UUIDField(primary_key=True, default=uuid.uuid4, constraints=[peewee.Default("gen_random_uuid()")])
    project = peewee.ForeignKeyField(Project, backref="artifacts", on_delete="CASCADE", index=False)
    project_id: uuid.UUID
    path = peewee.TextField()
    name = peewee.TextField()
    type = EnumField(ArtifactType, "type")
    version = peewee.TextField(null=True)
    created_by = peewee.TextField(null=True)
    created_at = TimestampField(null=True)
    updated_at = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    dependencies = JsonbField(MAX_DEPENDENCIES_BYTES, default=list, constraints=[peewee.Default("'[]'")])
    content = peewee.TextField(null=True)

    class Meta:
        table_name = "artifacts"
        indexes = (
            (("project", "path"), True),
            (("project", "type"), False),
            (("project", "updated_at"), False),
        )

    @classmethod
    def upsert(cls, project: Project, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert the rows, or update those whose path the project has; all rows name the same fields."""
        for batch in peewee.chunked(rows, UPSERT_BATCH):
            whole = [{"project": project, **row} for row in batch]
            changed = [field for field in whole[0] if field not in ("project", "path")]
            cls.insert_many(whole).on_conflict(
                conflict_target=[cls.project, cls.path], preserve=[getattr(cls, name) for name in changed]
            ).execute()
