"""An artifact: a document of a project, as it was last read."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import peewee

from jive.clock import utcnow
from jive.models.base import BaseModel
from jive.models.enums import ArtifactStatus, ArtifactType
from jive.models.fields import EnumField, JsonbField, TimestampField
from jive.models.project import Project

MAX_DEPENDENCIES_BYTES = 1_048_576
UPSERT_BATCH = 500
UPSERT_CHARACTERS = 8_000_000  # of content, in one statement


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.get("content") or "")
        if len(batch) == UPSERT_BATCH or size > UPSERT_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class Artifact(BaseModel):
    """A document, identified by its project and its path in the repository.

    Attributes:
        name: the title.
        version, created_by, created_at: as the document states them; None where it does not.
        dependencies: a list of `{"path": str, "version": str | None}`.
        content: the text; None if the document is larger than `MAX_CONTENT_BYTES` to be stored.
        status: the state of a story, or the decision of a QA gate; `status_text` is the document's own wording.
        blob_id: the id of the git blob that was read; a scan reads a document only if it has another one.
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
    status = EnumField(ArtifactStatus, "status", null=True)
    status_text = peewee.TextField(null=True)
    blob_id = peewee.TextField(null=True)

    class Meta:
        table_name = "artifacts"
        indexes = (
            (("project", "path"), True),
            (("project", "type"), False),
            (("project", "updated_at"), False),
        )

    @classmethod
    def upsert(cls, project_id: uuid.UUID, rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, bool]]:
        """Insert artifacts, and update those that the project has under the same path if they differ.

        Args:
            rows: field names and values, without the project; every row has the same fields, among them `path`.

        Returns the path of each artifact that was written, and whether it was inserted.
        """
        written: list[tuple[str, bool]] = []
        for batch in _batches(rows):
            fields = [cls._meta.fields[name] for name in ("project", *batch[0])]
            places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(batch))
            columns = [field.column_name for field in fields]
            kept, new = ([f"{row}.{name}" for name in columns] for row in ("artifacts", "excluded"))
            # Plain SQL: peewee takes half as long to build this statement as Postgres takes to run it.
            # xmax is 0 in a row that was inserted, and not in one that was updated.
            cursor = cls._meta.database.execute_sql(
                f"INSERT INTO artifacts ({', '.join(columns)}) VALUES {places} ON CONFLICT (project_id, path) "
                f"DO UPDATE SET ({', '.join(columns)}) = ROW ({', '.join(new)}) "
                f"WHERE ({', '.join(kept)}) IS DISTINCT FROM ({', '.join(new)}) RETURNING path, xmax = 0",
                [f.db_value(project_id if f is cls.project else row[f.name]) for row in batch for f in fields],
            )
            written += cursor.fetchall()
        return written

    @classmethod
    def remove(
        cls, project_id: uuid.UUID, *, gone: Collection[str] | None, present: Collection[str] | None
    ) -> list[tuple[str, str, str | None]]:
        """Delete the artifacts at the paths `gone`, or, if `present` is given, at all other paths than these.

        Returns the path, type and version of each deleted artifact.
        """
        verdict = "path = ANY(%s)" if present is None else "path <> ALL(%s)"
        listed = peewee.SQL(verdict, [list((gone or ()) if present is None else present)])
        query = cls.delete().where((cls.project == project_id) & listed)
        return list(query.returning(cls.path, cls.type, cls.version).tuples().execute())

    @classmethod
    def blob_ids(cls, project_id: uuid.UUID) -> dict[str, str | None]:
        """Return the blob id of each artifact of a project, by path."""
        rows: Any = cls.select(cls.path, cls.blob_id).where(cls.project == project_id).tuples()
        return dict(rows)

    @classmethod
    def count_by_type(cls, project_id: uuid.UUID) -> dict[ArtifactType, int]:
        """Return how many artifacts of each type a project has, zeros included."""
        rows: Any = (
            cls.select(cls.type, peewee.fn.count(peewee.SQL("*")))
            .where(cls.project == project_id)
            .group_by(cls.type)
            .tuples()
        )
        return dict.fromkeys(ArtifactType, 0) | dict(rows)
