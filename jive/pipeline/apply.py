"""Apply what a scan found: one transaction under the project's lock."""

import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from jive.db import database, database_now
from jive.errors import NotFound
from jive.events import Envelope, artifact_updated
from jive.models import Artifact, Event, Project, WebhookEvent
from jive.models.project import PLAIN
from jive.scanner.document import READER_VERSION, Document

CONFIG_FILES = "configFiles"  # in a project's config: the files that it was read from, with their blobs
EVENT_BATCH = 1000  # rows in one statement


@dataclass(frozen=True)
class Beginning:
    """What a scan knows when it begins.

    Attributes:
        project: as it stood, with `head`, `reading` and `scan_applied` of the last scan that counted.
        number: this scan's place in the order of scans.
        began_at: on the database's clock; deliveries received until then are settled by this scan.
    """

    project: Project
    number: int
    began_at: datetime


@dataclass(frozen=True)
class Findings:
    """What a scan found, beside what it knew when it began.

    Attributes:
        head: the commit that was read; None for a folder.
        config: where the repository says that its documents lie.
        documents: what is new or changed, each with the id of its blob.
        gone: paths of documents that are no more; None when `present` tells.
        present: every path that is a document now; None when only changes were read.
        settles: whether they answer the deliveries that had arrived; a folder's do not.
    """

    head: str | None
    config: Mapping[str, Any]
    documents: Sequence[tuple[Document, str]]
    gone: Collection[str] | None = None
    present: Collection[str] | None = None
    settles: bool = True


def reading(config: Mapping[str, Any]) -> str:
    """Return a name for the rules of reading: another one means that unchanged files must be read again."""
    rules = json.dumps([READER_VERSION, config], sort_keys=True)
    return hashlib.sha256(rules.encode()).hexdigest()[:16]


def begin(project_id: uuid.UUID) -> Beginning:
    """Take the next number of the project's scans.

    Raises:
        NotFound: the project is gone.
    """
    query = Project.update(scans_begun=Project.scans_begun + 1).where(Project.id == project_id)
    for project in query.returning(*PLAIN).execute():
        # After the commit: a delivery that still saw the project as it was before is older than this.
        return Beginning(project, project.scans_begun, began_at=database_now())
    raise NotFound(f"There is no project {project_id}")


def _is_watched(project: Project) -> bool:
    """Return whether the project's remote is read every now and then; that of one made from a folder is not."""
    return project.head is not None or project.reading is None


def apply(beginning: Beginning, findings: Findings) -> list[Envelope] | None:
    """Write the findings, settle the deliveries that they answer, and return the events, which stand as rows.

    Documents that are as they were kept are neither written nor told. Returns None, with nothing changed,
    when another scan was applied since this one began: if that began later, this one is out of date; if
    earlier, this one compared with artifacts that are no more.
    """
    project_id = beginning.project.id
    with database.atomic():
        # The lock lets deliveries be recorded meanwhile: those hold the row against removal only.
        locked = Project.select(*PLAIN).for_update("FOR NO KEY UPDATE")  # type: ignore[arg-type]  # it takes words too
        now = locked.where(Project.id == project_id).get_or_none()
        if now is None or now.scan_applied != beginning.project.scan_applied:
            return None
        events = _write_artifacts(project_id, findings)
        told = _write_events(project_id, now.last_event_id, events)
        if findings.settles:
            WebhookEvent.settle(project_id, beginning.began_at)
        Project.update(
            head=findings.head,
            # A folder stands in for the remote until it is read again: soon, if the remote was to be read.
            reading=reading(findings.config) if findings.settles or not _is_watched(now) else None,
            config=findings.config or ({} if CONFIG_FILES in now.config else now.config),
            scan_applied=beginning.number,
            last_event_id=now.last_event_id + len(told),
            last_seen=peewee.fn.now(),
            scan_error=None,
        ).where(Project.id == project_id).execute()
    return told


def _write_artifacts(project_id: uuid.UUID, findings: Findings) -> list[Envelope]:
    by_path = {document.path: document for document, _ in findings.documents}
    written = Artifact.upsert(project_id, [_row(document, blob_id) for document, blob_id in findings.documents])
    events = [
        artifact_updated(
            project_id,
            path=path,
            type=by_path[path].type,
            version=by_path[path].version,
            change="created" if created else "updated",
        )
        for path, created in written
    ]
    for path, kind, version in Artifact.remove(project_id, gone=findings.gone, present=findings.present):
        events.append(artifact_updated(project_id, path=path, type=kind, version=version, change="deleted"))
    return sorted(events, key=lambda event: str(event.payload["path"]))


def _row(document: Document, blob_id: str) -> dict[str, Any]:
    return {
        "path": document.path,
        "name": document.title,
        "type": document.type,
        "version": document.version,
        "created_by": document.created_by,
        "created_at": document.created_at,
        "dependencies": [{"path": each.path, "version": each.version} for each in document.dependencies],
        "content": document.content,
        "status": document.status,
        "status_text": document.status_text,
        "blob_id": blob_id,
    }


def _write_events(project_id: uuid.UUID, last_id: int, events: Sequence[Envelope]) -> list[Envelope]:
    """Insert the events with the ids that follow `last_id`, and return them with these."""
    numbered = [event.numbered(number) for number, event in enumerate(events, start=last_id + 1)]
    fields: tuple[peewee.Field, ...] = (Event.project, Event.id, Event.event, Event.payload, Event.timestamp)
    columns = ", ".join(str(field.column_name) for field in fields)
    converters: list[Callable[[Any], Any]] = [field.db_value for field in fields]
    for batch in peewee.chunked(numbered, EVENT_BATCH):
        rows = ((project_id, event.id, event.event, event.payload, event.timestamp) for event in batch)
        values = [convert(value) for row in rows for convert, value in zip(converters, row, strict=True)]
        places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(batch))
        database.execute_sql(f"INSERT INTO events ({columns}) VALUES {places}", values)  # as in Artifact.upsert
    return numbered
