"""Apply what a scan found to its project: one transaction, then one event a change."""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
    """Make the project's artifacts equal to `documents`; return an event a change, in the order of paths.

    Runs inside the caller's transaction, which holds the project's lock.
    """
    kept = _kept(project)
    changes: list[tuple[str, str, Change]] = []
    written = []
    for document in documents:
        if kept.get(document.path) != _state(document):
            written.append(_row(document))
            changes.append((document.path, document.type, "updated" if document.path in kept else "created"))
    gone = kept.keys() - {document.path for document in documents}
    changes += [(path, kept[path].type, "deleted") for path in gone]

    Artifact.upsert(project, written)
    if gone:
        Artifact.delete().where(Artifact.project == project, Artifact.path.in_(gone)).execute()
    Project.update(last_seen=utcnow()).where(Project.id == project.id).execute()
    return [
        artifact_updated(project.id, path=path, type=kind, version=None, change=change)
        for path, kind, change in sorted(changes)
    ]


class _State(NamedTuple):
    """What must be equal for a document to count as unchanged."""

    title: str
    type: str
    digest: str | None


def _state(document: Document) -> _State:
    content = document.content
    digest = None if content is None else hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    return _State(document.title, document.type, digest)


def _kept(project: Project) -> dict[str, _State]:
    digest = peewee.fn.md5(Artifact.content)
    rows: Any = Artifact.select(Artifact.path, Artifact.name, Artifact.type, digest).where(Artifact.project == project)
    return {path: _State(title, str(kind), digest) for path, title, kind, digest in rows.tuples()}


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
