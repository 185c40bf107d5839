"""Apply what a scan read: one transaction under the project's row lock."""

import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from jive.db import database, database_now
from jive.documents.document import READER_VERSION, Document
from jive.errors import NotFound
from jive.events import Envelope, artifact_updated
from jive.models import Artifact, Event, Project, WebhookEvent
from jive.models.enums import ProjectSource
from jive.models.project import PLAIN

CONFIG_FILES = "configFiles"  # in `Project.config`: the files that it was read from, with their blob ids
EVENT_BATCH = 1000  # rows in one statement


@dataclass(frozen=True)
class ScanStart:
    """What a scan knows when it begins.

    Attributes:
        project: the project as it stood, with `head`, `rules_hash` and `scan_applied` of the last applied scan.
        number: this scan's number, counted per project.
        began_at: the database's time; deliveries received until then are settled by this scan.
    """

    project: Project
    number: int
    began_at: datetime


@dataclass(frozen=True)
class DocumentChanges:
    """What a scan read, compared with what the project holds.

    Attributes:
        source: whether it was read from the project's remote, from a folder, or is the sample.
        head: the commit that was read; None for a folder, and for a repository without commits.
        config: where the repository keeps its documents; as `Project.config`.
        documents: the new and changed documents, each with its blob id.
        gone: the paths that no longer exist; None if `present` is given.
        present: the paths of all documents, if the whole tree was read; else None.
    """

    source: ProjectSource
    head: str | None
    config: Mapping[str, Any]
    documents: Sequence[tuple[Document, str]]
    gone: Collection[str] | None = None
    present: Collection[str] | None = None


def rules_hash(config: Mapping[str, Any]) -> str:
    """Return a hash of the rules that documents are read by; if it differs, unchanged files must be read again."""
    rules = json.dumps([READER_VERSION, config], sort_keys=True)
    return hashlib.sha256(rules.encode()).hexdigest()[:16]


def begin(project_id: uuid.UUID) -> ScanStart:
    """Begin a scan: take the project's next scan number, which also moves its `updated_at`.

    Raises:
        NotFound: the project does not exist.
    """
    query = Project.update(scans_begun=Project.scans_begun + 1).where(Project.id == project_id)
    for project in query.returning(*PLAIN).execute():
        # Read after the commit, so that a delivery recorded with the project's earlier updated_at is older than this.
        return ScanStart(project, project.scans_begun, began_at=database_now())
    raise NotFound(f"There is no project {project_id}")


def apply(start: ScanStart, changes: DocumentChanges) -> list[Envelope] | None:
    """Write the changes and an event for each, and settle the deliveries that were received before the scan began.

    A document that did not change is not written and gets no event. A scan of a folder settles no delivery.

    Returns the events, committed and not yet published, or None, with nothing written, if another scan was applied
    since this one began: what this one read was compared with artifacts that are no longer there.
    """
    project_id = start.project.id
    with database.atomic():
        # Deliveries can be recorded meanwhile: they only lock the row against removal.
        locked = Project.select(*PLAIN).for_update("FOR NO KEY UPDATE")  # type: ignore[arg-type]  # a string is allowed
        now = locked.where(Project.id == project_id).get_or_none()
        if now is None or now.scan_applied != start.project.scan_applied:
            return None
        events = _write_events(project_id, now.last_event_id, _write_artifacts(project_id, changes))
        if changes.source is ProjectSource.REMOTE:
            WebhookEvent.settle(project_id, start.began_at)
        _update_project(now, start, changes, len(events))
    return events


def _write_artifacts(project_id: uuid.UUID, changes: DocumentChanges) -> list[Envelope]:
    by_path = {document.path: document for document, _ in changes.documents}
    written = Artifact.upsert(project_id, [_row(document, blob_id) for document, blob_id in changes.documents])
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
    for path, kind, version in Artifact.remove(project_id, gone=changes.gone, present=changes.present):
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


def _update_project(now: Project, start: ScanStart, changes: DocumentChanges, event_count: int) -> None:
    # A folder stands in for a remote project's repository until the next scan, which reads everything again.
    stands_in = now.source is ProjectSource.REMOTE and changes.source is not ProjectSource.REMOTE
    Project.update(
        source=now.source if stands_in else changes.source,
        head=changes.head,
        rules_hash=None if stands_in else rules_hash(changes.config),
        config=changes.config or ({} if CONFIG_FILES in now.config else now.config),
        scan_applied=start.number,
        last_event_id=now.last_event_id + event_count,
        last_seen=peewee.fn.now(),
        scan_error=None,
    ).where(Project.id == now.id).execute()


def _write_events(project_id: uuid.UUID, last_id: int, events: Sequence[Envelope]) -> list[Envelope]:
    """Insert the events with the ids that follow `last_id`, and return them with their ids."""
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
