"""Apply what a scan found to its project: one transaction, then one event a change."""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import peewee

from jive.clock import utcnow
from jive.db import connection, database
from jive.errors import RedisUnavailable
from jive.events import Event, artifact_updated
from jive.keys import make as make_key
from jive.models import Artifact, Project
from jive.models.enums import ArtifactType
from jive.pubsub import publish_project_events
from jive.scanner.document import Document
from jive.scanner.folder import read_folder, repository_url

Change = Literal["created", "updated", "deleted"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanResult:
    """What a scan did.

    Attributes:
        project: the project that it was applied to.
        counts: how many documents of each type the repository holds now.
        changes: how many were created, updated and deleted.
        warnings: what could not be read as it should, each with its path.
        told: whether Redis took the events.
    """

    project: Project
    counts: dict[ArtifactType, int]
    changes: dict[Change, int]
    warnings: tuple[str, ...]
    told: bool


def scan_folder(folder: Path) -> ScanResult:
    """Make the project of a checked-out repository hold the documents that the folder holds now.

    The project is found by the URL that the folder was cloned from, and made if there is none. Safe to
    repeat: what did not change is not written and not told.

    Raises:
        ScanFailed, DatabaseUnavailable: the project is as it was.
    """
    documents = list(read_folder(folder))
    with connection():
        with database.atomic():
            project = _project_at(repository_url(folder), folder.resolve().name)
            events = apply(project, documents)
        told = _tell(events)
    counted = Counter(document.type for document in documents)
    changed = Counter(event.payload["change"] for event in events)
    return ScanResult(
        project=project,
        counts={kind: counted[kind.value] for kind in ArtifactType},
        changes={"created": changed["created"], "updated": changed["updated"], "deleted": changed["deleted"]},
        warnings=tuple(warning for document in documents for warning in document.warnings),
        told=told,
    )


def _project_at(repo_url: str, name: str) -> Project:
    """Return the project with this URL, made if need be, and locked until the transaction ends."""
    made = {"repo_url": repo_url, "name": name, "webhook_secret": make_key()}
    Project.insert(made).on_conflict("IGNORE", conflict_target=[Project.repo_url]).execute()
    return Project.select().where(Project.repo_url == repo_url).for_update().get()


def apply(project: Project, documents: Sequence[Document]) -> list[Event]:
    """Make the project's artifacts equal to `documents`; return an event for each change, in the order of paths.

    Runs inside the caller's transaction, which holds the project's lock.
    """
    kept = {
        row.path: (row.name, row.type, row.version, row.digest)
        for row in Artifact.select(
            Artifact.path, Artifact.name, Artifact.type, Artifact.version, peewee.fn.md5(Artifact.content).alias("digest")
        ).where(Artifact.project == project)
    }
    changes: list[tuple[Document, Change]] = []
    for document in documents:
        digest = None if document.content is None else hashlib.md5(document.content.encode()).hexdigest()  # noqa: S324  # to compare, not to protect
        now = (document.title, ArtifactType(document.type), None, digest)
        if kept.get(document.path) != now:
            changes.append((document, "updated" if document.path in kept else "created"))
    Artifact.upsert(project, [_row(document) for document, _ in changes])
    gone = sorted(kept.keys() - {document.path for document in documents})
    if gone:
        Artifact.delete().where(Artifact.project == project, Artifact.path.in_(gone)).execute()
    Project.update(last_seen=utcnow()).where(Project.id == project.id).execute()

    told = [(document.path, document.type, change) for document, change in changes]
    told += [(path, str(kept[path][1]), "deleted") for path in gone]
    return [
        artifact_updated(project.id, path=path, type=kind, version=None, change=change)
        for path, kind, change in sorted(told)
    ]


def _row(document: Document) -> dict[str, object]:
    return {
        "path": document.path,
        "name": document.title,
        "type": ArtifactType(document.type),
        "content": document.content,
    }


def _tell(events: list[Event]) -> bool:
    try:
        publish_project_events(events)
    except RedisUnavailable as exc:
        logger.warning("%d changes are kept but could not be told: %s", len(events), exc)
        return False
    return True
